"""The static site, from the disk and with the network off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mtl_helpers.site import build
from tests.browser.harness import accessibility_problems, assert_looks_like

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    assert build(folder) == []
    return folder


def open_page(new_page: Callable[..., Page], path: Path, **options: object) -> Page:
    page = new_page(offline=True, **options)
    page.goto(path.as_uri())
    return page


def test_from_the_index_through_the_chapters(new_page: Callable[..., Page], site: Path) -> None:
    page = open_page(new_page, site / "index.html")
    page.get_by_role("heading", level=2).get_by_role("link", name="06 · MMoE and its gates").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("06 · MMoE and its gates")
    page.get_by_role("link", name="solutions").click()
    page.get_by_role("link", name="the chapter").click()
    page.get_by_role("link", name="slides").click()
    expect(page.locator("#number")).to_contain_text("1 / ")
    page.get_by_role("link", name="the chapter").click()
    page.get_by_role("link", name="Multi-task learning, by experiment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Multi-task learning, by experiment")


def test_formulas_and_figures_are_drawn(new_page: Callable[..., Page], site: Path) -> None:
    page = open_page(new_page, site / "06_mmoe_and_its_gates.html")
    heights = page.locator("math").evaluate_all("all => all.map(e => e.getBoundingClientRect().height)")
    assert len(heights) > 15
    assert min(heights) > 5
    fraction = page.locator("mfrac").first.evaluate("e => [...e.children].map(c => c.getBoundingClientRect().top)")
    assert fraction[0] < fraction[1]
    images = page.locator("figure img").evaluate_all("all => all.map(e => [e.naturalWidth, e.alt])")
    assert all(width > 300 and len(alt.split()) >= 8 for width, alt in images)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_explorer_works_without_a_kernel(new_page: Callable[..., Page], site: Path, scheme: str) -> None:
    page = open_page(new_page, site / "00_start_here.html", color_scheme=scheme)
    slider = page.get_by_role("slider", name="Epoch")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "0 of 12")
    weights = page.locator(".mtl-edge").evaluate_all("all => all.map(e => +e.dataset.weight)")
    assert max(weights) < 0.35  # at the start all experts are nearly alike
    assert accessibility_problems(page) == []
    page.get_by_role("button", name="English · 中文").click()
    expect(page.get_by_label("关闭专家")).to_be_visible()
    expect(page.locator("details[lang=zh]").first).to_have_attribute("open", "")
    page.reload()
    expect(page.get_by_label("关闭专家")).to_be_visible()  # the choice is kept


@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_fits_screens_large_and_small(new_page: Callable[..., Page], site: Path, width: int) -> None:
    page = open_page(new_page, site / "00_start_here.html", viewport={"width": width, "height": 800})
    expect(page.locator(".mtl-card")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 1280:
        assert_looks_like("site_opening", page.screenshot())
