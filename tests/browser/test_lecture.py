"""The slides as a lecturer has them: by keyboard and clicker, widgets alive, everything legible at 1280 x 720."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

from mtl_helpers.lecture import deck, lab_settings, write
from mtl_helpers.notebooks import pairs
from mtl_helpers.widgets import GateExplorer
from tests.browser.harness import accessibility_problems, assert_looks_like, running_lab
from tests.browser.records import mmoe_and_ple, video_desk

pytestmark = pytest.mark.browser
SIZE = {"width": 1280, "height": 720}
SMALLEST = 14  # pixels
CHAPTERS = [path.stem for path in pairs().values() if path.parent.name == "notebooks" and path.exists()]

# What does not fit its page, and text too small for the last row. Widgets and figures have sizes of their own.
TROUBLE = """(smallest) => {
  const slide = document.querySelector('.slide.is-here'), box = slide.querySelector('.content'), found = [];
  if (box.scrollHeight > box.clientHeight + 2) found.push(`${box.scrollHeight - box.clientHeight} pixels too tall`);
  if (box.scrollWidth > box.clientWidth + 2) found.push(`${box.scrollWidth - box.clientWidth} pixels too wide`);
  const walk = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement, size = parseFloat(getComputedStyle(e).fontSize);
    if (!walk.currentNode.textContent.trim() || e.closest('.widget, math, script, template')) continue;
    const words = walk.currentNode.textContent.slice(0, 30);
    if (size < smallest && e.getClientRects().length) found.push(`${size} pixels: ${words}`);
  }
  for (const image of slide.querySelectorAll('img')) {
    const { width, height } = image.getBoundingClientRect();
    if (width * height < 60000) found.push('a small figure');
  }
  return found;
}"""


def marked(text: str, kind: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}})


def widget_cells() -> list:
    cells = [
        nbformat.v4.new_markdown_cell("# Widgets\n\n**On slides?**", metadata={"slideshow": {"slide_type": "slide"}})
    ]
    for widget in (GateExplorer(mmoe_and_ple()), video_desk()):
        data, metadata = widget._repr_mimebundle_()
        data.pop("application/vnd.jupyter.widget-view+json")
        heading = nbformat.v4.new_markdown_cell(f"## {widget.title}", metadata={"slideshow": {"slide_type": "slide"}})
        notes = nbformat.v4.new_markdown_cell(
            "Ask: *who* listens to whom?", metadata={"slideshow": {"slide_type": "notes"}}
        )
        shown = nbformat.v4.new_output("display_data", data, metadata=metadata)
        cells += [heading, nbformat.v4.new_code_cell("widget", outputs=[shown]), notes]
    return cells


@pytest.fixture(scope="module")
def widgets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("deck") / "widgets.html"
    path.write_text(deck(nbformat.v4.new_notebook(cells=widget_cells())), encoding="utf-8")
    return path


def open_deck(new_page: Callable[..., Page], path: Path, **options: object) -> Page:
    page = new_page(offline=True, **{"viewport": SIZE, **options})
    page.goto(path.as_uri())
    return page


def at(page: Page, number: str) -> None:
    expect(page.locator("#number")).to_have_text(number)


def settled(page: Page) -> None:
    """Waits until a widget has found its size."""
    page.wait_for_timeout(900)


def test_the_keys_of_a_lecturer_and_of_a_clicker_turn_pages(new_page: Callable[..., Page], widgets: Path) -> None:
    page = open_deck(new_page, widgets)
    at(page, "1 / 3")
    for key, number in [
        ("ArrowRight", 2),
        ("PageDown", 3),
        ("PageUp", 2),
        (" ", 3),
        ("Home", 1),
        ("ArrowLeft", 1),
        ("End", 3),
    ]:
        page.keyboard.press(key)
        at(page, f"{number} / 3")
    page.reload()
    at(page, "3 / 3")  # the address keeps the place
    page.keyboard.press("n")
    expect(page.locator("#notes")).to_contain_text("Ask: who listens to whom?")
    page.keyboard.press("n")
    expect(page.locator("#notes")).to_be_hidden()


def test_the_explorer_is_alive_on_a_slide(new_page: Callable[..., Page], widgets: Path) -> None:
    page = open_deck(new_page, widgets)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".slide.is-here .mtl-card")).to_have_count(1)  # of two models, one a tick away
    slider = page.get_by_role("slider", name="Epoch")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "19 of 20")
    at(page, "2 / 3")  # the key was the slider's
    weights = mmoe_and_ple()["MMoE"].levels[0].weights[0, 19, 0, 0]
    shown = page.locator(".slide.is-here .mtl-edge[data-gate='click']").evaluate_all(
        "all => all.map(e => +e.dataset.weight)"
    )
    assert shown == pytest.approx(list(weights), abs=0.0011)
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    at(page, "3 / 3")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("checkbox", name="PLE").check()
    expect(page.locator(".slide.is-here .mtl-card")).to_have_count(2)
    slider.focus()
    page.keyboard.press("PageDown")  # a clicker
    at(page, "3 / 3")


def test_a_tip_stands_at_its_band_although_the_widget_is_larger(new_page: Callable[..., Page], widgets: Path) -> None:
    page = open_deck(new_page, widgets)
    page.keyboard.press("ArrowRight")
    settled(page)
    assert float(page.locator(".slide.is-here .view").evaluate("e => e.style.zoom")) > 1
    cell = page.locator(".slide.is-here td[data-kind='load']").nth(3)
    cell.hover()
    tip, box = page.locator(".slide.is-here .mtl-tip").bounding_box(), cell.bounding_box()
    assert tip["x"] + tip["width"] / 2 == pytest.approx(box["x"] + box["width"] / 2, abs=3)
    assert 0 < box["y"] - (tip["y"] + tip["height"]) < 15


@pytest.mark.parametrize("number", [2, 3])
def test_widgets_fill_a_slide_and_can_be_used_by_all(new_page: Callable[..., Page], widgets: Path, number: int) -> None:
    page = open_deck(new_page, widgets)
    page.keyboard.press("ArrowDown" if number == 2 else "End")
    settled(page)
    assert page.evaluate(TROUBLE, SMALLEST) == []
    smallest = page.locator(".slide.is-here .mtl-widget").evaluate(
        """e => { const zoom = e.getBoundingClientRect().width / e.offsetWidth;
        return Math.min(...[...e.querySelectorAll('text, td, th, label, p, output')]
          .filter(each => each.textContent.trim() && each.getClientRects().length)
          .map(each => parseFloat(getComputedStyle(each).fontSize) * zoom)); }"""
    )
    assert smallest >= 13.5
    assert accessibility_problems(page, ".slide.is-here .mtl-widget") == []


def test_the_language_changes_on_the_slide(new_page: Callable[..., Page], widgets: Path) -> None:
    page = open_deck(new_page, widgets)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("l")
    expect(page.get_by_label("关闭专家").first).to_be_visible()
    page.keyboard.press("l")
    expect(page.get_by_label("Switch off").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_slide_looks_as_it_did(new_page: Callable[..., Page], widgets: Path, scheme: str) -> None:
    page = open_deck(new_page, widgets, color_scheme=scheme)
    page.keyboard.press("ArrowRight")
    settled(page)
    assert_looks_like(f"lecture_explorer_{scheme}", page.screenshot())


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_page_of_a_chapter_is_legible(new_page: Callable[..., Page], tmp_path: Path, chapter: str) -> None:
    page = open_deck(new_page, write([chapter], tmp_path)[0])
    trouble = {}
    for number in range(1, page.evaluate("slides.length") + 1):
        if page.locator(".slide.is-here.is-widget").count():
            settled(page)
        if found := page.evaluate(TROUBLE, SMALLEST):
            trouble[f"page {number}, {page.locator('.slide.is-here h2').inner_text()}"] = found
        page.keyboard.press("PageDown")
    assert not trouble


def test_the_first_chapters_slides_look_as_they_did(new_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_deck(new_page, write(["00"], tmp_path)[0])
    assert_looks_like("lecture_opening", page.screenshot())
    page.keyboard.press("l")
    expect(page.locator(".zh").first).to_be_visible()
    expect(page.locator(".slide.is-here .en")).to_be_hidden()


def test_jupyterlab_opens_in_letters_for_a_room(new_page: Callable[..., Page], tmp_path: Path) -> None:
    settings = lab_settings(tmp_path / "settings")
    assert settings == lab_settings(tmp_path / "settings")
    with running_lab(tmp_path / "lab") as room:
        for path in (tmp_path / "settings").rglob("themes.jupyterlab-settings"):
            (tmp_path / "lab" / "settings" / "@jupyterlab" / "apputils-extension" / path.name).write_bytes(
                path.read_bytes()
            )
        page = new_page(viewport=SIZE)
        room.open(page, "00_start_here.ipynb")
        expect(page.locator(".jp-MarkdownOutput p").first).to_have_css("font-size", "18px")
        page.context.close()
