"""What the sentence inspector reads, shows, refuses and keeps."""

from __future__ import annotations

import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.datasets import relation_corpus
from mtl_helpers.models import ner_relation
from mtl_helpers.widgets import SentenceInspector
from mtl_helpers.widgets.sentence_inspector import WORD
from tests.browser.sentences import RELATIONS, Reader, known_data, known_inspector

HOSTILE = "</script><img src=x onerror=alert(1)> lives in Oslo"


@pytest.fixture(scope="module")
def inspector() -> SentenceInspector:
    return known_inspector()


def test_a_sentence_is_read(inspector: SentenceInspector) -> None:
    read = inspector.inspect("Ada met Bo in Oslo.")
    assert read["words"] == ["Ada", "met", "Bo", "in", "Oslo", "."]
    assert read["spans"] == [[0, 1, "Person"], [2, 3, "Person"], [4, 5, "Place"]]
    assert [(pair["first"], pair["second"]) for pair in read["pairs"]] == [
        (i, j) for i in range(3) for j in range(3) if i != j
    ]
    by_order = {(pair["first"], pair["second"]): np.argmax(pair["probabilities"]) for pair in read["pairs"]}
    assert RELATIONS[by_order[0, 2]] == "lives_in"
    assert RELATIONS[by_order[2, 0]] == "left"
    assert read["best"] == 0
    np.testing.assert_allclose(np.sum(read["marginals"], axis=1), 1, atol=1e-3)
    assert not any(read["unknown"])


def test_an_unknown_word_is_told_and_doubted(inspector: SentenceInspector) -> None:
    read = inspector.inspect("Zorg lives in OSLO")
    assert read["unknown"] == [True, False, False, False]  # capitals do not make a word unknown
    assert max(read["marginals"][0]) == pytest.approx(0.62, abs=1e-3)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_sentence_is_refused(inspector: SentenceInspector, text: str) -> None:
    with pytest.raises(ValueError, match="the sentence is empty; type at least one word"):
        inspector.inspect(text)


def test_few_entities_and_many(inspector: SentenceInspector) -> None:
    alone = inspector.inspect("Ada left")
    assert (alone["pairs"], alone["best"]) == ([], -1)
    many = inspector.inspect(" and ".join(["Ada"] * 50))
    assert len(many["words"]) == 60
    assert len(many["pairs"]) == 30
    assert many["note"].startswith("Only the first 60 of 99 words are read. Relations are asked of the first 6")


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_whatever_is_typed_is_read_or_refused_in_a_line(text: str) -> None:
    inspector = known_inspector(EXAMPLE)
    if not WORD.search(text):
        with pytest.raises(ValueError, match="the sentence is empty"):
            inspector.inspect(text)
        return
    read = inspector.inspect(text)
    assert len(read["words"]) == len(read["tags"]) == len(read["unknown"]) == len(read["marginals"])
    json.dumps(read)


EXAMPLE = ("Ada left .",)


def test_what_cannot_be_inspected_is_refused() -> None:
    data = known_data()
    with pytest.raises(ValueError, match="examples=\\[\\] is empty"):
        SentenceInspector(Reader(data), data, [])
    with pytest.raises(ValueError, match=r"data.tasks=\['entity'\]"):
        SentenceInspector(Reader(data), data.with_tasks(["entity"]), EXAMPLE)
    with pytest.raises(ValueError, match="build it with tagger='crf'"):
        SentenceInspector(Reader(data, crf=False), data, EXAMPLE)


def test_the_browser_gets_what_was_read(inspector: SentenceInspector) -> None:
    data = inspector.data
    assert data["tags"] == ["O", "B-Person", "I-Person", "B-Place", "I-Place"]
    assert data["tagKinds"] == [-1, 0, 0, 1, 1]
    assert data["examples"][1] == inspector.inspect(data["examples"][1]["text"])
    assert np.shape(data["field"]["transitions"]) == (5, 5)
    assert data["field"]["end"] == [0, -1, -2, -3, -4]
    answers: list[dict] = []
    inspector.send = answers.append  # type: ignore[method-assign]
    inspector._answer(None, {"request": "a", "kind": "inspect", "text": "Bo left"}, None)
    inspector._answer(None, {"request": "b", "kind": "inspect", "text": " "}, None)
    assert answers[0]["answer"]["words"] == ["Bo", "left"]
    assert answers[1] == {"request": "b", "error": "ValueError: the sentence is empty; type at least one word."}


def test_the_picture_and_its_words(inspector: SentenceInspector) -> None:
    assert inspector.describe() == (
        "Entities in “Ada lives in Oslo .”: Ada (Person), Oslo (Place). Relation of Ada to Oslo: lives_in, 80 %."
    )
    figure = inspector.picture()
    strip, bars = figure.axes
    assert [label.get_text() for label in strip.get_xticklabels()] == ["Ada", "lives", "in", "Oslo", "."]
    np.testing.assert_allclose([bar.get_width() for bar in bars.patches], [0.8, 0.15, 0.05], atol=1e-3)
    lonely = known_inspector(("Zorg and .",))
    assert "Fewer than two" in lonely.describe()
    assert lonely.picture().axes[0].get_xticklabels()[0].get_text() == "[Zorg]"


def test_a_saved_page_holds_no_typed_text_as_markup(tmp_path: Path) -> None:
    text = known_inspector((HOSTILE,)).save_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<img" not in text
    assert text.count("</script>") == 2
    state = json.loads(re.search(r'id="state">(.*?)</script>', text, re.DOTALL)[1])
    assert state["live"] is False
    assert state["data"]["examples"][0]["text"] == HOSTILE


def test_a_real_model_can_be_inspected() -> None:
    data = relation_corpus(60, seed=0)
    keras.utils.set_random_seed(0)
    model = ner_relation(data, positions="head", embedding_dim=4, feature_dim=2, lstm_units=4, tower_units=(4,))
    read = SentenceInspector(model, data, ["Mr Kalo Miru works for the firm Tavo ."]).inspect("a b c d e f g")
    np.testing.assert_allclose(np.sum(read["marginals"], axis=1), 1, atol=1e-2)
    for pair in read["pairs"]:
        assert sum(pair["probabilities"]) == pytest.approx(1, abs=1e-2)
