"""Every chapter is a lecture: 8 to 15 slides, each with something on it, in formulas a page can show."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from mtl_helpers.lecture import slides_of
from mtl_helpers.notebooks import pairs
from mtl_helpers.pages import render

CHAPTERS = [path for path in pairs().values() if path.parent.name == "notebooks" and path.exists()]
LECTURES = [path for path in CHAPTERS if not path.stem.startswith("00")]
FEWEST, MOST, MOST_PAGES = 8, 15, 8


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_a_chapter_has_the_slides_of_one_lecture(path: Path) -> None:
    slides = slides_of(nbformat.read(path, as_version=4))
    begun = [slide.heading for slide in slides if not slide.below]
    hint = "make it a 'subslide', which goes on under its own heading"
    assert FEWEST <= len(begun) <= MOST, f"{len(begun)} slides; where one belongs to the one before, {hint}: {begun}"
    assert all(slide.heading for slide in slides)
    crowded = {slide.heading: len(slide.pages) for slide in slides if len(slide.pages) > MOST_PAGES}
    assert not crowded, f"too many pages for one slide: {crowded}; mark another cell as a slide, or skip some"
    kinds = {page.kind for slide in slides for page in slide.pages}
    assert {"text", "figure"} <= kinds


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_formula_can_be_shown_without_a_network(path: Path) -> None:
    problems: list[str] = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            render.markdown(cell.source, problems=problems)
        for output in cell.get("outputs", []):
            render.output(output, problems=problems)
    assert not problems
