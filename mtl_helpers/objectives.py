"""Several objectives folded into one: a single weighted label, preference pairs, and trees to learn the label with."""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from mtl_helpers.datasets.base import Categorical, Kind, MultiTaskData, Rows, Task

Column = Callable[[Rows], np.ndarray]


def one_label(
    data: MultiTaskData, name: str, label: Column, weight: Column | None = None, kind: Kind = "binary"
) -> MultiTaskData:
    """Folds the tasks of a data set into a single one, which ``study`` can train like any other.

    Args:
        data: The data.
        name: Name of the new task, the only one left.
        label: From rows to the new label ``[rows]``.
        weight: From rows to sample weights ``[rows]``; None weighs every row 1.
        kind: Kind of the new task.

    Returns:
        The same inputs in the same order, with the new label. It has no truth: nobody knows the "true" mixture.

    Example:
        >>> from mtl_helpers.datasets import shop_log
        >>> clicks = one_label(shop_log(1000), "good", lambda rows: rows.labels["click"])
        >>> list(clicks.tasks)
        ['good']
    """

    def fold(rows: Rows) -> Rows:
        weights = {} if weight is None else {name: np.asarray(weight(rows), np.float32)}
        return Rows(rows.inputs, {name: np.asarray(label(rows), np.float32)}, weights, {}, rows.groups)

    return data.with_rows(fold, {name: Task(kind)})


@keras.saving.register_keras_serializable(package="mtl_helpers")
class PairwiseLoss(keras.losses.Loss):
    """RankNet's loss: of two rows, the one with the larger gain should get the larger score.

    A pair (i, j) with gain i > gain j costs ``log(1 + exp(score j - score i))``: Burges and others 2005, "Learning to
    rank using gradient descent", doi:10.1145/1102351.1102363, equation 3 with a target of 1. The batch is cut into
    lists, and rows are compared within their list.

    Args:
        list_size: Rows in a list; it must divide the batch.
        by_gain: Whether a pair counts by how far its gains are apart. If not, only the order of the gains counts.
        name: Name of the loss.

    Raises:
        ValueError: If a list has fewer than two rows, or the batch fewer than a list.

    Example:
        >>> loss = PairwiseLoss(list_size=2)
        >>> round(float(loss(np.array([1.0, 0.0]), np.array([[0.0], [0.0]]))), 4)
        0.6931
    """

    def __init__(self, list_size: int = 64, by_gain: bool = True, name: str = "pairwise") -> None:
        if list_size < 2:
            raise ValueError(f"list_size={list_size}: a pair needs two rows; give at least 2.")
        super().__init__(name=name)
        self.list_size, self.by_gain = list_size, by_gain

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Gives each row its share of the loss.

        Args:
            y_true: Gains, ``[batch]`` or ``[batch, 1]``.
            y_pred: Scores, ``[batch, 1]``.

        Returns:
            ``[batch]``, whose mean is the mean loss of all pairs (0 if all gains are equal).
        """
        if (given := y_pred.shape[0]) is not None and given < self.list_size:
            raise ValueError(f"list_size={self.list_size}, but the batch has {given} rows: no list, no pair.")
        rows = ops.shape(y_pred)[0]
        used = rows // self.list_size * self.list_size
        gain, score = (ops.reshape(ops.reshape(each, (-1,))[:used], (-1, self.list_size)) for each in (y_true, y_pred))
        apart = ops.maximum(gain[:, :, None] - gain[:, None, :], 0.0)
        weight = apart if self.by_gain else ops.cast(apart > 0, score.dtype)
        cost = ops.softplus(score[:, None, :] - score[:, :, None])
        share = ops.sum(weight * cost, axis=-1) / ops.maximum(ops.sum(weight), keras.backend.epsilon())
        each = ops.reshape(share, (-1,)) * ops.cast(rows, score.dtype)
        return ops.concatenate([each, ops.zeros((rows - used,), score.dtype)])

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {"list_size": self.list_size, "by_gain": self.by_gain, "name": self.name}


def boosted_trees(data: MultiTaskData, label: np.ndarray, weight: np.ndarray | None = None, **settings: Any) -> Any:
    """Fits gradient-boosted trees to one label: what a team has running before it has a network.

    Args:
        data: Tabular data; its training rows are fitted.
        label: 0 or 1 for every training row, ``[rows]``.
        weight: Sample weights ``[rows]``; all 1 if None.
        **settings: For scikit-learn's ``HistGradientBoostingClassifier``.

    Returns:
        The fitted classifier; ``tree_scores`` asks it about rows.

    Raises:
        ValueError: If the labels are not one a training row, or not both 0 and 1.

    Example:
        >>> from mtl_helpers.datasets import shop_log
        >>> log = shop_log(1000, users=50, skus=50)
        >>> trees = boosted_trees(log, log.train.labels["click"], max_iter=2)
        >>> tree_scores(trees, log.test).shape
        (200,)
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    if len(label) != len(data.train) or set(np.unique(label)) != {0, 1}:
        raise ValueError(
            f"label has {len(label)} values {np.unique(label)[:5]}; give 0 or 1 for {len(data.train)} rows."
        )
    categories = [
        isinstance(data.inputs[name], Categorical)
        for name, values in table_order(data.train)
        for _ in range(values.shape[1])
    ]
    usual = {"max_iter": 40, "learning_rate": 0.15, "max_leaf_nodes": 8, "random_state": 0}
    trees = HistGradientBoostingClassifier(categorical_features=categories, **usual | settings)
    with threadpool_limits(1):  # trees this small are slowed down by more threads
        return trees.fit(as_table(data.train), label, sample_weight=weight)


def tree_scores(trees: Any, rows: Rows) -> np.ndarray:
    """Gives the trees' probability of a 1 for each row.

    Args:
        trees: What ``boosted_trees`` fitted.
        rows: Rows with the same inputs.

    Returns:
        Probabilities ``[rows]``.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return trees.predict_proba(as_table(rows))[:, 1]


def table_order(rows: Rows) -> list[tuple[str, np.ndarray]]:
    """Lists the inputs by name, as ``as_table`` lays them side by side."""
    return sorted(rows.inputs.items())


def as_table(rows: Rows) -> np.ndarray:
    """Lays all inputs side by side, ``[rows, columns]``."""
    return np.column_stack([values for _, values in table_order(rows)])


def lists_by(groups: np.ndarray, size: int) -> np.ndarray:
    """Cuts each group's rows into lists of one length, for a metric that ranks within a list.

    Args:
        groups: Which group each row belongs to, for instance its user, ``[rows]``.
        size: Rows in a list; what is left of a group, fewer than that, is in none.

    Returns:
        Row positions, ``[lists, size]``.

    Raises:
        ValueError: If a list has no row, or no group has as many.

    Example:
        >>> lists_by(np.array([7, 8, 7, 7, 8, 7]), 2).tolist()
        [[0, 2], [3, 5], [1, 4]]
    """
    groups = np.asarray(groups)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    largest = max(map(len, members), default=0)
    if not 1 <= size <= largest:
        raise ValueError(f"size={size}: no group has so many rows (the largest has {largest}).")
    return np.concatenate([rows[: len(rows) // size * size].reshape(-1, size) for rows in members])
