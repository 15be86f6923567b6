"""How well predictions fit labels. A label is missing where it is NaN or its weight is 0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mtl_helpers.datasets.base import Task, has_label

Score = Callable[..., float]


def auc(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Gives the area under the ROC curve: the chance that a positive row outranks a negative one, ties counting half.

    Args:
        labels: 0 or 1, ``[rows]``; NaN is missing.
        scores: Any number that should be larger for positives, ``[rows]``.
        weights: Row weights ``[rows]``; 0 leaves a row out.

    Returns:
        A number from 0 to 1; .5 is chance.

    Raises:
        ValueError: If the labels are all of one class or not 0 or 1, or a score is NaN; see ``present``.

    Example:
        >>> auc(np.array([0, 1, 1]), np.array([0.1, 0.1, 0.9]))
        0.75
    """
    labels, scores, weights = present(labels, scores, weights)
    check_binary(labels)
    order = np.argsort(scores)
    ordered = scores[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])  # where each distinct score begins
    positive = np.add.reduceat(weights[order] * labels[order], first)
    negative = np.add.reduceat(weights[order] * (1 - labels[order]), first)
    if positive.sum() == 0 or negative.sum() == 0:
        raise ValueError(f"labels: {int(labels.sum())} positive of {len(labels)}; AUC needs rows of both classes.")
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / (positive.sum() * negative.sum()))


def present(
    labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gives the rows that have a label.

    Args:
        labels: Numbers ``[rows]`` or ``[rows, 1]``; NaN is missing.
        scores: Predictions, one a label.
        weights: Row weights; 0 is missing. None: all 1.

    Returns:
        Labels, scores and weights of those rows, float64 ``[labelled rows]`` (scores in their own precision).

    Raises:
        ValueError: If the lengths differ, no label is left, or a score of a labelled row is NaN.
    """
    labels, scores = np.asarray(labels, float).ravel(), np.asarray(scores).ravel()
    weights = np.ones(labels.size) if weights is None else np.asarray(weights, float).ravel()
    if not labels.size == scores.size == weights.size:
        raise ValueError(f"labels, scores, weights hold {labels.size}, {scores.size}, {weights.size}; give as many.")
    keep = (weights > 0) & ~np.isnan(labels)
    if not keep.any():
        raise ValueError(f"labels: none of {labels.size} has a value and a weight above 0; leave the task out.")
    labels, scores, weights = labels[keep], scores[keep], weights[keep]
    if np.isnan(scores).any():
        raise ValueError(f"scores hold {int(np.isnan(scores).sum())} NaN: training diverged; lower the learning rate.")
    return labels, scores, weights


def check_binary(labels: np.ndarray) -> None:
    """Refuses labels other than 0 and 1.

    Raises:
        ValueError: If there are others.
    """
    if not ((labels == 0) | (labels == 1)).all():
        raise ValueError(f"labels run from {labels.min():g} to {labels.max():g}; give labels that are 0 or 1.")


def present_probabilities(
    labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gives the rows that have a label, as ``present`` does, of a binary task.

    Raises:
        ValueError: If a label is neither 0 nor 1, or a score is no probability (a logit, for instance).
    """
    labels, scores, weights = present(labels, scores, weights)
    check_binary(labels)
    if scores.min() < 0 or scores.max() > 1:
        raise ValueError(f"scores run from {scores.min():.3g} to {scores.max():.3g}; give probabilities from 0 to 1.")
    return labels, scores, weights


def weighted_mean(values: np.ndarray, weights: np.ndarray | None) -> float:
    """Averages over the rows of weight above 0; what the others hold, NaN included, does not matter.

    Args:
        values: A value a row, ``[rows]``.
        weights: Row weights ``[rows]``; all 1 if None.

    Returns:
        The weighted mean.

    Raises:
        ValueError: If there is no value, or every weight is 0.

    Example:
        >>> weighted_mean(np.array([1.0, 4.0, np.nan]), np.array([2.0, 1.0, 0.0]))
        2.0
    """
    values = np.asarray(values)
    keep = np.ones(values.shape, bool) if weights is None else np.asarray(weights) > 0
    if not keep.any():
        raise ValueError("weights are all 0, or there are none: there is no label to score; leave the task out.")
    return float(np.mean(values) if weights is None else np.average(values[keep], weights=np.asarray(weights)[keep]))


def log_loss(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Gives the mean binary cross-entropy, in nats.

    Args:
        labels: 0 or 1, ``[rows]``; NaN is missing.
        scores: Predicted probabilities ``[rows]``.
        weights: Row weights ``[rows]``; 0 leaves a row out.

    Returns:
        At least 0; lower is better.

    Raises:
        ValueError: If a label is neither 0 nor 1, or a score is no probability (a logit, for instance).

    Example:
        >>> round(log_loss(np.array([1.0]), np.array([0.5])), 4)
        0.6931
    """
    labels, scores, weights = present_probabilities(labels, scores, weights)
    chance = np.clip(scores.astype(float), 1e-7, 1 - 1e-7)
    return float(np.average(-labels * np.log(chance) - (1 - labels) * np.log1p(-chance), weights=weights))


def mean_squared_error(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Gives the mean squared error.

    Args:
        labels: Numbers ``[rows]``; NaN is missing.
        scores: Predictions ``[rows]``.
        weights: Row weights ``[rows]``; 0 leaves a row out.

    Returns:
        At least 0; lower is better.

    Example:
        >>> mean_squared_error(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
        2.0
    """
    labels, scores, weights = present(labels, scores, weights)
    return float(np.average((labels - scores) ** 2, weights=weights))


def accuracy(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Gives the share of right classes.

    Args:
        labels: Class numbers ``[rows]`` or ``[rows, tokens]``; NaN is missing.
        scores: A score a class, ``[..., classes]``; or the tables of a ``ConditionalRandomField``, ``[rows, tokens,
            classes, classes]``, of which the most probable tag sequence counts.
        weights: Weights in the shape of the labels, or ``[rows]``; 0 leaves one out.

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: If there are not as many scores as labels (labels are numbers, not one-hot rows), one is NaN, or no
            label is there.

    Example:
        >>> accuracy(np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]]))
        0.5
    """
    labels, scores = np.asarray(labels), np.asarray(scores)
    axes = scores.ndim - labels.ndim
    if axes not in (1, 2) or scores.shape[: labels.ndim] != labels.shape:
        raise ValueError(f"labels={labels.shape}, scores={scores.shape}: give class numbers, and for each its scores.")
    if weights is not None:
        weights = np.asarray(weights)
        weights = np.broadcast_to(weights[:, None] if weights.ndim < labels.ndim else weights, labels.shape)
    keep = has_label(labels, weights)
    if np.isnan(scores[keep]).any():
        raise ValueError("scores hold NaN: training diverged; lower the learning rate.")
    if axes == 2:
        from mtl_helpers.layers import decode_tags

        predicted = np.asarray(decode_tags(scores))
    else:
        predicted = np.argmax(scores, axis=-1)
    right = (predicted == labels).astype(float)
    return weighted_mean(right[keep], None if weights is None else weights[keep])


def ndcg(relevance: np.ndarray, scores: np.ndarray, k: int | None = 10) -> float:
    """Gives the normalised discounted cumulative gain of the first k items, averaged over the lists.

    An item at position i (counted from 1) of the list counts relevance / log2(i + 1); 1 is the best order. Järvelin and
    Kekäläinen 2002, doi:10.1145/582415.582418. Items with equal scores share their places (scikit-learn does this).

    Args:
        relevance: How good each item is, at least 0, ``[lists, items]``.
        scores: Scores to rank by ``[lists, items]``.
        k: Positions that count; None for all.

    Returns:
        A number from 0 to 1; lists without a relevant item count 0.

    Raises:
        ValueError: If there are not as many scores as items in lists of two or more, or a relevance is negative.

    Example:
        >>> round(ndcg(np.array([[0.0, 1.0, 0.0]]), np.array([[0.9, 0.5, 0.1]])), 3)
        0.631
    """
    from sklearn.metrics import ndcg_score

    relevance, scores = np.asarray(relevance, float), np.asarray(scores, float)
    if relevance.ndim != 2 or relevance.shape != scores.shape or relevance.shape[1] < 2 or not (relevance >= 0).all():
        raise ValueError(
            f"relevance={relevance.shape}, scores={scores.shape}: give [lists, items] of both, 2 items or more in a "
            "list, no relevance below 0."
        )
    return float(ndcg_score(relevance, scores, k=k))


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
