"""Each layer computes what its formula says."""

import mtl_helpers.quiet  # noqa: F401

import itertools
import json

import hypothesis.extra.numpy as arrays
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.layers import (
    ConditionalRandomField,
    CrossStitch,
    CustomizedGateControl,
    FactorizationMachine,
    FeatureEmbedding,
    MixtureOfExperts,
    ParallelDense,
    PerCopy,
    SelectColumns,
    SoftSharingPenalty,
    pair_sum,
)
from mtl_helpers.seeds import course_seed


def numbers(*shape, seed=0):
    return np.random.default_rng(course_seed(seed)).normal(size=shape).astype("float32")


@pytest.mark.parametrize("kind", ["glorot_uniform", "he_normal"])
def test_stacked_kernels_start_like_separate_dense_layers(kind):
    keras.utils.set_random_seed(course_seed())
    initializer = keras.initializers.get(kind)
    stacked = np.array(PerCopy(initializer)((200, 4, 50)))
    keras.utils.set_random_seed(course_seed())
    keras.initializers.get(kind)  # draws a seed, as above
    separate = np.stack([keras.initializers.get(kind)((200, 50)) for _ in range(4)], axis=1)
    np.testing.assert_array_equal(stacked, separate)
    assert not np.allclose(stacked[:, 0], stacked[:, 1])
    came_back = PerCopy.from_config(PerCopy(kind).get_config())
    assert type(came_back.initializer) is type(initializer)
    wanted = {"glorot_uniform": np.sqrt(2 / 250), "he_normal": np.sqrt(2 / 200)}[kind]
    assert stacked.std(axis=(0, 2)) == pytest.approx([wanted] * 4, rel=0.05)


@pytest.mark.parametrize("shape", [(8, 6), (8, 3, 6)], ids=["one input", "an input a copy"])
def test_parallel_dense_equals_separate_dense_layers(shape):
    layer = ParallelDense(3, 5, "tanh")
    x = numbers(*shape)
    layer(x)
    assert (np.array(layer.bias) == 0).all()
    layer.bias.assign(numbers(3, 5, seed=1))
    for copy in range(3):
        dense = keras.layers.Dense(5, "tanh")
        mine = x if x.ndim == 2 else x[:, copy]
        dense(mine)
        dense.set_weights([np.array(layer.kernel)[:, copy], np.array(layer.bias)[copy]])
        np.testing.assert_allclose(layer(x)[:, copy], dense(mine), atol=1e-5)


def test_feature_embedding_is_a_table_a_column():
    layer = FeatureEmbedding((4, 3, 2), dim=5)
    x = np.array([[0, 0, 0], [3, 2, 1], [1, 2, 0]])
    vectors, table = np.array(layer(x)), np.split(np.array(layer.table), [4, 7])
    for row, column in itertools.product(range(3), range(3)):
        np.testing.assert_array_equal(vectors[row, column], table[column][x[row, column]])


def test_a_number_that_a_column_does_not_have_counts_as_unseen():
    layer = FeatureEmbedding((4, 3), dim=2)
    np.testing.assert_array_equal(layer(np.array([[4, -1], [99, 3]])), layer(np.array([[0, 0], [0, 0]])))


def test_embedding_copies_are_tables_of_their_own():
    layer = FeatureEmbedding((4, 3), dim=2, copies=3)
    x = np.array([[1, 2], [3, 0]])
    vectors = np.array(layer(x))
    for copy in range(3):
        alone = FeatureEmbedding((4, 3), dim=2)
        alone(x)
        alone.table.assign(np.array(layer.table)[:, copy])
        np.testing.assert_array_equal(vectors[:, copy], alone(x))


def test_select_columns_keeps_order_and_type():
    picked = SelectColumns([2, 0])(np.array([[5, 6, 7]], "int32"))
    assert picked.numpy().tolist() == [[7, 5]]
    assert picked.dtype == "int32"


@settings(deadline=None, max_examples=30)
@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=st.floats(-3, 3)))
def test_pair_sum_is_the_sum_over_pairs(vectors):
    brute = sum(a @ b for a, b in itertools.combinations(vectors, 2))
    assert float(pair_sum(vectors)) == pytest.approx(brute, abs=1e-9)


def machine(**arguments):
    """A factorization machine with random weights, and what it gives for x by the formula, pair by pair."""
    layer = FactorizationMachine(**arguments)

    def brute(x):
        bias, linear, factors = (np.array(weight) for weight in (layer.bias, layer.linear, layer.factors))
        wanted = bias + x @ linear
        for unit in range(layer.units):
            v = factors[:, unit * layer.dim : (unit + 1) * layer.dim]
            for i, j in itertools.combinations(range(x.shape[1]), 2):
                wanted[:, unit] += (v[i] @ v[j]) * x[:, i] * x[:, j]
        return wanted

    return layer, brute


def randomise(layer):
    for position, weight in enumerate(layer.weights):
        weight.assign(numbers(*weight.shape, seed=position))


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 3))
def test_machine_on_numbers_equals_the_pair_loop(features, dim, units):
    layer, brute = machine(dim=dim, units=units)
    x = numbers(4, features)
    layer(x)
    randomise(layer)
    np.testing.assert_allclose(layer(x), brute(x), rtol=1e-3, atol=1e-3)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 2), st.integers(0, 99))
def test_machine_on_categories_equals_the_pair_loop_over_their_indicators(sizes, numeric, seed):
    layer, brute = machine(dim=3, sizes=sizes, units=2)
    random = np.random.default_rng(seed)
    categories = np.stack([random.integers(0, size, 5) for size in sizes], axis=1)
    x = random.normal(size=(5, numeric)).astype("float32")
    indicators = np.concatenate([np.eye(n, dtype="float32")[categories[:, i]] for i, n in enumerate(sizes)], axis=1)
    inputs = [categories, x] if numeric else categories
    layer(inputs)
    randomise(layer)
    np.testing.assert_allclose(layer(inputs), brute(np.concatenate([indicators, x], axis=1)), rtol=1e-3, atol=1e-3)


def test_the_vectors_a_machine_returns_make_its_pair_sum():
    layer = FactorizationMachine(dim=3, sizes=(4, 2), return_vectors=True)
    inputs = [np.array([[1, 1], [3, 0]]), numbers(2, 3)]
    layer(inputs)
    layer.factors.assign(numbers(9, 3))
    score, vectors = layer(inputs)
    np.testing.assert_allclose(score[:, 0], pair_sum(vectors), atol=1e-5)  # linear terms start at zero


def test_a_machine_without_vectors_is_linear():
    layer = FactorizationMachine(dim=0)
    x = numbers(5, 4)
    layer(x)
    layer.linear.assign(numbers(4, 1))
    layer.bias.assign([0.5])
    np.testing.assert_allclose(layer(x), x @ numbers(4, 1) + 0.5, atol=1e-5)


def test_cross_stitch_mixes_by_its_matrix():
    x = numbers(4, 3, 5)
    np.testing.assert_allclose(CrossStitch(own=1.0)(x), x)
    layer = CrossStitch(own=0.8)
    layer(x)
    np.testing.assert_allclose(layer.alpha, 0.7 * np.eye(3) + 0.1, atol=1e-6)
    layer.alpha.assign(numbers(3, 3))
    mixed = sum(np.array(layer.alpha)[:, j][:, None] * x[:, [j]] for j in range(3))
    np.testing.assert_allclose(layer(x), mixed, atol=1e-5)


def test_soft_sharing_penalty_by_hand():
    weights = np.array([[1.0, 2.0], [3.0, 2.0], [1.0, 1.0]], "float32")  # distances: 2,0  0,1  2,1
    assert float(SoftSharingPenalty(0.5, "l2")(weights)) == pytest.approx(0.5 * (4 + 1 + 5))
    assert float(SoftSharingPenalty(0.5, "l1")(weights)) == pytest.approx(0.5 * (2 + 1 + 3))
    assert float(SoftSharingPenalty(9.0)(np.ones((7, 3, 5), "float32"))) == 0
    assert float(SoftSharingPenalty(1.0)(np.stack([weights] * 4))) == pytest.approx(4 * 10)  # summed over the inputs


X, IDS = numbers(4, 6), np.array([[1, 2, 0]] * 4)
LAYERS = [
    (ParallelDense(3, 5, "relu", kernel_regularizer=SoftSharingPenalty(0.1)), X),
    (FeatureEmbedding((3, 4, 5), 2), IDS),
    (FeatureEmbedding((3, 4, 5), 2, copies=2, regularizer=SoftSharingPenalty(0.1, "l1")), IDS),
    (SelectColumns([1, 0]), IDS),
    (FactorizationMachine(2, units=3), X),
    (FactorizationMachine(2, sizes=(3, 4, 5)), IDS),
    (FactorizationMachine(2, sizes=(3, 4, 5), return_vectors=True), [IDS, X]),
    (CrossStitch(0.7), numbers(4, 3, 6)),
    (MixtureOfExperts(4, (8, 5), ("a", "b"), temperature=2.0, load_balancing=0.1), X),
    (CustomizedGateControl(2, (1, 3), (5,), ("a", "b"), shared_gate=True), [X, X, X]),
    (CustomizedGateControl(2, 1, (5,), ("a", "b"), gate_dropout=0.2), [X, X, X]),
    (ConditionalRandomField(3), numbers(4, 5, 3)),
]


@pytest.mark.parametrize(("layer", "inputs"), LAYERS, ids=lambda part: getattr(part, "name", ""))
def test_config_and_shapes(layer, inputs):
    outputs = layer(inputs)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    copy(inputs)
    assert copy.get_config() == layer.get_config()
    copy.set_weights(layer.get_weights())
    shapes = [n for each in keras.tree.flatten(outputs) for n in each.shape]
    for one, other in zip(keras.tree.flatten(outputs), keras.tree.flatten(copy(inputs)), strict=True):
        np.testing.assert_array_equal(one, other)
    rebuilt = type(layer).from_config(layer.get_config())
    rebuilt.build_from_config(json.loads(json.dumps(layer.get_build_config())))  # as a file has it: shapes are lists
    assert [each.shape for each in rebuilt.weights] == [each.shape for each in layer.weights]
    symbolic = keras.tree.map_structure(lambda x: keras.KerasTensor(x.shape, x.dtype.name), inputs)
    computed = layer.compute_output_spec(symbolic)
    assert [n for each in keras.tree.flatten(computed) for n in each.shape] == shapes


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ParallelDense(0, 4), "copies=0"),
        (lambda: ParallelDense(2, 4)(numbers(3, 5, 6)), "copies=2"),
        (lambda: FeatureEmbedding((), 4), "sizes="),
        (lambda: FeatureEmbedding((3, 0), 4), "sizes="),
        (lambda: FeatureEmbedding((3,), 0), "dim=0"),
        (lambda: FeatureEmbedding((3, 4), 2)(IDS), "3 columns"),
        (lambda: SelectColumns([1, 3])(IDS), r"no \[3\]"),
        (lambda: FactorizationMachine(-1), "dim=-1"),
        (lambda: FactorizationMachine(0, return_vectors=True), "dim=0"),
        (lambda: FactorizationMachine(2, sizes=(3, 4))(IDS), "give a column a size"),
        (lambda: FactorizationMachine(2)([IDS, IDS]), "give a column a size"),
        (lambda: FactorizationMachine(2, sizes=(3,))([IDS]), "a list of 1"),
        (lambda: ParallelDense(2, 4)(numbers(1, 2, 5, 6)), "4 axes; give 2 or 3"),
        (lambda: CrossStitch()(numbers(3, 5)), "2 axes; give 3"),
        (lambda: SoftSharingPenalty(float("nan")), "strength=nan"),
        (lambda: CrossStitch(1.5), "own=1.5"),
        (lambda: SoftSharingPenalty(-1.0), "strength=-1.0"),
        (lambda: SoftSharingPenalty(1.0, "l3"), "norm='l3'"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
