"""What models do rather than how well they predict: how gates spread their weight, how far loss weights swing tasks."""

from __future__ import annotations

from itertools import combinations

import numpy as np


def gate_entropy(weights: np.ndarray, normalised: bool = False) -> np.ndarray:
    """Gives the entropy of each gate: how evenly it spreads its weight over the experts.

    Args:
        weights: Gate weights, at least 0 and summing to 1 over the last axis, ``[..., experts]``.
        normalised: Whether to divide by the entropy of equal weights, the logarithm of the number of experts.

    Returns:
        ``[...]``: 0 for all weight on one expert; for equal weights ln(experts) nats, or 1 if normalised.

    Raises:
        ValueError: If weights do not sum to 1, or a single expert leaves nothing to normalise by.

    Example:
        >>> float(gate_entropy(np.array([0.25, 0.25, 0.25, 0.25]), normalised=True))
        1.0
    """
    weights = _checked(weights)
    experts = weights.shape[-1]
    if normalised and experts < 2:
        raise ValueError("weights are those of 1 expert, whose entropy is 0 in any unit; give 2 or more to normalise.")
    logarithms = np.log(np.where(weights > 0, weights, 1.0))
    entropy = np.maximum(0.0, -(weights * logarithms).sum(axis=-1))
    return entropy / np.log(experts) if normalised else entropy


def expert_load(weights: np.ndarray) -> np.ndarray:
    """Gives each expert's load: its share of a gate's weight, averaged over the rows.

    Args:
        weights: Gate weights ``[..., rows, experts]``, summing to 1 over the last axis.

    Returns:
        ``[..., experts]``, summing to 1 as well.

    Raises:
        ValueError: If weights do not sum to 1, or there are no rows.

    Example:
        >>> expert_load(np.array([[1.0, 0.0], [0.5, 0.5]])).tolist()
        [0.75, 0.25]
    """
    weights = _checked(weights)
    if weights.ndim < 2 or not weights.shape[-2]:
        raise ValueError(f"weights have shape {weights.shape}; give [rows, experts], or more axes before them.")
    return weights.mean(axis=-2)


def dead_experts(load: np.ndarray, below: float = 0.01) -> np.ndarray:
    """Counts the experts that hardly any weight goes to.

    Args:
        load: Each expert's load ``[..., experts]``, see ``expert_load``; average it over gates first to count the
            experts that no task uses.
        below: The load under which an expert is called dead.

    Returns:
        Their number, int ``[...]``.

    Raises:
        ValueError: If loads do not sum to 1.

    Example:
        >>> int(dead_experts(np.array([0.6, 0.396, 0.004])))
        1
    """
    return (_checked(load) < below).sum(axis=-1)


def seesaw_swing(scores: np.ndarray, baseline: np.ndarray | None = None) -> np.ndarray:
    """Gives how far two tasks move against each other while the weights of their losses are shifted.

    Let ``g_k(w)`` be task k's gain over the baseline with loss weights w. The swing of tasks j and k is half the
    distance that their difference travels over the sweep::

        swing = (max over w of [g_j(w) - g_k(w)]  -  min over w of [g_j(w) - g_k(w)]) / 2

    If j rises by a while k falls by b, the swing is (a + b) / 2. Moves of both in one direction, such as a learning
    rate that suits some weights better, cancel. So it never exceeds the mean of the two tasks' ranges, and equals it
    where both run strictly against each other. With more than two tasks it is the mean over all pairs.

    The ends of a sweep are chosen by the data, so chance alone makes a swing positive: give the single-task model's
    own swing beside it, as one number a seed, and compare by ``paired_interval``.

    Args:
        scores: Scores, higher is better (negate errors), ``[..., loss weights, tasks]``; the first axes are usually
            seeds. The tasks' scores should be of one unit, for instance AUC.
        baseline: The single-task scores from the same seeds and weights, in a shape that fits ``scores``; None counts
            scores from 0, which is the same if the baseline does not depend on the weights.

    Returns:
        The swing ``[...]``, in the unit of the scores, at least 0.

    Raises:
        ValueError: If there are fewer than two tasks or loss weights, or a score is NaN.

    Example:
        >>> scores = np.array([[0.80, 0.82], [0.84, 0.81], [0.83, 0.77]])  # three loss weights, two tasks
        >>> round(float(seesaw_swing(scores)), 3)
        0.04
    """
    gains = np.asarray(scores, float) - (0.0 if baseline is None else np.asarray(baseline, float))
    if gains.ndim < 2 or min(gains.shape[-2:]) < 2:
        raise ValueError(f"scores have shape {gains.shape}; give [..., loss weights, tasks] with 2 or more of both.")
    if np.isnan(gains).any():
        raise ValueError(f"scores hold {int(np.isnan(gains).sum())} NaN; leave the runs that failed out.")
    pairs = [gains[..., j] - gains[..., k] for j, k in combinations(range(gains.shape[-1]), 2)]
    return np.mean([np.ptp(difference, axis=-1) / 2 for difference in pairs], axis=0)


def _checked(weights: np.ndarray) -> np.ndarray:
    """Gives gate weights as floats, after checking that they are such."""
    weights = np.asarray(weights, float)
    off = np.abs(weights.sum(axis=-1) - 1).max(initial=0.0)
    if not off < 1e-3 or weights.min(initial=0.0) < 0:
        raise ValueError(f"weights of a gate must be at least 0 and sum to 1; they are off by up to {off:.3g}.")
    return weights
