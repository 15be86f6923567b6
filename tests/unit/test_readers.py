"""Short trainings of the reader in one program: like a plain fit, repeatable, and each task alone."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from mtl_helpers import recording
from mtl_helpers.datasets import relation_corpus
from mtl_helpers.experiments import readers
from mtl_helpers.models import ner_relation, text_batches, text_losses

SMALL = {"embedding_dim": 6, "feature_dim": 2, "lstm_units": 4, "tower_units": (4,), "dropout": 0.2}
TRAINING = {"sentences": 30, "epochs": 2, "batch_size": 10, "progress": False}
MODELS = {
    "joint": {"relation": 1.0, "entity": 0.5},
    "relation only": {"relation": 1.0, "entity": 0.0},
    "tagging only": {"relation": 0.0, "entity": 1.0},
}


@pytest.fixture(scope="module")
def data():
    return relation_corpus(80, difficulty=0.2, length=16, seed=0)


@pytest.fixture(scope="module")
def runs(data):
    return readers.train_readers(data, MODELS, [3, 4], **TRAINING, **SMALL)


def test_every_model_is_scored_on_its_own_tasks(runs):
    assert list(runs.scores("relation").columns) == ["joint", "relation only"]
    assert list(runs.scores("entity").columns) == ["joint", "tagging only"]
    assert list(runs.scores("entity").index) == [3, 4]
    assert runs.frame["value"].between(0, 1).all()


def test_a_run_is_what_a_plain_fit_gives(data):
    """Without dropout, whose chance depends on the program, the weights are those of compile and fit."""
    still = {**SMALL, "dropout": 0.0}
    runs = readers.train_readers(data, {"joint": MODELS["joint"]}, [3], **{**TRAINING, "epochs": [1, 2]}, **still)
    assert runs.frame["epoch"].tolist() == [1, 1, 2, 2]
    assert len(runs.scores("entity")) == 1
    keras.utils.set_random_seed(3)
    model = ner_relation(data, **still)
    model.compile(keras.optimizers.Adam(1e-2), loss=text_losses(data), loss_weights=MODELS["joint"])
    chosen = np.random.default_rng(3).permutation(len(data.train))[:30]
    for seed in (3, 10_003):
        model.fit(text_batches(data.train.take(chosen), 10, seed=seed), verbose=0, shuffle=False)
    for ours, plain in zip(runs.weights["joint", 3, 2], model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, plain, atol=1e-4)


def test_an_order_of_runs_changes_nothing(data, runs):
    again = readers.train_readers(data, {"tagging only": MODELS["tagging only"]}, [4], **TRAINING, **SMALL)
    for one, other in zip(again.weights["tagging only", 4, 2], runs.weights["tagging only", 4, 2], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_task_of_weight_zero_leaves_no_trace(data, runs):
    keras.utils.set_random_seed(3)
    start = ner_relation(data, **SMALL)
    model = runs.model("relation only", 3, 2)
    for name in ("entity", "entity_scores"):
        for now, before in zip(model.get_layer(name).get_weights(), start.get_layer(name).get_weights(), strict=True):
            np.testing.assert_allclose(now, before, atol=1e-6)
    moved = model.get_layer("shared_encoder").get_weights()[0] - start.get_layer("shared_encoder").get_weights()[0]
    assert np.abs(moved).max() > 1e-3


def test_what_cannot_be_trained_is_refused(data):
    with pytest.raises(ValueError, match="sentences=49: give 1 to 48"):
        readers.train_readers(data, MODELS, [0], sentences=49, epochs=1)
    with pytest.raises(ValueError, match="models\\['joint'\\]"):
        readers.train_readers(data, {"joint": {"tags": 1.0}}, [0], sentences=10, epochs=1)


def test_rates_are_chosen_on_validation_and_scored_on_test_once(data, monkeypatch):
    """Scores are made up: each run gives its learning rate times a sign of its task on validation, 1 on test."""
    asked = []

    def trained(data, models, seeds, *, learning_rate, split, **options):
        signs = {"relation": 1, "entity": -1}
        each = [(name, seed, 2, task) for name in models for seed in seeds for task in signs if models[name][task]]
        frame = pd.DataFrame(each, columns=["model", "seed", "epoch", "task"])
        frame["value"] = learning_rate * frame["task"].map(signs)
        assert split == "validation"
        return SimpleNamespace(frame=frame, model=lambda *run: asked.append((learning_rate, *run)))

    monkeypatch.setattr(readers, "relation_corpus", lambda **options: data)
    monkeypatch.setattr(readers, "train_readers", trained)
    monkeypatch.setattr(readers, "f1_scores", lambda model, data: {"relation": 1.0, "entity": 1.0})
    monkeypatch.setitem(readers.SETTINGS, "seeds", 2)
    rows = pd.DataFrame(readers.compare("head", progress=False))
    test = rows[rows["split"] == "test"]
    low, high = min(readers.SETTINGS["learning_rates"]), max(readers.SETTINGS["learning_rates"])
    assert dict(test.groupby("task")["learning_rate"].unique().map(list)) == {"relation": [high], "entity": [low]}
    assert len(test) == len(asked) == 2 * (3 * 2 + 1 + 1)
    assert len(rows[rows["split"] == "validation"]) == 3 * len(test)
    assert dict(zip(rows["model"], rows["weight"], strict=True)) == {
        "joint": 1,
        "joint, tags 0.3": 0.3,
        "joint, tags 3": 3,
        "relation only": 0,
        "tagging only": 1,
    }


def test_the_reported_runs_are_those_that_did_best_on_validation():
    scores = {(12, 0.1): (0.5, 0.9), (24, 0.1): (0.7, 0.6), (24, 0.2): (0.4, None)}  # validation, test
    rows = [
        {"positions": "head", "model": "joint", "task": "entity", "epoch": epoch, "learning_rate": rate, "seed": seed}
        | {"split": split, "value": value}
        for (epoch, rate), both in scores.items()
        for split, value in zip(("validation", "test"), both, strict=True)
        for seed in (0, 1)
        if value is not None
    ]
    found = readers.chosen_runs(pd.DataFrame(rows))
    assert found[["epoch", "seed", "split", "value"]].to_numpy().tolist() == [
        [24, 0, "test", 0.6],
        [24, 1, "test", 0.6],
    ]


def test_what_is_recorded_is_not_done_again(monkeypatch, tmp_path):
    done = []
    monkeypatch.setattr(recording, "RESULTS", tmp_path)
    monkeypatch.setattr(readers, "compare", lambda place: done.append(place) or [{"positions": place}])
    readers.main()
    readers.main()
    assert done == ["head", "encoder"]
    monkeypatch.setitem(readers.SETTINGS, "seeds", 1)
    readers.main()
    assert done == ["head", "encoder"] * 2
    assert [row["positions"] for row in recording.recorded("readers")["results"]] == ["head", "encoder"]
