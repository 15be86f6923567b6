"""Numbers by which models are judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mtl_helpers.datasets.base import Task

Score = Callable[..., float]


def auc(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Gives the area under the ROC curve: the chance that a positive row outranks a negative one, ties counting half.

    Args:
        labels: 0 or 1, ``[rows]``.
        scores: Any number that should be larger for positives, ``[rows]``.
        weights: Row weights ``[rows]``; 0 leaves a row out.

    Returns:
        A number from 0 to 1; .5 is chance.

    Raises:
        ValueError: If the labels are all of one class.

    Example:
        >>> auc(np.array([0, 1, 1]), np.array([0.1, 0.1, 0.9]))
        0.75
    """
    labels, scores = np.asarray(labels), np.asarray(scores)
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights, float)
    keep = weights > 0
    labels, scores, weights = labels[keep], scores[keep], weights[keep]
    order = np.argsort(scores)
    ordered = scores[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])  # where each distinct score begins
    positive = np.add.reduceat(weights[order] * labels[order], first) if len(first) else np.zeros(1)
    negative = np.add.reduceat(weights[order] * (1 - labels[order]), first) if len(first) else np.zeros(1)
    if positive.sum() == 0 or negative.sum() == 0:
        raise ValueError(f"labels: {int(labels.sum())} positive of {len(labels)}; AUC needs rows of both classes.")
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / (positive.sum() * negative.sum()))


def weighted_mean(values: np.ndarray, weights: np.ndarray | None) -> float:
    """Averages over the rows of weight above 0; what the others hold, NaN included, does not matter."""
    if weights is None:
        return float(np.mean(values))
    keep = np.asarray(weights) > 0
    if not keep.any():
        raise ValueError("weights are all 0: there is no label to score; leave the task out.")
    return float(np.average(np.asarray(values)[keep], weights=np.asarray(weights)[keep]))


def log_loss(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Gives the mean binary cross-entropy, in nats.

    Args:
        labels: 0 or 1, ``[rows]``.
        scores: Predicted probabilities ``[rows]``.
        weights: Row weights ``[rows]``; 0 leaves a row out.

    Returns:
        At least 0; lower is better.

    Example:
        >>> round(log_loss(np.array([1.0]), np.array([0.5])), 4)
        0.6931
    """
    chance = np.clip(np.asarray(scores, float), 1e-7, 1 - 1e-7)
    return weighted_mean(-np.where(np.asarray(labels) > 0.5, np.log(chance), np.log1p(-chance)), weights)


def mean_squared_error(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Gives the mean squared error.

    Args:
        labels: Numbers ``[rows]``.
        scores: Predictions ``[rows]``.
        weights: Row weights ``[rows]``; 0 leaves a row out.

    Returns:
        At least 0; lower is better.

    Example:
        >>> mean_squared_error(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
        2.0
    """
    return weighted_mean((np.asarray(labels, float) - np.asarray(scores, float)) ** 2, weights)


def accuracy(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Gives the share of right classes.

    Args:
        labels: Class numbers ``[rows]`` or ``[rows, tokens]``.
        scores: A score a class, ``[..., classes]``.
        weights: Weights in the shape of the labels, or ``[rows]``; 0 leaves one out.

    Returns:
        A number from 0 to 1.

    Example:
        >>> accuracy(np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]]))
        0.5
    """
    right = (np.argmax(scores, axis=-1) == labels).astype(float)
    if weights is not None and np.ndim(weights) < right.ndim:
        weights = np.broadcast_to(np.asarray(weights)[:, None], right.shape)
    return weighted_mean(right, weights)


def task_metric(task: Task) -> tuple[str, Score, bool]:
    """Gives the main metric of a task.

    Args:
        task: The task.

    Returns:
        Its name, the function of labels, scores and weights, and whether higher is better.

    Example:
        >>> task_metric(Task("binary"))[0]
        'auc'
    """
    return {
        "binary": ("auc", auc, True),
        "regression": ("mse", mean_squared_error, False),
        "multiclass": ("accuracy", accuracy, True),
        "tags": ("accuracy", accuracy, True),
    }[task.kind]


@dataclass(frozen=True)
class Interval:
    """A mean and the interval that holds the true one with a confidence of, usually, 95 %.

    Attributes:
        mean: The mean.
        low: Lower end.
        high: Upper end.
        n: Number of values.
        method: ``"t"`` or ``"bootstrap"``.
    """

    mean: float
    low: float
    high: float
    n: int
    method: str


def paired_interval(differences: np.ndarray, method: str = "t", level: float = 0.95) -> Interval:
    """Gives the interval of a mean difference.

    Args:
        differences: One difference a seed, ``[seeds]``.
        method: ``"t"``: Student's t; ``"bootstrap"``: 10,000 resamples, percentiles (wants some 20 seeds or more).
        level: Confidence, between 0 and 1.

    Returns:
        The interval.

    Raises:
        ValueError: If there are fewer than two differences or the method is unknown.

    Example:
        >>> interval = paired_interval(np.array([0.01, 0.03, 0.02]))
        >>> round(interval.mean, 2), interval.low < 0.02 < interval.high
        (0.02, True)
    """
    values = np.asarray(differences, float)
    if values.size < 2:
        raise ValueError(f"differences={values.tolist()}: an interval needs at least 2 seeds; ask for 8 or more.")
    if method == "t":
        from scipy import stats

        half = stats.t.ppf((1 + level) / 2, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size)
        low, high = values.mean() - half, values.mean() + half
    elif method == "bootstrap":
        draws = np.random.default_rng(0).choice(values, (10_000, values.size)).mean(axis=1)
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    else:
        raise ValueError(f"method={method!r} is unknown; choose 't' or 'bootstrap'.")
    return Interval(float(values.mean()), float(low), float(high), values.size, method)
