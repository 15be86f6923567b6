"""Arithmetic that the generated worlds share."""

from __future__ import annotations

import numpy as np


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Computes 1 / (1 + exp(-logit))."""
    return 1 / (1 + np.exp(-logits))


def standardised(values: np.ndarray) -> np.ndarray:
    """Shifts and scales values ``[rows]`` to mean 0 and standard deviation 1; a constant becomes 0."""
    spread = values.std() if len(values) else 0.0
    return (values - values.mean()) / spread if spread > 0 else np.zeros(len(values))


def centred(logits: np.ndarray, rate: float) -> np.ndarray:
    """Shifts logits ``[rows]`` so that the probabilities' mean is a given rate, by bisection."""
    low, high = -30.0, 30.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if sigmoid(logits + middle).mean() < rate else (low, middle)
    return logits + low
