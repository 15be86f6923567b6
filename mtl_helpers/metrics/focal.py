"""The focal loss on paper, and the way back from its predictions to probabilities."""

from __future__ import annotations

import numpy as np


def focal_loss(p: float | np.ndarray, happened: bool, gamma: float) -> np.ndarray:
    """Computes -(1 - p_t)^gamma log p_t (Lin et al. 2017, arXiv:1708.02002, equation 4).

    Args:
        p: Predicted probabilities, between 0 and 1.
        happened: Whether the label is 1; then p_t is p, else 1 - p.
        gamma: The exponent, at least 0; 0 gives cross-entropy.

    Returns:
        Losses in the shape of ``p``.

    Raises:
        ValueError: If a probability is not one, or gamma is negative.

    Example:
        >>> round(float(focal_loss(0.9, True, gamma=2)), 5)
        0.00105
    """
    check_focal(p, gamma)
    given = np.asarray(p, float) if happened else 1 - np.asarray(p, float)
    return -((1 - given) ** gamma) * np.log(given)


def check_focal(p: float | np.ndarray, gamma: float) -> None:
    """Refuses what is no probability or no exponent of the focal loss.

    Raises:
        ValueError: If a probability is not from 0 to 1, or gamma is not at least 0.
    """
    low, high = np.min(p), np.max(p)
    if not 0 <= low <= high <= 1 or not gamma >= 0:
        raise ValueError(f"p from {low:g} to {high:g}, gamma={gamma}: give probabilities and a gamma of at least 0.")


def unfocus(p: float | np.ndarray, gamma: float) -> np.ndarray:
    """Gives the true probability for which a prediction makes the expected focal loss smallest.

    Charoenphakdee et al. 2021 (arXiv:2011.09172): with phi(p) the loss of a positive, q = phi'(1-p) / (phi'(p) +
    phi'(1-p)).

    Args:
        p: Predicted probabilities; 0 and 1 are taken for the nearest float32 beside them.
        gamma: The exponent, at least 0.

    Returns:
        Probabilities in the shape of ``p``.

    Raises:
        ValueError: If a probability is not one, or gamma is negative.

    Example:
        >>> round(float(unfocus(0.9, gamma=0)), 3), round(float(unfocus(0.9, gamma=2)), 3)
        (0.9, 0.997)
    """
    check_focal(p, gamma)
    chance = np.clip(np.asarray(p, float), 1e-7, 1 - 1e-7)

    def slope(p: np.ndarray) -> np.ndarray:
        return gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p

    return slope(1 - chance) / (slope(chance) + slope(1 - chance))
