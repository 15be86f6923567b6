"""Checks of layer arguments, so that a wrong value is named where it was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Tensor = Any
Shape = tuple[int | None, ...]


def at_least(argument: str, value: float, lowest: float) -> None:
    """Refuses a number that is too small.

    Args:
        argument: Name of the argument, for the message.
        value: What was given.
        lowest: The smallest value that makes sense.

    Raises:
        ValueError: If ``value`` is below ``lowest`` or NaN.

    Example:
        >>> at_least("experts", 0, 1)
        Traceback (most recent call last):
        ValueError: experts=0 is too small; give at least 1.
    """
    if not value >= lowest:
        raise ValueError(f"{argument}={value!r} is too small; give at least {lowest}.")


def widths(argument: str, units: Sequence[int], at_least_one: bool = True) -> tuple[int, ...]:
    """Checks the widths of consecutive layers.

    Args:
        argument: Name of the argument, for the message.
        units: Units of each layer.
        at_least_one: Whether there has to be a layer.

    Returns:
        The widths as a tuple.

    Raises:
        ValueError: If it is a bare number, holds a width that is not a whole number of at least 1, or is empty where a
            layer is needed.

    Example:
        >>> widths("tower_units", [16, 8])
        (16, 8)
    """
    if isinstance(units, int):
        raise ValueError(f"{argument}={units} is a number; give one width a layer, for instance ({units},).")
    if (at_least_one and not units) or any(width != int(width) or width < 1 for width in units):
        raise ValueError(
            f"{argument}={tuple(units)} needs {'at least one layer, ' * at_least_one}each of width 1 or more."
        )
    return tuple(int(width) for width in units)


def check_axes(argument: str, shape: Shape, *wanted: int) -> None:
    """Refuses an input with other axes than a layer reads.

    Args:
        argument: Name of the input, for the message.
        shape: Its shape, the batch included.
        *wanted: How many axes it may have.

    Raises:
        ValueError: If it has another number of axes.

    Example:
        >>> check_axes("inputs", (32, 10), 2)
    """
    if len(shape) not in wanted:
        counts = " or ".join(map(str, wanted))
        raise ValueError(f"{argument}={shape} have {len(shape)} axes; give {counts}, the batch first.")
