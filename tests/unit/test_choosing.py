"""What chooses among tuned settings; that the recorded comparisons were chosen so, and of the chapters' models."""

from __future__ import annotations

import ast
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mtl_helpers import models
from mtl_helpers.datasets import task_pair
from mtl_helpers.experiments import census, choosing, cosines, seesaw, ways
from mtl_helpers.recording import recorded

CHAPTERS = Path(__file__).resolve().parents[2] / "notebooks" / "src"
COMPARISONS = pytest.mark.parametrize("experiment", [census, cosines, seesaw, ways], ids=lambda module: module.NAME)


def test_an_error_is_chosen_low_a_score_high_and_neither_by_its_test_value() -> None:
    trials = pd.DataFrame({"model": "m", "rate": [1, 2, 3], "validation": [0.1, 0.2, 0.3], "test": [0.5, 0.4, 0.6]})
    best = [choosing.choose(trials, ["model"], ["rate"], lower)["rate"].item() for lower in (True, False)]
    assert best == [1, 3]


def test_a_task_alone_is_the_same_rows_with_one_label() -> None:
    pair = task_pair(0.5, 100, inputs=2, seed=3)
    drawn = choosing.task_alone(lambda seed: task_pair(0.5, 100, inputs=2, seed=seed), "task_2")
    for alone in (choosing.task_alone(pair, "task_2"), drawn(3)):
        assert list(alone.tasks) == ["task_2"]
        np.testing.assert_array_equal(alone.test.labels["task_2"], pair.test.labels["task_2"])
        np.testing.assert_array_equal(alone.train.inputs["numeric"], pair.train.inputs["numeric"])


@COMPARISONS
def test_the_settings_recorded_are_those_of_the_best_validation_score(experiment: ModuleType) -> None:
    results = recorded(experiment.NAME)["results"]
    chosen, means = pd.DataFrame(results["chosen"]), pd.DataFrame(results["validation"])
    best = means.groupby(experiment.CELL)["validation"]
    best = means[means["validation"] == (best.transform("min" if experiment is cosines else "max"))]
    columns = [*experiment.CELL, *experiment.CHOSEN]
    kept = chosen[columns].drop_duplicates().sort_values(columns).to_numpy().tolist()
    assert kept == best[columns].sort_values(columns).to_numpy().tolist()
    tried = means.groupby(experiment.CELL).size()
    assert tried.nunique() == 1  # every model as many


@COMPARISONS
def test_a_record_has_every_run_once_and_is_what_the_command_writes(experiment: ModuleType) -> None:
    kept = recorded(experiment.NAME)
    assert kept["settings"] == experiment.SETTINGS
    rows = pd.DataFrame(kept["results"]["chosen"])
    run = [*experiment.CELL, "seed", "measure" if experiment is ways else "task"]
    assert not rows.duplicated(run).any()
    assert rows.groupby(run[:-2] + run[-1:]).size().eq(experiment.SETTINGS["seeds"]).all()
    assert experiment.SETTINGS["seeds"] >= 8
    if "epoch" in rows:
        assert rows["epoch"].max() < experiment.SETTINGS["epochs"]  # no training was cut short


def in_chapter(number: str, *names: str) -> dict[str, Any]:
    """Executes those assignments and functions of a chapter that make the names given."""
    (source,) = CHAPTERS.glob(f"{number}_*.py")
    made = {}
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else node
        made[getattr(target, "name", getattr(target, "id", None))] = node
    known: dict[str, Any] = {"partial": partial, "np": np, **vars(models), "task_pair": task_pair}
    known |= {name: getattr(ways, name) for name in ("replace", "shop_log", "one_label")}
    for name in names:
        exec(ast.unparse(made[name]), known)
    return known


def plain(builders: dict[str, Any]) -> dict[str, Any]:
    """Gives builders as what can be compared."""
    each = {name: b if isinstance(b, partial) else partial(b) for name, b in builders.items()}
    return {name: (b.func, b.keywords) for name, b in each.items()}


def test_the_narrow_models_and_their_data_are_the_chapters() -> None:
    shown = in_chapter("06", "tower", "narrow", "correlations", "pair")
    assert plain(shown["narrow"]) == plain(cosines.MODELS)
    assert list(shown["correlations"]) == cosines.SETTINGS["cosines"]
    ours, theirs = cosines.pair(0.5, cosines.SETTINGS["rows"], 7), shown["pair"](0.5, 7)
    np.testing.assert_array_equal(ours.test.labels["task_2"], theirs.test.labels["task_2"])


def test_the_models_of_the_seesaw_are_the_chapters() -> None:
    shown = in_chapter("07", "shared", "private", "models")
    assert plain(shown["models"]) == plain(seesaw.MODELS)
    assert [str(weight) for weight in seesaw.SETTINGS["loss_weights"]] == list(
        in_chapter("07", "weights", "sweep")["sweep"]
    )


def test_single_task_networks_know_no_loss_weight_and_every_other_model_has_a_run_for_each(monkeypatch: Any) -> None:
    monkeypatch.setattr(seesaw, "MODELS", {name: seesaw.MODELS[name] for name in ("single-task", "hard sharing")})
    few = {"seeds": 1, "rows": 500, "epochs": 1, "learning_rates": [1e-2], "loss_weights": [0.1, 0.9]}
    trials = seesaw.try_all({**seesaw.SETTINGS, **few})
    assert not trials.duplicated(["model", "loss_weight", "task"]).any()
    spread = trials.pivot_table(index=["model", "task"], columns="loss_weight", values="validation")
    same = (spread["0.1"] == spread["0.9"]).groupby("model").all()
    assert same.to_dict() == {"single-task": True, "hard sharing": False}


def test_the_architectures_are_the_chapters_and_width_1_is_the_usual_one() -> None:
    assert in_chapter("06", "architectures")["architectures"] == census.MODELS
    data = task_pair(0.5, 100, inputs=5)
    for name, builder in census.models_of(1).items():
        assert builder(data).count_params() == census.MODELS[name](data).count_params()


def test_the_four_ways_are_the_chapters() -> None:
    shown = in_chapter("01", "network", "SIZES", "goals", "shop", "weights", "weighted")
    assert shown["goals"] == ways.GOALS
    assert {name: list(widths) for name, widths in shown["network"].items()} == {
        name: ways.SETTINGS[name] for name in ("hidden_units", "tower_units")
    }
    ours, theirs = ways.weighted(3, "B"), shown["weighted"](3, ways.GOALS["B"])
    for rows in (lambda world: world.train, lambda world: world.test):
        np.testing.assert_array_equal(rows(ours).labels["good"], rows(theirs).labels["good"])
        np.testing.assert_array_equal(rows(ours).weights["good"], rows(theirs).weights["good"])
    shop = ways.shop(3).train
    gain = np.where(shop.labels["pay"] == 1, 1, 0.02 * shop.labels["click"])  # as the chapter's way 3 has it
    np.testing.assert_allclose(ways.graded(3, "B").train.labels["gain"], gain, atol=1e-6)


def test_lists_in_the_true_order_are_perfect_for_their_goal_alone() -> None:
    world = ways.shop(0)
    for goal, other in (("A", "B"), ("B", "A")):
        known = {
            split: {"score": ways.worth(getattr(world, split).truth, ways.GOALS[goal])}
            for split in ("validation", "test")
        }
        found = {row["measure"]: row["test"] for row in ways.measures(known, world, goal)}
        assert found[f"goal {goal}"] == pytest.approx(1)
        assert found[f"goal {other}"] < 0.99
        fused = ways.measures({split: getattr(world, split).truth for split in known}, world, goal)
        assert [row["test"] for row in fused if row["measure"].startswith("goal")] == pytest.approx([1, 1])
