"""The rows of one split: inputs, labels and what is known about both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of one split.

    Attributes:
        inputs: Input name -> array ``[rows, ...]`` (int32 for categories and tokens, float32 for numbers).
        labels: Task name -> array ``[rows]`` (float32; int32 for classes) or, for tags, int32 ``[rows, tokens]``.
        weights: Task name -> float32 ``[rows]``, for tags ``[rows, tokens]``; 0 where the label is missing (it is NaN
            there, or 0 for classes). A task that is not a key has all its labels.
        truth: Task name -> the generator's own probability or mean, float32 ``[rows]``. Empty for real data.
        groups: int32 ``[rows]``, each row's segment as a position in ``MultiTaskData.groups``; None without segments.

    Example:
        >>> rows = Rows({"numeric": np.ones((3, 2))}, {"click": np.array([0, 1, 1])})
        >>> rows.take(rows.labels["click"] == 1).labels["click"].tolist()
        [1, 1]
    """

    inputs: Arrays
    labels: Arrays
    weights: Arrays = field(default_factory=dict)
    truth: Arrays = field(default_factory=dict)
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(next(iter((self.labels or self.inputs).values())))

    def take(self, which: np.ndarray | slice) -> Rows:
        """Gives some of the rows.

        Args:
            which: Positions, a boolean mask or a slice.

        Returns:
            The chosen rows, in the order asked for.
        """

        def cut(arrays: Arrays) -> Arrays:
            return {name: values[which] for name, values in arrays.items()}

        groups = None if self.groups is None else self.groups[which]
        return Rows(cut(self.inputs), cut(self.labels), cut(self.weights), cut(self.truth), groups)

    def only(self, tasks: Iterable[str]) -> Rows:
        """Gives the same rows with some of the tasks; a name that is not one of them is left out."""
        kept = [tasks] if isinstance(tasks, str) else list(tasks)

        def cut(arrays: Arrays) -> Arrays:
            return {task: arrays[task] for task in kept if task in arrays}

        return replace(self, labels=cut(self.labels), weights=cut(self.weights), truth=cut(self.truth))


def has_label(labels: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Tells labels from missing ones, which are NaN or have the weight 0.

    Args:
        labels: ``[rows]`` or ``[rows, tokens]``.
        weights: Weights of the same shape; None: all 1.

    Returns:
        Where there is a label, of the same shape.

    Example:
        >>> has_label(np.array([1.0, np.nan, 0.0]), np.array([1, 1, 0])).tolist()
        [True, False, False]
    """
    there = np.isfinite(labels)
    return there if weights is None else there & (weights > 0)
