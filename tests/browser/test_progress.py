"""A learner's way: solve an exercise in one notebook, see it in another, forget it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import Lab

pytestmark = pytest.mark.browser
LEARNER = "import os\nos.environ['MTL_PROGRESS_DIR'] = {folder!r}\nos.environ.pop('MTL_STRICT', None)\n"
SOLVE = 'from mtl_helpers.exercises import check\ncheck("06.2", "a")\ncheck("06.2", "b")'
LOOK = "from mtl_helpers.exercises import forget_progress, progress\nprogress()"


def test_what_was_solved_is_seen_in_another_notebook(new_page: Callable[..., Page], lab: Lab, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    learner = LEARNER.format(folder=str(mine))
    lab.add_notebook("solve.ipynb", [learner + SOLVE])
    lab.add_notebook("look.ipynb", [learner + LOOK, "forget_progress()\nprogress()"])
    page = new_page()
    lab.run_notebook(page, "solve.ipynb")
    expect(page.locator(".jp-OutputArea").get_by_text("Right · 06.2")).to_be_visible()
    assert json.loads((mine / "progress.json").read_text("utf8"))["solved"]["06.2"]["attempts"] == 1
    lab.run_notebook(page, "look.ipynb")
    before, after = page.locator(".jp-CodeCell .jp-OutputArea").all()
    row = before.get_by_role("row", name="06").first
    expect(row).to_contain_text("1 of 5")
    expect(row).to_contain_text("06.1, 06.3, 06.4, 06.5")
    expect(after).to_contain_text("Nothing is kept yet.")
    assert list(mine.iterdir()) == []
    assert not list(lab.folder.rglob("progress.json"))
