"""The MMoE paper's synthetic pair of regressions, whose relatedness is a number one can set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtl_helpers.datasets.base import MultiTaskData, Numeric, Rows, Task, require_known
from mtl_helpers.datasets.encoding import Standardiser
from mtl_helpers.seeds import random_numbers


@dataclass(frozen=True)
class Recipe:
    """The constants of the pair, of which the paper publishes 100 inputs and the noise, N(0, 0.01).

    Attributes:
        inputs: Number of inputs.
        scale: Length c of the two weight vectors.
        terms: Number m of sine terms.
        noise: Standard deviation of the noise, before labels are standardised.
        frequencies: ``"ramp"``: alpha_i = i and beta_i = i², for i from 1; ``"ramp_from_0"``: alpha_i = i and
            beta_i = (i - 1)²; ``"normal"``: both drawn from N(0, 1).
    """

    inputs: int
    scale: float
    terms: int
    noise: float
    frequencies: str


RECIPES = {
    "google": Recipe(100, 1.0, 10, 0.01, "ramp_from_0"),  # Google Research's generator of synthetic multi-task data
    "ple": Recipe(512, 1.0, 10, 0.01, "normal"),  # Tang et al. 2020, DOI 10.1145/3383313.3412236; noise: ours
    "keras_mmoe": Recipe(100, 0.3, 5, 0.1, "normal"),  # the keras-mmoe repository
}


def task_pair(
    correlation: float = 0.5,
    rows: int = 10_000,
    *,
    recipe: str | None = None,
    inputs: int = 100,
    scale: float = 1.0,
    terms: int = 3,
    noise: float = 0.1,
    frequencies: str = "normal",
    alpha: Sequence[float] | None = None,
    beta: Sequence[float] | None = None,
    seed: int | None = None,
) -> MultiTaskData:
    """Draws two regressions whose weight vectors have a given cosine.

    Ma et al. 2018 (DOI 10.1145/3219819.3220007), section 3.2: for orthogonal unit vectors u1, u2 and a cosine p,
    ``w1 = c u1``, ``w2 = c (p u1 + sqrt(1 - p²) u2)`` and ``y_k = w_k·x + sum_i sin(alpha_i w_k·x + beta_i) + noise``.
    The cosine is not the correlation of the labels; ``label_correlation`` measures that. Labels are standardised over
    the training rows, so that a squared error of 1 is what guessing the mean costs.

    Args:
        correlation: The cosine p of the two weight vectors, from -1 to 1.
        rows: Rows in all; 60 % are for training, 20 % for validation, 20 % for test.
        recipe: One of the published sets of constants, ``"google"``, ``"ple"`` or ``"keras_mmoe"``; it sets the five
            arguments that follow. None takes them as given.
        inputs: Number of inputs, at least 2; each is drawn from N(0, 1).
        scale: Length c of the weight vectors.
        terms: Number m of sine terms.
        noise: Standard deviation of the noise, in units of the mean's standard deviation for no recipe, absolute in a
            recipe.
        frequencies: ``"ramp"`` (alpha_i = i, beta_i = i²), ``"ramp_from_0"`` (beta_i = (i - 1)²) or ``"normal"`` (both
            drawn from N(0, 1)).
        alpha: The frequencies themselves, ``[terms]``; overrides ``frequencies``.
        beta: The phases themselves, ``[terms]``; overrides ``frequencies``.
        seed: Seed of everything drawn; the course's if None.

    Returns:
        Tasks ``"task_1"`` and ``"task_2"``; ``truth`` holds the labels without their noise.

    Raises:
        ValueError: If an argument is out of range, or the recipe unknown.

    Example:
        >>> pair = task_pair(correlation=0.9, rows=5000)
        >>> label_correlation(pair) > label_correlation(task_pair(correlation=0.0, rows=5000))
        True
    """
    if not -1 <= correlation <= 1:
        raise ValueError(f"correlation={correlation} is not a cosine; give a number from -1 to 1.")
    if rows < 10 or inputs < 2 or terms < 0 or not noise >= 0:
        raise ValueError(f"rows={rows}, inputs={inputs}, terms={terms}, noise={noise}: at least 10, 2, 0 and 0.")
    absolute_noise = recipe is not None
    if recipe is not None:
        require_known("recipe", recipe, RECIPES)
        chosen = RECIPES[recipe]
        inputs, scale, terms, noise, frequencies = (
            chosen.inputs, chosen.scale, chosen.terms, chosen.noise, chosen.frequencies,
        )  # fmt: skip
    random = random_numbers(seed)
    steps = waves(frequencies, terms, random, alpha, beta)
    u1, u2 = np.linalg.qr(random.normal(size=(inputs, 2)))[0].T
    across = np.sqrt(max(0.0, 1 - correlation**2))
    directions = scale * np.stack([u1, correlation * u1 + across * u2], axis=1)
    x = random.standard_normal((rows, inputs), dtype=np.float32)
    along = x @ directions.astype(np.float32)
    means = along + sum(np.sin(a * along + b) for a, b in zip(*steps, strict=True))
    spread = noise if absolute_noise else noise * means.std(axis=0)
    labels = means + spread * random.standard_normal(means.shape)
    ends = int(0.6 * rows), int(0.8 * rows)
    scaler = Standardiser.fit(labels[: ends[0]])
    labels, means = scaler.encode(labels), scaler.encode(means)

    def cut(start: int | None, end: int | None) -> Rows:
        both = ("task_1", "task_2")
        return Rows(
            {"numeric": x[start:end]},
            {task: labels[start:end, k].copy() for k, task in enumerate(both)},
            truth={task: means[start:end, k].copy() for k, task in enumerate(both)},
        )

    return MultiTaskData(
        name=f"task pair, cosine {correlation:g}",
        tasks={"task_1": Task("regression"), "task_2": Task("regression")},
        inputs={"numeric": Numeric(tuple(f"x{i + 1}" for i in range(inputs)))},
        train=cut(None, ends[0]),
        validation=cut(*ends),
        test=cut(ends[1], None),
    )


def waves(
    frequencies: str,
    terms: int,
    random: np.random.Generator,
    alpha: Sequence[float] | None,
    beta: Sequence[float] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Gives the sine terms' frequencies and phases, ``[terms]`` each."""
    steps = np.arange(1, terms + 1, dtype=float)
    usual = {
        "ramp": (steps, steps**2),
        "ramp_from_0": (steps, (steps - 1) ** 2),
        "normal": tuple(random.normal(size=(2, terms))),
    }
    require_known("frequencies", frequencies, usual)
    chosen = [
        np.asarray(own if own is not None else each, float)
        for own, each in zip((alpha, beta), usual[frequencies], strict=True)
    ]
    if any(each.shape != (terms,) for each in chosen):
        raise ValueError(
            f"alpha and beta have {[each.shape for each in chosen]} numbers for terms={terms}; give as many."
        )
    return chosen[0], chosen[1]


def label_correlation(data: MultiTaskData) -> float:
    """Measures how two tasks' labels go together.

    Args:
        data: Data with at least two tasks of one label a row.

    Returns:
        Pearson's correlation of the first two tasks' training labels, over rows that have both.

    Raises:
        ValueError: If the data has a single task.

    Example:
        >>> label_correlation(task_pair(correlation=1.0, noise=0.0)) > 0.99
        True
    """
    if len(data.tasks) < 2:
        raise ValueError(f"data has the task {list(data.tasks)}; two are needed.")
    first, second = (data.train.labels[task] for task in list(data.tasks)[:2])
    both = np.isfinite(first) & np.isfinite(second)
    return float(np.corrcoef(first[both], second[both])[0, 1])
