"""The widgets in a real JupyterLab: shown, moved, and answered by a kernel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.harness import Lab, accessibility_problems
from tests.browser.records import mmoe_and_ple

pytestmark = pytest.mark.browser
BACKGROUND = "e => getComputedStyle(e).backgroundColor"

SHOW = """
from pathlib import Path
from mtl_helpers.gates import GateRecord
from mtl_helpers.widgets import GateExplorer
record = GateRecord.from_json(Path("record.json").read_text())
GateExplorer(record)
"""
ANSWER = """
import dataclasses
asked = []
def ablate(model, seed, level, expert):
    asked.append((model, seed, level, expert))
    if expert == 0:
        raise RuntimeError("no such luck")
    return {"click": -0.0123, "finish": 0.0061}
GateExplorer(dataclasses.replace(record, ablation=None), ablate=ablate)
"""


def prepare(lab: Lab) -> None:
    record = mmoe_and_ple()["MMoE"]
    (lab.folder / "record.json").write_text(record.to_json(), encoding="utf-8")
    lab.add_notebook("widgets.ipynb", [SHOW, ANSWER])


@pytest.fixture(scope="module")
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    """The notebook, run once for all tests of this file."""
    prepare(lab)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    lab.run_notebook(page, "widgets.ipynb")
    page.wait_for_selector(".mtl-card")
    yield page
    context.close()


def test_a_notebook_shows_the_explorer(page: Page) -> None:
    record = mmoe_and_ple()["MMoE"]
    explorer = page.locator(".mtl-gates").first
    slider = explorer.get_by_role("slider", name="Epoch")
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "7 of 20")
    expect(slider).to_be_focused()  # the arrow keys moved the slider, not JupyterLab's cells
    shown = explorer.locator(".mtl-edge").evaluate_all(
        "all => all.map(e => [e.dataset.gate, e.dataset.expert, e.dataset.weight])"
    )
    level = record.levels[0]
    for gate, expert, weight in shown:
        expected = level.weights[0, 7, level.gates.index(gate), 0, level.experts.index(expert)]
        assert float(weight) == pytest.approx(expected, abs=0.0011)


def test_letters_reach_the_widget_and_not_the_notebook(page: Page) -> None:
    cells = page.locator(".jp-CodeCell").count()
    page.locator(".mtl-gates").first.get_by_role("button", name="Play the training").focus()
    for key in ("a", "d", "d", "x"):  # JupyterLab's keys to add, delete and cut a cell
        page.keyboard.press(key)
    assert page.locator(".jp-CodeCell").count() == cells


def test_the_kernel_computes_what_was_not_recorded(page: Page) -> None:
    explorer = page.locator(".mtl-gates").nth(1)
    explorer.get_by_role("switch", name="expert 3", exact=True).press("Enter")
    expect(explorer.locator(".mtl-effect")).to_have_text("click −1.2, finish +0.6 points of AUC")
    expect(explorer.locator(".mtl-tower").first).to_have_attribute("data-change", "−0.0123")
    explorer.get_by_label("Switch off", exact=True).select_option(label="expert 1")
    expect(explorer.locator(".mtl-effect")).to_have_text("RuntimeError: no such luck")


def test_the_widget_takes_jupyterlabs_colours(page: Page) -> None:
    explorer = page.locator(".mtl-gates").first
    assert explorer.evaluate(BACKGROUND) == page.locator(".jp-Cell").first.evaluate(
        "e => { const d = document.createElement('i'); d.style.background = 'var(--jp-layout-color1)'; e.append(d);"
        "const c = getComputedStyle(d).backgroundColor; d.remove(); return c; }"
    )
    assert accessibility_problems(page, ".mtl-gates") == []


def test_dark_jupyterlab(page: Page) -> None:
    def change_theme(name: str) -> None:
        page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
        light = json.dumps(name == "JupyterLab Light")
        page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{light}'")

    change_theme("JupyterLab Dark")
    try:
        assert accessibility_problems(page, ".mtl-gates") == []
        background = page.locator(".mtl-gates").first.evaluate(BACKGROUND)
        assert max(map(int, re.findall(r"\d+", background)[:3])) < 64, background
    finally:
        change_theme("JupyterLab Light")
