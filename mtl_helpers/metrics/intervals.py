"""How sure a mean difference is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
        ValueError: If there are fewer than two differences, one is not finite, the level is not between 0 and 1, or the
            method is unknown.

    Example:
        >>> interval = paired_interval(np.array([0.01, 0.03, 0.02]))
        >>> round(interval.mean, 2), interval.low < 0.02 < interval.high
        (0.02, True)
    """
    values = np.asarray(differences, float)
    if values.size < 2:
        raise ValueError(f"differences={values.tolist()}: an interval needs at least 2 seeds; ask for 8 or more.")
    if not np.isfinite(values).all():
        raise ValueError(f"differences={values.tolist()} are not all finite; leave the failed run out of both sides.")
    if not 0 < level < 1:
        raise ValueError(f"level={level} is not between 0 and 1; 0.95 is usual.")
    if method == "t":
        from scipy import stats

        half = stats.t.ppf((1 + level) / 2, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size)
        low, high = values.mean() - half, values.mean() + half
    elif method == "bootstrap":
        draws = np.random.default_rng(course_seed()).choice(values, (10_000, values.size)).mean(axis=1)
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    else:
        raise ValueError(f"method={method!r} is unknown; choose 't' or 'bootstrap'.")
    return Interval(float(values.mean()), float(low), float(high), values.size, method)
