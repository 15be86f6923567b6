"""Turns columns into numbers a model can read, by what the training rows hold and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

UNSEEN = "(not seen in training)"


@dataclass(frozen=True)
class Vocabulary:
    """The categories of a column, numbered.

    Attributes:
        categories: The categories in number order; number 0 is anything not seen in training.

    Example:
        >>> colours = Vocabulary.fit(pd.Series(["red", "blue", "red"]))
        >>> colours.encode(pd.Series(["blue", "red", "green"])).tolist()
        [1, 2, 0]
    """

    categories: tuple[str, ...]

    @classmethod
    def fit(cls, values: pd.Series) -> Vocabulary:
        """Numbers the categories of a training column in alphabetical order, from 1."""
        return cls((UNSEEN, *sorted(map(str, values.unique()))))

    def __len__(self) -> int:
        return len(self.categories)

    def encode(self, values: pd.Series) -> np.ndarray:
        """Gives each value's number, int32 ``[rows]``; 0 if it was not seen in training."""
        found = pd.Index(self.categories[1:]).get_indexer(values.astype(str).astype(object))
        return (found + 1).astype(np.int32)


@dataclass(frozen=True)
class Standardiser:
    """Shifts and scales numeric columns so that the training rows have mean 0 and standard deviation 1.

    Attributes:
        mean: Mean of each column over the training rows, ``[columns]``.
        scale: Standard deviation, ``[columns]``; 1 for a constant column.

    Example:
        >>> Standardiser.fit(np.array([[1.0], [3.0]])).encode(np.array([[5.0]])).tolist()
        [[3.0]]
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, values: np.ndarray) -> Standardiser:
        """Takes mean and standard deviation of training values ``[rows, columns]``."""
        spread = values.std(axis=0, dtype=np.float64)
        return cls(values.mean(axis=0, dtype=np.float64), np.where(spread > 0, spread, 1.0))

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Gives the scaled values, float32 ``[rows, columns]``."""
        return ((values - self.mean) / self.scale).astype(np.float32)
