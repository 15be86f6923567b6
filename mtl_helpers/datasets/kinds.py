"""What a task predicts and what an input holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["binary", "regression", "multiclass", "tags"]


def distinct(argument: str, names: Sequence[str]) -> tuple[str, ...]:
    """Checks a list of names.

    Args:
        argument: Name of the argument, for the message.
        names: The names.

    Returns:
        The names as a tuple.

    Raises:
        ValueError: If it is a single text, whose letters would count as names, or a name comes twice.

    Example:
        >>> distinct("columns", ["price", "age"])
        ('price', 'age')
    """
    if isinstance(names, str):
        raise ValueError(f"{argument}={names!r} is a single text; give a list of names, for instance ({names!r},).")
    if len(set(names)) < len(names):
        raise ValueError(f"{argument}={tuple(names)} holds a name twice; give each once.")
    return tuple(names)


@dataclass(frozen=True)
class Task:
    """What one output predicts.

    Attributes:
        kind: ``"binary"`` (a probability), ``"regression"`` (a number), ``"multiclass"`` (one of several classes a
            row) or ``"tags"`` (one of several classes a token).
        classes: Names of the classes of a ``"multiclass"`` or ``"tags"`` task, in label order; else empty.

    Raises:
        ValueError: If the kind is unknown, or has classes it should not have, or fewer than two that it should.

    Example:
        >>> Task("multiclass", ("low", "mid", "high")).units
        3
    """

    kind: Kind = "binary"
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind={self.kind!r} is unknown; choose from {get_args(Kind)}.")
        if (len(distinct("classes", self.classes)) > 1) != (self.kind in ("multiclass", "tags")):
            raise ValueError(
                f"classes={self.classes} of kind={self.kind!r}: name two or more classes of 'multiclass' or 'tags', "
                "none of other kinds."
            )

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

    Raises:
        ValueError: If a column comes twice, or there is not one size of 1 or more for each.

    Example:
        >>> Categorical(("user", "item"), (1001, 51)).shape
        (2,)
    """

    columns: tuple[str, ...]
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.sizes) != len(distinct("columns", self.columns)) or min(self.sizes, default=1) < 1:
            raise ValueError(f"sizes={self.sizes} of columns={self.columns}: give a size of 1 or more for each.")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row of the input."""
        return (len(self.columns),)


@dataclass(frozen=True)
class Numeric:
    """A float32 input ``[rows, columns]``, scaled by the training split's mean and standard deviation.

    Attributes:
        columns: Name of each column.

    Raises:
        ValueError: If a column comes twice, or ``columns`` is a single text.

    Example:
        >>> Numeric(("price", "age")).shape
        (2,)
    """

    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        distinct("columns", self.columns)

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

    Raises:
        ValueError: If one of them is below 1.

    Example:
        >>> Tokens(length=40, size=5000).shape
        (40,)
    """

    length: int
    size: int

    def __post_init__(self) -> None:
        if self.length < 1 or self.size < 1:
            raise ValueError(f"length={self.length}, size={self.size}: give at least 1 of each.")

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

    Raises:
        ValueError: If one of them is below 1.

    Example:
        >>> TokenVectors(length=40, dim=768).shape
        (40, 768)
    """

    length: int
    dim: int

    def __post_init__(self) -> None:
        if self.length < 1 or self.dim < 1:
            raise ValueError(f"length={self.length}, dim={self.dim}: give at least 1 of each.")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row of the input."""
        return (self.length, self.dim)


InputKind = Categorical | Numeric | Tokens | TokenVectors
