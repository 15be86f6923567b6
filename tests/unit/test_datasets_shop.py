"""The shop's clicked rows are not like the rest, and nothing gives its labels away."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.datasets import (
    ITEM_FEATURES,
    USER_FEATURES,
    MultiTaskData,
    Numeric,
    Rows,
    Task,
    check_leakage,
    shop_log,
    single_column_scores,
    task_pair,
    video_log,
)
from mtl_helpers.datasets.encoding import encode_splits, random_splits
from mtl_helpers.metrics import auc


@pytest.fixture(scope="module")
def log():
    return shop_log(60_000, ("click", "pay", "conversion"), seed=1)


def test_a_payment_needs_a_click_and_its_probability_is_the_product(log):
    for rows in (log.train, log.validation, log.test):
        assert (rows.labels["pay"] <= rows.labels["click"]).all()
        np.testing.assert_allclose(rows.truth["pay"], rows.truth["click"] * rows.truth["conversion"], rtol=1e-5)


def test_conversion_is_known_where_clicked_and_its_truth_everywhere(log):
    rows = log.train
    clicked = rows.labels["click"] == 1
    assert np.isnan(rows.labels["conversion"][~clicked]).all()
    np.testing.assert_array_equal(rows.labels["conversion"][clicked], rows.labels["pay"][clicked])
    np.testing.assert_array_equal(rows.weights["conversion"], clicked)
    assert np.isfinite(rows.truth["conversion"]).all()
    assert "conversion" in shop_log(1000).train.truth
    assert shop_log(1000).train.weights == {}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_selection_decides_which_rows_convert(seed):
    for selection, sign in ((1.0, 1), (0.0, 0), (-1.0, -1)):
        rows = shop_log(40_000, selection=selection, seed=seed).train
        clicked, rate = rows.labels["click"] == 1, rows.truth["conversion"]
        difference = rate[clicked].mean() - rate[~clicked].mean()
        assert difference * sign > 0.04 if sign else abs(difference) < 0.02


def test_true_probabilities_are_calibrated_and_unbeaten(log):
    clicked = log.train.labels["click"] == 1
    for task, chosen in (("click", slice(None)), ("pay", slice(None)), ("conversion", clicked)):
        truth, labels = log.train.truth[task][chosen], log.train.labels[task][chosen]
        error = np.sqrt((truth * (1 - truth)).sum()) / len(truth)
        assert abs(truth.mean() - labels.mean()) < 4 * error
        assert single_column_scores(log)["value"].max() < auc(labels, truth) < 0.98


def test_rates_are_those_asked_for():
    rows = shop_log(40_000, click_rate=0.1, conversion_rate=0.3).train
    assert rows.truth["click"].mean() == pytest.approx(0.1, abs=0.005)
    assert rows.truth["conversion"].mean() == pytest.approx(0.3, abs=0.01)


def test_the_two_towers_find_their_features(log):
    columns = (*log.inputs["categorical"].columns, *log.inputs["numeric"].columns)
    assert columns == (*USER_FEATURES, *ITEM_FEATURES)
    codes = log.train.inputs["categorical"]
    assert (codes.min(axis=0) >= 1).all()
    assert (codes.max(axis=0) < log.inputs["categorical"].sizes).all()
    ware = log.inputs["categorical"].columns.index("ware_type")
    for code, group in set(zip(codes[:, ware].tolist(), log.train.groups.tolist(), strict=True)):
        assert log.vocabularies["ware_type"][code] == log.groups[group]


def test_items_that_training_did_not_show_share_number_0():
    few = shop_log(500, skus=800, seed=0)
    sku = few.inputs["categorical"].columns.index("sku_id")
    assert (few.train.inputs["categorical"][:, sku] > 0).all()
    assert (few.test.inputs["categorical"][:, sku] == 0).mean() > 0.3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(tasks=("buy",)), "tasks=.*unknown.*'buy'"),
        (dict(click_rate=0.0), "click_rate=0.0"),
        (dict(conversion_rate=1.0), "conversion_rate=1.0"),
        (dict(rows=3), "rows=3"),
    ],
)
def test_bad_logs_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        shop_log(**{"rows": 100, **settings})


@pytest.mark.parametrize("world", [shop_log, task_pair, video_log])
def test_no_world_gives_a_label_away_or_repeats_a_row(world):
    assert check_leakage(world(rows=5000))["value"].max() < 0.9


def leaky(column, labels):
    rows = Rows({"numeric": column[:, None].astype(np.float32)}, {"sale": labels.astype(np.float32)})
    first, last = rows.take(slice(500)), rows.take(slice(500, None))
    return MultiTaskData("leaky", {"sale": Task()}, {"numeric": Numeric(("total",))}, first, last, last)


def test_a_column_made_of_the_label_is_found():
    random = np.random.default_rng(0)
    labels = random.random(1000) < 0.3
    with pytest.raises(ValueError, match="'total' alone predicts 'sale' with auc 1.0000"):
        check_leakage(leaky(labels * 3.0, labels))
    assert check_leakage(leaky(random.random(1000), labels))["value"].max() < 0.7


def test_rows_trained_on_are_found_in_the_test_split():
    random = np.random.default_rng(0)
    column = np.tile(random.random(500), 2)
    labels = random.random(1000) < 0.3
    with pytest.raises(ValueError, match="500 input rows are training rows"):
        check_leakage(leaky(column, labels))
    check_leakage(leaky(column, labels), repeated=True)


@given(st.integers(3, 400), st.integers(0, 5))
@settings(deadline=None)
def test_random_splits_hold_every_row_once(rows, seed):
    parts = random_splits(rows, np.random.default_rng(seed))
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(rows))
    assert len(parts["train"]) == int(0.6 * rows)


letters_and_numbers = st.tuples(st.sampled_from("abc"), st.integers(-100, 100))


@given(st.lists(letters_and_numbers, min_size=2, max_size=20), st.floats(-1e3, 1e3))
@settings(deadline=None)
def test_what_the_test_split_holds_never_changes_how_training_rows_are_encoded(train, odd):
    table = pd.DataFrame(train, columns=["letter", "number"])
    other = pd.DataFrame({"letter": ["z"], "number": [odd]})
    _, alone, _ = encode_splits({"train": table}, ["letter"], ["number"])
    kinds, both, words = encode_splits({"train": table, "test": other}, ["letter"], ["number"])
    for name in ("categorical", "numeric"):
        np.testing.assert_array_equal(alone["train"][name], both["train"][name])
    assert both["test"]["categorical"].tolist() == [[0]]
    assert "z" not in words["letter"]
    assert kinds["categorical"].sizes == (table["letter"].nunique() + 1,)


def test_labels_can_be_taken_away_from_one_task():
    data = video_log(2000, seed=3)
    fewer = data.with_missing_labels("finish", 0.75, seed=0)
    weights, labels = fewer.train.weights["finish"], fewer.train.labels["finish"]
    assert weights.sum() == 300
    assert np.isnan(labels[weights == 0]).all()
    np.testing.assert_array_equal(labels[weights == 1], data.train.labels["finish"][weights == 1])
    assert np.isfinite(data.train.labels["finish"]).all()  # the original keeps its labels
    assert fewer.train.labels["click"] is data.train.labels["click"]
    assert fewer.test is data.test
    with pytest.raises(ValueError, match="share=1.0"):
        data.with_missing_labels("finish", 1.0)
    with pytest.raises(ValueError, match="unknown"):
        data.with_missing_labels("share", 0.5)
