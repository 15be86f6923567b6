from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.datasets import shop_log
from mtl_helpers.losses import Masked
from mtl_helpers.metrics import auc
from mtl_helpers.objectives import PairwiseLoss, boosted_trees, lists_by, one_label, tree_scores


def by_pairs(gain: np.ndarray, score: np.ndarray, by_gain: bool) -> float:
    """The loss as its definition says: a loop over all pairs."""
    total = weights = 0.0
    for i in range(len(gain)):
        for j in range(len(gain)):
            if gain[i] > gain[j]:
                weight = gain[i] - gain[j] if by_gain else 1.0
                total += weight * np.log1p(np.exp(score[j] - score[i]))
                weights += weight
    return total / weights if weights else 0.0


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 1.0]), st.floats(-3, 3)), min_size=4, max_size=4), st.booleans())
@settings(deadline=None, max_examples=25)
def test_the_pairwise_loss_is_the_mean_over_all_pairs(rows: list, by_gain: bool) -> None:
    gain, score = np.array(rows).T
    loss = PairwiseLoss(list_size=4, by_gain=by_gain)
    given = float(loss(gain.astype("float32"), score[:, None].astype("float32")))
    assert given == pytest.approx(by_pairs(gain, score, by_gain), abs=1e-5)


def test_only_rows_of_one_list_are_compared_and_what_is_left_over_costs_nothing() -> None:
    loss = PairwiseLoss(list_size=2)
    score = np.zeros((5, 1), np.float32)
    alone = loss(np.array([1, 0, 0, 0, 1], np.float32), score)  # pairs (0, 1) and (2, 3); row 4 is left over
    assert float(alone) == pytest.approx(np.log(2))
    assert float(loss(np.array([1, 1, 0, 0, 1], np.float32), score)) == 0  # equal gains within each list


def test_the_pairwise_loss_survives_masking_saving_and_falls_with_the_right_order() -> None:
    loss = Masked(PairwiseLoss(list_size=3, by_gain=False))
    gain = np.array([[1.0], [0.2], [0.0]], np.float32)
    right, wrong = (float(loss(gain, np.array(s, np.float32)[:, None])) for s in ([2, 1, 0], [0, 1, 2]))
    assert right < np.log(2) < wrong
    again = keras.losses.deserialize(keras.losses.serialize(PairwiseLoss(list_size=3, by_gain=False)))
    assert (again.list_size, again.by_gain) == (3, False)
    with pytest.raises(ValueError, match="list_size=4, but the batch has 3 rows"):
        PairwiseLoss(list_size=4)(gain, gain)
    with pytest.raises(ValueError, match="list_size=1"):
        PairwiseLoss(list_size=1)


def test_one_label_keeps_the_inputs_and_weighs_the_rows() -> None:
    log = shop_log(500)
    folded = one_label(log, "good", lambda rows: rows.labels["click"], lambda rows: 1 + rows.labels["pay"])
    assert list(folded.tasks) == ["good"]
    np.testing.assert_array_equal(folded.train.labels["good"], log.train.labels["click"])
    np.testing.assert_array_equal(folded.test.weights["good"], 1 + log.test.labels["pay"])
    assert folded.train.inputs is log.train.inputs
    assert not one_label(log, "good", lambda rows: rows.labels["click"]).train.weights


def test_trees_learn_and_heed_the_weights() -> None:
    log = shop_log(3000, users=30, skus=30)
    trees = boosted_trees(log, log.train.labels["click"])
    assert auc(log.test.labels["click"], tree_scores(trees, log.test)) > 0.6
    # Clicks of almost no weight are almost not there.
    without = boosted_trees(log, log.train.labels["click"], 1 - 0.999 * log.train.labels["click"])
    assert tree_scores(without, log.test).mean() < 0.1 < tree_scores(trees, log.test).mean()


@given(st.lists(st.integers(0, 4), min_size=8, max_size=40), st.integers(1, 3))
@settings(deadline=None, max_examples=50)
def test_lists_hold_rows_of_one_group_each_row_once(groups: list[int], size: int) -> None:
    numbers = np.array(groups)
    if max(np.bincount(numbers)) < size:
        with pytest.raises(ValueError, match="no group has so many rows"):
            lists_by(numbers, size)
        return
    lists = lists_by(numbers, size)
    assert len(np.unique(lists)) == lists.size
    assert all(len(set(numbers[rows])) == 1 for rows in lists)
    assert len(lists) == sum(count // size for count in np.bincount(numbers))
