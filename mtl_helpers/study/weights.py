"""The weights of many runs of one model, in one variable."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf


class StackedWeights:
    """The trained weights of all runs side by side: a row of numbers a run.

    An optimizer that treats each number by itself does not care where a weight ends. One variable instead of a dozen
    makes its program smaller: quicker to compile, and quicker to run.

    Args:
        models: The variables of each run's model, ``[runs][variables]``, all of the same shapes.

    Attributes:
        variable: What an optimizer moves, ``[runs, numbers]``.

    Example:
        >>> weights = StackedWeights([model.trainable_variables for model in models])  # doctest: +SKIP
        >>> weights.tensors()[0].shape  # the first variable of all runs  # doctest: +SKIP
        TensorShape([8, 100, 16])
    """

    def __init__(self, models: Sequence[Sequence[keras.Variable]]) -> None:
        self._shapes = [tuple(variable.shape) for variable in models[0]]
        self._sizes = [int(np.prod(shape)) for shape in self._shapes]
        rows = [np.concatenate([variable.numpy().ravel() for variable in model]) for model in models]
        self.variable = keras.Variable(np.stack(rows))

    def tensors(self) -> list[tf.Tensor]:
        """Gives each variable's values as tensors ``[runs, ...]``."""
        parts = tf.split(self.variable.value, self._sizes, axis=1)
        return [tf.reshape(part, [-1, *shape]) for part, shape in zip(parts, self._shapes, strict=True)]

    def joined(self, gradients: Sequence[tf.Tensor]) -> tf.Tensor:
        """Lays gradients ``[runs, ...]``, one a variable, side by side, as ``variable`` holds the weights."""
        flat = [tf.reshape(each, [-1, size]) for each, size in zip(gradients, self._sizes, strict=True)]
        return tf.concat(flat, axis=1)

    def numpy(self) -> list[np.ndarray]:
        """Copies the values of each variable, ``[runs, ...]``."""
        return [np.array(each) for each in self.tensors()]

    def assign(self, values: Sequence[np.ndarray]) -> None:
        """Puts copied values back."""
        self.variable.assign(np.concatenate([each.reshape(len(each), -1) for each in values], axis=1))
