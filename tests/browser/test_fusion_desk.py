"""The fusion desk as a saved file, without network, against what Python ranks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from mtl_helpers.widgets import FusionDesk
from tests.browser.harness import accessibility_problems, assert_looks_like
from tests.browser.records import video_desk

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk() -> FusionDesk:
    return video_desk()


@pytest.fixture(scope="module")
def saved(desk: FusionDesk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return desk.save_html(tmp_path_factory.mktemp("desk") / "desk.html")


@pytest.fixture
def page(open_file: Callable[..., Page], saved: Path) -> Page:
    return open_file(saved)


def assert_ranked(page: Page, desk: FusionDesk, weights: list[float], mode: str = "product", request: int = 0) -> None:
    shown = page.locator(".mtl-ranking tbody tr").evaluate_all("rows => rows.map(row => Number(row.dataset.item))")
    assert shown == desk.ranking(weights, mode, request)[:10].tolist()
    names = page.locator(".mtl-ranking td.is-name").all_inner_texts()
    assert names == [desk.items[i] for i in shown]
    for name, curve in desk.outcome_curves(weights, mode).items():
        drawn = page.locator(f".mtl-chart[data-outcome='{name}']")
        assert float(drawn.get_attribute("data-value")) == pytest.approx(curve[9], abs=2e-3)


def curve_of(page: Page, outcome: str) -> np.ndarray:
    """The drawn curve, as shares of the distance between the two lines of its axis."""
    chart = page.locator(f".mtl-chart[data-outcome='{outcome}']")
    points = chart.locator(".mtl-line").last.get_attribute("d")[1:].split("L")
    bottom, top = (float(chart.locator(".mtl-axis").nth(i).get_attribute("y1")) for i in (0, 1))
    return (bottom - np.array([float(point.split()[1]) for point in points])) / (bottom - top)


def test_it_begins_with_the_exponents_given(page: Page, desk: FusionDesk) -> None:
    assert_ranked(page, desk, [1, 1, 0])
    expect(page.locator(".mtl-formula")).to_have_text("score = click^1.00 · finish^1.00 · length^0.00")


def test_sliders_by_keyboard_and_mouse(page: Page, desk: FusionDesk) -> None:
    click, finish = page.get_by_role("slider", name="click"), page.get_by_role("slider", name="finish")
    finish.focus()
    page.keyboard.press("End")
    expect(finish).to_have_attribute("aria-valuetext", "3.00")
    assert_ranked(page, desk, [1, 3, 0])
    page.keyboard.press("ArrowLeft")
    assert_ranked(page, desk, [1, 2.95, 0])
    box = click.bounding_box()
    page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    expect(click).to_have_attribute("aria-valuetext", "0.00")
    assert_ranked(page, desk, [0, 2.95, 0])


def test_curves_are_the_means_of_the_first_k(page: Page, desk: FusionDesk) -> None:
    page.get_by_role("slider", name="finish").fill("2")
    shares = curve_of(page, "click")
    curve = desk.outcome_curves([1, 2, 0])["click"]
    most = max(np.mean([sorted(desk.outcomes["click"][m])[::-1][0] for m in desk.requests.values()]), 0)
    np.testing.assert_allclose(shares, curve / most, atol=0.01)


def test_the_weighted_sum_has_weights_of_its_own(page: Page, desk: FusionDesk) -> None:
    page.get_by_role("slider", name="finish").fill("2.5")
    page.get_by_role("radio", name="weighted sum").check()
    assert_ranked(page, desk, [1, 1, 0], "sum")
    page.get_by_role("slider", name="length").fill("0.4")
    assert_ranked(page, desk, [1, 1, 0.4], "sum")
    expect(page.locator(".mtl-formula")).to_have_text("score = 1.00 × click + 1.00 × finish + 0.40 × length")
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="weighted sum").press("ArrowLeft")
    assert_ranked(page, desk, [1, 2.5, 0])


def test_another_request(page: Page, desk: FusionDesk) -> None:
    page.get_by_label("List of").select_option(label="Carl")
    assert_ranked(page, desk, [1, 1, 0], request=2)


def test_moves_are_counted_from_the_reference_that_is_kept(page: Page, desk: FusionDesk) -> None:
    page.get_by_role("slider", name="click").fill("0")
    before, after = desk.ranking([1, 1, 0]).tolist(), desk.ranking([0, 1, 0]).tolist()
    moved = [before.index(item) - k for k, item in enumerate(after[:10])]
    expected = ["" if not by else f"{'▲' if by > 0 else '▼'}{abs(by)}" for by in moved]
    assert page.locator(".mtl-moved").all_inner_texts() == expected
    expect(page.locator(".mtl-words")).to_contain_text("reference")
    page.get_by_role("button", name="Keep as reference").press("Enter")
    assert set(page.locator(".mtl-moved").all_inner_texts()) == {""}
    page.get_by_role("button", name="Start again").click()
    assert_ranked(page, desk, [1, 1, 0])
    assert set(page.locator(".mtl-moved").all_inner_texts()) != {""}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(open_file: Callable[..., Page], saved: Path, scheme: str) -> None:
    page = open_file(saved, color_scheme=scheme)
    page.get_by_role("slider", name="click").fill("0")
    assert accessibility_problems(page) == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 780)])
def test_it_looks_as_it_did(open_file: Callable[..., Page], saved: Path, scheme: str, width: int) -> None:
    page = open_file(saved, color_scheme=scheme, viewport={"width": width, "height": 720})
    page.get_by_role("slider", name="finish").fill("2.5")
    assert_looks_like(f"fusion_desk_{scheme}", page.locator(".mtl-widget").screenshot())
