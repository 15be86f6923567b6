"""Which runs a study makes: every data set, with every set of loss weights, from every seed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from mtl_helpers.datasets.base import SPLITS, MultiTaskData, has_label, require_known
from mtl_helpers.seeds import course_seed

DataSource = MultiTaskData | Callable[[int], MultiTaskData]
LossWeights = Mapping[str, float]


@dataclass(frozen=True)
class Run:
    """One training: what it learns from, how it weighs its tasks, and where its randomness starts.

    Attributes:
        data: Label of the data set.
        loss_weight: Label of the loss weights.
        weights: Task name -> weight of its loss.
        seed: Seed of the initial weights, of the batch order, and of the data if it is drawn anew for each seed.
        source: Position of the run's data set in ``Plan.datasets``.
    """

    data: str
    loss_weight: str
    weights: dict[str, float]
    seed: int
    source: int


@dataclass(frozen=True)
class Plan:
    """All runs of a study and the data sets they read.

    Attributes:
        datasets: The distinct data sets, all of one shape.
        runs: The runs, in the order in which their weights are stacked.
    """

    datasets: tuple[MultiTaskData, ...]
    runs: tuple[Run, ...]

    @property
    def data(self) -> MultiTaskData:
        """The data set whose shape all others share."""
        return self.datasets[0]

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks."""
        return list(self.data.tasks)

    def of_run(self, run: Run) -> MultiTaskData:
        """Gives the data set of a run."""
        return self.datasets[run.source]

    @property
    def seeds(self) -> list[int]:
        """The seeds, each once."""
        return list(dict.fromkeys(run.seed for run in self.runs))

    def only(self, seeds: Collection[int]) -> Plan:
        """Gives the runs of some seeds, with the data sets they read."""
        runs = [run for run in self.runs if run.seed in seeds]
        used = sorted({run.source for run in runs})
        places = {source: place for place, source in enumerate(used)}
        datasets = tuple(self.datasets[source] for source in used)
        return Plan(datasets, tuple(replace(run, source=places[run.source]) for run in runs))


def make_plan(
    data: DataSource | Mapping[str | float, DataSource],
    seeds: int | Sequence[int],
    loss_weights: LossWeights | Mapping[str, LossWeights] | None,
) -> Plan:
    """Lists the runs of a study, after checking what was asked for.

    Args:
        data: A data set; or a function of the seed that draws one; or several of either, by label.
        seeds: How many seeds, counted from the course's seed; or the seeds themselves.
        loss_weights: Task -> weight; or label -> such weights; None weighs every task 1.

    Returns:
        The plan.

    Raises:
        ValueError: If there is no seed, a weight is for an unknown task or negative, the data sets differ in shape, or
            a split has no label of a task, or of a binary one only labels of one class.
    """
    if isinstance(seeds, str | float):
        raise ValueError(f"seeds={seeds!r} is not a count of seeds, nor a list of them; give for instance 8.")
    numbers = (
        [course_seed(i) for i in range(seeds)] if isinstance(seeds, int | np.integer) else [int(seed) for seed in seeds]
    )
    if not numbers or len(set(numbers)) < len(numbers) or min(numbers) < 0:
        raise ValueError(f"seeds={seeds!r} gives {numbers}; ask for at least one seed, each once, none below 0.")
    sources: Mapping[str | float, DataSource] = data if isinstance(data, Mapping) else {"data": data}
    if not sources:
        raise ValueError("data={} is empty; give at least one data set.")
    datasets, position = draw_datasets(sources, numbers)
    sweep = weight_sweep(loss_weights, datasets[0])
    runs = [
        Run(str(label), name, weights, seed, position[str(label), seed])
        for label in sources
        for name, weights in sweep.items()
        for seed in numbers
    ]
    return Plan(tuple(datasets), tuple(runs))


def draw_datasets(
    sources: Mapping[str | float, DataSource], seeds: Sequence[int]
) -> tuple[list[MultiTaskData], dict[tuple[str, int], int]]:
    """Gathers the data sets of a study, each once, and checks that they can be studied.

    Args:
        sources: Label -> a data set, or a function of the seed that draws one.
        seeds: The seeds.

    Returns:
        The data sets, and (label, seed) -> position of its data set among them.

    Raises:
        ValueError: If one is no data set, they differ in shape, or lack labels.
    """
    datasets: list[MultiTaskData] = []
    position: dict[tuple[str, int], int] = {}
    for label, source in sources.items():
        for seed in seeds:
            dataset = source(seed) if callable(source) else source
            if not isinstance(dataset, MultiTaskData):
                kind = type(dataset).__name__
                raise ValueError(f"data: a {kind}; give a MultiTaskData, or a function that draws one.")
            if callable(source) or dataset not in datasets:
                datasets.append(dataset)
            position[str(label), seed] = len(datasets) - 1 if callable(source) else datasets.index(dataset)
    check_alike(datasets)
    for dataset in datasets:
        check_labels(dataset)
    return datasets, position


def weight_sweep(
    loss_weights: LossWeights | Mapping[str, LossWeights] | None, data: MultiTaskData
) -> dict[str, dict[str, float]]:
    """Gives every set of loss weights a label and every task a weight.

    Args:
        loss_weights: Task -> weight; or label -> such weights; None weighs every task 1.
        data: Names the tasks.

    Returns:
        Label -> task -> weight; those left out are 1.

    Raises:
        ValueError: If it is no dict, mixes weights and labels, a task is unknown or a weight negative.
    """
    if loss_weights is None:
        return {"equal": dict.fromkeys(data.tasks, 1.0)}
    if not isinstance(loss_weights, Mapping):
        raise ValueError(f"loss_weights={loss_weights!r} is no dict; give task -> weight, or label -> such weights.")
    sweep = {label: weights for label, weights in loss_weights.items() if isinstance(weights, Mapping)}
    if sweep and len(sweep) < len(loss_weights):
        raise ValueError(
            f"loss_weights={dict(loss_weights)} mixes weights and labels; give task -> weight for each label."
        )
    sweep = sweep or {"given": loss_weights}  # type: ignore[dict-item]
    complete = {}
    for label, weights in sweep.items():
        require_known("loss_weights", weights, data.tasks)
        complete[str(label)] = {task: float(weights.get(task, 1.0)) for task in data.tasks}
        if not all(weight >= 0 for weight in complete[str(label)].values()):
            raise ValueError(f"loss_weights={dict(weights)}: a negative weight trains a task to be wrong; give >= 0.")
    return complete


def check_counts(**counts: int) -> None:
    """Refuses counts that are not whole numbers of at least 1.

    Args:
        **counts: Name of an argument -> what was given.

    Raises:
        ValueError: Naming the first that is not.

    Example:
        >>> check_counts(epochs=10, batch_size=512)
    """
    for name, value in counts.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}={value!r} is not a whole number of at least 1.")


def check_alike(datasets: Sequence[MultiTaskData]) -> None:
    """Checks that all data sets can be trained by one compiled program.

    Raises:
        ValueError: If they differ in rows, tasks, inputs or groups.
    """

    def shape(data: MultiTaskData) -> tuple:
        sizes = (len(data.train), len(data.validation), len(data.test))
        return sizes, data.tasks, data.inputs, data.groups

    for data in datasets[1:]:
        for what, first, other in zip(
            ("rows", "tasks", "inputs", "groups"), shape(datasets[0]), shape(data), strict=True
        ):
            if first != other:
                raise ValueError(f"data: {what} differ between data sets ({first} and {other}); make them alike.")


def check_labels(data: MultiTaskData) -> None:
    """Checks that every task has labels to learn from and to be judged by, and a binary task both kinds of them.

    Raises:
        ValueError: Naming the task and the split that lack some.
    """
    for split, (task, kind) in product(SPLITS, data.tasks.items()):
        rows = getattr(data, split)
        name = "training" if split == "train" else split
        present = rows.labels[task][has_label(rows.labels[task], rows.weights.get(task))]
        if present.size == 0:
            raise ValueError(f"task {task!r} has no {name} label; drop it with data.with_tasks([...]).")
        if kind.kind == "binary" and present.min() == present.max():
            raise ValueError(
                f"task {task!r} has only the label {present[0]:g} in {name}; give rows of both classes or drop it."
            )


def batches(rows: int, batch_size: int, seed: int, epoch: int) -> np.ndarray:
    """Gives the batches of one epoch; ``model.fit`` over rows in this order sees the same ones.

    Args:
        rows: Number of training rows.
        batch_size: Rows in a batch. Rows that do not fill a last batch wait for another epoch's order.
        seed: The run's seed.
        epoch: The epoch, counted from 1.

    Returns:
        Row positions, int32 ``[steps, batch_size]``.

    Raises:
        ValueError: If a batch has no row, or more than there are.

    Example:
        >>> batches(rows=5, batch_size=2, seed=0, epoch=1).shape
        (2, 2)
    """
    if not 1 <= batch_size <= rows:
        raise ValueError(f"batch_size={batch_size} of rows={rows}; give at least 1 and no more than there are.")
    steps = rows // batch_size
    order = np.random.default_rng([seed, epoch]).permutation(rows)[: steps * batch_size]
    return order.reshape(steps, batch_size).astype(np.int32)
