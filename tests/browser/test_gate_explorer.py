"""The gate explorer as a saved file, without network: every control by mouse and by keyboard, against the record."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from mtl_helpers.gates import GateRecord
from mtl_helpers.widgets import GateExplorer
from tests.browser.harness import accessibility_problems, assert_looks_like
from tests.browser.records import GROUPS, TASKS, large_mmoe, make_record, mmoe_and_ple, mmoe_levels

pytestmark = pytest.mark.browser
CLOSE = 0.0011  # weights travel in thousandths, and are shown so
LAST = 20


@pytest.fixture(scope="module")
def records() -> dict[str, GateRecord]:
    return mmoe_and_ple()


@pytest.fixture(scope="module")
def saved(records: dict[str, GateRecord], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return GateExplorer(records).save_html(tmp_path_factory.mktemp("explorer") / "gates.html")


@pytest.fixture
def page(open_file: Callable[..., Page], saved: Path) -> Page:
    return open_file(saved)


def card(page: Page, model: str) -> Locator:
    return page.get_by_role("article", name=model, exact=True)


def drawn(page: Page, model: str, level: int = 1) -> dict[tuple[str, str], float]:
    """What the picture says: (gate, expert) -> weight."""
    edges = card(page, model).locator(f".mtl-edge[data-level='{level}']")
    found = edges.evaluate_all("all => all.map(e => [e.dataset.gate, e.dataset.expert, e.dataset.weight, e.ariaLabel])")
    assert all(label == f"{expert} → {gate}: {weight}" for gate, expert, weight, label in found)
    return {(gate, expert): float(weight) for gate, expert, weight, _ in found}


def wanted(record: GateRecord, level: int = 1, seed: int = 0, epoch: int = LAST, group: int | None = 0) -> dict:
    """What the record says."""
    found = record.levels[level - 1]
    weights = found.weights[seed, epoch]
    weights = weights.mean(axis=1) if group is None else weights[:, group]
    return {(g, e): weights[i, j] for i, g in enumerate(found.gates) for j, e in enumerate(found.experts)}


def assert_drawn(page: Page, records: dict[str, GateRecord], **where: int | None) -> None:
    for model, record in records.items():
        for level in range(1, len(record.levels) + 1):
            shown, expected = drawn(page, model, level), wanted(record, level, **where)
            assert shown == pytest.approx({edge: expected[edge] for edge in shown}, abs=CLOSE)
            assert all(expected[edge] == 0 for edge in set(expected) - set(shown))  # not connected
        for task in TASKS:
            tower = card(page, model).locator(f".mtl-tower[data-task='{task}']")
            score = record.scores[task][where.get("seed") or 0, where.get("epoch", LAST)]
            assert float(tower.get_attribute("data-score")) == pytest.approx(score, abs=1e-3)


def thickness(page: Page, model: str, gate: str) -> dict[str, float]:
    """How high each band is where it enters the gate, in pixels."""
    script = """all => all.map(e => { const n = e.getAttribute('d').match(/-?[\\d.]+/g)?.map(Number);
                                      return [e.dataset.expert, n ? n[9] - n[7] : 0]; })"""
    return dict(card(page, model).locator(f".mtl-edge[data-gate='{gate}']").evaluate_all(script))


def test_it_begins_at_the_last_epoch_of_the_first_segment(page: Page, records: dict[str, GateRecord]) -> None:
    assert_drawn(page, records)
    expect(page.get_by_role("slider", name="Epoch")).to_have_attribute("aria-valuetext", "20 of 20")


def test_bands_are_as_thick_as_weights_and_fill_the_gate(page: Page, records: dict[str, GateRecord]) -> None:
    bands = thickness(page, "MMoE", "click")
    height = float(card(page, "MMoE").locator(".mtl-gate").first.get_attribute("height"))
    assert sum(bands.values()) == pytest.approx(height, rel=0.02)
    expected = wanted(records["MMoE"])
    for expert, band in bands.items():
        assert band / height == pytest.approx(expected["click", expert], abs=0.004)


def test_epochs_by_keyboard_and_mouse(page: Page, records: dict[str, GateRecord]) -> None:
    slider = page.get_by_role("slider", name="Epoch")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "19 of 20")
    assert_drawn(page, records, epoch=19)
    page.keyboard.press("Home")
    assert_drawn(page, records, epoch=0)
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(slider).to_have_attribute("aria-valuetext", "10 of 20")
    assert_drawn(page, records, epoch=10)
    chart = card(page, "MMoE").locator(".mtl-chart").first
    chart.click(position={"x": 31, "y": 50})  # where epoch 0 stands
    assert_drawn(page, records, epoch=0)


@pytest.mark.parametrize("press", ["mouse", "Enter"])
def test_play_runs_to_the_end_and_can_be_stopped(page: Page, records: dict[str, GateRecord], press: str) -> None:
    slider, play = page.get_by_role("slider", name="Epoch"), page.get_by_role("button", name="Play the training")
    slider.fill("18")
    play.click() if press == "mouse" else play.press(press)
    expect(play).to_have_attribute("aria-pressed", "true")
    expect(slider).to_have_attribute("aria-valuetext", "20 of 20")
    expect(play).to_have_attribute("aria-pressed", "false")
    assert_drawn(page, records, epoch=20)
    play.press("Enter")  # from the beginning again
    play.press("Enter")
    expect(slider).to_have_attribute("aria-valuetext", "0 of 20")
    assert_drawn(page, records, epoch=0)


def test_segments_their_mean_single_rows_and_seeds(page: Page, records: dict[str, GateRecord]) -> None:
    rows = page.get_by_label("Rows")
    for i, group in enumerate(GROUPS):
        rows.select_option(label=group)
        assert_drawn(page, records, group=i)
    rows.select_option(label="all segments (mean)")
    assert_drawn(page, records, group=None)
    page.get_by_label("Seed").select_option("2")
    assert_drawn(page, records, group=None, seed=2)
    rows.focus()
    page.keyboard.press("ArrowDown")  # the first single row
    expect(rows).to_have_value(str(len(GROUPS) + 1))
    for model, record in records.items():
        found, example = drawn(page, model), record.examples[0][2, LAST, :, 0]
        level = record.levels[0]
        for (gate, expert), weight in found.items():
            expected = example[level.gates.index(gate), level.experts.index(expert)]
            assert weight == pytest.approx(expected, abs=CLOSE)


def test_levels_change_the_table(page: Page, records: dict[str, GateRecord]) -> None:
    def table() -> dict[tuple[str, str], float]:
        cells = card(page, "PLE").locator("td[data-kind='weight']:not([data-value='not connected'])")
        found = cells.evaluate_all("all => all.map(c => [c.dataset.gate, c.dataset.expert, c.dataset.value])")
        return {(gate, expert): float(value) for gate, expert, value in found}

    assert table() == pytest.approx(drawn(page, "PLE", 2))
    page.get_by_role("radio", name="2").focus()
    page.keyboard.press("ArrowLeft")
    assert table() == pytest.approx(drawn(page, "PLE", 1))
    assert ("shared", "shared 1") in table()
    page.get_by_role("radio", name="2").click()
    assert table() == pytest.approx(drawn(page, "PLE", 2))


def test_load_is_the_mean_of_the_gates(page: Page, records: dict[str, GateRecord]) -> None:
    cells = card(page, "MMoE").locator("td[data-kind='load']")
    load = records["MMoE"].levels[0].weights[0, LAST, :, 0].mean(axis=0)
    np.testing.assert_allclose(
        [float(value) for value in cells.evaluate_all("a => a.map(c => c.dataset.value)")], load, atol=2e-3
    )


def test_one_task_leaves_the_others_pale(page: Page) -> None:
    pale = card(page, "MMoE").locator(".mtl-edge.is-dim")
    page.get_by_role("radio", name="finish").check()
    assert set(pale.evaluate_all("all => all.map(e => e.dataset.gate)")) == {"click"}
    page.keyboard.press("ArrowLeft")
    assert set(pale.evaluate_all("all => all.map(e => e.dataset.gate)")) == {"finish"}
    page.get_by_role("radio", name="all").check()
    expect(pale).to_have_count(0)


def test_models_come_and_go_but_one_stays(page: Page) -> None:
    page.get_by_role("checkbox", name="PLE").uncheck()
    expect(page.locator(".mtl-card")).to_have_count(1)
    page.get_by_role("checkbox", name="MMoE").click()
    expect(page.get_by_role("checkbox", name="MMoE")).to_be_checked()
    page.get_by_role("checkbox", name="PLE").press("Space")
    expect(page.locator(".mtl-card")).to_have_count(2)


@pytest.mark.parametrize("way", ["list", "mouse", "keyboard"])
def test_a_switched_off_expert_gives_its_weight_to_the_others(
    page: Page, records: dict[str, GateRecord], way: str
) -> None:
    record, mine = records["MMoE"], card(page, "MMoE")
    switch = mine.get_by_role("switch", name="expert 3", exact=True)
    if way == "list":
        mine.get_by_label("Switch off").select_option(label="expert 3")
    elif way == "mouse":
        switch.click()
    else:
        mine.get_by_role("switch", name="expert 1", exact=True).focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")
    weights = record.levels[0].weights[0, LAST, :, 0].astype(float)
    weights[:, 2] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    expected = {(g, f"expert {j + 1}"): weights[i, j] for i, g in enumerate(TASKS) for j in range(8)}
    assert drawn(page, "MMoE") == pytest.approx(expected, abs=3e-3)
    for task in TASKS:
        change = float(mine.locator(f".mtl-tower[data-task='{task}']").get_attribute("data-change").replace("−", "-"))
        assert change == pytest.approx(record.ablation[task][0][0, 2], abs=1e-4)
        cell = mine.locator(f"td[data-kind='worth'][data-task='{task}'][data-expert='expert 3']")
        assert float(cell.get_attribute("data-value").replace("−", "-")) == pytest.approx(change, abs=1e-4)
    expect(mine.locator(".mtl-effect")).to_contain_text("points of AUC")
    assert drawn(page, "PLE") == pytest.approx({k: v for k, v in wanted(records["PLE"]).items() if v > 0}, abs=CLOSE)
    mine.get_by_label("Switch off").select_option(label="none")
    assert_drawn(page, records)


def test_a_bands_number_is_shown_on_hover_and_focus(page: Page, records: dict[str, GateRecord]) -> None:
    tip = page.locator(".mtl-tip")
    edges = card(page, "MMoE").locator(".mtl-edge")
    edges.first.focus()
    shown = drawn(page, "MMoE")
    expect(tip).to_contain_text(f"{shown['click', 'expert 1']:.3f}")
    page.keyboard.press("ArrowDown")
    expect(tip).to_contain_text("expert 2 → click")
    page.keyboard.press("ArrowRight")
    expect(tip).to_contain_text("expert 2 → finish")
    expect(tip).to_contain_text(f"{shown['finish', 'expert 2']:.3f}")
    page.keyboard.press("End")
    expect(tip).to_contain_text("expert 8 → finish")
    best = max((pair for pair in shown if pair[0] == "click"), key=shown.get)
    box = edges.locator(f"xpath=self::*[@data-gate='click' and @data-expert='{best[1]}']").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 2)
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2)
    card(page, "MMoE").locator("td[data-kind='load']").first.hover()
    expect(tip).to_contain_text("expert 1: load")


def test_the_words_name_what_each_task_listens_to_most(page: Page, records: dict[str, GateRecord]) -> None:
    words, spoken = page.locator(".mtl-words"), page.get_by_role("status").first
    weights = records["MMoE"].levels[0].weights[0, LAST, 0, 0]
    best = weights.argmax()
    expect(words).to_contain_text("new users, seed 0, epoch 20.")
    expect(words).to_contain_text(f"click listens most to expert {best + 1} ({weights[best]:.2f})")
    page.get_by_role("slider", name="Epoch").fill("3")
    expect(spoken).to_contain_text("epoch 3.")


def test_focus_goes_through_every_control_in_order(page: Page) -> None:
    order = []
    for _ in range(24):
        page.keyboard.press("Tab")
        order.append(
            page.evaluate("""() => { const e = document.activeElement;
            const marked = getComputedStyle(e).outlineStyle !== 'none' || getComputedStyle(e).stroke !== 'none'
              || e.querySelector?.('rect') || getComputedStyle(e.nextElementSibling ?? e).outlineStyle !== 'none';
            return [e.ariaLabel || e.labels?.[0]?.textContent || e.tagName, Boolean(marked)]; }""")
        )
        if order[-1][0] == "BODY":
            break
    names = [name for name, _ in order]
    assert names[:7] == ["Rows", "Seed", "all", "2", "MMoE", "PLE", "Play the training"]
    assert names[7:9] == ["Epoch", "Switch off"]
    assert names.count("Switch off") == 2
    assert all(marked for name, marked in order if name != "BODY")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(open_file: Callable[..., Page], saved: Path, scheme: str) -> None:
    page = open_file(saved, color_scheme=scheme)
    card(page, "MMoE").get_by_label("Switch off").select_option(label="expert 8")
    assert accessibility_problems(page) == []


@pytest.mark.parametrize(("name", "scheme", "width"), [("two_light", "light", 1240), ("two_dark", "dark", 960)])
def test_it_looks_as_it_did(open_file: Callable[..., Page], saved: Path, name: str, scheme: str, width: int) -> None:
    page = open_file(saved, color_scheme=scheme, viewport={"width": width, "height": 720})
    assert_looks_like(f"gate_explorer_{name}", page.locator(".mtl-widget").screenshot())


def test_many_tasks_and_experts_are_still_a_picture(open_file: Callable[..., Page], tmp_path: Path) -> None:
    record = large_mmoe()
    page = open_file(GateExplorer(record).save_html(tmp_path / "large.html"), viewport={"width": 1240, "height": 720})
    assert drawn(page, "MMoE") == pytest.approx(wanted(record, epoch=50), abs=CLOSE)
    assert accessibility_problems(page) == []
    assert_looks_like("gate_explorer_large", page.locator(".mtl-widget").screenshot())


def test_labels_stay_text(open_file: Callable[..., Page], tmp_path: Path) -> None:
    hostile = "</script><img src=x onerror='window.harmed = 1'>"
    record = make_record("MMoE", mmoe_levels((hostile, "b"), 3), (hostile, "b"), epochs=2)
    record = dataclasses.replace(record, groups=(hostile, *GROUPS[1:]))
    page = open_file(GateExplorer({hostile: record}).save_html(tmp_path / "hostile.html"))
    assert card(page, hostile).locator("h3").inner_text() == hostile
    assert page.locator("img").count() == 0
    assert page.evaluate("window.harmed") is None


def test_what_was_not_recorded_is_said(open_file: Callable[..., Page], tmp_path: Path) -> None:
    record = make_record("MMoE", mmoe_levels(TASKS, 4), epochs=2, ablation=False)
    page = open_file(GateExplorer(record, epoch=0, group=None).save_html(tmp_path / "plain.html"))
    assert drawn(page, "MMoE") == pytest.approx(wanted(record, epoch=0, group=None), abs=CLOSE)
    page.get_by_label("Switch off").select_option(label="expert 1")
    expect(page.locator(".mtl-effect")).to_have_text("what it is worth was not recorded")


def test_with_motion_it_comes_to_rest_at_the_numbers(
    open_file: Callable[..., Page], saved: Path, records: dict
) -> None:
    page = open_file(saved, reduced_motion="no-preference")
    page.get_by_label("Rows").select_option(label="regulars")
    expected = wanted(records["MMoE"], group=1)
    height = float(card(page, "MMoE").locator(".mtl-gate").first.get_attribute("height"))
    page.wait_for_timeout(700)
    for expert, band in thickness(page, "MMoE", "click").items():
        assert band / height == pytest.approx(expected["click", expert], abs=0.004)
