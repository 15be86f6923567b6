"""How sure a mean difference is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from mtl_helpers.seeds import course_seed


@dataclass(frozen=True)
class Interval:
    """A mean and the interval that holds the true one with a confidence of, usually, 95 %.

    Attributes:
        mean: The mean.
        low: Lower end.
        high: Upper end.
        n: Number of values.
        method: ``"t"`` or ``"bootstrap"``.

    Example:
        >>> paired_interval(np.array([0.1, 0.1])).high
        0.1
    """

    mean: float
    low: float
    high: float
    n: int
    method: str


def half_width(spread: Any, count: Any, level: float = 0.95) -> Any:
    """Gives half the width of Student's t interval of a mean.

    Args:
        spread: Standard deviation of the values, n - 1 in the denominator: a number, an array or a series.
        count: Number of values.
        level: Confidence, between 0 and 1.

    Returns:
        What is to be added to the mean, and subtracted.

    Raises:
        ValueError: If the level is not between 0 and 1.

    Example:
        >>> round(float(half_width(1.0, 16)), 2)
        0.53
    """
    if not 0 < level < 1:
        raise ValueError(f"level={level} is not between 0 and 1; 0.95 is usual.")
    return stdtrit(np.maximum(count - 1, 1), (1 + level) / 2) * spread / np.sqrt(count)


def paired_interval(differences: np.ndarray, method: str = "t", level: float = 0.95) -> Interval:
    """Gives the interval of a mean difference.

    Args:
        differences: One difference a seed, ``[seeds]``.
        method: ``"t"``: Student's t; ``"bootstrap"``: 10,000 resamples, percentiles (wants some 20 seeds or more).
        level: Confidence, between 0 and 1.

    Returns:
        The interval.

    Raises:
        ValueError: If there are fewer than two differences, or several a seed, one is not finite, the level is not
            between 0 and 1, or the method is unknown.

    Example:
        >>> interval = paired_interval(np.array([0.01, 0.03, 0.02]))
        >>> round(interval.mean, 2), interval.low < 0.02 < interval.high
        (0.02, True)
    """
    values = np.asarray(differences, float)
    if values.ndim != 1 or values.size < 2:
        raise ValueError(f"differences={values.tolist()}: one number a seed; an interval needs at least 2 seeds.")
    if not np.isfinite(values).all():
        raise ValueError(f"differences={values.tolist()} are not all finite; leave the failed run out of both sides.")
    if not 0 < level < 1:
        raise ValueError(f"level={level} is not between 0 and 1; 0.95 is usual.")
    if method == "t":
        half = half_width(values.std(ddof=1), values.size, level)
        low, high = values.mean() - half, values.mean() + half
    elif method == "bootstrap":
        draws = np.random.default_rng(course_seed()).choice(values, (10_000, values.size)).mean(axis=1)
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    else:
        raise ValueError(f"method={method!r} is unknown; choose 't' or 'bootstrap'.")
    return Interval(float(values.mean()), float(low), float(high), values.size, method)
