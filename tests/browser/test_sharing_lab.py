"""The sharing lab: as a saved file it walks through what was recorded, in JupyterLab its button trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from mtl_helpers.widgets import SharingLab
from tests.browser.harness import Lab, accessibility_problems, assert_looks_like

pytestmark = pytest.mark.browser
MODELS = {"single-task": 0.0, "hard sharing": -0.08, "soft sharing": -0.05, "cross-stitch": 0.0}


def recorded() -> pd.DataFrame:
    """Made-up results: what hard sharing does depends on the cosine, what soft sharing does on the rows."""
    random, rows = np.random.default_rng(5), []
    for p in (-1.0, 0.0, 1.0):
        for count in (100, 200, 2000):
            for seed in range(8):
                for task in ("task_1", "task_2"):
                    base = 0.5 + 18 / count + 0.02 * random.normal()
                    for model, gain in MODELS.items():
                        change = gain if p or model != "hard sharing" else 0.2
                        value = base + change * (100 / count if change < 0 else 1) + 0.01 * random.normal()
                        rows.append((model, p, count, 0.1, seed, task, value, 0.5))
    columns = ["model", "correlation", "rows", "penalty", "seed", "task", "value", "reachable"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lab = SharingLab(recorded(), start=(1.0, 200, 0.1))
    return lab.save_html(tmp_path_factory.mktemp("sharing") / "lab.html")


def assert_drawn(page: Page, frame: pd.DataFrame, p: float, count: int) -> None:
    """The numbers behind the drawing, and where its diamonds stand."""
    chosen = frame[(frame["correlation"] == p) & (frame["rows"] == count)]
    for chart, (_, rows) in zip(page.locator(".mtl-effects").all(), chosen.groupby("task"), strict=True):
        ticks = [float(each.get_attribute("x1")) for each in chart.locator(".mtl-axis").all()[:2]]
        for group, (model, own) in zip(chart.locator("g").all(), rows.groupby("model", sort=False), strict=True):
            assert group.get_attribute("data-model") == model
            mean = own["value"].mean()
            assert float(group.get_attribute("data-mean")) == pytest.approx(mean, abs=2e-4)
            left = float(group.locator(".mtl-mean").get_attribute("d")[1:].split()[0]) + 7
            assert 0.4 + 0.2 * (left - ticks[0]) / (ticks[1] - ticks[0]) == pytest.approx(mean, abs=0.003)


def test_a_saved_file_walks_through_what_was_recorded(open_file: Callable[..., Page], saved: Path) -> None:
    page, frame = open_file(saved), recorded()
    assert_drawn(page, frame, 1.0, 200)
    expect(page.get_by_role("button", name="Train")).to_have_count(0)
    expect(page.get_by_role("slider")).to_have_count(2)  # one penalty was recorded: nothing to slide
    cosine, rows = page.get_by_role("slider", name="Cosine p"), page.get_by_role("slider", name="Training rows")
    cosine.focus()
    page.keyboard.press("ArrowLeft")
    expect(cosine).to_have_attribute("aria-valuetext", "0.0")
    assert_drawn(page, frame, 0.0, 200)
    expect(page.locator(".mtl-words")).to_contain_text("hard sharing hurts task 1 (+0.19")
    page.keyboard.press("Home")
    rows.focus()
    page.keyboard.press("End")
    expect(rows).to_have_attribute("aria-valuetext", "2,000")
    assert_drawn(page, frame, -1.0, 2000)
    expect(page.locator(".mtl-trained")).to_contain_text("p = −1.0, 2,000 rows, penalty 0.1, 8 seeds, recorded")
    box = cosine.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert_drawn(page, frame, 1.0, 2000)


def test_a_ring_stays_where_the_mean_was(open_file: Callable[..., Page], saved: Path) -> None:
    page = open_file(saved)
    hard = page.locator(".mtl-effects").first.locator("g[data-model='hard sharing']")
    expect(hard.locator(".mtl-ghost")).to_be_hidden()
    was = float(hard.locator(".mtl-mean").get_attribute("d")[1:].split()[0]) + 7
    page.get_by_role("slider", name="Cosine p").press("ArrowLeft")
    expect(hard.locator(".mtl-ghost")).to_be_visible()
    assert float(hard.locator(".mtl-ghost").get_attribute("cx")) == pytest.approx(was, abs=0.1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(open_file: Callable[..., Page], saved: Path, scheme: str) -> None:
    page = open_file(saved, color_scheme=scheme)
    page.get_by_role("slider", name="Cosine p").press("Home")
    assert accessibility_problems(page) == []
    label = page.locator(".mtl-effects").first.get_attribute("aria-label")
    assert "hard sharing" in label
    assert "best reachable 0.50" in label


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 700)])
def test_it_looks_as_it_did(open_file: Callable[..., Page], saved: Path, scheme: str, width: int) -> None:
    page = open_file(saved, color_scheme=scheme, viewport={"width": width, "height": 760})
    page.get_by_role("slider", name="Cosine p").press("ArrowLeft")
    assert_looks_like(f"sharing_lab_{scheme}", page.locator(".mtl-widget").screenshot())


SHOW = """
import pandas as pd
from mtl_helpers.widgets import SharingLab
recorded = pd.read_json("recorded.json")
recorded["correlation"] = recorded["correlation"].astype(float)
SharingLab(recorded, start=(1.0, 200, 0.1))
"""
STUB = """
import time
def train(correlation, rows, penalty, progress):
    if penalty == 3.0:
        raise RuntimeError("no such luck")
    for share in (0.25, 0.75):
        progress(share, "training hard sharing")
        time.sleep(0.7)
    found = recorded[(recorded["correlation"] == 1) & (recorded["rows"] == 200)]
    return found.assign(correlation=correlation, rows=rows, penalty=penalty, value=found["value"] + 0.1)
SharingLab(recorded, start=(1.0, 200, 0.1), train=train)
"""


@pytest.fixture(scope="module")
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    """A notebook with two labs: one that really trains, one with a function in its place."""
    recorded().to_json(lab.folder / "recorded.json")
    lab.add_notebook("sharing.ipynb", [SHOW, STUB])
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    lab.run_notebook(opened, "sharing.ipynb")
    opened.wait_for_selector(".mtl-sharing >> nth=1")
    yield opened
    context.close()


def test_the_button_asks_the_kernel_and_shows_progress(page: Page) -> None:
    root = page.locator(".mtl-sharing").nth(1)
    penalty = root.get_by_role("slider", name="Penalty")
    penalty.press("Home")
    expect(root.locator(".mtl-trained")).to_contain_text("Press Train for the new setting")
    button = root.get_by_role("button", name="Train")
    button.press("Enter")
    expect(root.locator(".mtl-progress")).to_contain_text("training hard sharing, 25 %")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(root.locator(".mtl-trained")).to_contain_text("penalty 0, 8 seeds, trained in 1.")
    expect(root.locator(".mtl-progress")).to_be_hidden()
    frame = recorded()
    found = frame[(frame["correlation"] == 1) & (frame["rows"] == 200) & (frame["task"] == "task_1")]
    wanted = found.loc[found["model"] == "hard sharing", "value"].mean() + 0.1
    drawn = root.locator("g[data-model='hard sharing']").first.get_attribute("data-mean")
    assert float(drawn) == pytest.approx(wanted, abs=2e-4)


def test_an_error_of_the_kernel_is_shown_and_the_button_works_again(page: Page) -> None:
    root = page.locator(".mtl-sharing").nth(1)
    root.get_by_role("slider", name="Penalty").press("End")
    root.get_by_role("button", name="Train").click()
    expect(root.locator(".mtl-words")).to_contain_text("RuntimeError: no such luck")
    expect(root.get_by_role("button", name="Train")).not_to_have_attribute("aria-disabled", "true")


def test_the_models_are_really_trained(page: Page) -> None:
    root = page.locator(".mtl-sharing").first
    root.get_by_role("slider", name="Cosine p").press("Home")
    root.get_by_role("button", name="Train").press("Enter")
    expect(root.locator(".mtl-trained")).to_contain_text(
        "p = −1.0, 200 rows, penalty 0.1, 8 seeds, trained in", timeout=120_000
    )
    expect(root.locator(".mtl-words")).to_contain_text("hard sharing helps task 1", timeout=15_000)
