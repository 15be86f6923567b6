"""Turns columns into numbers a model can read, by what the training rows hold and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtl_helpers.datasets.base import SPLITS, Arrays, Categorical, InputKind, Numeric

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
        return cls((UNSEEN, *sorted(map(as_text, values.dropna().unique()))))

    def __len__(self) -> int:
        return len(self.categories)

    def encode(self, values: pd.Series) -> np.ndarray:
        """Gives each value's number, int32 ``[rows]``; 0 if it was not seen in training."""
        column = values.astype("category").cat  # each category is looked up once, not each row
        known = pd.Index(self.categories[1:]).get_indexer([as_text(category) for category in column.categories])
        return np.append(known + 1, 0).astype(np.int32)[column.codes]  # code -1, a missing value, finds the last


def as_text(category: object) -> str:
    """Writes a category as text; 2 and 2.0 alike, for a column of numbers turns to floats when one is missing."""
    whole = isinstance(category, float) and category.is_integer()
    return str(int(category) if whole else category)  # type: ignore[call-overload]


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
        mean, spread = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
        constant = spread <= 1e-9 * np.abs(mean) + 1e-12  # but for rounding
        return cls(mean, np.where(constant, 1.0, spread))

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Gives the scaled values, float32 ``[rows, columns]``."""
        return ((values - self.mean) / self.scale).astype(np.float32)


def encode_splits(
    splits: Mapping[str, pd.DataFrame], categorical: Sequence[str], numeric: Sequence[str]
) -> tuple[dict[str, InputKind], dict[str, Arrays], dict[str, tuple[str, ...]]]:
    """Encodes tables by the vocabularies and scales of the training one.

    Args:
        splits: ``"train"``, ``"validation"`` and ``"test"`` -> a table.
        categorical: Columns to number.
        numeric: Columns to scale.

    Returns:
        What the inputs ``"categorical"`` and ``"numeric"`` hold, their arrays a split, and each categorical column's
        vocabulary.

    Example:
        >>> table = pd.DataFrame({"colour": ["red", "blue"], "weight": [1.0, 3.0]})
        >>> kinds, arrays, words = encode_splits({"train": table, "test": table}, ["colour"], ["weight"])
        >>> arrays["test"]["categorical"].tolist(), arrays["test"]["numeric"].tolist()
        ([[2], [1]], [[-1.0], [1.0]])
    """
    train = splits["train"]
    words = {column: Vocabulary.fit(train[column]) for column in categorical}
    scaler = Standardiser.fit(train[list(numeric)].to_numpy(np.float64))
    kinds: dict[str, InputKind] = {
        "categorical": Categorical(tuple(categorical), tuple(map(len, words.values()))),
        "numeric": Numeric(tuple(numeric)),
    }
    arrays: dict[str, Arrays] = {
        split: {
            "categorical": np.stack([words[column].encode(table[column]) for column in categorical], axis=1),
            "numeric": scaler.encode(table[list(numeric)].to_numpy(np.float32)),
        }
        for split, table in splits.items()
    }
    return kinds, arrays, {column: vocabulary.categories for column, vocabulary in words.items()}


def random_splits(
    rows: int, random: np.random.Generator, shares: tuple[float, float] = (0.6, 0.2)
) -> dict[str, np.ndarray]:
    """Divides rows at random.

    Args:
        rows: How many there are.
        random: Source of the order.
        shares: Share of training and of validation rows; the rest is for testing.

    Returns:
        ``"train"``, ``"validation"``, ``"test"`` -> positions in rising order; together every row once.

    Raises:
        ValueError: If the shares leave no rows for a split.

    Example:
        >>> parts = random_splits(10, np.random.default_rng(0))
        >>> [len(positions) for positions in parts.values()]
        [6, 2, 2]
    """
    first, second = int(shares[0] * rows), int((shares[0] + shares[1]) * rows)
    if not 0 < first < second < rows:
        raise ValueError(f"rows={rows}, shares={shares} leave a split without rows; give more rows or other shares.")
    parts = np.split(random.permutation(rows), [first, second])
    return {split: np.sort(part) for split, part in zip(SPLITS, parts, strict=True)}
