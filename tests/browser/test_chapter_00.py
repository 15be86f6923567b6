"""The first chapter in a real JupyterLab: what a newcomer sees after ``make lab``."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import Lab

pytestmark = pytest.mark.browser
CHAPTER = "00_start_here.ipynb"


def test_chapter_00_runs_from_the_menu_and_every_claim_holds(new_page: Callable[..., Page], lab: Lab) -> None:
    page = new_page(viewport={"width": 1280, "height": 720})
    lab.open(page, CHAPTER)
    expect(page.get_by_role("heading", name="00 · Start here")).to_be_visible()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    lab.wait_until_run(page, CHAPTER)
    outputs = [output for cell in lab.cells(page) for output in cell["outputs"]]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    said = json.dumps(outputs, ensure_ascii=False)
    assert said.count("Claim holds") == 2
    assert "Claim does not hold" not in said
    assert "image/png" in said
