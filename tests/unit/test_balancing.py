"""Balancers do what their papers say: by hand, as laws, and where their weights come to rest."""

import mtl_helpers.quiet  # noqa: F401

import hypothesis.extra.numpy as arrays
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.balancing import (
    Balancer,
    ConflictMeter,
    DynamicWeightAverage,
    GradNorm,
    PCGrad,
    StaticWeights,
    UncertaintyWeighting,
    gram,
    task_gradients,
)
from mtl_helpers.balancing.by_gradients import project
from mtl_helpers.seeds import course_seed

TASKS = ["click", "watch"]
ALL = {
    "static": StaticWeights({"watch": 0.5}),
    "uncertainty": UncertaintyWeighting(["watch"]),
    "average": DynamicWeightAverage(),
    "GradNorm": GradNorm(),
    "PCGrad": PCGrad(seed=1),
    "meter": ConflictMeter({"watch": 0.5}),
}
NUMBERS = st.integers(-400, 400).map(lambda hundredths: np.float32(hundredths / 100))


def combine(balancer, losses, gradients, shared, state):
    gradients = [tf.constant(each, tf.float32) for each in gradients]
    combined, state = balancer.combine(tf.constant(losses, tf.float32), gradients, shared, state)
    return [each.numpy() for each in combined], state


def repeat(balancer, losses, gradients, times):
    """The weights after some batches that are all alike."""
    state = balancer.initial_state(TASKS)
    gradients = [tf.constant(each, tf.float32) for each in gradients]
    for _ in range(times):
        _, state = balancer.combine(tf.constant(losses, tf.float32), gradients, [True], state)
    return state


def test_static_weights_weigh_shared_and_own_variables():
    state = ALL["static"].initial_state(TASKS)
    shared, own = [[[1.0, 2.0], [3.0, 4.0]], [[0.0], [6.0]]]
    combined, after = combine(ALL["static"], [1, 1], [shared, own], [True, False], state)
    assert combined[0].tolist() == [2.5, 4.0]
    assert combined[1].tolist() == [3.0]
    assert after is state


def test_uncertainty_weighting_by_hand():
    """Slopes at s = 0: click 1/2 - L = -.3, watch 1/2 - L/2 = -3.5, cut to -1; steps of .1."""
    balancer = UncertaintyWeighting(["watch"], learning_rate=0.1)
    combined, state = combine(balancer, [0.8, 8.0], [[[2.0], [4.0]]], [True], balancer.initial_state(TASKS))
    assert combined[0] == pytest.approx([1 * 2 + 0.5 * 4])  # with the weights from before the step
    assert state["log_variance"].numpy() == pytest.approx([0.03, 0.1])
    assert state["weights"].numpy() == pytest.approx([np.exp(-0.03), np.exp(-0.1) / 2])


@pytest.mark.parametrize("losses", [[0.05, 3.0], [0.7, 400.0]])
def test_uncertainty_weighting_rests_at_the_logarithm_of_the_losses(losses):
    state = repeat(UncertaintyWeighting(["watch"], learning_rate=0.2), losses, [[[1.0], [1.0]]], 150)
    assert state["log_variance"].numpy() == pytest.approx([np.log(2 * losses[0]), np.log(losses[1])], abs=1e-3)
    assert state["weights"].numpy() * losses == pytest.approx([0.5, 0.5], rel=2e-3)


def test_uncertainty_weighting_follows_the_gradient_of_its_loss():
    losses, balancer = tf.constant([0.3, 0.9]), UncertaintyWeighting(["watch"], learning_rate=0.01)
    log_variance = tf.constant([0.2, -0.1])
    with tf.GradientTape() as tape:
        tape.watch(log_variance)
        scale = tf.exp(-log_variance) * [1.0, 0.5]
        total = tf.reduce_sum(scale * losses + log_variance / 2)
    state = {**balancer.initial_state(TASKS), "log_variance": log_variance, "weights": scale}
    moved = balancer.after_batch(losses, [], [], state)["log_variance"]
    assert (log_variance - moved).numpy() == pytest.approx(0.01 * tape.gradient(total, log_variance).numpy(), rel=1e-4)


def test_dynamic_weight_average_by_hand():
    balancer = DynamicWeightAverage(temperature=0.5)
    state, seen = balancer.initial_state(TASKS), []
    for losses in ([1.0, 4.0], [0.5, 4.0], [0.5, 2.0]):
        state = balancer.epoch_end(tf.constant(losses), state)
        seen.append(state["weights"].numpy())
    assert seen[0] == pytest.approx([1, 1])  # one epoch: nothing to compare
    e = np.exp([0.5 / 0.5, 1 / 0.5])
    assert seen[1] == pytest.approx(2 * e / e.sum())
    e = np.exp([1 / 0.5, 0.5 / 0.5])
    assert seen[2] == pytest.approx(2 * e / e.sum())


@pytest.mark.parametrize(("alpha", "to_the_slow_task"), [(1.0, 1), (0.5, -1)])
def test_gradnorm_by_hand(alpha, to_the_slow_task):
    """G = (5, 8), mean 6.5; the first losses were (1, 1), now (.5, 1): r = (2/3, 4/3).

    For alpha 1 the targets are (4.3, 8.7), so that the slow task's gradient, already the larger, has to grow; for
    alpha 1/2 they are (5.3, 7.5), and it has to shrink.
    """
    balancer = GradNorm(alpha, learning_rate=0.3)
    state = {"weights": tf.constant([1.0, 1.0]), "first": tf.constant([1.0, 1.0])}
    gradients = [[[3.0], [8.0]], [[4.0], [0.0]]]
    _, state = combine(balancer, [0.5, 1.0], gradients, [True, True], state)
    moved = np.exp([-0.3 * 5 / 6.5 * to_the_slow_task, 0.3 * 8 / 6.5 * to_the_slow_task])
    assert state["weights"].numpy() == pytest.approx(2 * moved / moved.sum())
    assert state["first"].numpy() == pytest.approx([1, 1])


def test_gradnorm_looks_at_shared_variables_only_and_needs_some():
    state = repeat(GradNorm(alpha=0), [1.0, 1.0], [[[2.0], [2.0]]], 1)
    _, other = combine(GradNorm(alpha=0), [1.0, 1.0], [[[2.0], [2.0]], [[9.0], [0.0]]], [True, False], state)
    assert other["weights"].numpy() == pytest.approx([1, 1])
    with pytest.raises(ValueError, match="the tasks share none"):
        combine(GradNorm(), [1.0, 1.0], [[[9.0], [0.0]]], [False], state)


@pytest.mark.parametrize("scale", [1.0, 1e4], ids=["one unit", "two units"])
def test_gradnorm_evens_out_the_sizes(scale):
    state = repeat(GradNorm(alpha=0, learning_rate=0.05), [1.0, scale], [[[2.0], [scale]]], 400)
    weights = state["weights"].numpy()
    assert weights.sum() == pytest.approx(2, rel=1e-5)
    assert np.log(weights[0] * 2 / (weights[1] * scale)) == pytest.approx(0, abs=0.2)


@given(
    arrays.arrays("float32", (3, 4), elements=NUMBERS),
    arrays.arrays("float32", 3, elements=st.floats(0, 5, width=32)),
    st.floats(0, 3),
)
@settings(deadline=None, max_examples=40)
def test_gradnorm_weights_stay_positive_and_sum_to_the_number_of_tasks(gradient, losses, alpha):
    balancer, state = GradNorm(alpha, learning_rate=0.5), GradNorm().initial_state(["a", "b", "c"])
    for _ in range(3):
        _, state = combine(balancer, losses, [gradient], [True], state)
    weights = state["weights"].numpy()
    assert (weights > 0).all()
    assert weights.sum() == pytest.approx(3, rel=1e-5)


@pytest.mark.parametrize("balancer", [UncertaintyWeighting(["watch"]), GradNorm()], ids=["uncertainty", "GradNorm"])
def test_a_batch_without_labels_of_a_task_teaches_nothing_about_it(balancer):
    state = repeat(balancer, [0.4, 2.0], [[[1.0, 0.0], [3.0, 1.0]]], 3)
    after = balancer.after_batch(tf.constant([0.4, 0.0]), [tf.constant([[1.0, 0.0], [0.0, 0.0]])], [True], state)
    assert after["weights"].numpy()[1] == state["weights"].numpy()[1]


def test_pcgrad_by_hand():
    """(1, 0) and (-1, 1): inner product -1. (1, 0) + 1/2 (-1, 1) = (.5, .5); (-1, 1) + (1, 0) = (0, 1)."""
    gradients = [[[1.0, 0.0], [-1.0, 1.0]], [[7.0], [0.0]]]
    combined, state = combine(PCGrad(), [1, 1], gradients, [True, False], PCGrad().initial_state(TASKS))
    assert combined[0] == pytest.approx([0.5, 1.5])
    assert combined[1] == pytest.approx([7.0])  # a tower has nobody to conflict with
    assert state["weights"].numpy() == pytest.approx([2, 1.5])


def test_conflict_meter_by_hand():
    """Cosines of (1, 0) with (-1, 1) and of (1, 0) with (0, 2): -.707 and 0; one batch of two is a conflict."""
    meter = ConflictMeter()
    state = meter.initial_state(TASKS)
    for second in ([-1.0, 1.0], [0.0, 2.0]):
        combined, state = combine(meter, [1, 1], [[[1.0, 0.0], second], [[5.0], [5.0]]], [True, False], state)
        assert combined[0] == pytest.approx(np.add([1.0, 0.0], second))
    for _ in range(2):  # the second epoch has no batch
        seen = state = meter.epoch_end(tf.zeros(2), state)
        wanted = [-np.sqrt(0.5) / 2, 0.5] if _ == 0 else [0, 0]
        assert [seen["cosine"].numpy()[1], seen["conflict"].numpy()[0]] == pytest.approx(wanted)


def pcgrad_by_the_paper(gradients, order):
    """Algorithm 1, vector by vector."""
    projected = gradients.astype(float).copy()
    for i, others in enumerate(order):
        for j in others:
            product = projected[i] @ gradients[j]
            if j != i and product < 0:
                projected[i] -= product / (gradients[j] @ gradients[j]) * gradients[j]
    return projected


@given(arrays.arrays("float32", (4, 6), elements=NUMBERS), st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_pcgrad_equals_the_algorithm_on_vectors(gradients, seed):
    order = np.argsort(np.random.default_rng(seed).random((4, 4)), axis=1)
    products = gram([tf.constant(gradients)], [True])
    got = project(products, tf.constant(order, tf.int32)).numpy() @ gradients
    wanted = pcgrad_by_the_paper(gradients, order)
    lengths = np.linalg.norm(gradients, axis=1)
    if lengths.min() > 1e-2:  # shorter ones drown in the other gradients' rounding
        np.testing.assert_allclose(got, wanted, atol=1e-3 * lengths.max() * max(1, lengths.max() / lengths.min()))


@given(arrays.arrays("float32", (2, 5), elements=NUMBERS))
@settings(deadline=None, max_examples=60)
def test_pcgrad_leaves_no_conflict_between_two_tasks(gradients):
    products = gram([tf.constant(gradients)], [True])
    projected = project(products, tf.constant([[0, 1], [0, 1]])).numpy() @ gradients
    slack = 1e-4 * (1 + (gradients**2).sum())
    assert projected[0] @ gradients[1] >= -slack
    assert projected[1] @ gradients[0] >= -slack
    assert projected[0] @ projected[1] >= -slack
    if products.numpy()[0, 1] >= 0:
        np.testing.assert_array_equal(projected, gradients)
    together = projected.sum(axis=0)
    assert (gradients @ together >= -slack).all()  # to first order the step harms no task


def test_pcgrad_meets_the_tasks_in_an_order_drawn_anew_from_its_seed():
    gradients = [np.random.default_rng(course_seed()).normal(size=(5, 3))]

    def run(seed):
        balancer = PCGrad(seed)
        state, steps = balancer.initial_state(list("abcde")), []
        for _ in range(4):
            (step,), state = combine(balancer, [1] * 5, gradients, [True], state)
            steps.append(step)
        return np.array(steps)

    np.testing.assert_array_equal(run(3), run(3))
    assert not np.allclose(run(3), run(4))
    assert not np.allclose(run(3)[0], run(3)[1])
    keras.utils.set_random_seed(8)
    drawn = [PCGrad().initial_state(["a"])["seed"].numpy()[0] for _ in range(2)]
    keras.utils.set_random_seed(8)
    assert PCGrad().initial_state(["a"])["seed"].numpy()[0] == drawn[0] != drawn[1]


@pytest.mark.parametrize("balancer", [*ALL.values(), UncertaintyWeighting()], ids=[*ALL, "uncertainty, class"])
def test_every_balancer_keeps_the_direction_of_a_single_task(balancer):
    if isinstance(balancer, UncertaintyWeighting) and balancer.regressions:
        pytest.skip("weighs a lone regression by 1/2")
    state = balancer.initial_state(["watch" if isinstance(balancer, StaticWeights) else "click"])
    combined, state = combine(balancer, [0.5], [[[1.0, -2.0]]], [False], state)
    if not isinstance(balancer, StaticWeights):
        assert combined[0].tolist() == [1, -2]
        assert balancer.epoch_end(tf.constant([0.5]), state)["weights"].numpy() == pytest.approx([1], abs=0.1)


@pytest.mark.parametrize("balancer", ALL.values(), ids=ALL)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "XLA"])
def test_many_runs_in_one_program_equal_each_alone(balancer, jit_compile):
    """The condition for a study: static shapes, no fall-back to a loop, a state of its own for every run."""
    random = np.random.default_rng(course_seed())
    gradients = [tf.constant(random.normal(size=(3, 2, *shape)), tf.float32) for shape in ((4, 2), (3,))]
    losses = tf.constant(random.random((3, 2)), tf.float32)
    states = [balancer.initial_state(TASKS) for _ in range(3)]
    stacked = {key: tf.stack([state[key] for state in states]) for key in states[0]}

    def one(run):
        losses, gradients, state = run
        combined, state = balancer.combine(losses, gradients, [True, False], state)
        combined, state = balancer.combine(losses, combined_again(combined), [True, False], state)
        return combined, balancer.epoch_end(losses, state)

    def combined_again(combined):
        return [tf.stack([each, -2 * each]) for each in combined]

    @tf.function(jit_compile=jit_compile)
    def together(*run):
        return tf.vectorized_map(one, run, fallback_to_while_loop=False)

    combined, after = together(losses, gradients, stacked)
    for run in range(3):
        alone, state = one((losses[run], [each[run] for each in gradients], states[run]))
        for got, wanted in zip(combined, alone, strict=True):
            np.testing.assert_allclose(got[run], wanted, rtol=1e-4, atol=1e-5)
        assert {key: value.shape for key, value in state.items()} == {key: v.shape for key, v in states[run].items()}
        np.testing.assert_allclose(after["weights"][run], state["weights"], rtol=1e-4)


def test_task_gradients_say_what_is_shared():
    common, own, table = tf.Variable([2.0]), tf.Variable([3.0]), tf.Variable([[1.0], [5.0], [7.0]])
    with tf.GradientTape(persistent=True) as tape:
        looked_up = tf.reduce_sum(tf.gather(table, [1, 1]))  # an embedding's gradient comes as slices
        losses = [tf.reduce_sum(common * looked_up), tf.reduce_sum(common * own)]
    gradients, shared = task_gradients(tape, losses, [common, own, table])
    assert shared == [True, False, False]
    assert [each.numpy().tolist() for each in gradients] == [
        [[10.0], [3.0]], [[0.0], [2.0]], [[[0.0], [4.0], [0.0]], [[0.0], [0.0], [0.0]]],
    ]  # fmt: skip


@pytest.mark.parametrize("balancer", ALL.values(), ids=ALL)
def test_comes_back_from_its_configuration(balancer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(balancer))
    assert type(again) is type(balancer)
    assert again.get_config() == balancer.get_config()
    assert isinstance(Balancer.from_config({}), Balancer)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: StaticWeights({"click": -1.0}), "a negative weight trains a task to be wrong"),
        (lambda: StaticWeights({"click": float("nan")}), "a negative weight trains a task to be wrong"),
        (lambda: StaticWeights({"buy": 1.0}).initial_state(TASKS), "unknown ['buy']; choose from ['click', 'watch']"),
        (lambda: UncertaintyWeighting("buy").initial_state(TASKS), "regressions=['buy']: unknown ['buy']"),
        (lambda: UncertaintyWeighting(learning_rate=-1), "learning_rate=-1"),
        (lambda: DynamicWeightAverage(0), "temperature=0 must be above 0"),
        (lambda: DynamicWeightAverage(float("nan")), "temperature=nan must be above 0"),
        (lambda: GradNorm(alpha=-0.1), "alpha=-0.1"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the message is compared below)
        call()
    assert message in str(error.value)
    assert "\n" not in str(error.value)
