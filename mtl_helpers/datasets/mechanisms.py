"""Worlds built to show one reason at a time why sharing helps, each with arms that lack just that reason.

In the regressions the training labels are noisy and the labels of the held-out rows are the truth itself: an error of 0
is perfect, and 1 is what guessing the mean costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mtl_helpers.datasets.base import Kind, MultiTaskData, Numeric, Rows, Task, require_known
from mtl_helpers.datasets.video_log import smooth
from mtl_helpers.datasets.world import sigmoid, standardised
from mtl_helpers.seeds import course_seed, random_numbers

HELD_OUT = (500, 2_000)  # rows for validation and for test, beside the training rows
NOISES = ("own", "same", "averaged")
COLUMNS = ("same", "other")
HELPERS = ("hint", "eavesdropping", "other")


def repeated_question(
    rows: int = 200,
    noise: str = "own",
    *,
    tasks: int = 8,
    spread: float = 1.5,
    inputs: int = 10,
    seed: int | None = None,
) -> MultiTaskData:
    """Draws tasks that ask the same question, with answers that err: noise averages out over tasks, or cannot.

    Every label is plus or minus one function of the inputs, of standard deviation 1, plus noise.

    Args:
        rows: Training rows.
        noise: ``"own"``: each task errs by itself; ``"same"``: all err alike, so that nothing can average out;
            ``"averaged"``: all have the mean of the own noises, as if the labels had been averaged by hand.
        tasks: Number of tasks; the second, fourth, ... have the sign turned.
        spread: Standard deviation of the noise.
        inputs: Number of inputs.
        seed: Seed of everything drawn; the course's if None. The arms of a seed share inputs and function, and
            ``"own"`` and ``"same"`` share the main task's labels.

    Returns:
        Regressions ``"main"``, ``"helper_1"``, ...

    Raises:
        ValueError: If the noise is unknown or a number out of range.

    Example:
        >>> list(repeated_question(rows=100, tasks=3).tasks)
        ['main', 'helper_1', 'helper_2']
    """
    require_known("noise", noise, dict.fromkeys(NOISES))
    random, x = _start(rows, inputs, seed, tasks=tasks)
    answer = smooth(x, random, bends=2)
    errors = spread * random.standard_normal((tasks, len(x)))
    if noise == "same":
        errors = np.repeat(errors[:1], tasks, axis=0)
    if noise == "averaged":
        errors = np.repeat(errors.mean(axis=0, keepdims=True), tasks, axis=0)
    signs = {name: (-1) ** k for k, name in enumerate(_names(tasks))}
    truth = {name: sign * answer for name, sign in signs.items()}
    labels = {name: sign * (answer + error) for (name, sign), error in zip(signs.items(), errors, strict=True)}
    return _split("repeated question", x, truth, labels, rows)


def many_inputs(
    rows: int = 1_000,
    reads: str = "same",
    *,
    labelled: int = 100,
    tasks: int = 5,
    relevant: int = 3,
    inputs: int = 50,
    spread: float = 0.5,
    seed: int | None = None,
) -> MultiTaskData:
    """Draws a task with few labels and many inputs that do not matter, beside helpers that know which ones do.

    Every task is a function of its own; only the inputs it reads are in common with others.

    Args:
        rows: Training rows; the helpers have all their labels.
        reads: ``"same"``: the helpers read the inputs that the main task reads; ``"other"``: as many others.
        labelled: Training rows that have a label of the main task.
        tasks: Number of tasks.
        relevant: Inputs the main task reads: the first ones.
        inputs: Number of inputs.
        spread: Standard deviation of the noise; the functions have 1.
        seed: Seed of everything drawn; the course's if None. The arms of a seed differ in the helpers alone.

    Returns:
        Regressions ``"main"``, ``"helper_1"``, ...

    Raises:
        ValueError: If ``reads`` is unknown or a number out of range.

    Example:
        >>> int(many_inputs(rows=200, labelled=20).train.weights["main"].sum())
        20
    """
    require_known("reads", reads, dict.fromkeys(COLUMNS))
    if not 1 <= labelled < rows or not 1 <= relevant <= inputs // 2:
        raise ValueError(
            f"labelled={labelled}, rows={rows}, relevant={relevant}, inputs={inputs}: fewer labels than rows, and at "
            "least 1 relevant input and twice as many in all."
        )
    random, x = _start(rows, inputs, seed, tasks=tasks)
    truth, labels = {}, {}
    for name in _names(tasks):
        first = relevant if name != "main" and reads == "other" else 0
        truth[name] = smooth(x[:, first : first + relevant], random, bends=2)
        labels[name] = truth[name] + spread * random.standard_normal(len(x))
    data = _split("many inputs", x, truth, labels, rows)
    return data.with_missing_labels("main", 1 - labelled / rows, seed)


def hidden_features(
    rows: int = 1_000, helpers: str = "hint", *, inputs: int = 20, steepness: float = 8.0, seed: int | None = None
) -> MultiTaskData:
    """Draws a task that depends on three hidden features in a way that is hard to find, and helpers that are easy.

    A feature is a direction in the inputs. The main label is likely where an even number of the three is negative:
    each feature alone, and each pair, says nothing about it.

    Args:
        rows: Training rows.
        helpers: ``"hint"``: each helper asks for the sign of one feature; ``"eavesdropping"``: each is a task of its
            own that leans on the sum of two of them; ``"other"``: the signs of three features that the main task does
            not depend on, just as easy.
        inputs: Number of inputs, at least 6.
        steepness: How sharply a label follows its feature.
        seed: Seed of everything drawn; the course's if None. The arms of a seed differ in the helpers alone.

    Returns:
        Binary tasks ``"main"``, ``"helper_1"``, ``"helper_2"``, ``"helper_3"``.

    Raises:
        ValueError: If ``helpers`` is unknown or a number out of range.

    Example:
        >>> hidden_features(rows=100).tasks["main"].kind
        'binary'
    """
    require_known("helpers", helpers, dict.fromkeys(HELPERS))
    if inputs < 6:
        raise ValueError(f"inputs={inputs}: six directions need at least 6.")
    random, x = _start(rows, inputs, seed, tasks=4)
    found = x @ np.linalg.qr(random.normal(size=(inputs, 6)))[0]
    wanted, strange = found[:, :3], found[:, 3:]
    asked = {
        "hint": wanted,
        "eavesdropping": (wanted + np.roll(wanted, -1, axis=1)) / np.sqrt(2),
        "other": strange,
    }[helpers]
    logits = np.column_stack([np.prod(np.tanh(2 * wanted), axis=1), asked])
    truth = {name: sigmoid(steepness * logits[:, k]) for k, name in enumerate(_names(4))}
    draws = random.random((4, len(x)))
    labels = {name: draw < truth[name] for name, draw in zip(_names(4), draws, strict=True)}
    return _split("hidden features", x, truth, labels, rows, "binary")


def environment(
    rows: int = 4_000,
    features: str = "same",
    *,
    tasks: int = 8,
    inputs: int = 20,
    spread: float = 0.5,
    seed: int | None = None,
) -> MultiTaskData:
    """Draws an environment of tasks that weigh the same four features, and a new task from it.

    A feature is the distance from a plane through the origin, so that no feature can be read off the inputs linearly.

    Args:
        rows: Training rows.
        features: ``"same"``: the known tasks weigh the features that the new one weighs; ``"other"``: four others.
        tasks: Number of known tasks.
        inputs: Number of inputs, at least 8.
        spread: Standard deviation of the noise; each task's function has 1.
        seed: Seed of everything drawn; the course's if None. The arms of a seed differ in the known tasks alone.

    Returns:
        Regressions ``"new"``, ``"known_1"``, ``"known_2"``, ...

    Raises:
        ValueError: If ``features`` is unknown or a number out of range.

    Example:
        >>> list(environment(rows=100, tasks=2).tasks)
        ['new', 'known_1', 'known_2']
    """
    require_known("features", features, dict.fromkeys(COLUMNS))
    if inputs < 8:
        raise ValueError(f"inputs={inputs}: eight directions need at least 8.")
    random, x = _start(rows, inputs, seed, tasks=tasks)
    distances = np.abs(x @ np.linalg.qr(random.normal(size=(inputs, 8)))[0])
    weights = random.normal(size=(tasks + 1, 4))
    errors = spread * random.standard_normal((tasks + 1, len(x)))
    truth, labels = {}, {}
    for k, name in enumerate(["new", *(f"known_{k + 1}" for k in range(tasks))]):
        mine = distances[:, 4:] if k and features == "other" else distances[:, :4]
        truth[name] = standardised(mine @ weights[k])
        labels[name] = truth[name] + errors[k]
    return _split("environment", x, truth, labels, rows)


def random_labels(rows: int = 200, *, tasks: int = 8, inputs: int = 20, seed: int | None = None) -> MultiTaskData:
    """Draws labels that nothing can predict: what a model fits of them, it has learned by heart.

    Args:
        rows: Training rows.
        tasks: Number of tasks.
        inputs: Number of inputs.
        seed: Seed of everything drawn; the course's if None.

    Returns:
        Regressions ``"main"``, ``"helper_1"``, ... with training labels +1 and -1.

    Example:
        >>> sorted(set(random_labels(rows=50).train.labels["main"].tolist()))
        [-1.0, 1.0]
    """
    random, x = _start(rows, inputs, seed, tasks=tasks)
    coins = random.choice([-1.0, 1.0], size=(tasks, len(x)))
    labels = dict(zip(_names(tasks), coins, strict=True))
    return _split("random labels", x, {name: 0 * values for name, values in labels.items()}, labels, rows)


def shuffled_helpers(data: MultiTaskData, main: str = "main", seed: int | None = None) -> MultiTaskData:
    """Gives the same data with every other task's labels in random order: Caruana's shuffle test (1997, section 3.1).

    Args:
        data: The data, with a label in every row of the other tasks.
        main: The task that stays as it is.
        seed: Seed of the order; the course's if None.

    Returns:
        The data; the truth of the shuffled tasks is left out.

    Raises:
        ValueError: If ``main`` is not a task of the data.

    Example:
        >>> data = shuffled_helpers(repeated_question(rows=100))
        >>> list(data.test.truth)
        ['main']
    """
    require_known("main", main, data.tasks)
    random = np.random.default_rng([course_seed() if seed is None else seed, 1])

    def shuffle(rows: Rows) -> Rows:
        labels = {task: values if task == main else random.permutation(values) for task, values in rows.labels.items()}
        return replace(rows, labels=labels, truth={main: rows.truth[main]} if main in rows.truth else {})

    return data.with_rows(shuffle)


def _names(tasks: int) -> list[str]:
    return ["main", *(f"helper_{k}" for k in range(1, tasks))]


def _start(rows: int, inputs: int, seed: int | None, tasks: int) -> tuple[np.random.Generator, np.ndarray]:
    """Checks the sizes and draws the inputs: normal, ``[rows + held out, inputs]``."""
    if rows < 10 or inputs < 1 or tasks < 1:
        raise ValueError(f"rows={rows}, inputs={inputs}, tasks={tasks}: at least 10, 1 and 1.")
    random = random_numbers(seed)
    return random, random.standard_normal((rows + sum(HELD_OUT), inputs))


def _split(
    name: str,
    x: np.ndarray,
    truth: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    rows: int,
    kind: Kind = "regression",
) -> MultiTaskData:
    """Cuts the rows into training rows and held-out ones; the latter's regression labels are the truth."""
    ends = (0, rows, rows + HELD_OUT[0], len(x))
    if kind == "regression":
        labels = {task: np.concatenate([values[:rows], truth[task][rows:]]) for task, values in labels.items()}

    def cut(start: int, end: int) -> Rows:
        def some(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {task: values[start:end].astype(np.float32) for task, values in arrays.items()}

        return Rows({"numeric": x[start:end].astype(np.float32)}, some(labels), truth=some(truth))

    return MultiTaskData(
        name=name,
        tasks={task: Task(kind) for task in labels},
        inputs={"numeric": Numeric(tuple(f"x{i + 1}" for i in range(x.shape[1])))},
        train=cut(*ends[0:2]),
        validation=cut(*ends[1:3]),
        test=cut(*ends[2:4]),
    )
