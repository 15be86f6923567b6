"""Metrics equal their definitions and scikit-learn's."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mtl_helpers.datasets.base import Task
from mtl_helpers.metrics import accuracy, auc, log_loss, mean_squared_error, paired_interval, task_metric

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
    found = task_metric(Task(kind))
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
