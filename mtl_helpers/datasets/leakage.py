"""Looks for inputs that give a label away, and for test rows that were trained on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtl_helpers.datasets.base import Categorical, MultiTaskData, Numeric, Rows, has_label

BINS = 64
DOUBTS = 5.0  # rows of the training mean that are added to every category


def single_column_scores(data: MultiTaskData) -> pd.DataFrame:
    """Measures what each input column alone says about each label.

    A column's guess is the mean training label of its category, or of its 64th part of a number's range by quantiles.

    Args:
        data: Data with categorical or numeric inputs and binary or regression tasks; others are passed over.

    Returns:
        Columns ``task``, ``column``, ``metric`` (``"auc"``, or ``"r2"`` for a regression) and ``value`` over the test
        rows, the highest first.

    Example:
        >>> single_column_scores(census_income(rows=5000)).iloc[0]["column"]
        'household_and_family_status'
    """
    table = []
    for task, about in data.tasks.items():
        if about.kind not in ("binary", "regression"):
            continue
        (train, y_train), (test, y_test) = (labelled(rows, task) for rows in (data.train, data.test))
        for name, kind in data.inputs.items():
            if not isinstance(kind, Categorical | Numeric):
                continue
            for number, column in enumerate(kind.columns):
                seen, asked = train.inputs[name][:, number], test.inputs[name][:, number]
                if isinstance(kind, Numeric):
                    edges = np.unique(np.quantile(seen, np.linspace(0, 1, BINS + 1)[1:-1]))
                    seen, asked = np.digitize(seen, edges), np.digitize(asked, edges)
                guess = category_means(seen, y_train)[np.minimum(asked, seen.max() + 1)]
                metric, value = ("auc", area(y_test, guess)) if about.kind == "binary" else ("r2", r2(y_test, guess))
                table.append((task, column, metric, value))
    scores = pd.DataFrame(table, columns=["task", "column", "metric", "value"])
    return scores.sort_values("value", ascending=False, ignore_index=True)


def check_leakage(data: MultiTaskData, limit: float = 0.99, repeated: bool = False) -> pd.DataFrame:
    """Asserts that no single input gives a label away and that no test row was trained on.

    Args:
        data: Data with categorical or numeric inputs.
        limit: The AUC (or share of a regression's variance explained) above which one column is a leak.
        repeated: Whether training rows may come again in the test split, as they do in surveys of coarse answers.

    Returns:
        What ``single_column_scores`` measured.

    Raises:
        ValueError: If there is a leak, naming the column and the task, or how many rows come again.

    Example:
        >>> bool(check_leakage(task_pair(rows=2000))["value"].max() < 0.5)
        True
    """
    scores = single_column_scores(data)
    for row in scores[scores["value"] > limit].itertuples():
        raise ValueError(
            f"inputs: column {row.column!r} alone predicts {row.task!r} with {row.metric} {row.value:.4f} "
            f"(limit {limit}); is it made of the label? Take it out of the inputs."
        )
    both = set(fingerprints(data.train)) & set(fingerprints(data.test))
    if both and not repeated:
        raise ValueError(f"test: {len(both)} input rows are training rows, too; split anew, or pass repeated=True.")
    return scores


def labelled(rows: Rows, task: str) -> tuple[Rows, np.ndarray]:
    """Gives the rows that have a task's label, and those labels."""
    kept = rows.take(has_label(rows.labels[task], rows.weights.get(task)))
    return kept, kept.labels[task]


def category_means(codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Gives each category's mean label, drawn towards the overall mean where rows are few; the last is for unseen."""
    counts = np.bincount(codes, minlength=codes.max() + 2)
    sums = np.bincount(codes, labels, minlength=codes.max() + 2)
    return (sums + DOUBTS * labels.mean()) / (counts + DOUBTS)


def area(labels: np.ndarray, scores: np.ndarray) -> float:
    """Computes the AUC, ties counted half; .5 if there is one class."""
    positive = labels == 1
    pairs = positive.sum() * (~positive).sum()
    above = pd.Series(scores).rank().to_numpy()[positive].sum() - positive.sum() * (positive.sum() + 1) / 2
    return float(above / pairs) if pairs else 0.5


def r2(labels: np.ndarray, guess: np.ndarray) -> float:
    """Computes the share of the labels' variance that a guess explains."""
    spread = np.mean((labels - labels.mean()) ** 2, dtype=np.float64)
    return float(1 - np.mean((labels - guess) ** 2, dtype=np.float64) / spread) if spread else 0.0


def fingerprints(rows: Rows) -> list[bytes]:
    """Gives a row's inputs as bytes, a row each."""
    flat = [np.ascontiguousarray(values.reshape(len(rows), -1)).view(np.uint8) for values in rows.inputs.values()]
    return [row.tobytes() for row in np.concatenate(flat, axis=1)]
