"""The one place where the course's randomness begins."""

import os

import numpy as np


def course_seed(offset: int = 0) -> int:
    """Gives a seed of the course, shifted by the environment variable ``MTL_SEED``.

    Every random number of the course starts here, so ``MTL_SEED=100 make test`` runs all of it on other data,
    other initial weights and other batch orders. A claim that holds only for ``MTL_SEED=0`` is not a claim.

    Args:
        offset: Which seed, counted from 0.

    Returns:
        ``MTL_SEED + offset``, where ``MTL_SEED`` is 0 unless set.

    Raises:
        ValueError: If ``MTL_SEED`` is not a whole number of at least 0.

    Example:
        >>> import os
        >>> os.environ["MTL_SEED"] = "100"
        >>> course_seed(3)
        103
        >>> del os.environ["MTL_SEED"]
    """
    text = os.environ.get("MTL_SEED", "0")
    if not text.isdecimal():
        raise ValueError(f"MTL_SEED={text!r} is not a whole number of at least 0; set it to one, or unset it.")
    return int(text) + offset


def random_numbers(seed: int | None) -> np.random.Generator:
    """Opens the source of random numbers that a function with an argument ``seed`` draws from.

    Args:
        seed: The seed; the course's if None.

    Returns:
        NumPy's generator.

    Raises:
        ValueError: If the seed is not a whole number of at least 0.

    Example:
        >>> int(random_numbers(0).integers(10)) == int(np.random.default_rng(0).integers(10))
        True
    """
    if seed is None:
        seed = course_seed()
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed={seed!r} is not a whole number of at least 0; give one, or None for the course's.")
    return np.random.default_rng(seed)
