"""A learner's way: solve an exercise in one notebook, see it in another, forget it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import running_lab

pytestmark = pytest.mark.browser
SOLVE = 'from mtl_helpers.exercises import check\ncheck("06.2", "a")\ncheck("06.2", "b")'
LOOK = "from mtl_helpers.exercises import forget_progress, progress\nprogress()"


def test_what_was_solved_is_seen_in_another_notebook(
    new_page: Callable[..., Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    monkeypatch.setenv("MTL_PROGRESS_DIR", str(mine))
    monkeypatch.delenv("MTL_STRICT", raising=False)
    with running_lab(tmp_path / "lab") as lab:
        lab.add_notebook("solve.ipynb", [SOLVE])
        lab.add_notebook("look.ipynb", [LOOK, "forget_progress()\nprogress()"])
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
        page.context.close()  # before its kernels go
    assert list(mine.iterdir()) == []
    assert not [path for path in (tmp_path / "lab" / "notebooks").rglob("progress.json")]
