"""A balanced model fits, reports, saves and loads like any Keras model, and does what its balancer says."""

import mtl_helpers.quiet  # noqa: F401

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_helpers.balancing import (
    DynamicWeightAverage,
    GradNorm,
    PCGrad,
    StaticWeights,
    UncertaintyWeighting,
    balanced,
    gradient_cosine,
)
from mtl_helpers.datasets.base import Rows
from mtl_helpers.gates import gate_model
from mtl_helpers.losses import task_losses
from mtl_helpers.models import hard_sharing, mmoe, single_task, soft_sharing
from mtl_helpers.seeds import course_seed

BALANCERS = {
    "static": partial(StaticWeights, {"watch": 0.5}),
    "uncertainty": partial(UncertaintyWeighting, ["watch"]),
    "average": DynamicWeightAverage,
    "GradNorm": GradNorm,
    "PCGrad": partial(PCGrad, 1),
}
LOSS_WEIGHTS = {"click": 0.7, "pay": 1.0, "watch": 0.5}


def make(builder, data, balancer=None, **compiled):
    """Builds and compiles; without a graph, which for a few small batches takes longer to make than they do."""
    keras.utils.set_random_seed(course_seed())
    model = builder(data)
    model = balanced(model, balancer) if balancer else model
    model.compile(keras.optimizers.SGD(0.05), **{"loss": task_losses(data), "run_eagerly": True, **compiled})
    return model


def fit(model, data, weights=None, **settings):
    rows = data.train
    return model.fit(
        rows.inputs, rows.labels, sample_weight=weights, batch_size=16, shuffle=False, verbose=0,
        **{"epochs": 2, **settings},
    ).history  # fmt: skip


def assert_same_weights(one, other, atol=1e-5):
    for mine, theirs in zip(one.trainable_variables, other.trainable_variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), atol=atol)


@pytest.mark.parametrize("builder", [hard_sharing, partial(soft_sharing, penalty=0.1)], ids=["hard", "with a penalty"])
@pytest.mark.parametrize("where", ["balancer", "compile"])
def test_static_weights_are_loss_weights(builder, where, tiny_data):
    plain = make(builder, tiny_data, loss_weights=LOSS_WEIGHTS)
    static = StaticWeights(LOSS_WEIGHTS if where == "balancer" else None)
    model = make(builder, tiny_data, static, loss_weights=LOSS_WEIGHTS if where == "compile" else None)
    wanted, history = fit(plain, tiny_data), fit(model, tiny_data)
    assert_same_weights(model, plain)
    assert history["watch_loss"] == pytest.approx(wanted["watch_loss"], rel=1e-4)
    assert history["watch_weight"] == ([0.5, 0.5] if where == "balancer" else [1, 1])


@pytest.mark.parametrize("name", ["static", "uncertainty", "average", "GradNorm", "PCGrad"])
def test_with_one_task_it_is_plain_training(name, tiny_data):
    data = tiny_data.with_tasks(["click"])
    balancer = {"static": StaticWeights, "uncertainty": UncertaintyWeighting}.get(name, BALANCERS[name])()
    if name == "uncertainty":
        balancer.learning_rate = 0.0  # else the only task is weighted, which with SGD is another step length
    plain, model = make(hard_sharing, data), make(hard_sharing, data, balancer)
    wanted, history = fit(plain, data), fit(model, data)
    assert_same_weights(model, plain)
    assert history["loss"] == pytest.approx(wanted["loss"], rel=1e-4)


@pytest.mark.parametrize("name", BALANCERS)
def test_fits_reports_saves_and_goes_on(name, tiny_data, tmp_path):
    model = make(mmoe, tiny_data, BALANCERS[name](), run_eagerly=False, jit_compile=False)
    rows = tiny_data.validation
    history = fit(model, tiny_data, validation_data=(rows.inputs, rows.labels))
    assert {"click_loss", "click_weight", "pay_weight", "watch_weight", "val_loss", "val_pay_loss"} < set(history)
    assert np.isfinite(history["loss"]).all()
    weights = [history[f"{task}_weight"][-1] for task in model.tasks]
    assert weights == pytest.approx(model.balancer_state["weights"].numpy(), rel=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.balancer) is type(model.balancer)
    for key, variable in model.balancer_state.items():
        np.testing.assert_array_equal(again.balancer_state[key].numpy(), variable.numpy())
    outputs = again.predict(rows.inputs, verbose=0)
    for task, output in model.predict(rows.inputs, verbose=0).items():
        np.testing.assert_allclose(outputs[task], output, atol=1e-6)
    fit(model, tiny_data)
    fit(again, tiny_data)
    assert_same_weights(again, model)


def test_a_balanced_model_still_shows_its_gates(tiny_data):
    model = make(mmoe, tiny_data, PCGrad())
    assert list(gate_model(model).output) == ["level_1/click", "level_1/pay", "level_1/watch"]


def test_missing_labels_and_names_of_losses(tiny_data):
    data = tiny_data.with_missing_labels("pay", 0.5)
    present = {task: data.train.weights.get(task, np.ones(len(data.train), "float32")) for task in data.tasks}
    history = fit(make(hard_sharing, data, UncertaintyWeighting(["watch"])), data, present)
    assert np.isfinite(history["pay_loss"]).all()
    named = {"click": "binary_crossentropy", "pay": "binary_crossentropy", "watch": keras.losses.MeanSquaredError()}
    one, other = (make(hard_sharing, tiny_data, StaticWeights(), loss=loss) for loss in (named, task_losses(tiny_data)))
    fit(one, tiny_data)
    fit(other, tiny_data)
    assert_same_weights(one, other)


def test_dynamic_weight_average_reads_the_mean_losses_of_the_epochs(tiny_data):
    history = fit(make(hard_sharing, tiny_data, DynamicWeightAverage()), tiny_data, epochs=3)
    losses = np.array([history[f"{task}_loss"] for task in tiny_data.tasks])
    weights = np.array([history[f"{task}_weight"] for task in tiny_data.tasks])
    assert weights[:, 0] == pytest.approx([1, 1, 1])
    for epoch in (1, 2):
        e = np.exp(losses[:, epoch] / losses[:, epoch - 1] / 2)
        assert weights[:, epoch] == pytest.approx(3 * e / e.sum(), rel=1e-4)


@pytest.mark.parametrize("jit_compile", [True, False])
def test_pcgrad_step_is_the_projected_one(jit_compile, tiny_data):
    """One step of SGD against the gradients of the tasks, projected in NumPy."""
    data = tiny_data.with_tasks(["click", "watch"])
    model = make(hard_sharing, data, PCGrad(), run_eagerly=False, jit_compile=jit_compile)
    before = [variable.numpy() for variable in model.trainable_variables]
    by_task = []
    for task, loss in task_losses(data).items():
        with tf.GradientTape() as tape:
            value = loss(data.train.labels[task], model(data.train.inputs)[task])
        each = tape.gradient(value, model.trainable_variables)
        by_task.append([None if one is None else tf.convert_to_tensor(one).numpy() for one in each])
    common = [one is not None and other is not None for one, other in zip(*by_task, strict=True)]
    first, second = (np.concatenate([g.ravel() for g, c in zip(each, common, strict=True) if c]) for each in by_task)
    product = min(0.0, float(first @ second))
    factors = 1 - product / (first @ first), 1 - product / (second @ second)
    model.fit(data.train.inputs, data.train.labels, batch_size=len(data.train), epochs=1, verbose=0)
    for variable, old, one, other, both in zip(model.trainable_variables, before, *by_task, common, strict=True):
        step = factors[0] * one + factors[1] * other if both else (other if one is None else one)
        np.testing.assert_allclose(variable.numpy(), old - 0.05 * step, atol=1e-5)
    assert model.balancer_state["weights"].numpy() == pytest.approx(factors, rel=1e-3)


def test_gradient_cosine_of_tasks_that_agree_conflict_or_do_not_meet():
    """Two linear heads with the same weights on one shared layer: residuals of one sign, of both, and none at all."""
    x = keras.Input((3,), name="numeric")
    hidden = keras.layers.Dense(4, "tanh", name="bottom")(x)
    model = keras.Model({"numeric": x}, {task: keras.layers.Dense(1, name=task)(hidden) for task in ("a", "b")})
    model.get_layer("b").set_weights(model.get_layer("a").get_weights())
    inputs = {"numeric": np.random.default_rng(course_seed()).normal(size=(50, 3)).astype("float32")}
    predicted = model(inputs)["a"].numpy().ravel()
    losses = {"a": keras.losses.MeanSquaredError(), "b": keras.losses.MeanSquaredError()}

    def cosine(labels):
        cosines = gradient_cosine(model, Rows(inputs, {"a": predicted + 1, "b": labels}), losses)
        assert list(cosines) == ["bottom"]  # the heads are not shared
        return cosines["bottom"]

    np.testing.assert_allclose(cosine(predicted + 2), [[1, 1], [1, 1]], atol=1e-4)
    np.testing.assert_allclose(cosine(predicted - 1), [[1, -1], [-1, 1]], atol=1e-4)
    assert np.isnan(cosine(predicted)[0, 1])
    assert cosine(predicted)[0, 0] == pytest.approx(1, abs=1e-4)


def test_gradient_cosine_is_that_of_the_gradients(tiny_data):
    model, losses = make(mmoe, tiny_data), task_losses(tiny_data)
    cosines = gradient_cosine(model, tiny_data.train, losses)
    variables = model.get_layer("level_1").trainable_variables
    flat = []
    for task in ("click", "watch"):
        with tf.GradientTape() as tape:
            value = losses[task](tiny_data.train.labels[task], model(tiny_data.train.inputs)[task])
        each = tape.gradient(value, variables, unconnected_gradients="zero")
        flat.append([one.numpy().ravel() for one in each])
    layers = [variable.path.rsplit("/", 1)[0] for variable in variables]
    for layer in set(layers):
        first, second = (np.concatenate([g for g, name in zip(e, layers, strict=True) if name == layer]) for e in flat)
        wanted = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
        assert cosines[layer][0, 2] == pytest.approx(wanted, abs=1e-4)
    assert gradient_cosine(make(single_task, tiny_data), tiny_data.train, losses) == {}


def test_errors_name_what_is_wrong(tiny_data):
    x = keras.Input((1,))
    with pytest.raises(ValueError, match="has no dict of outputs"):
        balanced(keras.Model(x, keras.layers.Dense(1)(x)), PCGrad())
    with pytest.raises(ValueError, match="balancer='PCGrad' is not a Balancer"):
        balanced(hard_sharing(tiny_data), "PCGrad")
    model = balanced(hard_sharing(tiny_data), PCGrad())
    with pytest.raises(ValueError, match=r"losses=\['clik'\]: unknown"):
        gradient_cosine(model, tiny_data.train, {"clik": keras.losses.BinaryCrossentropy()})
    model.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match=r"loss=str: give a dict with the keys \['click', 'pay', 'watch'\]"):
        fit(model, tiny_data)
