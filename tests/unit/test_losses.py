"""Losses count what is labelled, once, and nothing else."""

import mtl_helpers.quiet  # noqa: F401

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.datasets.base import MultiTaskData, Numeric, Rows, Task
from mtl_helpers.losses import Masked, task_losses


def value_and_gradient(loss, labels, outputs, weights=None):
    outputs = tf.constant(outputs, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        value = loss(np.array(labels), outputs, weights)
    return float(value), tape.gradient(value, outputs).numpy()


class OwnLoss(keras.losses.Loss):
    """The squared error as a reader would write it; Keras's own squeezes labels by itself."""

    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Masked("mse"), "loss='mse' is not a loss; give an object"),
        (lambda: Masked(keras.losses.MeanSquaredError())(np.ones((3, 2)), np.ones((3, 1))), "more labels than"),
        (lambda: Masked(keras.losses.MeanSquaredError())(np.ones(3), np.ones((4, 1))), "3 rows of labels for 4"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_flat_predictions_are_rows_and_only_weights_above_0_count():
    loss = Masked(keras.losses.MeanSquaredError())
    assert float(loss(np.array([1.0, np.nan]), np.array([3.0, 5.0]))) == 4.0
    assert float(loss(np.array([1.0, 2.0]), np.array([[3.0], [9.0]]), np.array([1.0, -1.0]))) == 4.0


@pytest.mark.parametrize("loss", [keras.losses.MeanSquaredError(), OwnLoss()], ids=["Keras's", "own"])
@pytest.mark.parametrize("labels", [[1.0, 3.0, 8.0], [[1.0], [3.0], [8.0]]], ids=["[batch]", "[batch, 1]"])
@pytest.mark.parametrize(
    "weights", [None, [1.0, 1.0, 1.0], [[1.0], [1.0], [1.0]]], ids=["none", "[batch]", "[batch, 1]"]
)
def test_labels_meet_their_own_prediction_only(labels, weights, loss):
    """[batch] against [batch, 1] broadcasts to every pair of rows: 17.3 instead of 16.7."""
    weights = None if weights is None else np.array(weights)
    value, gradient = value_and_gradient(Masked(loss), labels, [[0.0], [3.0], [1.0]], weights)
    assert value == pytest.approx((1 + 0 + 49) / 3)
    assert gradient == pytest.approx(np.array([[-2.0], [0.0], [-14.0]]) / 3)


@pytest.mark.parametrize("missing", ["NaN", "weight", "both"])
def test_missing_labels_count_neither_in_value_nor_in_gradient(missing):
    labels = [1.0, np.nan if missing != "weight" else 1e30, 0.0, np.nan if missing != "weight" else np.inf]
    weights = None if missing == "NaN" else np.array([1.0, 0.0, 1.0, 0.0])
    loss = Masked(keras.losses.BinaryCrossentropy())
    value, gradient = value_and_gradient(loss, labels, [[0.8], [0.3], [0.4], [0.9]], weights)
    assert value == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2, rel=1e-5)
    assert gradient.ravel() == pytest.approx([-1 / 0.8 / 2, 0, 1 / 0.6 / 2, 0], rel=1e-5)


def test_keras_alone_does_what_masked_is_for():
    """The trap: the reason why this class exists; should Keras mend it, the class can go."""
    labels, outputs = np.array([[1.0], [np.nan]]), tf.constant([[0.5], [0.5]])
    assert np.isnan(float(keras.losses.MeanSquaredError()(labels, outputs, np.array([1.0, 0.0]))))
    assert float(keras.losses.MeanSquaredError()(np.nan_to_num(labels), outputs, np.array([1.0, 0.0]))) == 0.125
    assert float(Masked(keras.losses.MeanSquaredError())(labels, outputs, np.array([1.0, 0.0]))) == 0.25


@pytest.mark.parametrize("labels", [[np.nan, np.nan], [0.0, 1.0]])
def test_a_batch_without_labels_costs_nothing(labels):
    value, gradient = value_and_gradient(
        Masked(keras.losses.BinaryCrossentropy()), labels, [[0.3], [0.6]], np.array([0.0, 0.0])
    )
    assert value == 0
    assert (gradient == 0).all()


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.booleans()), min_size=1, max_size=12))
@settings(deadline=None, max_examples=30)
def test_equals_the_plain_loss_of_the_labelled_rows(rows):
    labels, outputs, kept = (np.array(column) for column in zip(*rows, strict=True))
    value = Masked(keras.losses.MeanSquaredError())(np.where(kept, labels, np.nan), outputs[:, None].astype("float32"))
    wanted = np.mean((labels - outputs)[kept] ** 2) if kept.any() else 0
    assert float(value) == pytest.approx(wanted, rel=1e-4, abs=1e-6)


def test_weights_make_a_weighted_mean():
    value, _ = value_and_gradient(
        Masked(keras.losses.MeanSquaredError()), [0.0, 0.0], [[1.0], [3.0]], np.array([3.0, 1.0])
    )
    assert value == pytest.approx((3 * 1 + 1 * 9) / 4)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_classes_and_tags(dtype):
    loss = Masked(keras.losses.SparseCategoricalCrossentropy())
    chances = np.array([[0.7, 0.3], [0.2, 0.8], [0.5, 0.5]], "float32")
    labels = np.array([0, 0, 1], dtype)
    value, _ = value_and_gradient(loss, labels, chances, np.array([1.0, 1.0, 0.0]))
    assert value == pytest.approx(-(np.log(0.7) + np.log(0.2)) / 2, rel=1e-5)
    tags, tag_labels = np.stack([chances, chances]), np.stack([labels, labels])
    by_row, _ = value_and_gradient(loss, tag_labels, tags, np.array([0.0, 1.0]))
    assert by_row == pytest.approx(-(np.log(0.7) + np.log(0.2) + np.log(0.5)) / 3, rel=1e-5)
    by_token, gradient = value_and_gradient(loss, tag_labels, tags, np.array([[1.0, 0, 0], [0, 0, 1]]))
    assert by_token == pytest.approx(-(np.log(0.7) + np.log(0.5)) / 2, rel=1e-5)
    assert (gradient[0, 1:] == 0).all()
    assert (gradient[1, :2] == 0).all()


def test_missing_classes_as_nan_or_as_a_number_that_is_no_class():
    loss = Masked(keras.losses.SparseCategoricalCrossentropy())
    chances = np.array([[0.7, 0.3], [0.2, 0.8]], "float32")
    assert float(loss(np.array([0.0, np.nan]), chances)) == pytest.approx(-np.log(0.7), rel=1e-5)
    value, gradient = value_and_gradient(loss, np.array([0, -1]), chances, np.array([1.0, 0.0]))
    assert value == pytest.approx(-np.log(0.7), rel=1e-5)
    assert np.isfinite(gradient).all()


def data_with(tasks):
    x = {"numeric": np.zeros((4, 1), "float32")}
    rows = Rows(x, {task: np.array([0, 1, 0, 1], "float32") for task in tasks})
    return MultiTaskData("toy", tasks, {"numeric": Numeric(("a",))}, rows, rows, rows)


def test_each_kind_of_task_gets_its_usual_loss_and_may_get_another():
    tasks = {"click": Task(), "watch": Task("regression"), "kind": Task("multiclass", ("a", "b"))}
    mine = Masked(keras.losses.MeanAbsoluteError())
    losses = task_losses(data_with(tasks), watch=mine, click=keras.losses.BinaryFocalCrossentropy())
    assert list(losses) == list(tasks)
    assert losses["watch"] is mine
    assert isinstance(losses["click"].loss, keras.losses.BinaryFocalCrossentropy)
    assert isinstance(losses["kind"].loss, keras.losses.SparseCategoricalCrossentropy)
    with pytest.raises(ValueError, match=r"unknown \['buy'\]; choose from \['click', 'kind', 'watch'\]"):
        task_losses(data_with(tasks), buy=mine)


def test_losses_come_back_from_a_keras_file(tmp_path):
    x = keras.Input((1,), name="numeric")
    model = keras.Model({"numeric": x}, {"click": keras.layers.Dense(1, "sigmoid", name="click")(x)})
    focal = keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.3, gamma=1.5)
    data = data_with({"click": Task()})
    model.compile("sgd", loss=task_losses(data, click=focal))
    rows = {"numeric": np.ones((2, 1), "float32")}, {"click": np.array([1.0, np.nan], "float32")}
    before = model.evaluate(*rows, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.isfinite(before)
    assert again.evaluate(*rows, verbose=0) == pytest.approx(before)
    assert again.loss["click"].loss.gamma == 1.5


def test_the_tables_of_a_random_field_are_sent_to_their_own_loss():
    with pytest.raises(ValueError, match=r"y_pred=\(1, 2, 3, 3\): .*text_losses"):
        Masked(keras.losses.SparseCategoricalCrossentropy())(np.zeros((1, 2), "int32"), np.zeros((1, 2, 3, 3)))


def test_focal_loss_by_hand_and_how_it_differs_from_the_paper():
    """p_t = .9 for an easy positive: (1 - .9)^2 * -ln .9; p_t = .4 for a hard negative: (1 - .4)^2 * -ln .4."""
    labels, outputs = [1.0, 0.0], [[0.9], [0.6]]
    easy, hard = 0.1**2 * -np.log(0.9), 0.6**2 * -np.log(0.4)
    focal = keras.losses.BinaryFocalCrossentropy
    assert value_and_gradient(Masked(focal()), labels, outputs)[0] == pytest.approx((easy + hard) / 2, rel=1e-4)
    unused = value_and_gradient(Masked(focal(alpha=0.9)), labels, outputs)[0]
    assert unused == pytest.approx((easy + hard) / 2, rel=1e-4)  # alpha is not looked at ...
    paper = value_and_gradient(Masked(focal(apply_class_balancing=True)), labels, outputs)[0]
    assert paper == pytest.approx((0.25 * easy + 0.75 * hard) / 2, rel=1e-4)  # ... unless asked for
    plain = value_and_gradient(Masked(focal(gamma=0)), labels, outputs)[0]
    assert plain == pytest.approx(-(np.log(0.9) + np.log(0.4)) / 2, rel=1e-4)  # gamma 0 is cross-entropy


@pytest.mark.parametrize(("gamma", "finite"), [(0.0, False), (0.5, False), (1.0, True), (2.0, True)])
def test_focal_loss_needs_gamma_of_at_least_1_once_a_prediction_is_exactly_right(gamma, finite):
    loss = Masked(keras.losses.BinaryFocalCrossentropy(gamma=gamma))
    _, gradient = value_and_gradient(loss, [1.0, 0.0], [[1.0], [0.0]])
    assert np.isfinite(gradient).all() == finite
