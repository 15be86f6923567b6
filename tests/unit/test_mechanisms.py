"""The worlds of chapter 03 have the mechanism they are built for, their control arms lack it, and figures say so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtl_helpers import plots
from mtl_helpers.datasets import (
    environment,
    hidden_features,
    many_inputs,
    random_labels,
    repeated_question,
    shuffled_helpers,
)
from mtl_helpers.plots.mechanisms import ARM_COLOURS
from mtl_helpers.plots.style import BLACK, BLUE, GREY, PURPLE, VERMILLION, colour_of


def errors(data, task: str) -> np.ndarray:
    """The noise of a task's training labels."""
    return data.train.labels[task] - data.train.truth[task]


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def test_own_noise_averages_out_over_tasks_and_the_same_noise_cannot() -> None:
    arms = {noise: repeated_question(4000, noise, tasks=4, spread=2.0, seed=1) for noise in ("own", "same", "averaged")}
    signs = {"main": 1, "helper_1": -1, "helper_2": 1, "helper_3": -1}
    left = {
        noise: np.mean([sign * errors(data, task) for task, sign in signs.items()], axis=0).std()
        for noise, data in arms.items()
    }
    assert left["same"] == pytest.approx(2.0, rel=0.05)
    assert left["own"] == pytest.approx(1.0, rel=0.05)
    assert errors(arms["averaged"], "main").std() == pytest.approx(1.0, rel=0.05)
    np.testing.assert_array_equal(arms["own"].train.labels["main"], arms["same"].train.labels["main"])


def test_held_out_labels_of_regressions_are_the_truth() -> None:
    for data in (repeated_question(50, seed=0), many_inputs(50, labelled=10, seed=0), environment(50, seed=0)):
        for rows in (data.validation, data.test):
            for task in data.tasks:
                np.testing.assert_array_equal(rows.labels[task], rows.truth[task])


@pytest.mark.parametrize(("reads", "columns"), [("same", slice(0, 3)), ("other", slice(3, 6))])
def test_helpers_read_the_inputs_they_are_said_to(reads: str, columns: slice) -> None:
    data = many_inputs(3000, reads, labelled=60, inputs=12, spread=0.1, seed=2)
    for task in ("helper_1", "helper_2"):
        x, truth = data.test.inputs["numeric"], data.test.truth[task]
        squares = [np.linalg.lstsq(np.c_[x[:, [j]], np.tanh(2 * x[:, [j]])], truth)[1][0] for j in range(12)]
        best = set(np.argsort(squares)[:2])
        assert best <= set(range(12)[columns])


def test_many_inputs_differ_in_their_helpers_alone() -> None:
    same, other = (many_inputs(200, reads, labelled=20, seed=3) for reads in ("same", "other"))
    assert same.train.weights["main"].sum() == 20
    np.testing.assert_array_equal(same.train.labels["main"], other.train.labels["main"])
    np.testing.assert_array_equal(same.train.inputs["numeric"], other.train.inputs["numeric"])
    assert "helper_1" not in same.train.weights


def test_no_feature_alone_says_anything_about_the_parity_and_all_three_do() -> None:
    data = hidden_features(20_000, "hint", seed=4)
    main = data.train.truth["main"]
    signs = [np.sign(data.train.truth[f"helper_{k}"] - 0.5) for k in (1, 2, 3)]
    for k in range(3):
        assert abs(correlation(signs[k], main)) < 0.03
        assert abs(correlation(signs[k] * signs[k - 1], main)) < 0.03
    assert correlation(signs[0] * signs[1] * signs[2], main) > 0.9


def test_eavesdropping_tasks_lean_on_the_features_and_other_hints_do_not() -> None:
    arms = {kind: hidden_features(5000, kind, seed=5) for kind in ("hint", "eavesdropping", "other")}
    hint = arms["hint"].train.truth["helper_1"]
    assert correlation(arms["eavesdropping"].train.truth["helper_1"], hint) > 0.3
    assert abs(correlation(arms["other"].train.truth["helper_1"], hint)) < 0.05
    for data in arms.values():
        np.testing.assert_array_equal(data.train.labels["main"], arms["hint"].train.labels["main"])


def test_a_new_task_is_a_sum_of_what_four_known_tasks_show_unless_they_are_from_elsewhere() -> None:
    unexplained = {}
    for features in ("same", "other"):
        truth = environment(500, features, tasks=5, seed=6).test.truth
        known = np.column_stack([truth[f"known_{k}"] for k in range(1, 6)] + [np.ones(len(truth["new"]))])
        rest = truth["new"] - known @ np.linalg.lstsq(known, truth["new"])[0]
        unexplained[features] = rest.var() / truth["new"].var()
    assert unexplained["same"] < 1e-3
    assert unexplained["other"] > 0.95


def test_random_labels_are_fair_coins() -> None:
    data = random_labels(4000, tasks=2, seed=7)
    one, two = data.train.labels["main"], data.train.labels["helper_1"]
    assert set(one) == {-1.0, 1.0}
    assert abs(one.mean()) < 0.06
    assert abs(correlation(one, two)) < 0.06


def test_shuffling_keeps_the_values_and_the_main_task() -> None:
    data = repeated_question(300, seed=8)
    mixed = shuffled_helpers(data, seed=8)
    np.testing.assert_array_equal(mixed.train.labels["main"], data.train.labels["main"])
    was, now = data.train.labels["helper_1"], mixed.train.labels["helper_1"]
    np.testing.assert_array_equal(np.sort(was), np.sort(now))
    assert abs(correlation(was, now)) < 0.2
    np.testing.assert_array_equal(now, shuffled_helpers(data, seed=8).train.labels["helper_1"])
    assert set(mixed.test.truth) == {"main"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: repeated_question(noise="loud"), "noise=.*loud"),
        (lambda: repeated_question(rows=5), "rows=5"),
        (lambda: many_inputs(reads="none"), "reads="),
        (lambda: many_inputs(rows=100, labelled=100), "labelled=100"),
        (lambda: many_inputs(inputs=5), "inputs=5"),
        (lambda: hidden_features(helpers="gossip"), "helpers="),
        (lambda: hidden_features(inputs=5), "inputs=5"),
        (lambda: environment(features="none"), "features="),
        (lambda: environment(inputs=7), "inputs=7"),
        (lambda: random_labels(tasks=0), "tasks=0"),
        (lambda: shuffled_helpers(random_labels(rows=20), main="click"), "main="),
    ],
)
def test_errors_name_the_argument(wrong, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_effects_mark_controls_and_undecided_arms() -> None:
    rows = {"arm": ["hints", "other hints"], "difference": [20.0, 0.5], "low": [10.0, -1.0], "high": [30.0, 2.0]}
    panel = plots.effects(pd.DataFrame(rows), "points", controls=("other hints",)).axes[0]
    points = [line for line in panel.get_lines() if line.get_marker() in ("o", "s")]
    assert [point.get_marker() for point in points] == ["o", "s"]
    assert [point.get_markerfacecolor() for point in points] == [BLUE, "white"]
    assert texts(panel) == ["+20", "+0"]
    assert panel.get_yticklabels()[1].get_text() == "other hints (control)"


def test_arms_are_drawn_as_lines_and_single_values_as_bars() -> None:
    line = pd.DataFrame({"arm": "own noise", "seed": [0, 1] * 2, "x": [1, 1, 8, 8], "value": [4.0, 2.0, 1.0, 1.0]})
    dot = pd.DataFrame({"arm": "same noise", "seed": [0, 1], "x": 8, "value": [3.0, 5.0]})
    panel = plots.arms_against(pd.concat([line, dot]), "tasks", "error").axes[0]
    np.testing.assert_allclose(panel.get_lines()[0].get_ydata(), [3.0, 1.0])
    assert sorted(texts(panel)) == ["own noise", "same noise"]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["1", "8"]


def test_use_of_inputs_names_the_share_of_those_that_matter() -> None:
    figure = plots.input_use({"alone": np.full((2, 10), 10.0), "same inputs": np.eye(10)[:2] * 100}, relevant=2)
    assert [axes.get_title() for axes in figure.axes] == ["alone: 20 %", "same inputs: 100 %"]


def test_a_gap_is_test_minus_training() -> None:
    table = pd.DataFrame({"train": [0.25, 1.0], "test": [1.0, 1.0]}, index=["alone", "helpers"])
    assert set(texts(plots.train_test_gaps(table, "error").axes[0])) == {"gap 0.75", "gap 0.00", "training", "test"}


def test_an_arm_has_one_colour_everywhere() -> None:
    assert colour_of("8 known, other planes", ARM_COLOURS) == VERMILLION
    assert colour_of("shuffled helpers", ARM_COLOURS) == PURPLE
    assert colour_of("alone", ARM_COLOURS) == BLACK
    assert colour_of("something else", ARM_COLOURS) == GREY
