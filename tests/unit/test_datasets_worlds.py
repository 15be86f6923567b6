"""Generated worlds hold what they promise: the relatedness asked for, and a truth that cannot be beaten."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.datasets import label_correlation, task_pair, video_log
from mtl_helpers.datasets.encoding import Standardiser, Vocabulary
from mtl_helpers.metrics import auc


@given(st.floats(-1, 1), st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_the_pairs_weight_vectors_have_the_cosine_asked_for(correlation, seed):
    # Without sines and noise a label is a scaled dot product, so the labels correlate as the weight vectors do.
    pair = task_pair(correlation, rows=20_000, terms=0, noise=0.0, inputs=5, seed=seed)
    assert label_correlation(pair) == pytest.approx(correlation, abs=0.04)


def test_labels_go_together_more_the_larger_the_cosine():
    found = [label_correlation(task_pair(p, rows=20_000, seed=3)) for p in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    assert found == sorted(found)
    assert found[0] < -0.5
    assert found[-1] > 0.95


def test_labels_are_standardised_over_the_training_rows():
    pair = task_pair(0.5, rows=5000)
    for task in pair.tasks:
        assert pair.train.labels[task].mean() == pytest.approx(0, abs=1e-5)
        assert pair.train.labels[task].std() == pytest.approx(1, abs=1e-4)


def test_truth_is_the_label_without_its_noise():
    quiet = task_pair(0.5, rows=2000, noise=0.0)
    np.testing.assert_allclose(quiet.test.labels["task_1"], quiet.test.truth["task_1"], atol=1e-5)
    loud = task_pair(0.5, rows=50_000, noise=0.5)
    error = ((loud.test.labels["task_1"] - loud.test.truth["task_1"]) ** 2).mean()
    assert error == pytest.approx(0.25 / 1.25, rel=0.1)  # noise is half the mean's spread, both divided by the label's


def test_the_pair_follows_its_formula_with_given_waves():
    pair = task_pair(1.0, rows=100, inputs=2, noise=0.0, terms=2, alpha=[1.0, 2.0], beta=[0.0, 1.0], seed=0)
    x = np.concatenate([rows.inputs["numeric"] for rows in (pair.train, pair.validation, pair.test)])
    y = np.concatenate([rows.labels["task_1"] for rows in (pair.train, pair.validation, pair.test)])
    angles = np.linspace(0, 2 * np.pi, 2000)
    along = x @ np.stack([np.cos(angles), np.sin(angles)])
    means = along + np.sin(along) + np.sin(2 * along + 1)
    fits = [np.corrcoef(y, column)[0, 1] for column in means.T]
    assert max(fits) > 0.9999  # some direction explains the labels exactly


@pytest.mark.parametrize("recipe", ["google", "ple", "keras_mmoe"])
def test_published_recipes_by_name(recipe):
    pair = task_pair(0.5, rows=200, recipe=recipe)
    assert len(pair.inputs["numeric"].columns) == {"google": 100, "ple": 512, "keras_mmoe": 100}[recipe]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(correlation=1.5), "correlation=1.5 is not a cosine"),
        (dict(recipe="mine"), "recipe=.*unknown"),
        (dict(rows=1), "rows=1"),
        (dict(frequencies="loud"), "frequencies="),
        (dict(terms=3, alpha=[1.0]), "terms=3"),
    ],
)
def test_bad_pairs_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        task_pair(**{"correlation": 0.5, "rows": 100, **settings})


@pytest.fixture(scope="module")
def log():
    return video_log(40_000, ("click", "finish", "like", "watch_ratio"), seed=5, missing={"like": 0.6}, ids=True)


def test_true_probabilities_are_calibrated_and_unbeaten(log):
    for task in ("click", "finish"):
        truth, labels = log.train.truth[task], log.train.labels[task]
        error = np.sqrt((truth * (1 - truth)).sum()) / len(truth)
        assert abs(truth.mean() - labels.mean()) < 4 * error
        for low, high in ((0, 0.2), (0.4, 0.6), (0.8, 1)):
            chosen = (truth >= low) & (truth < high)
            assert labels[chosen].mean() == pytest.approx(truth[chosen].mean(), abs=0.03)
        assert 0.75 < auc(labels, truth) < 0.98
    residual = log.train.labels["watch_ratio"] - log.train.truth["watch_ratio"]
    assert residual.std() == pytest.approx(0.1, rel=0.05)


def test_rates_are_those_asked_for():
    log = video_log(50_000, ("click", "like"), rates={"click": 0.1, "like": 0.02})
    assert log.train.truth["click"].mean() == pytest.approx(0.1, abs=0.01)
    assert log.train.truth["like"].mean() == pytest.approx(0.02, abs=0.005)


def test_segments_relate_click_and_finish_as_described():
    log = video_log(60_000, clickbait=0.0, seed=2)
    found = {}
    for number, name in enumerate(log.groups):
        mine = log.train.groups == number
        found[name] = np.corrcoef(log.train.truth["click"][mine], log.train.truth["finish"][mine])[0, 1]
    assert found["followers"] > 0.7
    assert found["regulars"] > 0.7
    assert found["skimmers"] < -0.7
    assert abs(found["listeners"]) < 0.6


def test_clickbait_sets_finishes_against_appeal():
    column = -2  # cover appeal
    honest, bait = (video_log(40_000, clickbait=share, seed=4) for share in (0.0, 1.0))
    for log, sign in ((honest, 0), (bait, -1)):
        appeal = log.train.inputs["numeric"][:, column]
        assert np.corrcoef(appeal, log.train.truth["click"])[0, 1] > 0.1
        correlation = np.corrcoef(appeal, log.train.truth["finish"])[0, 1]
        assert correlation < -0.1 if sign else abs(correlation) < 0.05


def test_missing_labels_are_nan_with_weight_zero(log):
    weights, labels = log.train.weights["like"], log.train.labels["like"]
    assert weights.mean() == pytest.approx(0.4, abs=0.02)
    assert np.isnan(labels[weights == 0]).all()
    assert np.isfinite(labels[weights > 0]).all()
    assert "click" not in log.train.weights
    table = log.describe().set_index(["split", "task"])
    assert table.loc[("train", "like"), "labelled"] == int(weights.sum())


def test_inputs_name_their_columns_and_the_segment_is_one(log):
    kind = log.inputs["categorical"]
    assert kind.columns == ("segment", "topic", "user", "video")
    assert (log.train.inputs["categorical"][:, 0] == log.train.groups + 1).all()
    assert (log.train.inputs["categorical"].max(axis=0) < kind.sizes).all()
    assert log.train.inputs["numeric"].shape[1] == len(log.inputs["numeric"].columns)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(tasks=("share",)), "tasks=.*unknown.*'share'"),
        (dict(rates={"click": 1.5}), "rates\\['click'\\]=1.5"),
        (dict(rates={"share": 0.5}), "rates=.*unknown"),
        (dict(missing={"like": 0.5}), "missing=.*unknown"),
        (dict(rows=3), "rows=3"),
    ],
)
def test_bad_logs_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        video_log(**{"rows": 100, **settings})


def test_worlds_follow_the_courses_seed(monkeypatch):
    monkeypatch.setenv("MTL_SEED", "7")
    np.testing.assert_array_equal(
        task_pair(rows=50).train.labels["task_1"], task_pair(rows=50, seed=7).train.labels["task_1"]
    )
    np.testing.assert_array_equal(video_log(50).train.labels["click"], video_log(50, seed=7).train.labels["click"])


@given(st.lists(st.sampled_from("abcdef"), min_size=1), st.lists(st.sampled_from("abcdefgh")))
def test_vocabularies_number_training_categories_and_nothing_else(train, other):
    import pandas as pd

    words = Vocabulary.fit(pd.Series(train))
    codes = words.encode(pd.Series(train))
    assert [words.categories[code] for code in codes] == train
    assert codes.min() >= 1
    for word, code in zip(other, words.encode(pd.Series(other, dtype=object)), strict=True):
        assert (code == 0) == (word not in train)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30))
def test_standardised_training_values_have_mean_0_and_deviation_1_or_0(values):
    column = np.array(values)[:, None]
    scaled = Standardiser.fit(column).encode(column)
    assert abs(scaled.mean()) < 1e-2
    assert scaled.std() == pytest.approx(1, abs=1e-2) or np.ptp(column) < 1e-3


def test_with_tasks_and_describe():
    log = video_log(200, ("click", "finish"))
    assert list(log.with_tasks(["finish"]).tasks) == ["finish"]
    assert set(log.with_tasks("finish").test.labels) == {"finish"}
    with pytest.raises(ValueError, match="tasks=\\['share'\\]"):
        log.with_tasks(["share"])
    fewer = log.with_train(lambda rows: rows.take(slice(10)))
    assert len(fewer.train) == 10
    assert log.describe()["rows"].tolist() == [120, 120, 40, 40, 40, 40]
