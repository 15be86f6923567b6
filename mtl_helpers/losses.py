"""Losses, one a task, that know that a label can be missing.

Keras has the focal loss (Lin et al. 2017, "Focal loss for dense object detection", arXiv:1708.02002); use
``keras.losses.BinaryFocalCrossentropy`` as any other loss of a task. It differs from the paper in three ways:

- The paper's equation 5 weighs positives by alpha = .25 and negatives by .75. Keras applies ``alpha`` only with
  ``apply_class_balancing=True``, which is off by default: ``BinaryFocalCrossentropy(alpha=0.25)`` ignores its alpha.
- The paper divides the sum by the number of positives, Keras by the number of rows (``Masked``: of labelled rows).
- The paper starts the last bias at -log((1 - .01) / .01), so that every first prediction is .01; Keras starts at .5.

With gamma other than 0 its probabilities are not calibrated. Give gamma 1 or more, and plain cross-entropy for gamma 0:
below 1, Keras's gradient of (1 - p)^gamma is NaN as soon as one prediction rounds to its label.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

from typing import Any

import keras
from keras import ops

from mtl_helpers.datasets.base import MultiTaskData, require_known
from mtl_helpers.layers.tag_tables import CRFNegativeLogLikelihood


@keras.saving.register_keras_serializable(package="mtl_helpers")
class Masked(keras.losses.Loss):
    """A loss over the rows that have a label.

    A label is missing where it is NaN or its sample weight is 0. Keras alone multiplies the NaN by 0, which is NaN, and
    divides by the batch size, which makes a sparse task's gradients small. Here missing labels count for nothing, in
    value and in gradient, whatever they hold; the sum is divided by the weight of the present ones (PLE, Tang et al.
    2020, doi:10.1145/3383313.3412236, equation 9), and a batch without any label costs 0.

    Args:
        loss: The loss of a single row, any ``keras.losses.Loss``.
        name: Name of the loss.

    Raises:
        ValueError: If the loss is none; Keras's short names, such as ``"mse"``, are not enough.

    Example:
        >>> loss = Masked(keras.losses.MeanSquaredError())
        >>> float(loss(np.array([[1.0], [np.nan]]), np.array([[3.0], [5.0]])))
        4.0
    """

    def __init__(self, loss: keras.losses.Loss, name: str | None = None) -> None:
        if not isinstance(loss, keras.losses.Loss):
            raise ValueError(f"loss={loss!r} is not a loss; give an object, such as keras.losses.MeanSquaredError().")
        super().__init__(name=name or loss.name)
        self.loss = loss

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Gives the mean loss of the labelled rows.

        Args:
            y_true: Labels ``[batch]`` or in the shape of the predictions (classes: without the last axis).
            y_pred: Predictions ``[batch]`` or ``[batch, ...]``.
            sample_weight: Weights ``[batch]`` or one a label; not above 0 where the label is missing; all 1 if None.

        Returns:
            A scalar.

        Raises:
            ValueError: If labels and predictions do not fit: other numbers of rows, more labels than predictions, or a
                prediction with two axes more than its label.
        """
        each, weights = self.each(y_true, y_pred, sample_weight)
        return ops.sum(each * weights) / ops.maximum(ops.sum(weights), keras.backend.epsilon())

    def each(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[Any, Any]:
        """Gives the loss and the weight of every label, 0 and 0 where it is missing; takes what a call takes."""
        y_pred = ops.convert_to_tensor(y_pred)
        y_pred = ops.expand_dims(y_pred, -1) if len(y_pred.shape) == 1 else y_pred
        y_true = _per_label(ops.convert_to_tensor(y_true), y_pred)
        _check_shapes(tuple(y_true.shape), tuple(y_pred.shape))
        weights = ops.ones(ops.shape(y_pred)[:-1], y_pred.dtype)
        if sample_weight is not None:
            weights = weights * _weight_per_row(ops.cast(sample_weight, y_pred.dtype), y_pred)
        a_row_each = len(y_true.shape) == len(y_pred.shape)  # else class numbers, without the last axis
        if keras.backend.is_float_dtype(y_true.dtype):
            y_true = ops.cast(y_true, y_pred.dtype)
            missing = ops.isnan(y_true)
            missing = ops.any(missing, axis=-1) if a_row_each else missing
            weights = ops.where(missing, ops.zeros_like(weights), weights)
        labelled = weights > 0
        present = ops.expand_dims(labelled, -1) if a_row_each else labelled
        # Replaced before the loss, not after: a gradient through NaN * 0 would be NaN.
        y_true = ops.where(present, y_true, ops.zeros_like(y_true))
        return ops.where(labelled, self.loss.call(y_true, y_pred), 0.0), ops.where(labelled, weights, 0.0)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Gives the wrapped loss of each row."""
        return self.loss.call(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {"loss": keras.losses.serialize(self.loss), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Masked:
        """Makes the loss from its arguments."""
        return cls(keras.losses.deserialize(config["loss"]), config["name"])


def _check_shapes(labels: tuple[int | None, ...], predictions: tuple[int | None, ...]) -> None:
    """Refuses labels that would be broadcast to the predictions, or the other way round."""
    shapes = f"y_true={labels}, y_pred={predictions}"
    if len(predictions) > len(labels) + 1:
        raise ValueError(f"{shapes}: tables of a conditional random field? Their losses are text_losses(data).")
    same_axes = len(labels) == len(predictions)
    if len(labels) > len(predictions) or (same_axes and labels[-1] not in (None, 1, predictions[-1])):
        raise ValueError(f"{shapes}: more labels than predictions; give one a row.")
    if None not in (labels[0], predictions[0]) and labels[0] != predictions[0]:
        raise ValueError(f"{shapes}: {labels[0]} rows of labels for {predictions[0]} predictions; give as many.")


def _per_label(y_true: Any, y_pred: Any) -> Any:
    """Gives labels ``[batch]`` the last axis of predictions ``[batch, 1]``; without, they broadcast to every pair."""
    narrow = y_pred.shape[-1] == 1 and len(y_true.shape) == len(y_pred.shape) - 1
    return ops.expand_dims(y_true, -1) if narrow else y_true


def _weight_per_row(weights: Any, y_pred: Any) -> Any:
    """Shapes weights ``[batch]`` or one a label so that they fit the losses of single labels."""
    if len(weights.shape) == len(y_pred.shape):
        weights = ops.squeeze(weights, -1)
    missing_axes = len(y_pred.shape) - 1 - len(weights.shape)
    return ops.reshape(weights, (-1,) + (1,) * missing_axes) if missing_axes else weights


def task_losses(data: MultiTaskData, **losses: keras.losses.Loss) -> dict[str, keras.losses.Loss]:
    """Gives each task its usual loss.

    Args:
        data: The data; binary tasks get binary cross-entropy, regressions the squared error, classes and tags sparse
            categorical cross-entropy (``text_losses`` has the loss of a conditional random field).
        **losses: Task -> another loss.

    Returns:
        Task -> loss, for ``model.compile(loss=...)``.

    Raises:
        ValueError: If a loss is given for a task that does not exist.

    Example:
        >>> data = shop_log(100)
        >>> losses = task_losses(data, pay=keras.losses.BinaryFocalCrossentropy())
        >>> {task: loss.name for task, loss in losses.items()}
        {'click': 'binary_crossentropy', 'pay': 'binary_focal_crossentropy'}
    """
    if losses:
        require_known("losses", losses, data.tasks)
    usual = {
        "binary": keras.losses.BinaryCrossentropy,
        "regression": keras.losses.MeanSquaredError,
        "multiclass": keras.losses.SparseCategoricalCrossentropy,
        "tags": keras.losses.SparseCategoricalCrossentropy,
    }
    chosen = {task: losses.get(task) or usual[kind.kind]() for task, kind in data.tasks.items()}
    masked = (Masked, CRFNegativeLogLikelihood)  # these leave out what has no label by themselves
    return {task: loss if isinstance(loss, masked) else Masked(loss) for task, loss in chosen.items()}


def allow_any_names(model: keras.Model, data: MultiTaskData) -> None:
    """Lets ``fit`` train a compiled model whose tasks have any names, such as ``"watch ratio"`` or ``"点击"``.

    Keras keeps a running loss a task and names it like the task; a TensorFlow graph refuses names of other signs than
    A to Z, digits and ``_ . - / >`` ("not a valid scope name"). Outside a graph every name will do, so this computes
    the losses of one row there. Call it once, after ``compile`` and before ``fit``; ``study`` does not need it.

    Args:
        model: The compiled model.
        data: The data it was built for.

    Example:
        >>> data = shop_log(100)
        >>> model = hard_sharing(data)
        >>> model.compile("adam", loss=task_losses(data))
        >>> allow_any_names(model, data)
    """
    row = data.train.take(slice(0, 1))
    model.compute_loss(row.inputs, row.labels, model(row.inputs))
    model.reset_metrics()
