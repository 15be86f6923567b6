"""Every model fits with plain Keras, compiles, stacks over seeds, and comes back from a file in a new process."""

import mtl_helpers.quiet  # noqa: F401

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_helpers import models
from mtl_helpers.gates import gate_model
from mtl_helpers.study import study

BUILDERS = {
    "single_task": models.single_task,
    "hard_sharing": models.hard_sharing,
    "soft_sharing": models.soft_sharing,
    "soft_sharing l1": partial(models.soft_sharing, norm="l1"),
    "cross_stitch": models.cross_stitch,
    "two_tower": partial(models.two_tower, user_features=["user", "age"], item_features=["item", "price"]),
    "logistic_regression": models.logistic_regression,
    "factorization_machine": models.factorization_machine,
    "deepfm": models.deepfm,
    "one_gate": models.one_gate,
    "mmoe": partial(models.mmoe, gate_dropout=0.3, load_balancing=0.1, expert_units=(8, 4)),
    "cgc": models.cgc,
    "ple": partial(models.ple, private_experts=2, shared_experts=2),
    "esmm": models.esmm,
}

LOAD = """
import json, sys
import mtl_helpers.quiet, mtl_helpers.models
import keras, numpy as np
for path, rows in json.loads(sys.argv[1]).items():
    inputs = dict(np.load(rows))
    np.savez(path + ".npz", **{task: output.numpy() for task, output in keras.models.load_model(path)(inputs).items()})
"""


# Names of layers, of inputs, and what Keras refuses in the name of a layer.
AWKWARD = {"click": "点击", "pay": "conversion", "watch": "watch ratio"}
# Keras's own fit allows fewer: it makes names of metrics of them.
AWKWARD_FOR_FIT = {"click": "a/b", "pay": "conversion", "watch": "level_1"}


def renamed(data, names):
    def rename(rows):
        return replace(rows, labels={names[task]: labels for task, labels in rows.labels.items()})

    return data.with_rows(rename, {names[task]: kind for task, kind in data.tasks.items()})


def build(name, data, seed=0):
    """The model and its data (ESMM has two tasks only)."""
    keras.utils.set_random_seed(seed)
    data = data.with_tasks(list(data.tasks)[:2]) if name == "esmm" else data
    return BUILDERS[name](data), data


# Keras compiles on its own wherever it can, so "compiled" is what a plain fit does; without it is tried on a few.
@pytest.mark.parametrize("name", ["mmoe", "ple", "deepfm", "esmm"])
def test_fits_without_compiling(name, tiny_data):
    assert_fits(name, tiny_data, jit=False)


@pytest.mark.parametrize("name", [name for name in BUILDERS if name != "soft_sharing l1"])
def test_fits_compiled(name, tiny_data):
    assert_fits(name, tiny_data, jit=True)


def assert_fits(name, tiny_data, jit):
    model, data = build(name, renamed(tiny_data, AWKWARD_FOR_FIT).with_tasks(["a/b", "conversion"]))
    weights = dict.fromkeys(data.tasks, 0.5)
    model.compile(keras.optimizers.SGD(0.02), dict.fromkeys(data.tasks, "bce"), loss_weights=weights, jit_compile=jit)
    history = model.fit(data.train.inputs, data.train.labels, epochs=5, batch_size=64, verbose=0).history
    assert {f"{task}_loss" for task in data.tasks} < set(history)
    assert min(history["loss"][1:]) < history["loss"][0]


def test_losses_stay_with_their_tasks_when_a_layer_cannot_bear_the_name(tiny_data):
    model, data = build("mmoe", renamed(tiny_data, AWKWARD_FOR_FIT))
    model.compile("sgd", {task: "mae" for task in data.tasks}, jit_compile=False)
    wrong = dict(zip(data.tasks, (3.0, 5.0, 70.0), strict=True))
    labels = {task: output.numpy() + wrong[task] for task, output in model(data.test.inputs).items()}
    found = model.evaluate(data.test.inputs, labels, return_dict=True, verbose=0)
    assert {task: found[f"{task}_loss"] for task in data.tasks} == pytest.approx(wrong, rel=1e-5)


def test_gates_and_study_take_any_name(tiny_data):
    data = renamed(tiny_data, AWKWARD)
    build = partial(models.ple, levels=2, shared_experts=1, private_experts=1)
    gates = gate_model(build(data))(data.test.inputs)
    assert list(gates)[:3] == ["level_1/点击", "level_1/conversion", "level_1/watch ratio"]
    found = study({"PLE": build}, data, seeds=1, epochs=1, jit_compile=False, progress=False)
    assert set(found.frame["task"]) == set(AWKWARD.values())
    assert found.gates["PLE"].levels[0].owners == (0, 1, 2, -1)


@pytest.mark.parametrize("name", BUILDERS)
def test_two_sets_of_weights_in_one_program(name, tiny_data):
    pair = [build(name, tiny_data, seed)[0] for seed in (1, 2)]
    inputs = [{key: tf.constant(values[part]) for key, values in tiny_data.train.inputs.items()}
              for part in (slice(0, 20), slice(20, 40))]  # fmt: skip

    def stacked(of_model):
        return [tf.stack([each.value for each in same]) for same in zip(*map(of_model, pair), strict=True)]

    def one(run):
        return pair[0].stateless_call(*run, training=False)[0]

    both = tf.nest.map_structure(lambda *parts: tf.stack(parts), *inputs)
    run = (stacked(lambda model: model.trainable_variables), stacked(lambda model: model.non_trainable_variables), both)
    together = tf.function(partial(tf.vectorized_map, one, fallback_to_while_loop=False))(run)
    for position, (model, part) in enumerate(zip(pair, inputs, strict=True)):
        for task, output in model(part).items():
            np.testing.assert_allclose(together[task][position], output, atol=1e-5)


def test_saved_models_predict_the_same_in_a_new_process(tiny_data, tmp_path):
    wanted, paths, data = {}, {}, renamed(tiny_data, AWKWARD)
    rows = str(tmp_path / "rows.npz")
    np.savez(rows, **tiny_data.test.inputs)
    for name in BUILDERS:
        model, _ = build(name, data)
        random = np.random.default_rng(0)
        for weight in model.trainable_variables:  # biases too
            weight.assign_add(0.1 * random.normal(size=weight.shape))
        for layer in model.layers:
            if hasattr(layer, "switch_off"):
                layer.switch_off([1])
        path = str(tmp_path / f"{name}.keras")
        model.save(path)
        wanted[path], paths[path] = model(tiny_data.test.inputs), rows
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", LOAD, json.dumps(paths)]
    done = subprocess.run(command, capture_output=True, env=environment, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for path, outputs in wanted.items():
        loaded = np.load(path + ".npz")
        assert set(loaded) == set(outputs) <= set(AWKWARD.values())
        for task, output in outputs.items():
            np.testing.assert_allclose(loaded[task], output, atol=1e-6, err_msg=path)
