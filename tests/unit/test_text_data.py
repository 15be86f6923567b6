"""Sentences become arrays; the readers name the line of what they cannot read."""

import os
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.datasets import conll04, semeval2010_task8
from mtl_helpers.datasets.base import SPLITS
from mtl_helpers.datasets.conll04 import read_conll04
from mtl_helpers.datasets.semeval2010 import read_semeval, without_direction
from mtl_helpers.datasets.text import (
    FARTHEST,
    NO_PAIR,
    Sentence,
    Span,
    encode,
    shape,
    text_data,
    window,
    with_token_vectors,
    words_of,
)

needs_files = pytest.mark.skipif("MTL_DATA_DIR" not in os.environ, reason="MTL_DATA_DIR names no folder of real data")

SEMEVAL = (
    '1\t"The <e1>author</e1> of a keygen uses a <e2>hex editor</e2> ."\nInstrument-Agency(e2,e1)\nComment:\n\n'
    '2\t"A <e1>ridge</e1> rises from Peru\'s <e2>surge</e2>."\nOther\nComment: none\n\n'
)
CONLL = (
    "#doc 7\n"
    "0\tJohn\tB-Peop\t['N']\t[0]\n"
    "1\tBooth\tI-Peop\t['Kill']\t[4]\n"
    "2\tmet\tO\t['N']\t[2]\n"
    "3\tof\tO\t['N']\t[3]\n"
    "4\tLincoln\tB-Peop\t['Live_In']\t[5]\n"
    "5\tFord\tI-Loc\t['N']\t[5]\n"
)


def written(tmp_path, text):
    path = tmp_path / "file.txt"
    path.write_text(text)
    return path


def small_data(length=6, **options):
    first = Sentence(("Ann", "Lee", "runs", "Acme"), (Span(0, 2, "Person"), Span(3, 4, "Company")), (0, 1), "runs")
    second = Sentence(("Bob", "saw", "Ann"), (Span(0, 1, "Person"), Span(2, 3, "Person")), (1, 0), "saw", tagged=False)
    third = Sentence(("Zoe", "sleeps"), (Span(0, 1, "Person"),))
    splits = {"train": [first, second], "validation": [third], "test": [third, first]}
    return text_data("small", splits, ("runs", "saw"), ("Person", "Company"), length=length, minimum_count=1, **options)


def test_rows_hold_words_distances_tags_and_weights():
    data = small_data()
    assert words_of(data, data.train.inputs["tokens"][0]) == ["ann", "lee", "runs", "acme"]
    zero = FARTHEST + 2
    assert data.train.inputs["position_1"][0].tolist() == [zero, zero, zero + 1, zero + 2, 0, 0]
    assert data.train.inputs["position_2"][0].tolist() == [zero - 3, zero - 2, zero - 1, zero, 0, 0]
    assert data.train.inputs["position_1"][1].tolist() == [zero - 2, zero - 1, zero, 0, 0, 0]
    tags = data.tasks["entity"].classes
    assert [tags[tag] for tag in data.train.labels["entity"][0]] == ["B-Person", "I-Person", "O", "B-Company", "O", "O"]
    assert data.train.weights["entity"].tolist() == [[1, 1, 1, 1, 0, 0], [0] * 6]
    assert data.validation.weights["relation"].tolist() == [0]
    assert data.validation.inputs["position_1"][0].tolist() == [NO_PAIR, NO_PAIR, 0, 0, 0, 0]


def test_vocabulary_comes_from_the_training_split_alone():
    data = small_data(features=("tokens", "shape", "suffix"))
    assert "zoe" not in data.vocabularies["tokens"]
    assert data.validation.inputs["tokens"][0].tolist()[:1] == [1]
    assert data.validation.inputs["shape"][0, 0] == data.train.inputs["shape"][0, 0] > 1
    assert "bob" not in data.vocabularies["tokens"], "a row whose tags do not count is a repeat: it adds no words"


@pytest.mark.parametrize(("word", "pattern"), [("McKay-7", "XxXx-d"), ("USA", "X"), ("1,000", "d,d"), ("été", "x")])
def test_shape(word, pattern):
    assert shape(word) == pattern


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_a_window_keeps_the_pair_whenever_it_fits(draw):
    words = draw.draw(st.integers(4, 40))
    first = draw.draw(st.integers(0, words - 3))
    second = draw.draw(st.integers(first + 1, words - 2))
    length = draw.draw(st.integers(1, 45))
    spans = (Span(first, first + 1, "A"), Span(second, second + 2, "B"))
    sentence = Sentence(tuple(f"w{at}" for at in range(words)), spans, (0, 1), "r")
    cut = window(sentence, length)
    assert len(cut.words) == min(words, length)
    assert (cut.pair is not None) == (words <= length or second + 2 - first <= length)
    for span in cut.spans:
        original = spans["AB".index(span.kind)]
        assert cut.words[span.start : span.stop] == sentence.words[original.start : original.stop]


def test_cut_sentences_are_counted():
    assert "cut to 3 tokens: 1 of 2 train, 0 of 1 validation, 1 of 2 test" in small_data(length=3).notes[-1]
    with pytest.raises(ValueError, match="length=0"):
        small_data(length=0)
    with pytest.raises(ValueError, match="features"):
        small_data(features=("letters",))


def test_typed_sentences_are_encoded_like_the_data():
    data = small_data()
    sentence = Sentence(("Ann", "Lee", "runs", "Acme"), (Span(0, 2, ""), Span(3, 4, "")), (0, 1))
    for name, values in encode([sentence], data.vocabularies, 6).items():
        np.testing.assert_array_equal(values[0], data.train.inputs[name][0])


def test_token_vectors_are_one_more_input():
    data = small_data()
    vectors = {split: np.ones((len(getattr(data, split)), 6, 5)) for split in SPLITS}
    wide = with_token_vectors(data, vectors)
    assert wide.inputs["vectors"].shape == (6, 5)
    assert wide.train.inputs["vectors"][0, :, 0].tolist() == [1, 1, 1, 1, 0, 0]
    with pytest.raises(ValueError, match=r"vectors\['test'\]"):
        with_token_vectors(data, {**vectors, "test": np.ones((2, 7, 5))})


def test_semeval_is_read(tmp_path):
    first, second = read_semeval(written(tmp_path, SEMEVAL))
    assert first.words == ("The", "author", "of", "a", "keygen", "uses", "a", "hex", "editor", ".")
    assert [first.words[span.start : span.stop] for span in first.spans] == [("author",), ("hex", "editor")]
    assert (first.relation, second.relation) == ("Instrument-Agency(e2,e1)", "Other")
    assert second.words[-4:] == ("Peru", "'s", "surge", ".")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Instrument-Agency(e2,e1)", "Instrument-Agent", "line 2: unknown relation 'Instrument-Agent'"),
        ("<e1>author</e1>", "author", "line 1: the sentence has no words between <e1> and </e1>"),
        ("<e2>hex editor</e2>", "<e2></e2>", "line 1: the sentence has no words between <e2> and </e2>"),
        ('1\t"The', '\n1\t"The', "line 1: '' is not: number, tab"),
        ("Comment:\n", "", "line 3: expected a line 'Comment:"),
        ('1\t"', "one two ", "line 1: 'one two The <e1>author</e1> of a keygen "),
    ],
)
def test_semeval_names_the_line(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=re.escape(f"file.txt, {message}")):
        read_semeval(written(tmp_path, SEMEVAL.replace(old, new, 1)))


def test_semeval_refuses_crossed_nouns(tmp_path):
    crossed = SEMEVAL.replace("<e1>", "<e3>").replace("<e2>", "<e1>").replace("<e3>", "<e2>")
    crossed = crossed.replace("author</e1>", "author</e2>").replace("editor</e2>", "editor</e1>")
    with pytest.raises(ValueError, match="has to end before"):
        read_semeval(written(tmp_path, crossed))


def test_directions_merge():
    names, labels = without_direction(("Other", "Kill(e1,e2)", "Kill(e2,e1)"), np.array([2, 0, 1]))
    assert names == ("Other", "Kill")
    assert labels.tolist() == [1, 0, 1]


def test_conll04_is_read(tmp_path):
    (document,) = read_conll04(written(tmp_path, CONLL))
    assert document.spans == (Span(0, 2, "Peop"), Span(4, 5, "Peop"), Span(5, 6, "Loc"))
    assert document.relations == {(0, 1): "Kill(e1,e2)", (1, 2): "Live_In(e1,e2)"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("B-Peop", "B-Human", "line 2: unknown tag 'B-Human'"),
        ("\t[4]", "\t[4, 5]", "line 3: ['Kill'] and [4, 5] are not two lists"),
        ("'Kill'", "'Fight'", "line 3: unknown relation 'Fight'"),
        ("[4]", "[3]", "line 3: Kill joins tokens 1 and 3, of which one is no entity"),
        ("2\tmet\tO\t['N']\t[2]\n", "\n", "line 4: 1 columns, want 5"),
        ("#doc 7\n", "", 'line 1: "0'),
        ("#doc 7\n", "#doc 6\n0\tHi\tO\t['N']\t[0]\n#doc 7\n", "line 1: the sentence after '#doc' has no entity"),
    ],
)
def test_conll04_names_the_line(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=re.escape(f"file.txt, {message}")):
        read_conll04(written(tmp_path, CONLL.replace(old, new, 1)))


@needs_files
def test_real_semeval_has_its_counts():
    data = semeval2010_task8()
    assert [len(getattr(data, split)) for split in SPLITS] == [7200, 800, 2717]
    assert len(semeval2010_task8(validation=0).train) == 8000
    assert len(data.tasks["relation"].classes) == 19
    few = semeval2010_task8(rows=500)
    assert (len(few.train), len(few.validation)) == (500, 800)
    assert few.inputs["tokens"].size < data.inputs["tokens"].size / 5
    assert all(np.isin([1], rows.labels["entity"]).all() for rows in (data.train, data.test))
    with pytest.raises(ValueError, match="validation=8000"):
        semeval2010_task8(validation=8000)
    with pytest.raises(ValueError, match="rows=7201"):
        semeval2010_task8(rows=7201)


@needs_files
def test_real_conll04_has_its_counts():
    data = conll04(pairs=False)
    assert [len(getattr(data, split)) for split in SPLITS] == [910, 243, 288]
    pairs = conll04(features=("tokens",))
    assert [len(getattr(pairs, split)) for split in SPLITS] == [6180, 1449, 1911]
    for split in SPLITS:
        assert getattr(pairs, split).weights["entity"].sum() == getattr(data, split).weights["entity"].sum()
    assert int((pairs.test.labels["relation"] > 0).sum()) == 422
