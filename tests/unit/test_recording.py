"""Recorded results are written whole or not at all, and say what made them."""

import os

import pytest

from mtl_helpers import recording


def test_a_record_comes_back_with_its_circumstances(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "RESULTS", tmp_path)
    recording.record("auc", "python -m something", {"MMoE": 0.9}, {"seeds": [0, 1]})
    found = recording.recorded("auc")
    assert found["results"] == {"MMoE": 0.9}
    assert found["settings"] == {"seeds": [0, 1]}
    assert found["command"] == "python -m something"
    assert found["made with"]["keras"]


def test_an_unknown_record_names_the_known_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "RESULTS", tmp_path)
    recording.record("auc", "", {})
    with pytest.raises(FileNotFoundError, match=r"name='acu'.*\['auc'\]"):
        recording.recorded("acu")


def test_a_number_that_is_not_finite_is_refused_and_the_old_record_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "RESULTS", tmp_path)
    recording.record("auc", "", [0.9])
    with pytest.raises(ValueError, match="'auc' hold a number that is not finite"):
        recording.record("auc", "", [float("nan")])
    assert recording.recorded("auc")["results"] == [0.9]


def test_an_interrupted_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = recording.write_text(tmp_path / "a.txt", "old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        recording.write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]
