"""Each model shares what it says it shares, and outputs what its tasks mean."""

import mtl_helpers.quiet  # noqa: F401

import inspect
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_helpers import models
from mtl_helpers.datasets.base import MultiTaskData, Numeric, Rows, Task, Tokens
from mtl_helpers.seeds import course_seed


def loss_gradients(model, rows, task):
    """The gradient of one task's loss at every trainable weight, None where it does not depend on it."""
    loss = keras.losses.MeanSquaredError() if task == "watch" else keras.losses.BinaryCrossentropy()
    with tf.GradientTape() as tape:
        value = loss(rows.labels[task][:, None], model(rows.inputs)[task])
    return tape.gradient(value, [weight.value for weight in model.trainable_variables])


def touched(model, rows, task):
    return {i for i, gradient in enumerate(loss_gradients(model, rows, task)) if gradient is not None}


def logits(probabilities):
    return np.log(probabilities / (1 - probabilities))


def with_labels(data, tasks, labels):
    """The tiny data with other tasks."""
    parts = [Rows(rows.inputs, labels(rows)) for rows in (data.train, data.validation, data.test)]
    return MultiTaskData("other", tasks, data.inputs, *parts)


BUILDERS = {
    "single_task": models.single_task,
    "hard_sharing": models.hard_sharing,
    "soft_sharing": models.soft_sharing,
    "cross_stitch": models.cross_stitch,
    "two_tower": partial(models.two_tower, user_features=["user", "age"], item_features=["item", "price"]),
    "logistic_regression": models.logistic_regression,
    "factorization_machine": models.factorization_machine,
    "deepfm": models.deepfm,
    "one_gate": models.one_gate,
    "mmoe": models.mmoe,
    "cgc": models.cgc,
    "ple": models.ple,
}


@pytest.mark.parametrize("name", BUILDERS)
def test_outputs_are_named_by_task_and_mean_what_the_task_says(name, tiny_data):
    tasks = {"watch": Task("regression"), "rating/stars": Task("multiclass", ("low", "mid", "high")), "click": Task()}
    data = with_labels(tiny_data, tasks, lambda rows: dict.fromkeys(tasks, rows.labels["click"]))
    model = BUILDERS[name](data)
    assert set(model.input) == set(data.inputs)
    outputs = model(data.test.inputs)
    assert list(outputs) == list(tasks)
    assert outputs["watch"].shape == (32, 1)
    assert model.get_layer("watch").activation is keras.activations.linear
    np.testing.assert_allclose(np.sum(outputs["rating/stars"], axis=1), np.ones(32), rtol=1e-5)
    assert 0 < np.min(outputs["click"]) <= np.max(outputs["click"]) < 1


def test_builders_share_one_vocabulary_of_arguments():
    own = {
        "two_tower": {"user_features", "item_features"},
        "soft_sharing": {"penalty", "norm"},
        "cross_stitch": {"own"},
        "esmm": {"click", "pay"},
        "ner_relation": {"encoder", "positions", "tagger", "pooling", "feature_dim", "lstm_units", "dropout"},
    }
    gates = {"experts", "shared_experts", "private_experts", "temperature", "gate_dropout", "load_balancing", "levels"}
    shared = {"hidden_units", "expert_units", "tower_units", "embedding_dim", "activation"} | gates
    defaults = {}
    for name in [*BUILDERS, "esmm", "ner_relation"]:
        data, *arguments = inspect.signature(getattr(models, name)).parameters.values()
        assert data.name == "data"
        assert {each.kind for each in arguments} <= {inspect.Parameter.KEYWORD_ONLY}
        assert {each.name for each in arguments} <= shared | own.get(name, set()), name
        for each in arguments:
            if name not in ("two_tower", "ner_relation"):  # their widths are those of retrieval and of text
                assert defaults.setdefault(each.name, each.default) == each.default, (name, each.name)


@pytest.mark.parametrize("name", BUILDERS)
def test_one_task_is_enough(name, tiny_data):
    assert list(BUILDERS[name](tiny_data.with_tasks(["pay"])).output) == ["pay"]


@pytest.mark.parametrize("name", BUILDERS)
def test_initial_weights_follow_the_seed(name, tiny_data):
    def build(seed):
        keras.utils.set_random_seed(seed)
        return BUILDERS[name](tiny_data)

    first, again, other = (build(seed)(tiny_data.test.inputs)["click"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    if name != "logistic_regression":  # convex: it starts at 0
        assert not np.allclose(first, other)


def test_single_task_networks_share_no_weight(tiny_data):
    model = models.single_task(tiny_data)
    weights = [touched(model, tiny_data.train, task) for task in tiny_data.tasks]
    assert sum(map(len, weights)) == len(model.trainable_variables)
    assert set.union(*weights) == set(range(len(model.trainable_variables)))


def test_hard_sharing_shares_all_but_the_towers(tiny_data):
    model = models.hard_sharing(tiny_data, hidden_units=(8, 6), tower_units=(4,))
    clicks, pays = (touched(model, tiny_data.train, task) for task in ("click", "pay"))
    assert len(clicks & pays) == 1 + 2 * 2  # the table, two layers' kernels and biases
    assert len(clicks - pays) == len(pays - clicks) == 2 * 2


def soft_pair(data, penalty):
    """A soft-sharing model of two tasks, and a single-task model with the same weights."""
    settings = {"hidden_units": (6, 5), "tower_units": (4,)}
    data = data.with_tasks(["click", "pay"])
    soft, single = models.soft_sharing(data, penalty=penalty, **settings), models.single_task(data, **settings)
    shared = [w for w in soft.trainable_variables if w.regularizer is not None]  # table and two hidden layers
    for position, task in enumerate(data.tasks):
        own = [single.trainable_variables[i] for i in sorted(touched(single, data.train, task))]
        for mine, stacked in zip(own[: len(shared)], shared, strict=True):
            mine.assign(stacked.numpy()[..., position, :])
    return data, soft, single, shared


def test_soft_sharing_without_a_penalty_has_the_gradients_of_single_task(tiny_data):
    data, soft, single, shared = soft_pair(tiny_data, penalty=0.0)
    assert float(sum(soft.losses)) == 0
    for position, task in enumerate(data.tasks):
        own = sorted(touched(single, data.train, task))
        mine = [single.trainable_variables[i] for i in own]
        towers = [soft.trainable_variables[i] for i in sorted(touched(soft, data.train, task))][len(shared) :]
        for here, there in zip(mine[len(shared) :], towers, strict=True):
            here.assign(there.numpy())
        wanted = [loss_gradients(single, data.train, task)[i] for i in own[: len(shared)]]
        given = loss_gradients(soft, data.train, task)
        for index, want in enumerate(wanted):
            stacked = next(i for i, w in enumerate(soft.trainable_variables) if w is shared[index])
            got = np.array(tf.convert_to_tensor(given[stacked]))
            np.testing.assert_allclose(got[..., position, :], tf.convert_to_tensor(want), atol=1e-6)
            assert (got[..., 1 - position, :] == 0).all()


@pytest.mark.parametrize("norm", ["l2", "l1"])
def test_soft_sharing_with_a_huge_penalty_becomes_one_network(norm, tiny_data):
    model = models.soft_sharing(tiny_data, penalty=10.0, norm=norm, hidden_units=(8,))
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 60, 0.3)
    rows = tiny_data.train.take(np.tile(np.arange(64), 120))  # 240 steps as one epoch
    model.compile(keras.optimizers.Adam(schedule), {"click": "bce", "pay": "bce", "watch": "mse"}, jit_compile=False)
    model.fit(rows.inputs, rows.labels, batch_size=32, verbose=0)
    for weight in [w for w in model.trainable_variables if w.regularizer is not None]:
        stacked = weight.numpy()
        spread = np.abs(stacked - stacked.mean(axis=-2, keepdims=True)).max()
        assert spread < 0.01 < np.abs(stacked).max(), weight.path


def test_cross_stitch_at_the_identity_keeps_tasks_apart(tiny_data):
    model = models.cross_stitch(tiny_data, own=1.0, hidden_units=(8,))
    kernels = next(layer for layer in model.layers if layer.name.startswith("parallel_dense")).kernel
    index = next(i for i, weight in enumerate(model.trainable_variables) if weight is kernels)
    kernel = loss_gradients(model, tiny_data.train, "click")[index]
    assert np.abs(kernel[:, 0]).max() > 0
    assert np.abs(kernel[:, 1:]).max() == 0


def test_two_tower_reads_each_column_where_it_was_told(tiny_data):
    build = partial(models.two_tower, tiny_data, user_features=["user", "age"], item_features=["item", "price"])
    keras.utils.set_random_seed(course_seed())
    model = build()
    view = keras.Model(model.input, [model.get_layer(f"{side}_vector").output for side in ("user", "item")])
    inputs = tiny_data.test.inputs
    before = view(inputs)
    columns = {"user": ("categorical", 0), "item": ("categorical", 1), "brand": ("categorical", 2)}
    columns |= {"price": ("numeric", 0), "age": ("numeric", 1)}
    moved = {}
    for column, (name, position) in columns.items():
        changed = {key: values.copy() for key, values in inputs.items()}
        changed[name][:, position] = (changed[name][:, position] + 1) % 3
        after = view(changed)
        moved[column] = [not np.allclose(a, b) for a, b in zip(before, after, strict=True)]
    user, item, neither = [True, False], [False, True], [False, False]
    assert moved == {"user": user, "item": item, "brand": neither, "price": item, "age": user}


def test_logistic_regression_is_linear_in_its_features(tiny_data):
    model = models.logistic_regression(tiny_data)
    for seed, weight in enumerate(model.trainable_variables):
        weight.assign(np.random.default_rng(seed).normal(size=weight.shape))
    rows = tiny_data.test.inputs
    a, b = ({"categorical": rows["categorical"], "numeric": rows["numeric"] + shift} for shift in (1, 2))
    scores = [model(inputs)["watch"].numpy() for inputs in (rows, a, b)]
    np.testing.assert_allclose(scores[2] - scores[1], scores[1] - scores[0], atol=1e-5)
    assert model.count_params() == 3 * (6 + 5 + 3 + 2 + 1)


def test_deepfm_is_a_factorization_machine_plus_a_network_on_its_vectors(tiny_data):
    data = tiny_data.with_tasks(["click"])
    deep, plain = models.deepfm(data, hidden_units=(8,)), models.factorization_machine(data)
    machine = next(layer for layer in deep.layers if layer.name.startswith("factorization"))
    plain.set_weights([0.3 * np.random.default_rng(i).normal(size=w.shape) for i, w in enumerate(plain.get_weights())])
    machine.set_weights(plain.get_weights())
    hidden, last = [layer for layer in deep.layers if isinstance(layer, keras.layers.Dense)]
    network = keras.Model(deep.input, last.output)
    inputs = data.test.inputs
    together = logits(plain(inputs)["click"].numpy()) + network(inputs).numpy()
    np.testing.assert_allclose(logits(deep(inputs)["click"].numpy()), together, atol=1e-2)
    assert hidden.kernel.shape[0] == 5 * 4  # it reads the five features' vectors: one embedding for both parts


def test_the_machines_of_several_tasks_share_nothing(tiny_data):
    model = models.factorization_machine(tiny_data)
    factors = next(i for i, w in enumerate(model.trainable_variables) if w.name == "factors")
    gradient = tf.convert_to_tensor(loss_gradients(model, tiny_data.train, "pay")[factors]).numpy()
    used = np.abs(gradient).max(axis=0) > 0
    assert used.tolist() == [False] * 4 + [True] * 4 + [False] * 4


def test_cgc_is_ple_with_one_level_and_only_the_last_level_has_no_shared_gate(tiny_data):
    settings = {"private_experts": (1, 2, 3), "shared_experts": 2}
    flat, same = models.cgc(tiny_data, **settings), models.ple(tiny_data, levels=1, **settings)
    same.set_weights(flat.get_weights())
    for task, output in flat(tiny_data.test.inputs).items():
        np.testing.assert_array_equal(output, same(tiny_data.test.inputs)[task])
    deep = models.ple(tiny_data, levels=3, **settings)
    gates = [deep.get_layer(f"level_{level}").gate_names for level in (1, 2, 3)]
    assert gates == [("click", "pay", "watch", "shared")] * 2 + [("click", "pay", "watch")]


def test_gates_of_the_one_gate_model_are_the_same_for_all_tasks(tiny_data):
    assert models.one_gate(tiny_data).get_layer("level_1").gate_names == ("shared",)
    layer = models.mmoe(tiny_data, experts=3).get_layer("level_1")
    assert layer.gate_names == tuple(tiny_data.tasks)
    assert layer.expert_names == ("expert 1", "expert 2", "expert 3")


@pytest.mark.parametrize("name", ["mmoe", "cgc", "ple", "cross_stitch"])
def test_each_task_reads_what_was_mixed_for_it(name, tiny_data):
    """A task's loss moves its own gate of the last level (its own row of the last mixture), and no other."""
    model = BUILDERS[name](tiny_data)
    if name == "cross_stitch":
        mixing = [layer.alpha for layer in model.layers if hasattr(layer, "alpha")][-1]
    else:
        mixing = [layer.gate_layer.kernel for layer in model.layers if hasattr(layer, "gate_names")][-1]
    index = next(i for i, weight in enumerate(model.trainable_variables) if weight is mixing)
    by_task = -2 if len(mixing.shape) == 3 else 0  # [in, gates, experts] or [tasks, tasks]
    for position, task in enumerate(tiny_data.tasks):
        gradient = np.array(loss_gradients(model, tiny_data.train, task)[index])
        moved = np.abs(np.moveaxis(gradient, by_task, 0)).reshape(3, -1).max(axis=1) > 0
        assert moved.tolist() == [other == position for other in range(3)]


def test_esmm_multiplies_click_and_conversion(tiny_data):
    data = tiny_data.with_tasks(["click", "pay"])
    model = models.esmm(data)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", jit_compile=False)
    model.fit(data.train.inputs, data.train.labels, epochs=3, verbose=0)
    outputs = model(data.test.inputs)
    pcvr = models.conversion_model(model)(data.test.inputs)["conversion"]
    np.testing.assert_allclose(outputs["pay"], outputs["click"] * pcvr, rtol=1e-6)
    assert (outputs["pay"].numpy() <= outputs["click"].numpy()).all()
    assert list(models.esmm(data, click="click", pay="pay").output) == ["click", "pay"]


def test_esmm_has_two_networks_on_common_embeddings_and_a_payment_trains_both(tiny_data):
    data = tiny_data.with_tasks(["click", "pay"])
    model = models.esmm(data, hidden_units=(6,), tower_units=())
    weights = model.trainable_variables
    with tf.GradientTape() as tape:
        pcvr = models.conversion_model(model)(data.train.inputs)["conversion"]
    gradients = tape.gradient(pcvr, [weight.value for weight in weights])
    converting = {i for i, gradient in enumerate(gradients) if gradient is not None}
    clicking = touched(model, data.train, "click")
    assert [weights[i].name for i in converting & clicking] == ["table"]
    assert touched(model, data.train, "pay") == converting | clicking == set(range(len(weights)))


def one_task(data, name):
    return with_labels(data, {name: Task()}, lambda rows: {name: rows.labels["click"]})


def swapped(data):
    return with_labels(
        data, {"pay": Task(), "click": Task()}, lambda rows: {"pay": rows.labels["pay"], "click": rows.labels["click"]}
    )


def with_tokens(data):
    labels = {"tag": np.zeros((8, 3), "int32")}
    rows = Rows({"tokens": np.zeros((8, 3), "int32")}, labels)
    return MultiTaskData("text", {"tag": Task("tags", ("a", "b"))}, {"tokens": Tokens(3, 9)}, rows, rows, rows)


def with_tags(data):
    rows = Rows({"numeric": np.zeros((8, 3), "float32")}, {"tag": np.zeros((8, 3), "int32")})
    tasks = {"tag": Task("tags", ("a", "b"))}
    return MultiTaskData("text", tasks, {"numeric": Numeric(("a", "b", "c"))}, rows, rows, rows)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda data: models.cgc(data, private_experts=(1, 2)), r"private_experts=\[1, 2\] has 2 numbers for 3 tasks"),
        (lambda data: models.ple(data, levels=0), "levels=0"),
        (
            lambda data: models.cgc(with_labels(data, {"shared": Task()}, lambda r: {"shared": r.labels["pay"]})),
            "'shared'",
        ),
        (lambda data: models.mmoe(data, experts=0), "experts=0"),
        (lambda data: models.mmoe(data, tower_units=8), "tower_units=8"),
        (lambda data: models.hard_sharing(data, hidden_units=()), "hidden_units="),
        (lambda data: models.soft_sharing(data, norm="linf"), "norm='linf'"),
        (lambda data: models.hard_sharing(with_tokens(data)), "holds Tokens"),
        (lambda data: models.hard_sharing(with_tags(data)), "kind 'tags'"),
        (lambda data: models.two_tower(data, user_features=["usr"], item_features=["item"]), r"unknown \['usr'\]"),
        (lambda data: models.two_tower(data, user_features=["user"], item_features=[]), "item_features"),
        (
            lambda data: models.two_tower(data, user_features=["user"], item_features=["user"]),
            "which user_features has",
        ),
        (lambda data: models.esmm(data), "esmm needs two"),
        (lambda data: models.esmm(data.with_tasks(["click", "watch"])), "'watch'.*binary"),
        (lambda data: models.esmm(data.with_tasks(["click", "pay"]), click="clik"), "click='clik'"),
        (lambda data: models.esmm(data.with_tasks(["click", "pay"]), click="pay", pay="pay"), "name both"),
        (lambda data: models.esmm(swapped(data)), "pay='click' is 1 in"),
        (lambda data: models.conversion_model(models.mmoe(data)), "no conversion output"),
    ],
)
def test_wrong_arguments_are_named(build, message, tiny_data):
    with pytest.raises(ValueError, match=message):
        build(tiny_data)
