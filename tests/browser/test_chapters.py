"""The chapters with the gate explorer, run whole in a real JupyterLab: what is drawn is what was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from mtl_helpers.gates import GateRecord
from tests.browser.harness import NOTEBOOKS, Lab, accessibility_problems

pytestmark = pytest.mark.browser
CHAPTERS = [path.name for path in sorted(NOTEBOOKS.glob("*.ipynb")) if path.name[:2] in ("06", "07", "08")]

# Run before a chapter and after it: keeps what every explorer of the chapter was given.
REMEMBER = """
from mtl_helpers.widgets import GateExplorer
explorers_made, begin_explorer = [], GateExplorer.__init__
def remember_explorer(explorer, *given, **named):
    begin_explorer(explorer, *given, **named)
    explorers_made.append({name: record.to_json() for name, record in explorer.records.items()})
GateExplorer.__init__ = remember_explorer
"""
WRITE = """
import json
from pathlib import Path
_ = Path("shown.json").write_text(json.dumps(explorers_made))
"""


def prepare(lab: Lab, name: str) -> str:
    """Puts the two cells around a copy of the chapter; gives its name."""
    notebook = nbformat.read(lab.folder / name, as_version=4)
    first, last = (
        nbformat.v4.new_code_cell(text, id=each) for each, text in (("remember", REMEMBER), ("write", WRITE))
    )
    notebook.cells = [first, *notebook.cells, last]
    nbformat.write(notebook, lab.folder / f"watched_{name}")
    return f"watched_{name}"


def edges(card: Locator) -> list[dict[str, Any]]:
    """Reads level, gate, expert and weight off every band of a network."""
    return card.locator(".mtl-edge").evaluate_all("all => all.map((edge) => ({ ...edge.dataset }))")


def assert_drawn(explorer: Locator, records: dict[str, GateRecord], epoch: int, group: int) -> None:
    """Compares every band of every network with its record."""
    for name, record in records.items():
        bands = edges(explorer.locator(f'.mtl-card[aria-label="{name}"]'))
        assert len(bands) > 1
        for band in bands:
            level = record.levels[int(band["level"]) - 1]
            place = level.gates.index(band["gate"]), group, level.experts.index(band["expert"])
            assert float(band["weight"]) == pytest.approx(float(level.weights[0, epoch][place]), abs=0.0011)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_and_its_explorers_draw_what_was_recorded(
    new_page: Callable[..., Page], lab: Lab, name: str
) -> None:
    page = new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    lab.run_notebook(page, prepare(lab, name), timeout=420)
    shown = json.loads(Path(lab.folder, "shown.json").read_text(encoding="utf-8"))
    explorers = page.locator(".mtl-gates")
    expect(explorers).to_have_count(len(shown))
    for number, texts in enumerate(shown):
        records = {model: GateRecord.from_json(text) for model, text in texts.items()}
        first, explorer = next(iter(records.values())), explorers.nth(number)
        explorer.scroll_into_view_if_needed()
        slider, rows = explorer.get_by_role("slider", name="Epoch"), explorer.get_by_role("combobox", name="Rows")
        rows.select_option(index=len(first.groups) - 1)
        slider.focus()
        page.keyboard.press("Home")
        assert_drawn(explorer, records, 0, len(first.groups) - 1)
        page.keyboard.press("ArrowRight")
        assert_drawn(explorer, records, 1, len(first.groups) - 1)
        box = slider.bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
        assert_drawn(explorer, records, len(first.epochs) - 1, len(first.groups) - 1)
    assert not accessibility_problems(page)
