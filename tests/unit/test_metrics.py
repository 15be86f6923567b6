"""Metrics equal their definitions and scikit-learn's."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from mtl_helpers.datasets.base import Task
from mtl_helpers.metrics import (
    accuracy,
    auc,
    calibration_curve,
    dead_experts,
    expected_calibration_error,
    expert_load,
    focal_loss,
    gate_entropy,
    half_width,
    log_loss,
    mean_squared_error,
    ndcg,
    paired_interval,
    seesaw_swing,
    task_metric,
    unfocus,
)

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 3)), min_size=2, max_size=40)


@given(ROWS)
@settings(deadline=None)
def test_auc_equals_scikit_learns_ties_and_weights_included(rows):
    from sklearn.metrics import roc_auc_score

    labels, scores, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    assume(len(set(labels[weights > 0])) == 2)
    expected = roc_auc_score(labels, scores, sample_weight=weights)
    assert auc(labels, scores, weights) == pytest.approx(expected)


@given(ROWS)
def test_auc_is_the_chance_that_a_positive_outranks_a_negative(rows):
    labels, scores, _ = (np.array(column, float) for column in zip(*rows, strict=True))
    assume(0 < labels.sum() < len(labels))
    positive, negative = scores[labels == 1], scores[labels == 0]
    pairs = (positive[:, None] > negative).mean() + (positive[:, None] == negative).mean() / 2
    assert auc(labels, scores) == pytest.approx(pairs)
    assert auc(labels, -scores) == pytest.approx(1 - pairs)


def test_rows_without_a_label_do_not_count():
    labels, weights = np.array([1.0, 0.0, np.nan]), np.array([1.0, 1.0, 0.0])
    scores = np.array([0.8, 0.3, 0.9])
    assert auc(labels, scores, weights) == 1.0
    assert log_loss(labels, scores, weights) == pytest.approx(-(np.log(0.8) + np.log(0.7)) / 2)
    assert mean_squared_error(labels, scores, weights) == pytest.approx((0.2**2 + 0.3**2) / 2)
    with pytest.raises(ValueError, match="leave the task out"):
        log_loss(labels, scores, np.zeros(3))


def test_one_class_has_no_auc():
    with pytest.raises(ValueError, match="3 positive of 3; AUC needs rows of both classes"):
        auc(np.ones(3), np.arange(3))


def test_accuracy_of_rows_and_of_tokens():
    scores = np.eye(3)[[[0, 1], [2, 2]]]
    labels = np.array([[0, 1], [2, 0]])
    assert accuracy(labels, scores) == 0.75
    assert accuracy(labels, scores, np.array([1.0, 0.0])) == 1.0
    assert accuracy(labels, scores, np.array([[1, 1], [0, 1]])) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("kind", "name", "higher"), [("binary", "auc", True), ("regression", "mse", False), ("tags", "accuracy", True)]
)
def test_every_kind_of_task_has_a_metric(kind, name, higher):
    found = task_metric(Task(kind, ("O", "B-Loc") if kind == "tags" else ()))
    assert (found[0], found[2]) == (name, higher)


def test_intervals_by_hand_and_their_coverage():
    interval = paired_interval(np.array([1.0, 2.0, 3.0]))
    half = 4.302652729911275 * 1.0 / np.sqrt(3)  # t of .975 with 2 degrees of freedom, times the standard error
    assert (interval.low, interval.mean, interval.high) == pytest.approx((2 - half, 2, 2 + half))
    random = np.random.default_rng(0)
    for method, least in (("t", 0.93), ("bootstrap", 0.85)):
        draws = [paired_interval(random.normal(0.5, 1, 20), method=method) for _ in range(200)]
        assert np.mean([each.low < 0.5 < each.high for each in draws]) > least
    with pytest.raises(ValueError, match="needs at least 2 seeds"):
        paired_interval(np.array([1.0]))
    with pytest.raises(ValueError, match="method='magic'"):
        paired_interval(np.array([1.0, 2.0]), method="magic")


@given(arrays.arrays(float, (4, 3, 5), elements=st.floats(0, 9)))
def test_gate_entropy_and_load(raw):
    weights = (raw + 1e-3) / (raw + 1e-3).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(gate_entropy(weights), entropy(weights, axis=-1), atol=1e-9)
    assert gate_entropy(weights, normalised=True).max() <= 1 + 1e-9
    load = expert_load(weights)
    np.testing.assert_allclose(load, sum(weights[:, row] for row in range(3)) / 3)
    np.testing.assert_allclose(load.sum(axis=-1), 1)
    assert (dead_experts(load, below=0.05) == [(each < 0.05).sum() for each in load]).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: log_loss([0, 1], [-3.0, 5.0]), "scores run from -3 to 5; give probabilities"),
        (lambda: log_loss([0, 2], [0.3, 0.5]), "labels run from 0 to 2; give labels that are 0 or 1"),
        (lambda: calibration_curve([0, 2], [0.3, 0.5]), "labels run from 0 to 2"),
        (lambda: accuracy([[1, 0], [0, 1]], np.eye(2)), r"labels=\(2, 2\), scores=\(2, 2\): give class numbers"),
        (lambda: accuracy([[0], [1]], np.eye(2)), r"labels=\(2, 1\), scores=\(2, 2\)"),
        (lambda: accuracy([0, 1], [[np.nan, 0], [0, 1]]), "scores hold NaN"),
        (lambda: accuracy([], np.ones((0, 2))), "no label to score"),
        (lambda: paired_interval(np.ones((3, 2))), "one number a seed"),
        (lambda: half_width(1.0, 8, level=95), "level=95 is not between 0 and 1"),
        (lambda: dead_experts([np.nan, 0.5]), "sum to 1"),
        (lambda: expert_load(np.ones((0, 2))), r"give \[rows, experts\]"),
        (lambda: focal_loss(2.0, True, 1), "p from 2 to 2, gamma=1: give probabilities"),
        (lambda: unfocus(0.5, -1), "gamma=-1"),
        (lambda: ndcg([0.0, 1.0], [0.1, 0.2]), r"relevance=\(2,\), scores=\(2,\): give \[lists, items\]"),
    ],
)
def test_what_would_be_a_wrong_number_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_missing_class_counts_nowhere():
    assert accuracy(np.array([0, np.nan]), np.array([[0.9, 0.1], [0.9, 0.1]])) == 1.0


def test_gates_that_are_none_are_refused():
    assert gate_entropy(np.eye(3)).tolist() == [0, 0, 0]
    for wrong in (np.array([0.5, 0.4]), np.array([1.2, -0.2]), np.array([np.nan, 1.0])):
        with pytest.raises(ValueError, match="sum to 1"):
            gate_entropy(wrong)
    with pytest.raises(ValueError, match="give 2 or more"):
        gate_entropy(np.ones((2, 1)), normalised=True)
    with pytest.raises(ValueError, match=r"give \[rows, experts\]"):
        expert_load(np.array([0.5, 0.5]))


@given(arrays.arrays(float, (6, 2), elements=st.floats(-1, 1)), arrays.arrays(float, (6, 1), elements=st.floats(-1, 1)))
def test_the_swing_counts_what_tasks_do_against_each_other(scores, common):
    swing = seesaw_swing(scores)
    assert seesaw_swing(scores + common) == pytest.approx(swing, abs=1e-9)  # both moved alike: no seesaw
    assert seesaw_swing(scores, baseline=common) == pytest.approx(swing, abs=1e-9)
    assert 0 <= swing <= np.ptp(scores, axis=0).mean() + 1e-9
    rise = np.sort(scores[:, 0])
    against = np.stack([rise, -2 * rise], axis=1)  # one strictly up, the other down by twice as much
    assert seesaw_swing(against) == pytest.approx(1.5 * np.ptp(rise))


def test_the_swing_of_several_tasks_and_of_nothing():
    scores = np.array([[0.0, 1.0, 5.0], [1.0, 0.0, 5.0]])  # swings of the pairs: 1, 1/2, 1/2
    assert seesaw_swing(scores) == pytest.approx(2 / 3)
    for wrong in (scores[:1], scores[:, :1], np.where(scores == 5, np.nan, scores)):
        with pytest.raises(ValueError, match="scores"):
            seesaw_swing(wrong)


@pytest.mark.parametrize("strategy", ["quantile", "uniform"])
def test_calibration_error_is_the_distance_from_the_truth(strategy):
    random = np.random.default_rng(0)
    truth = random.random(40_000)
    labels = (random.random(truth.size) < truth).astype(float)
    assert expected_calibration_error(labels, truth, strategy=strategy) < 0.01
    shy = 0.5 + (truth - 0.5) / 2  # half as far from 1/2: off by 1/8 on average
    assert expected_calibration_error(labels, shy, strategy=strategy) == pytest.approx(0.125, abs=0.01)
    weights = (truth > 0.5).astype(float)  # rows of weight 0 do not count, whatever they hold
    curve = calibration_curve(np.where(weights > 0, labels, np.nan), shy, weights, bins=5, strategy=strategy)
    assert curve["predicted"].min() > 0.5
    np.testing.assert_allclose(curve["observed"], 0.5 + 2 * (curve["predicted"] - 0.5), atol=0.03)
    assert curve["share"].sum() == pytest.approx(1)


def test_calibration_by_hand_with_weights():
    labels, scores = np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.4, 0.9])
    curve = calibration_curve(labels, scores, np.array([1.0, 3.0, 4.0]), bins=2, strategy="uniform")
    np.testing.assert_allclose(curve.to_numpy(), [[0.35, 0.75, 0.5], [0.9, 1.0, 0.5]])
    error = expected_calibration_error(labels, scores, np.array([1.0, 3.0, 4.0]), bins=2, strategy="uniform")
    assert error == pytest.approx(0.5 * 0.4 + 0.5 * 0.1)
    for change in ({"bins": 0}, {"strategy": "equal"}):
        with pytest.raises(ValueError, match="give 1 bin or more"):
            calibration_curve(labels, scores, **change)
    with pytest.raises(ValueError, match="give probabilities"):
        calibration_curve(labels, scores + 1)
