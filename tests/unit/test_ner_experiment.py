"""The recorded experiment goes on where it was stopped and never mixes settings."""

from dataclasses import asdict
from types import SimpleNamespace

import pytest

from mtl_helpers import recording
from mtl_helpers.datasets import relation_corpus
from mtl_helpers.experiments import ner_relation as experiment
from mtl_helpers.seeds import course_seed


@pytest.fixture
def untrained(monkeypatch, tmp_path):
    """Runs that train nothing, results in a folder of the test's own; gives the list of runs done."""
    monkeypatch.setattr(recording, "RESULTS", tmp_path)
    done = []

    def perform(run):
        done.append(run)
        return {**asdict(run), "scores": {"entity F1": 0.5}}

    monkeypatch.setattr(experiment, "perform", perform)
    return done


def test_a_run_trains_and_scores(monkeypatch):
    small = {"embedding_dim": 4, "lstm_units": 4, "tower_units": [4]}
    monkeypatch.setitem(experiment.SETTINGS["semeval"], "model", small)
    monkeypatch.setitem(experiment.SETTINGS["semeval"], "epochs", {"500": {"joint": 1}})
    monkeypatch.setattr(experiment, "load", lambda run: relation_corpus(50, seed=0))
    result = experiment.perform(experiment.Run("semeval", "joint", "encoder", "max", 500, 0))
    assert set(result["scores"]) > {"entity F1", "relation macro F1", "relation macro F1, with direction"}
    assert result["parameters"] > 0
    assert "tag_weight" not in result
    assert "cut to" in result["note"]


def test_a_stopped_experiment_goes_on(untrained):
    runs = experiment.plan(1, [500], ["semeval"])[:3]
    first = next(iter(experiment.carry_out(runs, "trial")))
    assert first["model"] == "joint"
    assert len(experiment.finished("trial")) == 1
    rest = list(experiment.carry_out(runs, "trial"))
    assert [result["model"] for result in rest] == ["relation only", "tagging only"]
    assert untrained == runs
    assert list(experiment.carry_out(runs, "trial")) == []


def test_another_weight_of_the_tags_is_another_run(untrained, monkeypatch):
    runs = [run for run in experiment.plan(1, [500], ["semeval"]) if run.model == "joint"]
    assert [run.tag_weight for run in runs] == [None, None, 1.0, 1.0]
    assert len(list(experiment.carry_out(runs[:3], "trial"))) == 3
    assert next(experiment.carry_out(runs, "trial"))["tag_weight"] == 1.0
    assert untrained == runs
    used = []
    model = SimpleNamespace(compile=lambda *_, loss_weights, **__: used.append(loss_weights), fit=lambda *_, **__: None)
    monkeypatch.setattr(experiment, "ner_relation", lambda *_, **__: model)
    for run in runs[1:3]:
        experiment.train(run, relation_corpus(50, seed=0))
    assert used == [{"relation": 1.0, "entity": 0.2}, {"relation": 1.0, "entity": 1.0}]


def test_other_settings_are_not_mixed(untrained, monkeypatch):
    list(experiment.carry_out(experiment.plan(1, [500], ["semeval"])[:1], "trial"))
    monkeypatch.setitem(experiment.SETTINGS["semeval"], "batch_size", 16)
    with pytest.raises(ValueError, match="other settings"):
        experiment.finished("trial")


def test_plan_counts_runs():
    assert len(experiment.plan(5, experiment.SIZES, ["semeval", "conll04"])) == 5 * (5 * 6 + 2 + 2 * 2 + 3)
    assert {run.split for run in experiment.plan(1, [500], ["conll04"], "validation")} == {"validation"}


def test_command_line(untrained, capsys):
    experiment.main(["--seeds", "1", "--sizes", "500", "--data", "conll04"])
    assert len(experiment.finished(experiment.NAME)) == len(untrained) == 3
    assert f"conll04, tagging only, head, entities, 910, {course_seed(0)}: entity F1 0.500" in capsys.readouterr().out
    experiment.main(["--seeds", "1", "--sizes", "500", "--data", "conll04", "--tune"])
    assert {run.split for run in untrained[3:]} == {"validation"}


def test_runs_load_their_own_data(monkeypatch):
    asked = []

    def loader(**options):
        asked.append(options)
        return relation_corpus(50, seed=0)

    monkeypatch.setattr(experiment, "semeval2010_task8", loader)
    monkeypatch.setattr(experiment, "conll04", loader)
    assert list(experiment.load(experiment.Run("semeval", "joint", "head", "max", 8000, 3, "validation")).tasks) == [
        "relation",
        "entity",
    ]
    experiment.load(experiment.Run("semeval", "joint", "head", "max", 500, 3))
    experiment.load(experiment.Run("conll04", "tagging only", "head", "max", 910, 3))
    assert [(each.get("rows"), each.get("validation")) for each in asked] == [(7200, 800), (500, 0), (None, None)]
    assert (asked[0]["seed"], asked[2]["pairs"]) == (3, False)
