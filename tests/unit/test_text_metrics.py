"""Span and relation F1 on cases counted by hand."""

import numpy as np
import pytest

from mtl_helpers.metrics import entities, relation_f1, relation_table, span_f1, span_table

TAGS = ("O", "B-Loc", "I-Loc", "B-Org", "I-Org")
RELATIONS = ("Other", "Kill(e1,e2)", "Kill(e2,e1)", "Live(e1,e2)", "Live(e2,e1)")


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("O O", []),
        ("B-Loc I-Loc B-Loc", [(0, 2, "Loc"), (2, 3, "Loc")]),
        ("I-Loc I-Loc O", [(0, 2, "Loc")]),
        ("B-Loc I-Org", [(0, 1, "Loc"), (1, 2, "Org")]),
        ("B-Loc O I-Loc", [(0, 1, "Loc"), (2, 3, "Loc")]),
    ],
)
def test_entities(tags, found):
    assert entities(tags.split()) == found


def test_spans_are_right_only_with_both_ends_and_type():
    labels = np.array([[1, 2, 0, 3, 0], [1, 0, 0, 0, 0]])
    predicted = np.array([[1, 2, 0, 1, 0], [1, 2, 0, 3, 0]])
    table = span_table(labels, predicted, TAGS)
    assert table.loc["all", ["true", "predicted", "right"]].tolist() == [3, 4, 1]
    assert table.loc["Loc", "precision"] == pytest.approx(1 / 3)
    assert table.loc["Loc", "recall"] == pytest.approx(1 / 2)
    assert table.loc["Org", "f1"] == 0
    assert span_f1(labels, predicted, TAGS) == pytest.approx(2 / 7)
    weights = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0]])
    assert span_f1(labels, predicted, TAGS, weights) == 1.0


def test_relation_scores_follow_the_official_scorer():
    labels = np.array([1, 1, 2, 3, 0, 0, 4])
    predicted = np.array([1, 2, 2, 0, 1, 0, 3])
    with_direction = relation_table(labels, predicted, RELATIONS)
    assert with_direction.loc["Kill", ["true", "predicted", "right"]].tolist() == [3, 4, 2]
    assert with_direction.loc["Live", ["true", "predicted", "right"]].tolist() == [2, 1, 0]
    without = relation_table(labels, predicted, RELATIONS, direction=False)
    assert without.loc["Kill", ["precision", "recall"]].tolist() == [0.75, 1.0]
    assert without.loc["Live", "f1"] == pytest.approx(2 / 3)
    assert relation_f1(labels, predicted, RELATIONS) == pytest.approx((4 / 7 + 0) / 2)
    assert relation_f1(labels, predicted, RELATIONS, direction=False) == pytest.approx((6 / 7 + 2 / 3) / 2)
    assert relation_f1(labels, predicted, RELATIONS, average="micro") == pytest.approx(4 / 10)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: relation_table([1, 0], [1], RELATIONS), r"labels=\(2,\), predicted=\(1,\): give one prediction"),
        (lambda: relation_table([1], [0.7], RELATIONS), "predicted: float64 up to 0.7; give class numbers below"),
        (lambda: span_table([[0, 9]], [[0, 1]], TAGS), "labels: int64 up to 9; give class numbers below"),
        (lambda: relation_f1([0], [0], ("Other",)), "hold no relation but those left out"),
        (lambda: entities(["B-Loc", "E-Loc"]), r"tags\[1\]='E-Loc' is not 'O'"),
    ],
)
def test_what_would_be_a_wrong_score_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_class_left_out_may_be_given_by_its_name():
    assert list(relation_table([0], [0], ("Other", "Kill"), without="Other").index) == ["Kill", "all"]


def test_averages_are_named():
    with pytest.raises(ValueError, match="average='mean'"):
        relation_f1(np.array([0]), np.array([0]), RELATIONS, average="mean")
