"""The recorded seesaw: what chooses a learning rate, and that the record is whole."""

from __future__ import annotations

from functools import partial
from itertools import product
from pathlib import Path

import pandas as pd

from mtl_helpers import models
from mtl_helpers.experiments import seesaw
from mtl_helpers.recording import recorded

CHAPTER = Path(__file__).resolve().parents[2] / "notebooks" / "src" / "07_ple_and_the_seesaw.py"


def test_validation_chooses_the_rate_for_each_model_and_weight_and_test_scores_do_not() -> None:
    rows = [
        {"model": model, "loss_weight": weight, "seed": seed, "task": task, "learning_rate": rate}
        | {"validation": 0.8 if rate == best else 0.7, "test": 0.1 if rate == best else 0.9}
        for (model, weight, best), seed, task, rate in product(
            [("MMoE", "0.1", 1e-2), ("MMoE", "0.5", 5e-3), ("CGC", "0.1", 5e-3)],
            (0, 1),
            ("click", "finish"),
            (5e-3, 1e-2),
        )
    ]
    chosen = seesaw.choose(pd.DataFrame(rows))
    assert chosen.groupby(["model", "loss_weight"])["learning_rate"].unique().str[0].to_dict() == {
        ("MMoE", "0.1"): 1e-2,
        ("MMoE", "0.5"): 5e-3,
        ("CGC", "0.1"): 5e-3,
    }
    assert len(chosen) == 3 * 2 * 2
    assert set(chosen["value"]) == {0.1}


def test_the_record_has_every_model_weight_seed_and_task_once() -> None:
    kept = recorded(seesaw.NAME)
    rows = pd.DataFrame(kept["results"])
    weights, seeds = kept["settings"]["loss_weights"], kept["settings"]["seeds"]
    assert len(rows) == len(seesaw.MODELS) * len(weights) * seeds * 2
    assert not rows.duplicated(["model", "loss_weight", "seed", "task"]).any()
    assert set(rows["model"]) == set(seesaw.MODELS)
    assert rows["learning_rate"].isin(kept["settings"]["learning_rates"]).all()
    assert rows["value"].between(0.5, 1).all()


def test_the_models_are_those_the_chapter_shows() -> None:
    """The chapter writes them out for the reader, so they stand twice; the record is of the chapter's."""
    cells = CHAPTER.read_text(encoding="utf-8").split("# %%")
    (cell,) = [cell for cell in cells if "\nmodels = {" in cell]
    names = {"partial": partial, **vars(models)}
    exec(cell, names)
    shown = {name: (builder.func, builder.keywords) for name, builder in names["models"].items()}
    assert shown == {name: (builder.func, builder.keywords) for name, builder in seesaw.MODELS.items()}
