"""What a task predicts and what an input holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["binary", "regression", "multiclass", "tags"]


@dataclass(frozen=True)
class Task:
    """What one output predicts.

    Attributes:
        kind: ``"binary"`` (a probability), ``"regression"`` (a number), ``"multiclass"`` (one of several classes a
            row) or ``"tags"`` (one of several classes a token).
        classes: Names of the classes of a ``"multiclass"`` or ``"tags"`` task, in label order; else empty.

    Example:
        >>> Task("multiclass", ("low", "mid", "high")).units
        3
    """

    kind: Kind = "binary"
    classes: tuple[str, ...] = ()

    @property
    def units(self) -> int:
        """Width of the task's output layer: 1, or the number of classes."""
        return max(1, len(self.classes))


@dataclass(frozen=True)
class Categorical:
    """An int32 input ``[rows, columns]`` of category numbers; 0 in every column is "not seen in training".

    Attributes:
        columns: Name of each column.
        sizes: Number of categories of each column, the unseen one included.

    Example:
        >>> Categorical(("user", "item"), (1001, 51)).shape
        (2,)
    """

    columns: tuple[str, ...]
    sizes: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row of the input."""
        return (len(self.columns),)


@dataclass(frozen=True)
class Numeric:
    """A float32 input ``[rows, columns]``, scaled by the training split's mean and standard deviation.

    Attributes:
        columns: Name of each column.

    Example:
        >>> Numeric(("price", "age")).shape
        (2,)
    """

    columns: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row of the input."""
        return (len(self.columns),)


@dataclass(frozen=True)
class Tokens:
    """An int32 input ``[rows, length]`` of word (or position) numbers; 0 is padding, 1 is "not seen in training".

    Attributes:
        length: Tokens in a row, padding included.
        size: Number of words, padding and the unseen one included.

    Example:
        >>> Tokens(length=40, size=5000).shape
        (40,)
    """

    length: int
    size: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row of the input."""
        return (self.length,)


@dataclass(frozen=True)
class TokenVectors:
    """A float32 input ``[rows, length, dim]``: a vector a token, computed beforehand; padding is all zero.

    Attributes:
        length: Tokens in a row, padding included.
        dim: Width of a vector, for instance 768.

    Example:
        >>> TokenVectors(length=40, dim=768).shape
        (40, 768)
    """

    length: int
    dim: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row of the input."""
        return (self.length, self.dim)


InputKind = Categorical | Numeric | Tokens | TokenVectors
