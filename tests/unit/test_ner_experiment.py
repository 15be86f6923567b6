"""The recorded experiment goes on where it was stopped and never mixes settings."""

import pytest

from mtl_helpers import recording
from mtl_helpers.datasets import relation_corpus
from mtl_helpers.experiments import ner_relation as experiment


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """Tiny models on the made-up corpus, results in a folder of the test's own; gives the list of runs done."""
    monkeypatch.setattr(recording, "RESULTS", tmp_path)
    small = {"embedding_dim": 4, "lstm_units": 4, "hidden_units": 4}
    for data in experiment.SETTINGS:
        monkeypatch.setitem(experiment.SETTINGS[data], "model", small)
    monkeypatch.setitem(experiment.SETTINGS["semeval"], "epochs", {"500": 1})
    corpus = relation_corpus(50, seed=0)
    done = []

    def load(run):
        done.append(run)
        return corpus.with_tasks(experiment.TASKS[run.model])

    monkeypatch.setattr(experiment, "load", load)
    return done


def test_a_stopped_experiment_goes_on(quick):
    runs = experiment.plan(1, [500], ["semeval"])[:3]
    first = next(iter(experiment.carry_out(runs, "trial")))
    assert first["model"] == "joint"
    assert set(first["scores"]) > {"entity F1", "relation macro F1"}
    assert len(experiment.finished("trial")) == 1
    rest = list(experiment.carry_out(runs, "trial"))
    assert [result["model"] for result in rest] == ["relation only", "tagging only"]
    assert quick == runs
    assert list(experiment.carry_out(runs, "trial")) == []


def test_other_settings_are_not_mixed(quick, monkeypatch):
    list(experiment.carry_out(experiment.plan(1, [500], ["semeval"])[2:3], "trial"))
    monkeypatch.setitem(experiment.SETTINGS["semeval"], "batch_size", 16)
    with pytest.raises(ValueError, match="other settings"):
        experiment.finished("trial")


def test_plan_counts_runs():
    assert len(experiment.plan(5, list(experiment.EPOCHS), ["semeval", "conll04"])) == 5 * (5 * 2 * 3 + 3)
    assert {run.split for run in experiment.plan(1, [500], ["conll04"], "validation")} == {"validation"}
