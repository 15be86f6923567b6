from __future__ import annotations

import re

import pytest

from mtl_helpers.widgets.base import FOLDER, CourseWidget
from mtl_helpers.widgets.labels import CHINESE, label

IN_SCRIPTS = re.compile(r'\bt\((?:[^"()]+\? "([^"]+)" : )?"([^"]+)"')
IN_PYTHON = re.compile(r'\blabel\("([^"]+)"')


def used() -> set[str]:
    pairs = [pair for path in FOLDER.glob("*.js") for pair in IN_SCRIPTS.findall(path.read_text("utf8"))]
    scripts = [text for pair in pairs for text in pair if text]
    python = [path.read_text("utf8") for path in FOLDER.glob("*.py") if path.name != "labels.py"]
    return {*scripts, *(text for each in python for text in IN_PYTHON.findall(each)), "all segments (mean)"}


def test_every_label_of_a_widget_is_there_in_chinese_and_none_is_left_over() -> None:
    assert used() == set(CHINESE)
    assert all(re.search(r"[\u4e00-\u9fff。，：；]|^\{at\} / \{last\}$", text) for text in CHINESE.values())


@pytest.mark.parametrize("english", CHINESE)
def test_both_languages_name_the_same_values(english: str) -> None:
    assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", CHINESE[english]))


def test_the_language_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MTL_LANG", raising=False)
    assert (label("Epoch"), label("level {level}", level=2)) == ("Epoch", "level 2")
    assert "words" not in CourseWidget({"a": 1}).data
    monkeypatch.setenv("MTL_LANG", "zh")
    assert (label("Epoch"), label("level {level}", level=2)) == ("轮次", "第 2 层")
    assert CourseWidget({"a": 1}).data["words"]["Epoch"] == "轮次"
    assert label("no such label") == "no such label"
    monkeypatch.setenv("MTL_LANG", "fr")
    with pytest.raises(ValueError, match="MTL_LANG='fr' is not a language of the course; set it to 'en' or 'zh'"):
        label("Epoch")
