"""Buying after a visit, on real customers: ``python -m mtl_helpers.experiments.hillstrom``.

Hillstrom's e-mail challenge is a funnel: some customers visit the shop, and a few of these buy. Four ways to predict
both, trained from every seed on a split of its own: two independent networks, hard sharing, ESMM, and a network for the
visit times one for the purchase that learns from visitors alone. What the others would have bought nobody knows, so the
models are held against what can be seen: who bought, among all customers and among visitors, and how many.

Written to ``data/results/hillstrom.json``. Needs the file, see ``data/README.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import keras
import numpy as np

from mtl_helpers.datasets import MultiTaskData, hillstrom
from mtl_helpers.datasets.base import Rows
from mtl_helpers.metrics import auc
from mtl_helpers.models import conversion_model, esmm, hard_sharing, single_task
from mtl_helpers.recording import record
from mtl_helpers.study import Study, study

NAME = "hillstrom"
SETTINGS: dict[str, Any] = {
    "seeds": 20,
    "epochs": 12,
    "early_stopping": 2,
    "batch_size": 512,
    "learning_rate": 1e-3,
    "hidden_units": [32],
    "tower_units": [8],
}
Predictions = dict[str, dict[str, np.ndarray]]


def funnel(seed: int) -> MultiTaskData:
    """Loads the customers with the tasks ``"visit"`` and ``"buy"``, split by a seed."""
    data = hillstrom(seed=seed)

    def cut(rows: Rows) -> Rows:
        return replace(rows, labels={"visit": rows.labels["visit"], "buy": rows.labels["conversion"]})

    return data.with_rows(cut, {"visit": data.tasks["visit"], "buy": data.tasks["conversion"]})


def visitors_only(data: MultiTaskData) -> MultiTaskData:
    """Gives the purchase as those see it who look at visitors alone: the label of everybody else is missing.

    Args:
        data: Has the tasks visit and buy.

    Returns:
        The task buy; NaN, with weight 0, where there was no visit.
    """

    def cut(rows: Rows) -> Rows:
        visited = rows.labels["visit"] == 1
        labels = np.where(visited, rows.labels["buy"], np.nan).astype(np.float32)
        return replace(rows, labels={"buy": labels}, weights={"buy": visited.astype(np.float32)})

    return data.with_rows(cut, {"buy": data.tasks["buy"]})


def train(seeds: int, **settings: Any) -> tuple[Study, Study]:
    """Trains all models; gives the study of the models of both tasks and that of the visitors' model."""
    network = {"hidden_units": settings["hidden_units"], "tower_units": settings["tower_units"]}
    builders = {"single-task": single_task, "hard sharing": hard_sharing, "ESMM": esmm}
    options = {
        "seeds": seeds,
        "epochs": settings["epochs"],
        "early_stopping": settings["early_stopping"],
        "batch_size": settings["batch_size"],
        "optimizer": keras.optimizers.Adam(settings["learning_rate"]),
        "gates": False,
    }
    both = study({name: partial(builder, **network) for name, builder in builders.items()}, funnel, **options)
    alone = study(
        {"visitors only": partial(single_task, **network)}, lambda seed: visitors_only(funnel(seed)), **options
    )
    return both, alone


def predict(both: Study, alone: Study, run: int) -> Predictions:
    """Computes every model's probabilities for the test rows of one run.

    Args:
        both: Study of the models of visit and purchase.
        alone: Study of the model "visitors only", with the same seeds.
        run: Position of the run.

    Returns:
        Model -> ``"visit"``, ``"buy"`` (of a customer) and ``"after visit"`` (of a visitor), each ``[rows]``.
    """
    inputs = both.plan.of_run(both.plan.runs[run]).test.inputs

    def outputs(model: keras.Model) -> dict[str, np.ndarray]:
        return {task: values.numpy()[:, 0] for task, values in model(inputs).items()}

    found = {name: outputs(both.model(name, run)) for name in both.builders}
    for name, each in found.items():
        if name == "ESMM":
            each["after visit"] = outputs(conversion_model(both.model(name, run)))["conversion"]
        else:
            each["after visit"] = np.minimum(1, each["buy"] / each["visit"])
    visit = found["single-task"]["visit"]
    after = outputs(alone.model("visitors only", run))["buy"]
    found["visitors only"] = {"visit": visit, "after visit": after, "buy": visit * after}
    return found


def measures(predicted: Predictions, rows: Rows) -> Iterator[tuple[str, str, float]]:
    """Holds predictions against what happened.

    Args:
        predicted: As ``predict`` gives.
        rows: The test rows.

    Yields:
        Model, measure and value.
    """
    visit, bought = rows.labels["visit"], rows.labels["buy"]
    visitors = visit == 1
    for model, each in predicted.items():
        yield model, "AUC visit", auc(visit, each["visit"])
        yield model, "AUC buy", auc(bought, each["buy"])
        yield model, "AUC after visit", auc(bought[visitors], each["after visit"][visitors])
        yield model, "predicted / bought", float(each["buy"].sum() / bought.sum())
        yield model, "after visit, visitors", float(each["after visit"][visitors].mean())
        yield model, "after visit, others", float(each["after visit"][~visitors].mean())
        yield model, "bought, visitors", float(bought[visitors].mean())
        yield model, "buy above visit", float((each["buy"] > each["visit"]).mean())


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, measures and writes the record."""
    parser = argparse.ArgumentParser(prog=f"python -m mtl_helpers.experiments.{NAME}", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SETTINGS["seeds"])
    settings = {**SETTINGS, "seeds": parser.parse_args(arguments).seeds}
    both, alone = train(**settings)
    results = [
        {"model": model, "seed": run.seed, "measure": measure, "value": round(value, 5)}
        for position, run in enumerate(both.plan.runs)
        for model, measure, value in measures(predict(both, alone, position), both.plan.of_run(run).test)
    ]
    parameters = {**both.parameters, **alone.parameters}
    print(record(NAME, f"python -m mtl_helpers.experiments.{NAME}", results, {**settings, "parameters": parameters}))


if __name__ == "__main__":
    main()
