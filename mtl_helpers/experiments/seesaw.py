"""Chapter 07's seesaw with every model tuned alike: ``python -m mtl_helpers.experiments.seesaw``.

The chapter trains all models at one learning rate for ten epochs. Would another rate, or a longer training, let PLE or
MMoE look better? Here every model has the same three learning rates at each loss weight and may train twice as long,
stopping at its best validation loss; for each model and weight the validation rows choose the rate (mean AUC of both
tasks and all seeds), and only the chosen runs are kept with their test scores.

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
from mtl_helpers.experiments import choosing
from mtl_helpers.memory import release
from mtl_helpers.models import cgc, hard_sharing, mmoe, one_gate, ple, single_task
from mtl_helpers.recording import record
from mtl_helpers.study import study

NAME = "seesaw"
SETTINGS: dict[str, Any] = {
    "seeds": 8,
    "rows": 5000,
    "epochs": 20,
    "early_stopping": 3,
    "batch_size": 128,
    "learning_rates": [2.5e-3, 5e-3, 1e-2],
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
KEYS = ["model", "loss_weight"]


def site(seed: int, rows: int) -> MultiTaskData:
    """Draws a short-video site; keeps some of its training rows."""
    return video_log(20_000, seed=seed).with_train(lambda train: train.take(slice(0, rows)))


def scores_at(rate: float, **settings: Any) -> pd.DataFrame:
    """Trains every model at every loss weight with one learning rate; gives validation and test AUC in one table."""
    found = study(
        MODELS,
        partial(site, rows=settings["rows"]),
        seeds=settings["seeds"],
        epochs=settings["epochs"],
        early_stopping=settings["early_stopping"],
        batch_size=settings["batch_size"],
        optimizer=keras.optimizers.Adam(rate),
        loss_weights={str(w): {"click": 2 * w, "finish": 2 * (1 - w)} for w in settings["loss_weights"]},
        gates=False,
    )
    release()
    return choosing.scores(found)[[*KEYS, "seed", "task", "validation", "test"]].assign(learning_rate=rate)


def choose(trials: pd.DataFrame) -> pd.DataFrame:
    """Keeps, for each model and loss weight, the learning rate of the best mean validation score."""
    return choosing.choose(trials, KEYS, ["learning_rate"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, chooses and writes the record."""
    parser = argparse.ArgumentParser(prog=f"python -m mtl_helpers.experiments.{NAME}", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SETTINGS["seeds"])
    settings = {**SETTINGS, "seeds": parser.parse_args(arguments).seeds}
    chosen = choose(pd.concat([scores_at(rate, **settings) for rate in settings["learning_rates"]]))
    results = chosen.round(5).to_dict("records")
    print(record(NAME, f"python -m mtl_helpers.experiments.{NAME}", results, settings))


if __name__ == "__main__":
    main()
