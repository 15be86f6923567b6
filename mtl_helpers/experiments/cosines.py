"""Five cosines, five narrow models, each tuned alike: ``python -m mtl_helpers.experiments.cosines``.

Chapter 06 trains them all at one learning rate for twelve epochs. Here each may try the same learning rates at each
cosine and train until its validation loss stops falling; it is judged on the test rows at the rate of its best mean
validation error (of both tasks and all seeds). Single-task networks choose and stop each for its own task.

Written to ``data/results/cosines.json``.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
import pandas as pd

from mtl_helpers.datasets import MultiTaskData, task_pair
from mtl_helpers.experiments.choosing import at_the_edge, choose, try_setting, validated
from mtl_helpers.memory import release
from mtl_helpers.models import hard_sharing, mmoe, one_gate, single_task
from mtl_helpers.recording import record

NAME = "cosines"
SETTINGS: dict[str, Any] = {
    "seeds": 8,
    "rows": 4000,
    "epochs": 200,
    "early_stopping": 10,
    "batch_size": 50,
    "learning_rates": [1.25e-3, 2.5e-3, 5e-3, 1e-2, 2e-2, 4e-2, 8e-2],
    "cosines": [-1.0, -0.5, 0.0, 0.5, 1.0],
}
TOWER: dict[str, Any] = {"tower_units": (16,), "activation": "swish"}
MODELS = {
    "single-task": partial(single_task, hidden_units=(1,), **TOWER),
    "shared-bottom": partial(hard_sharing, hidden_units=(1,), **TOWER),
    "shared-bottom, 4 units": partial(hard_sharing, hidden_units=(4,), **TOWER),
    "one gate": partial(one_gate, experts=4, expert_units=(1,), **TOWER),
    "MMoE": partial(mmoe, experts=4, expert_units=(1,), **TOWER),
}
CELL, CHOSEN = ["model", "network", "data"], ["learning_rate"]


def pair(cosine: float, rows: int, seed: int) -> MultiTaskData:
    """Draws a pair of tasks with a given cosine."""
    return task_pair(cosine, rows, inputs=20, noise=0.5, frequencies="ramp", seed=seed)


def scores_at(rate: float, settings: dict[str, Any]) -> pd.DataFrame:
    """Trains every model at every cosine with one learning rate; gives validation and test error in one table."""
    found = try_setting(
        MODELS,
        {cosine: partial(pair, cosine, settings["rows"]) for cosine in settings["cosines"]},
        ["task_1", "task_2"],
        optimizer=keras.optimizers.Adam(rate),
        **{name: settings[name] for name in ("seeds", "epochs", "early_stopping", "batch_size")},
    )
    release()
    return found.assign(learning_rate=rate)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, chooses and writes the record."""
    parser = argparse.ArgumentParser(prog=f"python -m mtl_helpers.experiments.{NAME}", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SETTINGS["seeds"])
    settings = {**SETTINGS, "seeds": parser.parse_args(arguments).seeds}
    trials = pd.concat([scores_at(rate, settings) for rate in settings["learning_rates"]], ignore_index=True)
    chosen = choose(trials, CELL, CHOSEN, lower_is_better=True)
    results = {
        "chosen": chosen.drop(columns="loss_weight").round(6).to_dict("records"),
        "validation": validated(trials, CELL, CHOSEN).round(6).to_dict("records"),
        "at the edge": at_the_edge(chosen, CELL, {"learning_rate": settings["learning_rates"]}),
    }
    print(record(NAME, f"python -m mtl_helpers.experiments.{NAME}", results, settings))


if __name__ == "__main__":
    main()
