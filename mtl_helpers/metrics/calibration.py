"""Whether predicted probabilities can be taken at their word."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from mtl_helpers.metrics.scores import present_probabilities

Bins = Literal["quantile", "uniform"]


def calibration_curve(
    labels: np.ndarray,
    scores: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    bins: int = 10,
    strategy: Bins = "quantile",
) -> pd.DataFrame:
    """Sorts rows into bins by predicted probability and compares each bin's prediction with what happened.

    Args:
        labels: 0 or 1, ``[rows]``; NaN is missing.
        scores: Predicted probabilities ``[rows]``.
        weights: Row weights ``[rows]``; 0 leaves a row out.
        bins: Number of bins.
        strategy: ``"quantile"``: as many rows in each (rare events keep full bins); ``"uniform"``: equal widths.

    Returns:
        A row a bin that holds rows: mean ``predicted`` probability, ``observed`` share of positives, and the bin's
        ``share`` of all weight.

    Raises:
        ValueError: If ``bins`` or ``strategy`` make no sense, a label is neither 0 nor 1, a score is no probability, or
            no label is there.

    Example:
        >>> curve = calibration_curve(np.array([0, 1, 1, 1]), np.array([0.2, 0.3, 0.9, 0.9]), bins=2)
        >>> curve.round(2).to_numpy().tolist()
        [[0.25, 0.5, 0.5], [0.9, 1.0, 0.5]]
    """
    if bins < 1 or strategy not in ("quantile", "uniform"):
        raise ValueError(f"bins={bins}, strategy={strategy!r}: give 1 bin or more, and 'quantile' or 'uniform'.")
    labels, scores, weights = present_probabilities(labels, scores, weights)
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.unique(np.quantile(scores, inner)) if strategy == "quantile" else inner
    bin_of = np.searchsorted(edges, scores, side="right")

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(bin_of, weights * values, minlength=len(edges) + 1)

    mass = total(np.ones(len(scores)))
    filled = mass > 0
    columns = {
        "predicted": total(scores)[filled] / mass[filled],
        "observed": total(labels)[filled] / mass[filled],
        "share": mass[filled] / mass.sum(),
    }
    return pd.DataFrame(columns)


def expected_calibration_error(
    labels: np.ndarray,
    scores: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    bins: int = 10,
    strategy: Bins = "quantile",
) -> float:
    """Gives the mean distance between predicted and observed share of positives, over the bins of the curve.

    Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning", doi:10.1609/aaai.v29i1.9602.
    It is above 0 even for perfect probabilities, the more so the fewer rows a bin holds.

    Args:
        labels: 0 or 1, ``[rows]``; NaN is missing.
        scores: Predicted probabilities ``[rows]``.
        weights: Row weights ``[rows]``; 0 leaves a row out.
        bins: Number of bins.
        strategy: ``"quantile"`` or ``"uniform"``, see ``calibration_curve``.

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: As ``calibration_curve`` does.

    Example:
        >>> round(expected_calibration_error(np.array([0, 1, 1, 1]), np.array([0.2, 0.3, 0.9, 0.9]), bins=2), 3)
        0.175
    """
    curve = calibration_curve(labels, scores, weights, bins=bins, strategy=strategy)
    return float((curve["share"] * (curve["predicted"] - curve["observed"]).abs()).sum())
