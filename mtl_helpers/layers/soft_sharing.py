"""Soft sharing: every task has its own network, and something pulls or mixes them together."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

from mtl_helpers.layers.arguments import Shape, Tensor, at_least, check_axes


@keras.saving.register_keras_serializable(package="mtl_helpers")
class SoftSharingPenalty(keras.regularizers.Regularizer):
    """Pulls the tasks' weights towards each other: a penalty on the distance of every pair of tasks.

    With W_k task k's slice, the penalty is ``strength * sum_{j<k} |W_j - W_k|^2`` ("l2", Duong et al. 2015, DOI
    10.3115/v1/P15-2139) or ``strength * sum_{j<k} |W_j - W_k|_1`` ("l1", which leaves a few weights far apart and the
    rest together). At 0 the networks are independent; as it grows they become one.

    Args:
        strength: Weight of the penalty in the loss.
        norm: ``"l2"`` (squared Euclidean distance) or ``"l1"`` (sum of absolute differences).

    Raises:
        ValueError: If the strength is negative or the norm unknown.

    Example:
        >>> float(SoftSharingPenalty(0.5, "l2")(np.array([[1.0, 2.0], [3.0, 2.0]], "float32")))
        2.0
    """

    def __init__(self, strength: float, norm: Literal["l2", "l1"] = "l2") -> None:
        at_least("strength", strength, 0)
        if norm not in ("l2", "l1"):
            raise ValueError(f"norm={norm!r} is unknown; choose 'l2' or 'l1'.")
        self.strength, self.norm = strength, norm

    def __call__(self, x: Tensor) -> Tensor:
        """Computes the penalty of stacked weights ``[..., tasks, units]``: a scalar."""
        difference = x[..., :, None, :] - x[..., None, :, :]  # every pair twice
        size = ops.square(difference) if self.norm == "l2" else ops.abs(difference)
        return 0.5 * self.strength * ops.sum(size)

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {"strength": self.strength, "norm": self.norm}


@keras.saving.register_keras_serializable(package="mtl_helpers")
class CrossStitch(keras.layers.Layer):
    """Lets every task's network read a learned mixture of all tasks' activations.

    Task k continues with ``sum_j alpha_kj h_j``: Misra et al. 2016, "Cross-stitch networks for multi-task learning"
    (arXiv:1604.03539), equation 1. The matrix starts close to the identity and is learned with the rest.

    Args:
        own: Initial weight of a task's own activations; the other tasks share ``1 - own`` evenly.
        **kwargs: ``name`` and the like, for ``keras.layers.Layer``.

    Input: activations of all tasks, ``[batch, tasks, units]``.
    Output: the mixtures, of the same shape.

    Raises:
        ValueError: If ``own`` is not between 0 and 1, or the input has other axes.

    Example:
        >>> layer = CrossStitch(own=0.75)
        >>> layer(np.array([[[4.0], [8.0]]])).numpy().tolist()
        [[[5.0], [7.0]]]
    """

    def __init__(self, own: float = 0.9, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= own <= 1:
            raise ValueError(f"own={own} is not a share between 0 and 1; 0.9 is usual.")
        self.own = own

    def build(self, input_shape: Shape) -> None:
        """Creates the mixing matrix ``alpha`` ``[tasks, tasks]``."""
        check_axes("inputs", input_shape, 3)
        tasks = input_shape[1] or 1
        others = (1 - self.own) / max(1, tasks - 1)
        start = ops.eye(tasks) * (self.own - others) + others
        self.alpha = self.add_weight(name="alpha", shape=(tasks, tasks), initializer=lambda shape, dtype: start)

    def call(self, inputs: Tensor) -> Tensor:
        """Mixes: ``[batch, tasks, units]`` -> ``[batch, tasks, units]``."""
        return ops.einsum("kj,bju->bku", self.alpha, inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Gives the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {**super().get_config(), "own": self.own}
