"""A data set refuses what would train all the same and give wrong numbers, in a line that names it."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mtl_helpers.datasets import (
    Categorical,
    MultiTaskData,
    Numeric,
    Rows,
    Sentence,
    Span,
    Task,
    Tokens,
    TokenVectors,
    check_leakage,
    encode,
    label_correlation,
    shop_log,
    stream_shards,
    text_data,
    video_log,
    write_shards,
)
from mtl_helpers.datasets.encoding import Vocabulary, random_splits
from mtl_helpers.datasets.fetch import fetch
from mtl_helpers.datasets.text import FEATURES


def three_rows(**changes):
    """Three good rows with something changed."""
    x, y = np.arange(6, dtype="float32").reshape(3, 2), np.array([0, 1, np.nan], "float32")
    return Rows(**{"inputs": {"x": x}, "labels": {"click": y}, "weights": {"click": np.ones(3)}, **changes})


def data(task=None, kind=None, **changes):
    kinds = {"x": kind or Numeric(("price", "age"))}
    rows = three_rows()
    return MultiTaskData("three", {"click": task or Task()}, kinds, three_rows(**changes), rows, rows, ("a", "b"))


WEIGHTS, LABELS = np.ones(3), {"click": np.array([0.0, 1.0, 1.0])}
MISTAKES = {
    "a weight for a misspelt task": ({"weights": {"clik": WEIGHTS}}, "weights for ['clik']; the tasks are ['click']"),
    "a negative weight": ({"weights": {"click": -WEIGHTS}}, "task 'click' has weights below 0 or NaN"),
    "lists": ({"labels": {"click": [0, 1, 1]}}, "labels click is a list; give a NumPy array"),
    "a series": ({"labels": {"click": pd.Series([0, 1, 1])}}, "labels click is a Series; give a NumPy array"),
    "another number of rows": ({"labels": {"click": np.ones(4)}}, "rows differ in number: {'inputs x': 3, 'labels"),
    "another truth": ({"truth": {"click": np.ones(2)}}, "rows differ in number"),
    "a missing truth": ({"truth": {"click": WEIGHTS * np.nan}}, "truth of 'click' holds 3 NaN"),
    "more columns": ({"inputs": {"x": np.ones((3, 5))}}, "input 'x' has shape (3, 5); Numeric("),
    "a missing input": ({"inputs": {"x": np.array([[1, np.nan]] * 3)}}, "input 'x' holds 3 NaN or infinite numbers"),
    "labels of two axes": ({"labels": {"click": np.ones((3, 1))}}, "labels float64 (3, 1); give numbers [rows]"),
    "labels in words": ({"labels": {"click": np.array(["yes"] * 3)}}, "give numbers [rows]"),
    "a rating": ({"labels": {"click": np.array([1.0, 5.0, 3.0])}}, "binary, but its labels run from 1 to 5; give 0"),
    "an unknown class": ({"task": Task("multiclass", ("a", "b")), "labels": {"click": np.array([0, 1, 2])}}, "classes"),
    "an unknown segment": ({"groups": np.array([0, 1, 2])}, "groups up to 2, but 2 names"),
    "broken categories": ({"kind": Categorical(("a", "b"), (9, 9))}, "categories and words are whole numbers"),
    "an unknown word": ({"kind": Tokens(2, 4), "inputs": {"x": np.array([[0, 4]] * 3)}}, "give numbers from 0 to 3"),
}


@pytest.mark.parametrize(("changes", "message"), MISTAKES.values(), ids=MISTAKES)
def test_rows_that_are_not_what_the_data_says_are_refused(changes, message):
    with pytest.raises(ValueError, match=f"train: .*{re.escape(message)}"):
        data(**changes)


SENTENCE = Sentence(("Oswald", "shot", "Kennedy"), (Span(0, 1, "Peop"), Span(2, 3, "Peop")), (0, 1), "Kill")


def text(**changes):
    splits = {split: [replace(SENTENCE, **changes)] for split in ("train", "validation", "test")}
    return text_data("text", splits, ("None", "Kill"), ("Peop",), length=4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Task("ordinal"), "kind='ordinal' is unknown; choose from ('binary'"),
        (lambda: Task("multiclass"), "name two or more classes"),
        (lambda: Task("binary", ("no", "yes")), "none of other kinds"),
        (lambda: Task("tags", "OB"), "classes='OB' is a single text; give a list of names"),
        (lambda: Numeric("price"), "columns='price' is a single text"),
        (lambda: Categorical(("user", "item"), (3,)), "give a size of 1 or more for each"),
        (lambda: Categorical(("user", "user"), (3, 3)), "holds a name twice"),
        (lambda: Tokens(0, 5), "length=0, size=5: give at least 1 of each"),
        (lambda: TokenVectors(4, 0), "length=4, dim=0: give at least 1 of each"),
        (lambda: data().with_tasks(None), "tasks=[None]: unknown [None]; choose from ['click']"),
        (lambda: replace(data(), tasks=["click"]), "tasks=['click'] names no task; give a dict"),
        (lambda: video_log(rows=100, seed=-1), "seed=-1 is not a whole number of at least 0"),
        (lambda: video_log(rows=100, steepness=float("nan")), "steepness=nan: give finite numbers"),
        (lambda: shop_log(rows=100, selection=float("nan")), "selection=nan, steepness=1.5: give finite numbers"),
        (lambda: stream_shards("rows", seed=-1), "seed=-1 is not a whole number of at least 0"),
        (lambda: label_correlation(data()), "data has the task ['click']; two are needed"),
        (lambda: random_splits(10, np.random.default_rng(0), (0.8, 0.8)), "leave a split without rows"),
        (lambda: fetch("mnist"), "folder=['mnist']: unknown ['mnist']; choose from ['conll04'"),
        (
            lambda: text(words=("Oswald",)),
            "splits['train'][0]: Span(start=2, stop=3, kind='Peop') is not within 1",
        ),
        (lambda: text(words="Oswald"), "words='Oswald' is no list of words"),
        (lambda: text(pair=(0, 5)), "pair=(0, 5), but it has 2 entities"),
        (lambda: text(relation="Love"), "relation='Love' is unknown; choose from ('None', 'Kill')"),
        (lambda: encode([SENTENCE], {"tokens": ("a",)}, 2), "length=2, but a sentence has 3 words; cut it with window"),
        (lambda: encode([SENTENCE], {"words": ("a",)}, 4), f"choose from {sorted(FEATURES)}"),
        (lambda: stream_shards("rows", batch_size=0), "batch_size=0, together=4: give at least 1 of each"),
    ],
)
def test_errors_name_the_value_and_the_fix(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_a_shard_that_is_gone_is_named_before_training_begins(tmp_path):
    write_shards(tmp_path, [three_rows(), three_rows()])
    (tmp_path / "00001.npz").unlink()
    with pytest.raises(FileNotFoundError, match=re.escape("lacks the shards ['00001.npz']; write it anew")):
        stream_shards(tmp_path)


def test_a_missing_label_counts_nowhere_even_without_a_weight():
    assert data(weights={}).describe()["labelled"].tolist() == [2, 2, 2]
    assert data(weights={}).describe()["mean label"].tolist() == [0.5, 0.5, 0.5]


def test_a_leak_is_found_among_missing_labels():
    x = np.random.default_rng(0).normal(size=(400, 2)).astype("float32")
    y = np.where(np.arange(400) % 3, x[:, 0] > 0, np.nan).astype("float32")
    rows = Rows({"x": x}, {"click": y})
    leaky = MultiTaskData("leaky", {"click": Task()}, {"x": Numeric(("a", "b"))}, rows, rows, rows)
    with pytest.raises(ValueError, match="column 'a' alone predicts 'click'"):
        check_leakage(leaky)


def test_whole_labels_can_go_missing_too():
    whole = data(labels={"click": np.array([0, 1, 1])}).with_missing_labels("click", 0.5).train
    assert np.isnan(whole.labels["click"]).sum() == 2
    assert whole.weights["click"].sum() == 1


def test_a_number_keeps_its_category_where_another_is_missing():
    ages = Vocabulary.fit(pd.Series([30, 40]))
    assert ages.encode(pd.Series([40, None, 30])).tolist() == [2, 0, 1]
    assert Vocabulary.fit(pd.Series([30, None])).categories[1:] == ("30",)
