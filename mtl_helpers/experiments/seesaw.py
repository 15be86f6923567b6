"""Chapter 07's seesaw with every model tuned alike: ``python -m mtl_helpers.experiments.seesaw``.

The chapter trains all models at one learning rate for ten epochs. Would another rate, or a longer training, let PLE or
MMoE look better? Here every model has the same seven learning rates at each loss weight and may train until its
validation loss stops falling; for each model and weight the validation rows choose the rate (mean AUC of both tasks and
all seeds), and only the chosen runs are kept with their test scores. Single-task networks choose and stop each for its
own task.

Written to ``data/results/seesaw.json``.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
import pandas as pd

from mtl_helpers.datasets import MultiTaskData, video_log
from mtl_helpers.experiments.choosing import APART, at_the_edge, choose, try_setting, validated
from mtl_helpers.memory import release
from mtl_helpers.models import cgc, hard_sharing, mmoe, one_gate, ple, single_task
from mtl_helpers.recording import record
from mtl_helpers.study.plan import DataSource

NAME = "seesaw"
SETTINGS: dict[str, Any] = {
    "seeds": 8,
    "rows": 5000,
    "epochs": 60,
    "early_stopping": 3,
    "batch_size": 128,
    "learning_rates": [2.5e-3, 5e-3, 1e-2, 2e-2, 4e-2, 8e-2, 1.6e-1],
    "loss_weights": [0.1, 0.3, 0.5, 0.7, 0.9],
}
GATED: dict[str, Any] = {"experts": 8, "expert_units": (8,)}
PRIVATE: dict[str, Any] = {"shared_experts": 2, "private_experts": 3, "expert_units": (8,)}
MODELS = {
    "single-task": partial(single_task, hidden_units=(32,)),
    "hard sharing": partial(hard_sharing, hidden_units=(64,)),
    "one gate": partial(one_gate, **GATED),
    "MMoE": partial(mmoe, **GATED),
    "CGC": partial(cgc, **PRIVATE),
    "PLE": partial(ple, levels=2, **PRIVATE),
}
TASKS = ["click", "finish"]
CELL, CHOSEN = ["model", "network", "loss_weight"], ["learning_rate"]


def site(seed: int, rows: int) -> MultiTaskData:
    """Draws a short-video site; keeps some of its training rows."""
    return video_log(20_000, seed=seed).with_train(lambda train: train.take(slice(0, rows)))


def try_all(settings: dict[str, Any]) -> pd.DataFrame:
    """Trains every model at every learning rate and loss weight.

    Args:
        settings: As ``SETTINGS``.

    Returns:
        A row a learning rate, model, loss weight, seed and task, with its validation and test AUC. Single-task networks
        know no loss weight, are trained once a rate, and stand at every weight.
    """
    data: dict[str | float, DataSource] = {"site": partial(site, rows=settings["rows"])}
    sweep = {str(weight): {"click": 2 * weight, "finish": 2 * (1 - weight)} for weight in settings["loss_weights"]}
    alone = {name: builder for name, builder in MODELS.items() if name == APART}
    together = {name: builder for name, builder in MODELS.items() if name != APART}
    trials = []
    for rate in settings["learning_rates"]:
        options = {name: settings[name] for name in ("seeds", "epochs", "early_stopping", "batch_size")}
        options["optimizer"] = keras.optimizers.Adam(rate)
        apart = try_setting(alone, data, TASKS, **options)
        shared = try_setting(together, data, TASKS, loss_weights=sweep, **options)
        trials += [apart.assign(loss_weight=weight, learning_rate=rate) for weight in sweep]
        trials += [shared.assign(learning_rate=rate)]
        release()
    return pd.concat(trials, ignore_index=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, chooses and writes the record."""
    parser = argparse.ArgumentParser(prog=f"python -m mtl_helpers.experiments.{NAME}", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SETTINGS["seeds"])
    settings = {**SETTINGS, "seeds": parser.parse_args(arguments).seeds}
    trials = try_all(settings)
    chosen = choose(trials, CELL, CHOSEN)
    results = {
        "chosen": chosen.drop(columns=["data", "metric"]).round(6).to_dict("records"),
        "validation": validated(trials, CELL, CHOSEN).round(6).to_dict("records"),
        "at the edge": at_the_edge(chosen, CELL, {"learning_rate": settings["learning_rates"]}),
    }
    print(record(NAME, f"python -m mtl_helpers.experiments.{NAME}", results, settings))


if __name__ == "__main__":
    main()
