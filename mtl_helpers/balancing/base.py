"""What a balancer is: pure functions from the tasks' losses and gradients to one gradient, and a state.

The state is a dict of tensors of fixed shape, so a balancer works in ``fit`` (``BalancedModel`` keeps the state in
variables), in a compiled loop, and under ``tf.vectorized_map``, where every seed has a state of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from mtl_helpers.datasets.base import require_known

State = dict[str, tf.Tensor]


class Balancer:
    """Weighs the tasks by ``state["weights"]``; kinds of balancers differ in how these move.

    A weight multiplies all gradients of its task: those of shared variables and those of its own tower.

    Attributes:
        recorded: Parts of the state, ``[tasks]`` each, that a study writes down after every epoch, in the rows of its
            frame whose split is ``"train"`` and whose metric is ``"balancer_<part>"``.

    Example:
        >>> balancer, gradients = Balancer(), [tf.constant([[1.0], [3.0]])]  # one weight, two tasks
        >>> balancer.combine(tf.ones(2), gradients, [True], balancer.initial_state(["click", "like"]))[0][0].numpy()
        array([4.], dtype=float32)
    """

    recorded: tuple[str, ...] = ("weights",)

    def initial_state(self, tasks: Sequence[str]) -> State:
        """Gives the state before training.

        Args:
            tasks: Names of the tasks, in the order of the losses.

        Returns:
            Name -> tensor; ``"weights"`` ``[tasks]`` is always one of them.
        """
        return {"weights": tf.ones([len(tasks)])}

    def combine(
        self, losses: tf.Tensor, gradients: Sequence[tf.Tensor], shared: Sequence[bool], state: State
    ) -> tuple[list[tf.Tensor], State]:
        """Turns the gradients of all tasks into one.

        Args:
            losses: The tasks' losses in this batch, ``[tasks]``.
            gradients: For each variable ``[tasks, *shape]``, 0 for tasks that do not use it; see ``task_gradients``.
            shared: For each variable, whether more than one task uses it.
            state: The state.

        Returns:
            The gradient of each variable ``[*shape]``, and the state for the next batch.
        """
        combined = [weighted_sum(state["weights"], each) for each in gradients]
        return combined, self.after_batch(losses, gradients, shared, state)

    def after_batch(
        self, losses: tf.Tensor, gradients: Sequence[tf.Tensor], shared: Sequence[bool], state: State
    ) -> State:
        """Gives the state after a batch; takes what ``combine`` takes."""
        return state

    def epoch_end(self, losses: tf.Tensor, state: State) -> State:
        """Gives the state after an epoch.

        Args:
            losses: The tasks' mean losses over the epoch, ``[tasks]``.
            state: The state.

        Returns:
            The new state.
        """
        return state

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Balancer:
        """Makes the balancer from its arguments."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="mtl_helpers")
class StaticWeights(Balancer):
    """Weighs the tasks by fixed numbers, as Keras's ``loss_weights`` does.

    Args:
        weights: Task -> weight; 1 for those not named.

    Raises:
        ValueError: If a weight is negative, or (when the state is made) for an unknown task.

    Example:
        >>> StaticWeights({"like": 0.5}).initial_state(["click", "like"])["weights"].numpy().tolist()
        [1.0, 0.5]
    """

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        self.weights = dict(weights or {})
        if not all(weight >= 0 for weight in self.weights.values()):
            raise ValueError(f"weights={self.weights}: a negative weight trains a task to be wrong; give at least 0.")

    def initial_state(self, tasks: Sequence[str]) -> State:
        """Gives the weights."""
        if self.weights:
            require_known("weights", self.weights, dict.fromkeys(tasks))
        return {"weights": tf.constant([float(self.weights.get(task, 1.0)) for task in tasks])}

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {"weights": self.weights}


def weighted_sum(weights: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """Sums one variable's gradients ``[tasks, *shape]`` by weights ``[tasks]``: ``[*shape]``."""
    return tf.tensordot(weights, gradient, axes=1)


def gram(gradients: Sequence[tf.Tensor], shared: Sequence[bool]) -> tf.Tensor:
    """Multiplies every task's gradient with every other's, over all shared variables taken as one long vector.

    Args:
        gradients: For each variable ``[tasks, *shape]``.
        shared: Which variables count.

    Returns:
        The inner products ``[tasks, tasks]``; the squared norms are on the diagonal.

    Example:
        >>> gram([tf.constant([[3.0, 0.0], [1.0, 2.0]])], [True]).numpy().tolist()
        [[9.0, 3.0], [3.0, 5.0]]
    """
    tasks = gradients[0].shape[0]
    products = tf.zeros([tasks, tasks])
    for gradient, common in zip(gradients, shared, strict=True):
        if common:
            flat = tf.reshape(gradient, [tasks, -1])
            products += tf.matmul(flat, flat, transpose_b=True)
    return products


def task_gradients(
    tape: tf.GradientTape, losses: Sequence[tf.Tensor], variables: Sequence[Any]
) -> tuple[list[tf.Tensor], list[bool]]:
    """Differentiates every task's loss by every variable.

    Args:
        tape: A persistent tape that has watched the losses being computed.
        losses: A scalar a task.
        variables: The variables, or the tensors that stand for them.

    Returns:
        For each variable its gradients ``[tasks, *shape]``, and whether more than one task uses it.

    Example:
        >>> common, own = tf.Variable(3.0), tf.Variable(2.0)
        >>> with tf.GradientTape(persistent=True) as tape:
        ...     losses = [common * own, 5 * common]
        >>> gradients, shared = task_gradients(tape, losses, [common, own])
        >>> [each.numpy().tolist() for each in gradients], shared
        ([[2.0, 5.0], [3.0, 0.0]], [True, False])
    """
    by_task = [tape.gradient(loss, list(variables)) for loss in losses]
    by_variable = list(zip(*by_task, strict=True))
    shared = [sum(each is not None for each in column) > 1 for column in by_variable]
    gradients = [
        tf.stack([tf.zeros(variable.shape) if each is None else tf.convert_to_tensor(each) for each in column])
        for variable, column in zip(variables, by_variable, strict=True)
    ]
    return gradients, shared
