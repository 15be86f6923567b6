"""The conditional random field against enumeration of all tag sequences."""

import gc
import itertools
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.layers import (
    ConditionalRandomField,
    CRFNegativeLogLikelihood,
    decode_tags,
    tag_log_probability,
    tag_marginals,
    token_mask,
)
from mtl_helpers.metrics import accuracy


def field(classes, seed, scale=1.0):
    """A field with random transition, start and end scores."""
    crf = ConditionalRandomField(classes)
    crf.build((None, None, classes))
    rng = np.random.default_rng(seed)
    crf.set_weights([scale * rng.normal(size=weight.shape).astype("float32") for weight in crf.get_weights()])
    return crf


def enumerate_paths(crf, scores):
    """Every tag sequence of one unpadded sentence with its score, in float64."""
    transitions, start, end = (np.asarray(weight, "float64") for weight in crf.get_weights())
    paths = list(itertools.product(range(scores.shape[1]), repeat=len(scores)))

    def score(path):
        singles = sum(scores[position, tag] for position, tag in enumerate(path))
        return start[path[0]] + end[path[-1]] + singles + sum(transitions[pair] for pair in itertools.pairwise(path))

    return np.array(paths), np.array([score(path) for path in paths])


@given(
    seed=st.integers(0, 10**6), classes=st.integers(2, 4), lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3)
)
@settings(max_examples=25, deadline=None)
def test_everything_equals_enumeration_over_all_paths(seed, classes, lengths):
    crf, longest = field(classes, seed), max(lengths) + seed % 2
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, (len(lengths), longest, classes)).astype("float32")
    mask = np.arange(longest)[None] < np.array(lengths)[:, None]
    tags = rng.integers(0, classes, mask.shape)
    tables = crf(scores, mask=mask)
    np.testing.assert_array_equal(token_mask(tables), mask)
    for row, length in enumerate(lengths):
        paths, path_scores = enumerate_paths(crf, scores[row, :length].astype("float64"))
        total = np.logaddexp.reduce(path_scores)
        chances = np.exp(path_scores - total)
        np.testing.assert_allclose(crf.log_partition(scores, mask)[row], total, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(
            decode_tags(tables)[row], [*paths[path_scores.argmax()], *[0] * (longest - length)]
        )
        marginals = np.einsum("p,ptc->tc", chances, np.eye(classes)[paths])
        np.testing.assert_allclose(tag_marginals(tables)[row, :length], marginals, atol=1e-5)
        np.testing.assert_array_equal(tag_marginals(tables)[row, length:], 0)
        own = path_scores[(paths == tags[row, :length]).all(axis=1).argmax()]
        np.testing.assert_allclose(crf.score(scores, tags, mask)[row], own, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(np.sum(tag_log_probability(tags, tables)[row]), own - total, rtol=1e-5, atol=1e-4)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_gradient_is_expected_minus_true_counts(seed):
    crf, rng = field(3, seed), np.random.default_rng(seed)
    scores = tf.Variable(rng.normal(size=(2, 4, 3)).astype("float32"))
    mask = np.array([[True] * 4, [True, True, True, False]])
    tags = rng.integers(0, 3, (2, 4))
    with tf.GradientTape() as tape:
        tables = crf(scores, mask=mask)
        loss = -tf.reduce_sum(tag_log_probability(tags, tables))
    by_scores, by_transitions, by_end = tape.gradient(loss, [scores, crf.transitions.value, crf.end.value])
    marginals = tag_marginals(tables).numpy()
    truth = np.eye(3)[tags] * mask[:, :, None]
    np.testing.assert_allclose(by_scores, marginals - truth, atol=1e-5)
    pairs = np.einsum("bti,btij->ij", marginals[:, :-1], np.exp(tables[:, 1:]) * mask[:, 1:, None, None])
    np.testing.assert_allclose(by_transitions, pairs - np.einsum("bti,btj->ij", truth[:, :-1], truth[:, 1:]), atol=1e-5)
    ends = (marginals - truth)[[0, 1], [3, 2]].sum(axis=0)
    np.testing.assert_allclose(by_end, ends, atol=1e-5)


def test_long_sentences_with_large_scores_stay_exact():
    crf, rng = field(5, 1, scale=50.0), np.random.default_rng(0)
    scores = rng.uniform(-100, 100, (1, 200, 5)).astype("float32")
    transitions, start, end = (np.asarray(weight, "float64") for weight in crf.get_weights())
    forward = start + scores[0, 0]
    for row in scores[0, 1:].astype("float64"):
        forward = np.logaddexp.reduce(forward[:, None] + transitions + row, axis=0)
    tables = crf(scores)
    assert np.isfinite(tables).all()
    best = decode_tags(tables)
    expected = float(crf.score(scores, best)[0]) - np.logaddexp.reduce(forward + end)
    np.testing.assert_allclose(np.sum(tag_log_probability(best, tables)), expected, atol=2e-2)
    np.testing.assert_allclose(np.sum(tag_marginals(tables), axis=-1), 1, atol=1e-4)
    with tf.GradientTape() as tape:
        loss = CRFNegativeLogLikelihood()(rng.integers(0, 5, (1, 200)), crf(scores))
    assert all(
        np.isfinite(gradient).all() for gradient in tape.gradient(loss, [crf.transitions.value, crf.start.value])
    )


@given(seed=st.integers(0, 10**6), extra=st.integers(1, 6))
@settings(max_examples=10, deadline=None)
def test_padding_never_changes_a_score(seed, extra):
    crf, rng = field(4, seed), np.random.default_rng(seed)
    scores = rng.normal(size=(2, 5, 4)).astype("float32")
    tags = rng.integers(0, 4, (2, 5))
    wide = np.concatenate([scores, rng.normal(size=(2, extra, 4)).astype("float32")], axis=1)
    mask = np.arange(5 + extra)[None] < np.array([[5], [5]])
    short, long = crf(scores), crf(wide, mask=mask)
    loss = CRFNegativeLogLikelihood()
    other = np.concatenate([tags, rng.integers(0, 4, (2, extra))], axis=1)
    np.testing.assert_allclose(loss(tags, short), loss(other, long), atol=1e-5)
    np.testing.assert_array_equal(decode_tags(short), decode_tags(long)[:, :5])
    np.testing.assert_allclose(tag_marginals(short), tag_marginals(long)[:, :5], atol=1e-5)


def test_accuracy_reads_tables_as_their_best_sequence():
    crf = field(3, seed=2, scale=3.0)
    scores = np.random.default_rng(0).normal(size=(20, 6, 3)).astype("float32")
    tables, tags = crf(scores), np.random.default_rng(1).integers(0, 3, (20, 6))
    assert accuracy(tags, tables) == pytest.approx(np.mean(decode_tags(tables).numpy() == tags))
    assert (decode_tags(tables).numpy() != scores.argmax(axis=-1)).any()
    assert accuracy(decode_tags(tables).numpy(), tables) == 1


def test_loss_leaves_weightless_and_empty_sentences_out():
    crf, loss = field(3, 0), CRFNegativeLogLikelihood()
    scores = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    tags = np.array([[0, 1, 2, 0], [2, 2, 1, 0]])
    alone = loss(tags[:1], crf(scores[:1]))
    np.testing.assert_allclose(loss(tags, crf(scores), sample_weight=np.array([1.0, 0.0])), alone, atol=1e-6)
    padding = np.array([[True] * 4, [False] * 4])
    np.testing.assert_allclose(loss(tags, crf(scores, mask=padding)), alone, atol=1e-6)
    assert float(loss(tags, crf(scores), sample_weight=np.zeros(2))) == 0.0


def test_learned_transitions_forbid_what_never_happens():
    """Tags that alternate are decoded as alternating even where the scores say nothing."""
    inputs = keras.Input((6, 2))
    model = keras.Model(inputs, {"tags": ConditionalRandomField(2)(inputs)})
    model.compile(keras.optimizers.Adam(0.3), loss={"tags": CRFNegativeLogLikelihood()}, jit_compile=True)
    model.fit(np.zeros((64, 6, 2), "float32"), {"tags": np.tile([0, 1] * 3, (64, 1))}, epochs=20, verbose=0)
    unclear = np.zeros((1, 6, 2), "float32")
    unclear[0, 3, 0] = 1.0
    assert decode_tags(model(unclear)["tags"]).numpy().tolist() == [[0, 1, 0, 1, 0, 1]]


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_a_loaded_model_has_its_mask_and_its_loss(tmp_path):
    tokens = keras.Input((5,), dtype="int32", name="tokens")
    hidden = keras.layers.Embedding(9, 4, mask_zero=True)(tokens)
    scores = keras.layers.Dense(3)(hidden)
    model = keras.Model({"tokens": tokens}, {"entity": ConditionalRandomField(3, name="entity")(scores)})
    model.compile("adam", loss={"entity": CRFNegativeLogLikelihood()})
    rows = {"tokens": np.array([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]], "int32")}
    labels = {"entity": np.array([[0, 1, 2, 0, 0], [2, 1, 0, 1, 2]], "int32")}
    model.fit(rows, labels, epochs=3, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    tables = loaded.predict(rows, verbose=0)["entity"]
    np.testing.assert_allclose(tables, model.predict(rows, verbose=0)["entity"], atol=1e-6)
    assert token_mask(tables).numpy().tolist() == [[True] * 3 + [False] * 2, [True] * 5]
    assert loaded.evaluate(rows, labels, verbose=0) == pytest.approx(model.evaluate(rows, labels, verbose=0))


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="classes=1"):
        ConditionalRandomField(1)
    with pytest.raises(ValueError, match=r"Dense\(4\)"):
        ConditionalRandomField(4)(np.zeros((1, 2, 3), "float32"))
    with pytest.raises(ValueError, match="2 axes; give 3"):
        ConditionalRandomField(3)(np.zeros((2, 3), "float32"))


def test_scores_that_diverged_are_no_padding():
    tables = ConditionalRandomField(3)(np.full((1, 2, 3), np.nan, "float32"))
    assert np.isnan(CRFNegativeLogLikelihood()(np.zeros((1, 2), int), tables))


def test_a_program_with_a_field_is_forgotten():
    """TensorFlow's list of gradients would keep every graph with a field for ever."""
    crf, scores = field(3, 0), tf.zeros((1, 4, 3))

    def slope():
        with tf.GradientTape() as tape:
            tape.watch(scores)
            loss = CRFNegativeLogLikelihood()(tf.zeros((1, 4), tf.int32), crf(scores))
        return tape.gradient(loss, scores)

    program = tf.function(slope, autograph=False).get_concrete_function()
    np.testing.assert_allclose(program(), slope(), atol=1e-6)
    graph = weakref.ref(program.graph)
    del program
    gc.collect()
    assert graph() is None
