"""The focal desk as a saved file, without network, against what Python computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mtl_helpers.metrics import focal_loss, unfocus
from mtl_helpers.widgets import FocalDesk
from tests.browser.harness import accessibility_problems

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return FocalDesk(gamma=2, p=0.3).save_html(tmp_path_factory.mktemp("desk") / "desk.html")


@pytest.fixture
def page(open_file: Callable[..., Page], saved: Path) -> Page:
    return open_file(saved)


def assert_shows(page: Page, gamma: float, p: float, happened: bool = True) -> None:
    for chart, value in (("loss", focal_loss(p, happened, gamma)), ("meant", unfocus(p, gamma))):
        drawn = page.locator(f".mtl-chart[data-chart='{chart}']")
        assert float(drawn.get_attribute("data-value")) == pytest.approx(float(value), abs=1e-4)
    expect(page.locator(".mtl-words")).to_contain_text(f"a prediction of {p:.2f} means")


def test_it_begins_with_what_was_given(page: Page) -> None:
    assert_shows(page, gamma=2, p=0.3)


def test_sliders_and_label_by_keyboard_and_mouse(page: Page) -> None:
    gamma, p = page.get_by_role("slider", name="γ"), page.get_by_role("slider", name="predicted probability")
    gamma.focus()
    page.keyboard.press("Home")
    assert_shows(page, gamma=0, p=0.3)
    page.keyboard.press("End")
    assert_shows(page, gamma=5, p=0.3)
    p.focus()
    page.keyboard.press("End")
    assert_shows(page, gamma=5, p=0.99)
    page.keyboard.press("Home")
    page.get_by_label("it did not happen").check(force=True)
    assert_shows(page, gamma=5, p=0.01, happened=False)
    gamma.fill("1.5")
    p.fill("0.62")
    assert_shows(page, gamma=1.5, p=0.62, happened=False)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 480)])
def test_nobody_is_shut_out(open_file: Callable[..., Page], saved: Path, scheme: str, width: int) -> None:
    page = open_file(saved, color_scheme=scheme, viewport={"width": width, "height": 900})
    assert accessibility_problems(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
