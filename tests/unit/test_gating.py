"""Gates sum to 1, see what they may see, and carry gradients only where they should."""

import mtl_helpers.quiet  # noqa: F401

import hypothesis.extra.numpy as arrays
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.layers import CustomizedGateControl, MixtureOfExperts, gate_weights, load_imbalance
from mtl_helpers.seeds import course_seed

LOGITS = arrays.arrays(np.float32, (3, 2, 5), elements=st.floats(-30, 30, width=32))
MASKS = arrays.arrays(bool, (2, 5)).map(lambda mask: mask | np.eye(2, 5, dtype=bool))


def numbers(*shape):
    return np.random.default_rng(course_seed()).normal(size=shape).astype("float32")


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@settings(deadline=None, max_examples=30)
@given(LOGITS, MASKS, st.floats(0.1, 10), st.sampled_from([0.0, 0.5, 0.95]))
def test_gates_sum_to_one_over_what_they_may_use(logits, allowed, temperature, dropout):
    seed = keras.random.SeedGenerator(1)
    weights = np.array(gate_weights(logits, allowed, temperature, dropout, seed))
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)
    assert (weights[:, ~allowed] == 0).all()
    if not dropout:
        for gate in range(2):
            mine = softmax(logits[:, gate, allowed[gate]] / np.float32(temperature))
            np.testing.assert_allclose(weights[:, gate, allowed[gate]], mine, atol=1e-5)


def test_the_mask_comes_before_the_softmax():
    logits = np.array([[[0.0, 1.0, 50.0]]], "float32")
    weights = np.array(gate_weights(logits, np.array([[True, True, False]])))
    np.testing.assert_allclose(weights[0, 0], [*softmax(np.array([0.0, 1.0])), 0], rtol=1e-6)  # after it: 0, 0, 0


def test_temperature_goes_from_one_expert_to_all_of_them():
    logits = np.array([[[0.5, 1.0, -1.0, 0.9]]], "float32")
    np.testing.assert_allclose(gate_weights(logits, temperature=1e-3)[0, 0], [0, 1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(gate_weights(logits, temperature=1e4)[0, 0], [0.25] * 4, atol=1e-3)


def test_gate_dropout_drops_its_share_renormalises_and_keeps_one():
    logits = np.tile(np.array([0.0, 1.0, 2.0, 3.0], "float32"), (4000, 1, 1))
    seed = keras.random.SeedGenerator(course_seed())
    weights = np.array(gate_weights(logits, dropout=0.3, seed=seed))[:, 0]
    kept = weights > 0
    assert abs(kept.mean() - (0.7 + 0.3**4 / 4)) < 0.02  # where all four would go, one of them stays
    full = softmax(np.array([0.0, 1.0, 2.0, 3.0]))
    np.testing.assert_allclose(weights, kept * full / (kept * full).sum(axis=1, keepdims=True), atol=1e-6)
    alone = np.array(gate_weights(logits, dropout=0.999, seed=seed))[:, 0] > 0
    assert (alone.sum(axis=1) >= 1).all()
    assert (alone.mean(axis=0) > 0.2).all()  # the one that stays is not always the same


def test_dropout_never_keeps_only_what_is_masked():
    allowed = np.array([[False, False, True]])
    seed = keras.random.SeedGenerator(1)
    weights = np.array(gate_weights(np.zeros((500, 1, 3), "float32"), allowed, dropout=0.9, seed=seed))
    assert (weights[..., :2] == 0).all()
    np.testing.assert_allclose(weights[..., 2], 1, rtol=1e-6)


def test_gates_lose_experts_only_in_training():
    layer = MixtureOfExperts(4, (3,), ("a",), gate_dropout=0.5)
    x = numbers(64, 6)
    np.testing.assert_array_equal(layer(x)[1], layer(x, training=False)[1])
    assert (np.array(layer(x, training=True)[1]) == 0).any()
    assert not (np.array(layer(x)[1]) == 0).any()


@settings(deadline=None, max_examples=30)
@given(LOGITS)
def test_load_imbalance_is_smallest_when_loads_are_equal(logits):
    weights = softmax(logits.astype("float64"))
    load = weights.mean(axis=(0, 1))
    value = float(load_imbalance(weights))
    assert value == pytest.approx(load.var() / load.mean() ** 2, abs=1e-6)  # the squared coefficient of variation
    balanced = np.stack([np.roll(weights, shift, axis=-1) for shift in range(5)]).reshape(-1, 2, 5)
    assert -1e-6 < float(load_imbalance(balanced)) < 1e-6 <= value + 1e-5
    assert float(load_imbalance(np.eye(5)[[[0]]])) == pytest.approx(4)


def test_the_load_balancing_penalty_is_added_in_training_only():
    layer = MixtureOfExperts(4, (3,), ("a", "b"), load_balancing=0.5)
    x = numbers(32, 6)
    _, weights = layer(x, training=True)
    assert float(layer.losses[0]) == pytest.approx(0.5 * float(load_imbalance(weights)))
    layer(x)
    assert layer.losses == []


def test_mmoe_equals_numpy():
    layer = MixtureOfExperts(3, (5, 4), ("a", "b"), temperature=0.7)
    x = numbers(8, 6)
    layer(x)
    (first, second), gates = layer.expert_layers, np.array(layer.gate_layer.kernel)
    for layer_part in (first, second):
        layer_part.bias.assign(numbers(*layer_part.bias.shape))
    mixed, weights = layer(x)
    for gate in range(2):
        wanted = softmax(x @ gates[:, gate] / 0.7)
        np.testing.assert_allclose(weights[:, gate], wanted, atol=1e-5)
        total = 0
        for expert in range(3):
            h = np.maximum(x @ np.array(first.kernel)[:, expert] + np.array(first.bias)[expert], 0)
            h = np.maximum(h @ np.array(second.kernel)[:, expert] + np.array(second.bias)[expert], 0)
            total = total + wanted[:, expert : expert + 1] * h
        np.testing.assert_allclose(mixed[:, gate], total, atol=1e-5)


def test_one_gate_is_mmoe_with_tied_gates():
    one, many = MixtureOfExperts(4, (3,), ("shared",)), MixtureOfExperts(4, (3,), ("a", "b"))
    x = numbers(8, 6)
    one(x), many(x)
    many.expert_layers[0].set_weights(one.expert_layers[0].get_weights())
    many.gate_layer.kernel.assign(np.repeat(np.array(one.gate_layer.kernel), 2, axis=1))
    (mixed_one, weights_one), (mixed, weights) = one(x), many(x)
    for gate in range(2):
        np.testing.assert_allclose(mixed[:, gate], mixed_one[:, 0], atol=1e-6)
        np.testing.assert_allclose(weights[:, gate], weights_one[:, 0], atol=1e-6)


def test_an_expert_switched_off_gets_nothing_and_the_rest_share_it():
    layer = CustomizedGateControl(2, (1, 2), (4,), ("a", "b"), shared_gate=True)
    x = numbers(8, 6)
    before = np.array(layer([x, x, x])[1])
    layer.switch_off([3])
    after = np.array(layer([x, x, x])[1])
    assert (after[..., 3] == 0).all()
    rest = np.delete(before, 3, axis=-1)
    np.testing.assert_allclose(np.delete(after, 3, axis=-1), rest / rest.sum(axis=-1, keepdims=True), atol=1e-6)
    with pytest.raises(ValueError, match="last expert"):
        layer.switch_off([0, 1, 2, 4])
    with pytest.raises(ValueError, match="there is no \\[5\\]"):
        layer.switch_off([5])
    layer.switch_on_all()
    np.testing.assert_allclose(layer([x, x, x])[1], before)


def test_cgc_names_and_masks():
    layer = CustomizedGateControl(2, (1, 2), (4,), ("a", "b"), shared_gate=True)
    assert layer.gate_names == ("a", "b", "shared")
    assert layer.expert_names == ("a 1", "b 1", "b 2", "shared 1", "shared 2")
    x = numbers(8, 6)
    outputs, weights = layer([x, x, x])
    used = np.array(weights) > 0
    np.testing.assert_array_equal(used, np.broadcast_to([[1, 0, 0, 1, 1], [0, 1, 1, 1, 1], [1] * 5], used.shape))
    np.testing.assert_allclose(np.sum(weights, axis=-1), 1, rtol=1e-5)
    assert len(outputs) == 3
    last = CustomizedGateControl(2, (1, 2), (4,), ("a", "b"))
    assert last.gate_names == ("a", "b")
    assert len(last([x, x, x])[0]) == 2


def test_cgc_equals_numpy_when_every_stream_differs():
    layer = CustomizedGateControl(2, (1, 2), (4,), ("a", "b"), shared_gate=True, temperature=2.0)
    streams = [numbers(8, 6) + shift for shift in (0.0, 0.5, -0.5)]
    outputs, _ = layer(streams)
    experts, kernel, gates = layer.expert_layers[0], np.array(layer.expert_layers[0].kernel), layer.gate_layer.kernel
    owner = [0, 1, 1, 2, 2]  # whose stream each expert reads
    made = [np.maximum(streams[owner[e]] @ kernel[:, e] + np.array(experts.bias)[e], 0) for e in range(5)]
    for gate, readable in enumerate([[0, 3, 4], [1, 2, 3, 4], [0, 1, 2, 3, 4]]):
        weights = softmax((streams[gate] @ np.array(gates)[:, gate])[:, readable] / 2)
        wanted = sum(weights[:, [i]] * made[e] for i, e in enumerate(readable))
        np.testing.assert_allclose(outputs[gate], wanted, atol=1e-5)


def test_the_first_level_computes_the_same_from_one_tensor_as_from_copies():
    layer = CustomizedGateControl(2, 2, (5, 4), ("a", "b"), shared_gate=True)
    x = numbers(8, 6)
    same, copies = tf.constant(x), [tf.constant(x) for _ in range(3)]
    for one, other in zip(layer([same] * 3)[0], layer(copies)[0], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("levels", [1, 2])
def test_only_the_shared_path_of_a_second_level_reaches_foreign_private_experts(levels):
    x = tf.constant(numbers(32, 6))
    stack = [
        CustomizedGateControl(2, (1, 2), (4,), ("a", "b"), shared_gate=level < levels, activation="tanh")
        for level in range(1, levels + 1)
    ]
    with tf.GradientTape() as tape:
        streams = [x] * 3
        for layer in stack:
            streams, _ = layer(streams)
        loss = tf.reduce_sum(streams[0] ** 2)  # task a alone
    first, last = tape.gradient(loss, [stack[0].expert_layers[0].kernel.value, stack[-1].expert_layers[0].kernel.value])
    foreign = [1, 2]  # task b's private experts
    assert (np.array(last)[:, foreign] == 0).all()
    assert np.abs(np.array(last)[:, [0, 3, 4]]).max(axis=(0, 2)).min() > 0
    assert (np.abs(np.array(first)[:, foreign]).max() > 0) == (levels == 2)


def test_second_level_gates_read_what_the_first_level_gave():
    first = CustomizedGateControl(1, 1, (4,), ("a", "b"), shared_gate=True)
    second = CustomizedGateControl(1, 1, (4,), ("a", "b"))
    x = tf.constant(numbers(16, 6))
    streams, _ = first([x, x, x])
    _, weights = second(streams)
    assert second.gate_layer.kernel.shape[0] == 4  # as wide as the experts, not the input
    changed = [streams[0] + 1.0, streams[1], streams[2] + 1.0]
    _, after = second(changed)
    assert np.abs(np.array(after - weights)[:, 0]).max() > 1e-3  # task a's gate reads task a's output
    np.testing.assert_array_equal(after[:, 1], weights[:, 1])  # and task b's neither that nor the shared one
    wanted = softmax((np.array(streams[0]) @ np.array(second.gate_layer.kernel)[:, 0])[:, [0, 2]])
    np.testing.assert_allclose(np.array(weights)[:, 0][:, [0, 2]], wanted, atol=1e-5)


def switched_off(experts):
    """Two tasks with an expert each, and a shared one, without some of them."""
    layer = CustomizedGateControl(1, 1, (4,), ("a", "b"))
    layer([numbers(2, 3)] * 3)
    layer.switch_off(experts)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MixtureOfExperts(0), "experts=0"),
        (lambda: MixtureOfExperts(gates=()), "no gate"),
        (lambda: MixtureOfExperts(temperature=0.0), "temperature=0.0"),
        (lambda: MixtureOfExperts(gate_dropout=1.0), "gate_dropout=1.0"),
        (lambda: MixtureOfExperts(load_balancing=-1.0), "load_balancing=-1.0"),
        (lambda: MixtureOfExperts(expert_units=()), "expert_units="),
        (lambda: MixtureOfExperts(expert_units=16), "expert_units=16"),
        (lambda: CustomizedGateControl(1, (1, 2, 3), (4,), ("a", "b")), r"private_experts=\[1, 2, 3\]"),
        (lambda: CustomizedGateControl(0, (1, 0), (4,), ("a", "b")), "without experts"),
        (lambda: CustomizedGateControl(-1, 1, (4,), ("a", "b")), "shared_experts=-1"),
        (lambda: CustomizedGateControl(1, 1, (4,), ("a", "b"))([numbers(2, 3)] * 2), "list of 3 tensors"),
        (lambda: CustomizedGateControl(1, 1, (4,), ("a", "b"))([numbers(2, 3), *[numbers(2, 4)] * 2]), "one width"),
        (lambda: CustomizedGateControl(1, 1, (4,), ("a", "a")), "holds a name twice"),
        (lambda: MixtureOfExperts(gates="click"), "gates='click' is a single text"),
        (lambda: MixtureOfExperts(temperature=float("nan")), "temperature=nan"),
        (lambda: MixtureOfExperts(expert_units=(2.5,)), r"expert_units=\(2.5,\)"),
        (lambda: MixtureOfExperts()(numbers(2, 3, 4)), r"inputs=\(2, 3, 4\) have 3 axes; give 2"),
        (lambda: switched_off([0, 2]), "the last expert of a gate"),  # task b could still use its own
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
