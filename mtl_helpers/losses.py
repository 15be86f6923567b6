"""Losses, one a task, that know that a label can be missing."""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

from typing import Any

import keras
from keras import ops

from mtl_helpers.datasets.base import MultiTaskData, require_known


@keras.saving.register_keras_serializable(package="mtl_helpers")
class Masked(keras.losses.Loss):
    """A loss over the rows that have a label.

    A label is missing where it is NaN or its sample weight is 0. Keras alone multiplies the NaN by 0, which is NaN, and
    divides by the batch size, which makes a sparse task's gradients small. Here missing labels count for nothing, the
    sum is divided by the weight of the present ones (PLE, Tang et al. 2020, equation 9), and a batch without any label
    costs 0.

    Args:
        loss: The loss of a single row, any ``keras.losses.Loss``.
        name: Name of the loss.

    Example:
        >>> loss = Masked(keras.losses.MeanSquaredError())
        >>> float(loss(np.array([[1.0], [np.nan]]), np.array([[3.0], [5.0]])))
        4.0
    """

    def __init__(self, loss: keras.losses.Loss, name: str | None = None) -> None:
        super().__init__(name=name or loss.name)
        self.loss = loss

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Gives the mean loss of the labelled rows.

        Args:
            y_true: Labels ``[batch]`` or in the shape of the predictions (classes: without the last axis).
            y_pred: Predictions ``[batch, ...]``.
            sample_weight: Weights ``[batch]`` or one a label; 0 where the label is missing; all 1 if None.

        Returns:
            A scalar.
        """
        y_pred = ops.convert_to_tensor(y_pred)
        y_true = ops.convert_to_tensor(y_true)
        if y_pred.shape[-1] == 1 and len(y_true.shape) == len(y_pred.shape) - 1:
            y_true = ops.expand_dims(y_true, -1)  # [batch] against [batch, 1] would become [batch, batch]
        weights = ops.ones(ops.shape(y_pred)[:-1], y_pred.dtype)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, y_pred.dtype)
            if len(sample_weight.shape) == len(y_pred.shape):
                sample_weight = ops.squeeze(sample_weight, -1)
            weights = (
                weights * ops.reshape(sample_weight, (-1,) + (1,) * (len(y_pred.shape) - 2))
                if len(sample_weight.shape) == 1
                else weights * sample_weight
            )
        if keras.backend.is_float_dtype(y_true.dtype):
            missing = ops.isnan(y_true)
            y_true = ops.where(missing, ops.zeros_like(y_true), y_true)
            weights = weights * ops.cast(ops.logical_not(ops.any(missing, axis=-1)), weights.dtype)
        each = self.loss.call(y_true, y_pred)
        return ops.sum(each * weights) / ops.maximum(ops.sum(weights), keras.backend.epsilon())

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


def task_losses(data: MultiTaskData, **losses: keras.losses.Loss) -> dict[str, keras.losses.Loss]:
    """Gives each task its usual loss.

    Args:
        data: The data; binary tasks get binary cross-entropy, regressions the squared error, classes and tags sparse
            categorical cross-entropy.
        **losses: Task -> another loss.

    Returns:
        Task -> loss, for ``model.compile(loss=...)``.

    Raises:
        ValueError: If a loss is given for a task that does not exist.

    Example:
        >>> model.compile("adam", loss=task_losses(data, like=keras.losses.BinaryFocalCrossentropy()))  # doctest: +SKIP
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
    return {task: loss if isinstance(loss, Masked) else Masked(loss) for task, loss in chosen.items()}
