"""One log, four ways, each tuned alike: ``python -m mtl_helpers.experiments.ways``.

Chapter 01 serves a click and a payment in four ways, all at one learning rate for eight epochs. Here every way tries as
many learning rates and trains until its own validation loss stops falling. Its rate is the one that orders the lists of
validation rows best for goal A (mean NDCG of what users did, all seeds). For goal B the ways that must be trained for a
goal are trained and tuned again; the others keep their networks, whose scores are fused anew.

Written to ``data/results/ways.json``.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import keras
import numpy as np
import pandas as pd

from mtl_helpers.datasets import MultiTaskData, shop_log
from mtl_helpers.datasets.base import Categorical, Rows
from mtl_helpers.experiments.choosing import at_the_edge, choose, task_alone, validated
from mtl_helpers.memory import release
from mtl_helpers.metrics import auc, log_loss, ndcg
from mtl_helpers.models import hard_sharing, single_task
from mtl_helpers.objectives import PairwiseLoss, as_table, boosted_trees, lists_by, one_label, tree_scores
from mtl_helpers.recording import record
from mtl_helpers.study import Study, study
from mtl_helpers.study.plan import DataSource

NAME = "ways"
SETTINGS: dict[str, Any] = {
    "seeds": 8,
    "epochs": 40,
    "early_stopping": 3,
    "batch_size": 256,
    "learning_rates": [1.25e-3, 2.5e-3, 5e-3, 1e-2, 2e-2, 4e-2, 8e-2],
    "learning_rates of the trees": [0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4],
    "trees": 200,  # at most
    "hidden_units": [64],
    "tower_units": [8],
}
GOALS = {"A": 0.2, "B": 0.02}  # what a click is worth; a payment is worth 1
TREES, APART, JOINT = "2 trees, sample weights", "1 a model a task", "4 multi-task"
FUSED = (APART, JOINT)  # ways that serve any goal once they are trained
CELL, CHOSEN = ["way", "made for"], ["learning_rate"]
SIZES = (41, 41, 61, 41, 21, 61, 5)  # of every world alike, whichever brands it happens to draw
Predictions = Mapping[str, np.ndarray]
Training = tuple[Callable[..., keras.Model], DataSource, dict[str, keras.losses.Loss] | None]


def shop(seed: int) -> MultiTaskData:
    """Draws the shop's log."""
    log = shop_log(20_000, selection=0, click_rate=0.3, conversion_rate=0.2, users=40, skus=40, steepness=2, seed=seed)
    kind = log.inputs["categorical"]
    assert isinstance(kind, Categorical)
    return replace(log, inputs=log.inputs | {"categorical": replace(kind, sizes=SIZES)})


def worth(of: Predictions, click_worth: float) -> np.ndarray:
    """Adds up what clicks and payments are worth: of labels, of true rates or of predictions."""
    return click_worth * of["click"] + (1 - click_worth) * of["pay"]


def sample_weights(rows: Rows, click_weight: float) -> np.ndarray:
    """Weighs rows for a single label: a payment 1, a mere click the weight given, all else 1."""
    click, pay = rows.labels["click"], rows.labels["pay"]
    return np.where(pay == 1, 1, np.where(click == 1, click_weight, 1))


def weighted(seed: int, goal: str) -> MultiTaskData:
    """Gives the shop with one label, clicked or not, whose rows weigh what the goal says."""
    weights = partial(sample_weights, click_weight=GOALS[goal])
    return one_label(shop(seed), "good", lambda rows: rows.labels["click"], weights)


def graded(seed: int, goal: str) -> MultiTaskData:
    """Gives the shop with one number a row, its gain."""
    return one_label(shop(seed), "gain", lambda rows: worth(rows.labels, GOALS[goal]), kind="regression")


def trainings(way: str, goal: str) -> list[Training]:
    """Says what a way trains for a goal: builder, data and losses of each of its networks."""
    known: dict[str, list[Training]] = {
        APART: [(single_task, task_alone(shop, task), None) for task in ("click", "pay")],
        "2 network, sample weights": [(single_task, partial(weighted, goal=goal), None)],
        "3 pairs, weighted by gain": [(single_task, partial(graded, goal=goal), {"gain": PairwiseLoss()})],
        "3 pairs, order only": [(single_task, partial(graded, goal=goal), {"gain": PairwiseLoss(by_gain=False)})],
        JOINT: [(hard_sharing, shop, None)],
    }
    return known[way]


def predict(found: Study, run: int, split: str) -> dict[str, np.ndarray]:
    """Predicts a split with the network of one run: task -> ``[rows]``."""
    inputs = getattr(found.plan.of_run(found.plan.runs[run]), split).inputs
    return {task: each.numpy()[:, 0].astype(float) for task, each in found.model("net", run)(inputs).items()}


def score(predictions: Predictions, goal: str) -> np.ndarray:
    """Gives the score a list is ranked by: predictions fused for the goal, or the one score there is."""
    if "click" in predictions:
        return worth(predictions, GOALS[goal])
    (only,) = predictions.values()
    return only


def list_quality(ranked: np.ndarray, gain: np.ndarray, rows: Rows) -> float:
    """Gives the NDCG of the first five in lists of twenty rows of a user."""
    lists = lists_by(rows.inputs["categorical"][:, 0], 20)
    return ndcg(gain[lists], ranked[lists], k=5)


def measures(predicted: Mapping[str, Predictions], world: MultiTaskData, goal: str) -> list[dict[str, Any]]:
    """Holds predictions against the world they were made in.

    Args:
        predicted: ``"validation"`` and ``"test"`` -> predictions.
        world: The shop.
        goal: What the way was made for.

    Returns:
        A row a measure of the test rows, each with what they did for that goal on the validation rows.
    """
    rows, own = world.test, predicted["test"]
    found = {f"goal {name}": list_quality(score(own, name), worth(rows.truth, GOALS[name]), rows) for name in GOALS}
    found |= {f"{task} AUC": auc(rows.labels[task], own.get(task, score(own, goal))) for task in ("click", "pay")}
    seen = worth(world.validation.labels, GOALS[goal])
    validation = list_quality(score(predicted["validation"], goal), seen, world.validation)
    return [{"measure": name, "test": value, "validation": validation} for name, value in found.items()]


def network_trials(way: str, goal: str, rate: float, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Trains a way's networks at one learning rate, from all seeds, and measures them."""
    studies = [
        study(
            {"net": partial(builder, **{name: settings[name] for name in ("hidden_units", "tower_units")})},
            data,
            losses=losses,
            optimizer=keras.optimizers.Adam(rate),
            gates=False,
            **{name: settings[name] for name in ("seeds", "epochs", "early_stopping", "batch_size")},
        )
        for builder, data, losses in trainings(way, goal)
    ]
    rows = []
    for position, run in enumerate(studies[0].plan.runs):
        splits = ("validation", "test")
        predicted = {
            split: {task: p for found in studies for task, p in predict(found, position, split).items()}
            for split in splits
        }
        rows += [{"seed": run.seed, **row} for row in measures(predicted, shop(run.seed), goal)]
    return rows


def tree_trials(goal: str, rate: float, seeds: Sequence[int], most: int) -> list[dict[str, Any]]:
    """Fits trees with sample weights, as many as suit the validation rows best, and measures them."""
    rows = []
    for seed in seeds:
        world = shop(seed)
        label, weight = world.train.labels["click"], sample_weights(world.train, GOALS[goal])
        many = boosted_trees(world, label, weight, learning_rate=rate, max_iter=most)
        own = world.validation
        losses = [
            log_loss(own.labels["click"], each[:, 1], sample_weights(own, GOALS[goal]))
            for each in many.staged_predict_proba(as_table(own))
        ]
        trees = boosted_trees(world, label, weight, learning_rate=rate, max_iter=int(np.argmin(losses)) + 1)
        predicted = {split: {"good": tree_scores(trees, getattr(world, split))} for split in ("validation", "test")}
        rows += [{"seed": seed, **row} for row in measures(predicted, world, goal)]
    return rows


def try_all(settings: dict[str, Any]) -> pd.DataFrame:
    """Trains every way for its goals at every learning rate.

    Args:
        settings: As ``SETTINGS``.

    Returns:
        A row a way, goal it was made for, learning rate, seed and measure, with its validation and test value.
    """
    trials = []
    for way in (APART, "2 network, sample weights", "3 pairs, order only", "3 pairs, weighted by gain", JOINT):
        for goal in "A" if way in (*FUSED, "3 pairs, order only") else GOALS:
            for rate in settings["learning_rates"]:
                rows = network_trials(way, goal, rate, settings)
                trials.append(pd.DataFrame(rows).assign(way=way, learning_rate=rate, **{"made for": goal}))
                release()
    seeds = trials[0]["seed"].unique()
    for goal in GOALS:
        for rate in settings["learning_rates of the trees"]:
            rows = tree_trials(goal, rate, seeds, settings["trees"])
            trials.append(pd.DataFrame(rows).assign(way=TREES, learning_rate=rate, **{"made for": goal}))
    return pd.concat(trials, ignore_index=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, chooses and writes the record."""
    parser = argparse.ArgumentParser(prog=f"python -m mtl_helpers.experiments.{NAME}", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SETTINGS["seeds"])
    settings = {**SETTINGS, "seeds": parser.parse_args(arguments).seeds}
    trials = try_all(settings)
    chosen = choose(trials, CELL, CHOSEN)
    grids = {True: settings["learning_rates of the trees"], False: settings["learning_rates"]}
    edges = [
        edge
        for trees, grid in grids.items()
        for edge in at_the_edge(chosen[(chosen["way"] == TREES) == trees], CELL, {"learning_rate": grid})
    ]
    results = {
        "chosen": chosen.round(6).to_dict("records"),
        "validation": validated(trials, CELL, CHOSEN).round(6).to_dict("records"),
        "at the edge": edges,
    }
    print(record(NAME, f"python -m mtl_helpers.experiments.{NAME}", results, settings))


if __name__ == "__main__":
    main()
