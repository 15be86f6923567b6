"""The recorded funnel: who counts as a visitor, how predictions are made and what they are held against."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from mtl_helpers import recording
from mtl_helpers.datasets import MultiTaskData, shop_log
from mtl_helpers.datasets.base import SPLITS
from mtl_helpers.experiments import hillstrom as experiment


def shop_as_funnel(seed: int) -> MultiTaskData:
    """A shop's log under the names of the experiment."""
    data = shop_log(1500, skus=700, users=20, click_rate=0.4, conversion_rate=0.4, seed=seed)
    splits = {}
    for split in SPLITS:
        rows = getattr(data, split)
        splits[split] = replace(rows, labels={"visit": rows.labels["click"], "buy": rows.labels["pay"]}, truth={})
    sizes = replace(data.inputs["categorical"], sizes=(21, 41, 61, 701, 21, 61, 5))  # the same for every seed
    tasks = {"visit": data.tasks["click"], "buy": data.tasks["pay"]}
    return replace(data, tasks=tasks, inputs=data.inputs | {"categorical": sizes}, **splits)


def test_only_visitors_have_a_label() -> None:
    whole = shop_as_funnel(0)
    seen = experiment.visitors_only(whole)
    visited = whole.test.labels["visit"] == 1
    np.testing.assert_array_equal(np.isnan(seen.test.labels["buy"]), ~visited)
    np.testing.assert_array_equal(seen.test.labels["buy"][visited], whole.test.labels["buy"][visited])
    np.testing.assert_array_equal(seen.test.weights["buy"], visited)
    assert list(seen.tasks) == ["buy"]


def test_measures_of_known_predictions() -> None:
    rows = shop_as_funnel(0).test
    visit, buy = rows.labels["visit"], rows.labels["buy"]
    right = {"visit": 0.1 + 0.8 * visit, "after visit": 0.1 + 0.8 * buy, "buy": buy / 1.0}
    found = {measure: value for _, measure, value in experiment.measures({"oracle": right}, rows)}
    assert found["AUC visit"] == found["AUC buy"] == found["AUC after visit"] == 1
    assert found["predicted / bought"] == pytest.approx(1)
    assert found["bought, visitors"] == pytest.approx(buy.sum() / visit.sum())
    assert found["after visit, others"] == pytest.approx(0.1)
    assert found["buy above visit"] == pytest.approx(buy.mean())


def test_the_command_writes_a_row_a_model_seed_and_measure(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(recording, "RESULTS", tmp_path)
    monkeypatch.setattr(experiment, "funnel", shop_as_funnel)
    monkeypatch.setattr(experiment, "study", partial(experiment.study, jit_compile=False))
    monkeypatch.setattr(experiment, "SETTINGS", {**experiment.SETTINGS, "epochs": 1, "batch_size": 300})
    experiment.main(["--seeds", "2"])
    content = json.loads((tmp_path / "hillstrom.json").read_text())
    models = {"single-task", "hard sharing", "ESMM", "visitors only"}
    assert {row["model"] for row in content["results"]} == set(content["settings"]["parameters"]) == models
    assert len(content["results"]) == 2 * 4 * 8
    never = [
        row["value"] for row in content["results"] if (row["model"], row["measure"]) == ("ESMM", "buy above visit")
    ]
    assert never == [0, 0]


def test_the_kept_record_is_what_the_command_writes() -> None:
    kept = recording.recorded("hillstrom")
    assert kept["command"] == "python -m mtl_helpers.experiments.hillstrom"
    assert {name: kept["settings"][name] for name in experiment.SETTINGS} == experiment.SETTINGS
    assert len({row["seed"] for row in kept["results"]}) == experiment.SETTINGS["seeds"] >= 8
