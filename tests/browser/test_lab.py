"""The first chapter in a real JupyterLab: what a newcomer sees after ``make lab``."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.lab import QUIET, ROOT, find_browser, running_lab

pytestmark = pytest.mark.browser
MINUTE = 60_000  # milliseconds


def without_outputs(source: Path, target: Path) -> None:
    """Copies a notebook, leaving its stored outputs out: what is seen afterwards was computed here."""
    notebook = json.loads(source.read_text("utf8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    target.write_text(json.dumps(notebook), "utf8")


def run_all(page: Page, path: Path) -> list[dict]:
    """Runs all cells from the menu and saves; gives the saved code cells once the last one has run."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    for _ in range(120):
        time.sleep(1)
        page.keyboard.press("Control+s")
        cells = [cell for cell in json.loads(path.read_text("utf8"))["cells"] if cell["cell_type"] == "code"]
        if all(cell["execution_count"] for cell in cells):
            return cells
    raise AssertionError(f"not all cells of {path.name} ran: {[cell['execution_count'] for cell in cells]}")


def test_chapter_00_opens_runs_and_every_claim_holds(tmp_path):
    browser_path = find_browser()
    chapter = tmp_path / "00_start_here.ipynb"
    without_outputs(ROOT / "notebooks" / chapter.name, chapter)
    (tmp_path / "06_mmoe_and_its_gates.ipynb").write_bytes(
        (ROOT / "notebooks/06_mmoe_and_its_gates.ipynb").read_bytes()
    )
    with running_lab(tmp_path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", *QUIET])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(address.format(path=chapter.name))
        expect(page.get_by_role("heading", name="00 · Start here")).to_be_visible(timeout=MINUTE)
        expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_attached(timeout=MINUTE)
        cells = run_all(page, chapter)
        page.screenshot(path=tmp_path / "chapter_00.png")
        browser.close()
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]
    said = json.dumps(outputs, ensure_ascii=False)
    assert said.count("Claim holds") == 2
    assert "Claim does not hold" not in said
    assert "image/png" in said
