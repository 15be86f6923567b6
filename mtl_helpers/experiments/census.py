"""Census-Income with every architecture tuned alike: ``python -m mtl_helpers.experiments.census``.

Chapter 06 trains all architectures at one setting, chosen for none of them. Here each tries the same learning rates at
the same three widths, may pass over the rows until its validation loss stops falling, and is judged on the test rows at
the setting of its best mean validation AUC (of both tasks and all seeds). Single-task networks choose and stop each for
its own task. Seeds differ in initial weights and in the order of the rows; the split is one.

Written to ``data/results/census.json``.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from mtl_helpers.datasets import MultiTaskData, census_income
from mtl_helpers.experiments.choosing import at_the_edge, choose, try_setting, validated
from mtl_helpers.memory import release
from mtl_helpers.models import hard_sharing, mmoe, one_gate, single_task
from mtl_helpers.recording import record
from mtl_helpers.study.training import Builder

NAME = "census"
SETTINGS: dict[str, Any] = {
    "seeds": 8,
    "epochs": 40,
    "early_stopping": 2,
    "batch_size": 256,
    "learning_rates": [2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3],
    "widths": [0.5, 1, 2],  # of hidden layers and experts, against the models' usual ones
}
MODELS: dict[str, Callable[..., keras.Model]] = {
    "single-task": single_task,
    "shared-bottom": hard_sharing,
    "one gate": one_gate,
    "MMoE": mmoe,
}
CELL, CHOSEN = ["model", "network"], ["learning_rate", "width"]


def models_of(width: float) -> dict[str, Builder]:
    """Gives the models at a width: 1 for 128 hidden units or 8 experts of 16."""
    hidden, experts = {"hidden_units": (int(128 * width),)}, {"expert_units": (int(16 * width),)}
    return {
        name: partial(builder, **(experts if builder in (one_gate, mmoe) else hidden))
        for name, builder in MODELS.items()
    }


def try_all(data: MultiTaskData, settings: dict[str, Any], folder: Path | None = None) -> pd.DataFrame:
    """Trains every model at every learning rate and width.

    Args:
        data: The data.
        settings: As ``SETTINGS``.
        folder: Where finished trainings are kept, if a run that was stopped is to go on.

    Returns:
        A row a setting, model, seed and task, with its validation and test score.
    """
    trials = []
    for width, rate in product(settings["widths"], settings["learning_rates"]):
        found = try_setting(
            models_of(width),
            {"census": data},
            list(data.tasks),
            optimizer=keras.optimizers.Adam(rate),
            folder=folder and folder / f"rate {rate} width {width}",
            **{name: settings[name] for name in ("seeds", "epochs", "early_stopping", "batch_size")},
        )
        trials.append(found.assign(learning_rate=rate, width=width))
        release()
    return pd.concat(trials, ignore_index=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, chooses and writes the record."""
    parser = argparse.ArgumentParser(prog=f"python -m mtl_helpers.experiments.{NAME}", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SETTINGS["seeds"])
    parser.add_argument("--folder", type=Path, help="keeps finished trainings, so that a run that was stopped goes on")
    given = parser.parse_args(arguments)
    settings = {**SETTINGS, "seeds": given.seeds}
    trials = try_all(census_income(), settings, given.folder)
    chosen = choose(trials, CELL, CHOSEN)
    grid = {"learning_rate": settings["learning_rates"], "width": settings["widths"]}
    results = {
        "chosen": chosen.drop(columns=["data", "loss_weight"]).round(6).to_dict("records"),
        "validation": validated(trials, CELL, CHOSEN).round(6).to_dict("records"),
        "at the edge": at_the_edge(chosen, CELL, grid),
    }
    print(record(NAME, f"python -m mtl_helpers.experiments.{NAME}", results, settings))


if __name__ == "__main__":
    main()
