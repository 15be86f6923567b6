"""The made-up corpus says what its labels say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.datasets import relation_corpus
from mtl_helpers.datasets.relation_corpus import GRAMMAR, KINDS, VAGUE, VAGUE_RELATIONS, Writer
from mtl_helpers.datasets.text import FARTHEST
from mtl_helpers.metrics import entities

HERE = FARTHEST + 2


@given(seed=st.integers(0, 10**6), difficulty=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_a_sentence_states_its_relation(seed, difficulty):
    sentence = Writer(np.random.default_rng(seed), difficulty, 20).sentence()
    kinds, ways = GRAMMAR[sentence.relation]
    assert tuple(sentence.spans[which].kind for which in sentence.pair) == kinds
    assert all(sentence.words[span.start].istitle() or "-" in sentence.words[span.start] for span in sentence.spans)
    plain = [way.replace("1", "").replace("2", "").split() for way in (*ways, *VAGUE)]
    assert any(set(words) <= set(sentence.words) for words in plain)


def test_no_two_relations_can_be_meant_by_the_same_vague_words():
    kinds = [GRAMMAR[relation][0] for relation in VAGUE_RELATIONS]
    assert len(set(kinds)) == len(kinds)
    ways = [(kinds, way) for kinds, ways in GRAMMAR.values() for way in ways]
    assert len(set(ways)) == len(ways)


def test_difficulty_adds_distractors_and_takes_hints_away():
    easy, hard = (relation_corpus(300, difficulty=difficulty, seed=0) for difficulty in (0.0, 1.0))

    def count(data):
        tags = np.array(data.tasks["entity"].classes)[data.train.labels["entity"]]
        return np.mean([len(entities(row)) for row in tags])

    assert count(easy) == 2.0
    assert count(hard) > 3.5


def test_test_split_holds_unseen_names_and_words():
    data = relation_corpus(2000, seed=1)
    rows = data.test
    named = rows.labels["entity"] > 0
    unknown = (rows.inputs["tokens"] == 1) & (rows.weights["entity"] > 0)
    assert 0.2 < unknown[named].mean() < 0.9
    assert unknown[~named].sum() > 0
    assert set(np.unique(data.train.labels["relation"])) == set(range(len(GRAMMAR)))
    assert len(GRAMMAR) == 10
    assert len(KINDS) == 5


def test_positions_point_at_entities():
    data = relation_corpus(200, seed=2)
    for name in ("position_1", "position_2"):
        assert (data.train.labels["entity"][data.train.inputs[name] == HERE] > 0).all()


def test_seed_decides(monkeypatch):
    first, again, other = relation_corpus(50), relation_corpus(50), relation_corpus(50, seed=5)
    np.testing.assert_array_equal(first.train.inputs["tokens"], again.train.inputs["tokens"])
    assert not np.array_equal(first.train.labels["relation"], other.train.labels["relation"])
    monkeypatch.setenv("MTL_SEED", "5")
    np.testing.assert_array_equal(relation_corpus(50).train.inputs["tokens"], other.train.inputs["tokens"])


@pytest.mark.parametrize("options", [{"rows": 5}, {"difficulty": 1.5}, {"names": 1}])
def test_arguments_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        relation_corpus(**options)
