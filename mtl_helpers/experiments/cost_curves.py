"""What grows with rows, tasks, experts and vocabulary: ``python -m mtl_helpers.experiments.cost_curves [AXIS ...]``.

One of the four grows, the others stay. Every point is measured in a fresh process, so that none pays for what another
left in memory. Kept are the time of a step, again and again for some seconds, by the clock and in seconds of the
processors, which hardly depend on who else uses the machine; and the memory on top of what the process needs anyway.
The vocabulary is measured with two optimizers: Adam moves all vectors at every step, plain SGD those in the batch.

Written to ``data/results/cost_curves.json`` after every point; a run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np

from mtl_helpers.datasets.base import Categorical, InputKind, MultiTaskData, Numeric, Rows, Task
from mtl_helpers.losses import task_losses
from mtl_helpers.models import mmoe
from mtl_helpers.notebooks import peak_memory
from mtl_helpers.recording import record, recorded

NAME = "cost_curves"
COLUMNS, NUMBERS = 4, 16  # categorical and numeric columns of a row
SETTINGS: dict[str, Any] = {
    "batch_size": 512,
    "expert_units": [64],
    "tower_units": [32],
    "embedding_dim": 16,
    "repeats": [3, 9],  # at least, at most
    "seconds": 4,  # of repeats beyond the least
    "base": {"rows": 20_480, "tasks": 2, "experts": 8, "vocabulary": 1000, "optimizer": "Adam"},
}
AXES: dict[str, dict[str, Any]] = {
    "rows": {"grows": "rows", "points": [10_240, 30_720, 102_400, 307_200, 1_024_000]},  # whole batches
    "tasks": {"grows": "tasks", "points": [1, 2, 4, 8, 16]},
    "experts": {"grows": "experts", "points": [1, 2, 4, 8, 16, 32, 64]},
    "vocabulary, Adam": {"grows": "vocabulary", "points": [1000, 10_000, 100_000, 300_000, 1_000_000]},
    "vocabulary, SGD": {
        "grows": "vocabulary",
        "points": [1000, 10_000, 100_000, 300_000, 1_000_000],
        "optimizer": "SGD",
    },
}


def random_data(rows: int, tasks: int, vocabulary: int, seed: int = 0) -> MultiTaskData:
    """Draws rows without any meaning, for cost does not depend on it.

    Args:
        rows: Training rows.
        tasks: Binary tasks.
        vocabulary: Categories, over all columns together.
        seed: Of the draw.

    Returns:
        Data whose validation and test splits are a few of the training rows.

    Raises:
        ValueError: If a size is below 1, or the vocabulary too small for its columns.
    """
    if rows < 1 or tasks < 1 or vocabulary < 2 * COLUMNS:
        raise ValueError(f"rows={rows}, tasks={tasks}: at least 1; vocabulary={vocabulary}: at least {2 * COLUMNS}.")
    random, size = np.random.default_rng(seed), vocabulary // COLUMNS
    names = [f"task_{number}" for number in range(1, tasks + 1)]
    split = Rows(
        {
            "categorical": random.integers(1, size, (rows, COLUMNS), dtype=np.int32),
            "numeric": random.standard_normal((rows, NUMBERS), dtype=np.float32),
        },
        {name: random.integers(0, 2, rows).astype(np.float32) for name in names},
    )
    inputs: dict[str, InputKind] = {
        "categorical": Categorical(tuple(f"c{i}" for i in range(COLUMNS)), (size,) * COLUMNS),
        "numeric": Numeric(tuple(f"x{i}" for i in range(NUMBERS))),
    }
    few = split.take(slice(0, 10))
    return MultiTaskData("random", {name: Task() for name in names}, inputs, split, few, few)


def measure(rows: int, tasks: int, experts: int, vocabulary: int, optimizer: str = "Adam") -> dict[str, Any]:
    """Trains an MMoE for a while in this process.

    Args:
        rows: Training rows.
        tasks: Binary tasks.
        experts: Experts.
        vocabulary: Categories, over all columns.
        optimizer: ``"Adam"`` or ``"SGD"``.

    Returns:
        ``seconds`` a step by the clock and ``processor_seconds``, one for each time the rows were gone through, after a
        few steps that are not counted; ``bytes`` that the process took on top of what it had before the data were
        drawn; ``parameters``.
    """
    before = peak_memory()
    data, batch_size = random_data(rows, tasks, vocabulary), SETTINGS["batch_size"]
    shape = {name: SETTINGS[name] for name in ("expert_units", "tower_units", "embedding_dim")}
    model = mmoe(data, experts=experts, **shape)
    model.compile(getattr(keras.optimizers, optimizer)(1e-3), loss=task_losses(data))
    fit: Callable[..., Any] = partial(model.fit, batch_size=batch_size, verbose=0)
    warm = data.train.take(slice(0, 5 * batch_size))
    fit(warm.inputs, warm.labels)
    (least, most), end, steps = SETTINGS["repeats"], time.perf_counter() + SETTINGS["seconds"], -(-rows // batch_size)
    found: dict[str, Any] = {"seconds": [], "processor_seconds": []}
    while (done := len(found["seconds"])) < least or (done < most and time.perf_counter() < end):
        start, start_of_processors = time.perf_counter(), time.process_time()
        fit(data.train.inputs, data.train.labels)
        found["seconds"].append((time.perf_counter() - start) / steps)
        found["processor_seconds"].append((time.process_time() - start_of_processors) / steps)
    return found | {"bytes": peak_memory() - before, "parameters": model.count_params()}


def point(axis: str, value: int) -> dict[str, Any]:
    """Gives the arguments of ``measure`` for one point of an axis."""
    setting = AXES[axis]
    optimizer = {"optimizer": setting["optimizer"]} if "optimizer" in setting else {}
    return {**SETTINGS["base"], **optimizer, setting["grows"]: value}


def in_fresh_process(arguments: dict[str, Any]) -> dict[str, Any]:
    """Measures one point in a process of its own; takes the arguments of ``measure``."""
    command = [sys.executable, "-m", f"mtl_helpers.experiments.{NAME}", "--measure", json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"measuring {arguments} failed: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measured_before() -> list[dict[str, Any]]:
    """Gives the points on record, if they were measured with today's settings."""
    try:
        content = recorded(NAME)
    except FileNotFoundError:
        return []
    return content["results"] if content["settings"] == SETTINGS else []


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures what is not on record yet, or a single point in this process."""
    parser = argparse.ArgumentParser(prog=f"python -m mtl_helpers.experiments.{NAME}", description=__doc__)
    parser.add_argument("axes", nargs="*", default=[], help=f"some of {', '.join(AXES)}; all if none")
    parser.add_argument("--measure", type=json.loads, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.measure:
        print(json.dumps(measure(**given.measure)))
        return
    found = measured_before()
    have = {(each["axis"], each["value"]) for each in found}
    for axis in given.axes or AXES:
        for value in AXES[axis]["points"]:
            if (axis, value) not in have:
                found.append({"axis": axis, "value": value} | in_fresh_process(point(axis, value)))
                record(NAME, f"python -m mtl_helpers.experiments.{NAME}", found, SETTINGS)
                print(found[-1], flush=True)


if __name__ == "__main__":
    main()
