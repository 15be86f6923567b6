"""The shared reader of entities and relations."""

from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.datasets import relation_corpus, task_pair, with_token_vectors
from mtl_helpers.datasets.base import SPLITS, Numeric, Task
from mtl_helpers.layers import decode_tags
from mtl_helpers.metrics import span_f1
from mtl_helpers.models import ner_relation, read_text, text_batches, text_losses
from mtl_helpers.models.ner_relation import _highest
from mtl_helpers.models.reading import similar_lengths
from mtl_helpers.study import study

SMALL = {"embedding_dim": 8, "feature_dim": 4, "lstm_units": 6, "tower_units": (8,)}


@pytest.fixture(scope="module")
def data():
    return relation_corpus(200, difficulty=0.3, seed=0)


def first_rows(data, count=3, length=None):
    inputs = {name: values[:count] for name, values in data.train.inputs.items()}
    return {name: values[:, :length] for name, values in inputs.items()} if length else inputs


@pytest.mark.parametrize("tagger", ["crf", "softmax"])
@pytest.mark.parametrize("positions", ["encoder", "head", "none"])
def test_padding_never_changes_a_score(data, positions, tagger):
    keras.utils.set_random_seed(0)
    pooling = "entities" if positions == "head" else "max"
    model = ner_relation(data, positions=positions, tagger=tagger, pooling=pooling, **SMALL)
    for weight in model.trainable_weights:
        weight.assign(np.random.default_rng(1).normal(0, 0.5, weight.shape))
    longest = int((data.train.inputs["tokens"][:3] > 0).sum(axis=1).max())
    labels = {name: values[:3] for name, values in data.train.labels.items()}
    weights = data.train.weights["entity"][:3]
    losses = text_losses(data, tagger)
    found = []
    for length in (longest, data.inputs["tokens"].length):
        outputs = model(first_rows(data, 3, length))
        tables = outputs["entity"]
        found.append(
            (
                outputs["relation"],
                losses["relation"](labels["relation"], outputs["relation"]),
                losses["entity"](labels["entity"][:, :length], tables, sample_weight=weights[:, :length]),
                (decode_tags(tables) if tagger == "crf" else np.argmax(tables, -1) * weights[:, :length])[:, :longest],
            )
        )
    for short, long in zip(*found, strict=True):
        np.testing.assert_allclose(short, long, atol=1e-5)


def test_padding_is_never_the_highest_state():
    states, tokens = -np.random.default_rng(0).random((3, 5, 4), "float32"), np.array([5, 3, 1])
    present = np.arange(5) < tokens[:, None]
    highest = _highest(np.where(present[:, :, None], states, 0), present)  # the LSTM gives 0 at padding
    for row, count in enumerate(tokens):
        np.testing.assert_array_equal(highest[row], states[row, :count].max(axis=0))


def test_positions_reach_the_tags_through_the_encoder_alone(data):
    """The leak of chapter 09: with positions in the encoder, moving the pair moves the tags' scores."""
    moved = first_rows(data)
    moved = {**moved, "position_1": np.where(moved["position_1"] > 0, 40, 0).astype("int32")}
    for positions, sees in (("encoder", True), ("head", False), ("none", False)):
        model = ner_relation(data, positions=positions, **SMALL)
        before, after = model(first_rows(data)), model(moved)
        assert np.allclose(before["entity"], after["entity"]) != sees
        assert np.allclose(before["relation"], after["relation"]) == (positions == "none")


def test_each_task_alone(data):
    for task in data.tasks:
        alone = data.with_tasks([task])
        model = ner_relation(alone, **SMALL)
        model.compile("adam", loss=text_losses(alone))
        rows = data.train.take(slice(0, 3))
        assert set(model(rows.inputs)) == {task} == set(read_text(model, alone, alone.test))
        assert model.compute_loss(rows.inputs, {task: rows.labels[task]}, model(rows.inputs)) > 0


def test_a_study_trains_it_seed_by_seed_and_says_so(data, capsys):
    few = data.with_rows(lambda rows: rows.take(slice(0, 20)))
    build = partial(ner_relation, **SMALL)
    found = study({"joint": build}, few, seeds=1, epochs=1, losses=text_losses(few), progress=False)
    assert "layer 'shared_encoder' is recurrent" in capsys.readouterr().out
    scores = found.scores().set_index("task")["value"]
    assert set(scores.index) == {"relation", "entity"}
    assert scores.between(0, 1).all()


def test_learns_both_tasks():
    data = relation_corpus(200, difficulty=0.0, seed=0)
    keras.utils.set_random_seed(0)
    model = ner_relation(data, dropout=0.1, lstm_units=24, tower_units=(24,), embedding_dim=24, feature_dim=8)
    model.compile(keras.optimizers.Adam(0.02), loss=text_losses(data), loss_weights={"relation": 1.0, "entity": 1.0})
    model.fit(text_batches(data.train, 16, seed=0), epochs=12, verbose=0, shuffle=False)
    read = read_text(model, data, data.train)
    assert np.mean(read["relation"] == data.train.labels["relation"]) > 0.6
    tags = data.tasks["entity"].classes
    assert span_f1(data.train.labels["entity"], read["entity"], tags, data.train.weights["entity"]) > 0.6


def test_batches_hold_every_row_once_and_are_cut(data):
    batches = list(text_batches(data.train, 16, seed=0))
    seen = np.concatenate([labels["relation"] for _, labels, _ in batches])
    np.testing.assert_array_equal(np.bincount(seen), np.bincount(data.train.labels["relation"]))
    assert len(batches) == len(text_batches(data.train, 16, seed=0)) == 8
    widths = {inputs["tokens"].shape[1] for inputs, _, _ in batches}
    assert len(widths) > 1
    assert all((np.asarray(inputs["tokens"])[:, -1] > 0).any() for inputs, _, _ in batches)
    with pytest.raises(ValueError, match="batch_size=0"):
        text_batches(data.train, 0, seed=0)


def test_precomputed_vectors_and_any_encoder(data):
    rng = np.random.default_rng(0)
    vectors = {split: rng.normal(size=(len(getattr(data, split)), 32, 12)) for split in SPLITS}
    wide = with_token_vectors(data, vectors)
    only_vectors = ner_relation(wide, encoder=lambda inputs: inputs["vectors"], **SMALL)
    assert "tokens_embedding" not in {layer.name for layer in only_vectors.layers}
    both = ner_relation(wide, **SMALL)
    assert both.count_params() > only_vectors.count_params()
    shared = keras.layers.Embedding(data.inputs["tokens"].size, 5, name="given")
    custom = ner_relation(data, encoder=lambda inputs: shared(inputs["tokens"]), **SMALL)
    assert custom.get_layer("given") is shared
    only_vectors.compile(keras.optimizers.Adam(0.01), loss=text_losses(wide))
    losses = only_vectors.fit(text_batches(wide.train, 64, seed=0), epochs=3, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < losses[0]
    rows = first_rows(wide)
    one, other = (both({**rows, "vectors": rows["vectors"] + shift})["relation"] for shift in (0, 1))
    assert np.abs(one - other).max() > 1e-4
    assert read_text(both, wide, wide.test)["entity"].shape == (40, 32)


@pytest.mark.parametrize(("argument", "value"), [("positions", "tags"), ("tagger", "hmm"), ("pooling", "mean")])
def test_unknown_choices_are_named(data, argument, value):
    with pytest.raises(ValueError, match=f"{argument}='{value}'"):
        ner_relation(data, **{argument: value})


def test_towers_are_named_and_checked_as_everywhere(data):
    with pytest.raises(ValueError, match=r"tower_units=64 is a number; give one width a layer, for instance \(64,\)"):
        ner_relation(data, tower_units=64)
    deep = ner_relation(data, **{**SMALL, "tower_units": (8, 5)})
    assert deep.get_layer("relation").kernel.shape[0] == 5


def test_losses_of_another_tagger_are_refused(data):
    with pytest.raises(ValueError, match="tagger='x'; choose from"):
        text_losses(data, "x")
    with pytest.raises(ValueError, match=r"y_pred=\(2, 5, 3\) is no table.*tagger='softmax'"):
        text_losses(data)["entity"](np.zeros((2, 5), int), np.zeros((2, 5, 3)))


def test_data_without_text_is_refused(data):
    with pytest.raises(ValueError, match="give text data"):
        ner_relation(task_pair(rows=100))
    with pytest.raises(ValueError, match=r"inputs\['price'\] holds Numeric"):
        ner_relation(replace(data, inputs={**data.inputs, "price": Numeric(("price",))}, **with_price(data)))
    with pytest.raises(ValueError, match="of kind 'regression'"):
        ner_relation(replace(data, tasks={**data.tasks, "relation": Task("regression")}))


def with_price(data):
    rows = {split: getattr(data, split) for split in SPLITS}
    return {
        split: replace(each, inputs={**each.inputs, "price": np.ones((len(each), 1))}) for split, each in rows.items()
    }


@given(rows=st.integers(1, 300), batch_size=st.integers(1, 40), seed=st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_drawn_batches_hold_every_row_once(rows, batch_size, seed):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 50, rows)
    batches = similar_lengths(lengths, batch_size, rng)
    assert sorted(np.concatenate(batches).tolist()) == list(range(rows))
    assert len(batches) == -(-rows // batch_size)
    cut, full = sum(len(batch) * lengths[batch].max() for batch in batches), rows * lengths.max()
    assert cut <= full
