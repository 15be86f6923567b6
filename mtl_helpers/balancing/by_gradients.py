"""Balancers that look at the tasks' gradients, and the cosine that says whether these conflict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_helpers.balancing.base import Balancer, State, StaticWeights, gram, task_gradients, weighted_sum
from mtl_helpers.datasets.base import Rows, require_known
from mtl_helpers.layers.arguments import at_least


@keras.saving.register_keras_serializable(package="mtl_helpers")
class GradNorm(Balancer):
    """Keeps the tasks' gradients of one size, with more for tasks that learn more slowly.

    Chen et al. 2018 (arXiv:1711.02257), algorithm 1. With G_k = w_k |gradient of L_k| and r_k the task's loss relative
    to its first, divided by the tasks' mean of that, w moves to lower ``sum_k |G_k - mean(G) r_k^alpha|`` (equation 2,
    the second term held fixed) and is scaled to sum to the number of tasks.

    Two choices differ from the paper. The gradients are those of all shared variables, not of one layer. And the step
    is taken on ln(w), in units of mean(G), so that no weight turns negative and the unit of the losses does not matter.

    Args:
        alpha: How strongly slow tasks are favoured; 0 makes all gradients the same size.
        learning_rate: Step length of ln(w).

    Raises:
        ValueError: If an argument is negative, or (in training) several tasks share no variable.

    Example:
        >>> balancer, gradients = GradNorm(alpha=0, learning_rate=0.1), [tf.constant([[3.0], [1.0]])]
        >>> state = balancer.initial_state(["click", "like"])
        >>> state = balancer.after_batch(tf.constant([1.0, 1.0]), gradients, [True], state)
        >>> state["weights"].numpy().round(2).tolist()  # the larger gradient's weight falls
        [0.9, 1.1]
    """

    def __init__(self, alpha: float = 1.5, learning_rate: float = 0.025) -> None:
        at_least("alpha", alpha, 0)
        at_least("learning_rate", learning_rate, 0)
        self.alpha, self.learning_rate = alpha, learning_rate

    def initial_state(self, tasks: Sequence[str]) -> State:
        """Gives equal weights and no first losses."""
        return {"weights": tf.ones([len(tasks)]), "first": tf.zeros([len(tasks)])}

    def after_batch(
        self, losses: tf.Tensor, gradients: Sequence[tf.Tensor], shared: Sequence[bool], state: State
    ) -> State:
        """Moves the weights; a batch in which a task has no label (its loss is 0) leaves them."""
        tasks = losses.shape[0]
        if tasks > 1 and not any(shared):
            raise ValueError("GradNorm compares gradients of shared variables, but the tasks share none; drop it.")
        first = tf.where(state["first"] > 0, state["first"], losses)
        progress = losses / tf.where(first > 0, first, 1.0)
        sizes = state["weights"] * tf.sqrt(tf.linalg.diag_part(gram(gradients, shared)))
        mean = tf.reduce_mean(sizes)
        target = mean * tf.math.divide_no_nan(progress, tf.reduce_mean(progress)) ** self.alpha
        slope = tf.math.divide_no_nan(sizes, mean) * tf.sign(sizes - target)
        moved = state["weights"] * tf.exp(-self.learning_rate * slope)
        moved *= tasks / tf.reduce_sum(moved)
        return {"weights": tf.where(tf.reduce_all(losses > 0), moved, state["weights"]), "first": first}

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {"alpha": self.alpha, "learning_rate": self.learning_rate}


@keras.saving.register_keras_serializable(package="mtl_helpers")
class PCGrad(Balancer):
    """Removes from each task's gradient what works against another task.

    Yu et al. 2020 (arXiv:2001.06782), algorithm 1: where a task's gradient g_i and another's g_j have a negative inner
    product, g_i loses its part along g_j; the others come in random order, drawn anew for each task and batch; the
    results are added. It works on all shared variables as one vector; towers keep their gradients.

    A projected gradient is a weighted sum of the tasks' gradients, so all of it is done on the matrix of their inner
    products, ``[tasks, tasks]``. ``state["weights"]`` holds the factors of the shared gradients in the last batch.

    Args:
        seed: Seed of the order, which matters from three tasks on; None draws one as Keras's layers do. As with
            dropout, XLA draws other orders from a seed than TensorFlow alone.

    Example:
        >>> balancer = PCGrad(seed=0)
        >>> gradients, state = [tf.constant([[1.0, 0.0], [-1.0, 1.0]])], balancer.initial_state(["click", "like"])
        >>> combined, state = balancer.combine(tf.constant([1.0, 1.0]), gradients, [True], state)
        >>> combined[0].numpy().tolist()  # (1, 0) became (.5, .5), and (-1, 1) became (0, 1)
        [0.5, 1.5]
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def initial_state(self, tasks: Sequence[str]) -> State:
        """Gives factors of 1 and the seed, with a count of the batches."""
        drawn = keras.ops.convert_to_numpy(keras.random.SeedGenerator(self.seed).state)
        return {"weights": tf.ones([len(tasks)]), "seed": tf.constant([int(drawn[0]) % 2**31, 0], tf.int32)}

    def combine(
        self, losses: tf.Tensor, gradients: Sequence[tf.Tensor], shared: Sequence[bool], state: State
    ) -> tuple[list[tf.Tensor], State]:
        """Adds up the projected gradients; takes and gives what ``Balancer.combine`` does."""
        tasks = losses.shape[0]
        # The older of two operations, because vectorized_map knows it.
        draws = tf.raw_ops.StatelessRandomUniform(shape=[tasks, tasks], seed=state["seed"])
        factors = tf.reduce_sum(project(gram(gradients, shared), tf.argsort(draws, axis=1)), axis=0)
        own = tf.ones([tasks])
        combined = [
            weighted_sum(factors if common else own, each) for each, common in zip(gradients, shared, strict=True)
        ]
        return combined, {"weights": factors, "seed": state["seed"] + tf.constant([0, 1])}

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {"seed": self.seed}


@keras.saving.register_keras_serializable(package="mtl_helpers")
class ConflictMeter(StaticWeights):
    """Weighs the tasks by fixed numbers, and measures how far their gradients agree while they train.

    For each task it notes the cosine between its gradient and another task's over all shared variables (with more than
    two tasks: the mean over the others), averaged over the batches of an epoch; and the share of batches in which that
    is negative. A batch's gradient is noisy, which draws cosines towards 0.

    Args:
        weights: Task -> weight; 1 for those not named.

    Example:
        >>> meter, gradients = ConflictMeter(), [tf.constant([[1.0, 0.0], [-1.0, 1.0]])]
        >>> state = meter.initial_state(["click", "like"])
        >>> state = meter.epoch_end(tf.zeros(2), meter.after_batch(tf.ones(2), gradients, [True], state))
        >>> state["cosine"].numpy().round(3).tolist()
        [-0.707, -0.707]
    """

    recorded = ("cosine", "conflict")

    def initial_state(self, tasks: Sequence[str]) -> State:
        """Gives the weights, and nothing measured."""
        names = ("cosine", "conflict", "cosine_sum", "conflict_sum", "batches")
        return {**super().initial_state(tasks), **{name: tf.zeros([len(tasks)]) for name in names}}

    def after_batch(
        self, losses: tf.Tensor, gradients: Sequence[tf.Tensor], shared: Sequence[bool], state: State
    ) -> State:
        """Adds the batch's cosines; a task without a gradient counts as neither with nor against the others."""
        products = gram(gradients, shared)
        sizes = tf.sqrt(tf.linalg.diag_part(products))
        others = tf.ones_like(products) - tf.eye(products.shape[0])
        cosines = tf.math.divide_no_nan(products, sizes[:, None] * sizes[None]) * others
        cosine = tf.math.divide_no_nan(tf.reduce_sum(cosines, axis=1), tf.reduce_sum(others, axis=1))
        return {
            **state,
            "cosine_sum": state["cosine_sum"] + cosine,
            "conflict_sum": state["conflict_sum"] + tf.cast(cosine < 0, tf.float32),
            "batches": state["batches"] + 1,
        }

    def epoch_end(self, losses: tf.Tensor, state: State) -> State:
        """Makes means of the sums and begins new ones."""
        means = {name: tf.math.divide_no_nan(state[f"{name}_sum"], state["batches"]) for name in self.recorded}
        empty = {name: tf.zeros_like(losses) for name in ("cosine_sum", "conflict_sum", "batches")}
        return {**state, **means, **empty}


def project(products: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
    """Projects every task's gradient off those it conflicts with, one after the other.

    Args:
        products: Inner products of the tasks' gradients, ``[tasks, tasks]``.
        order: For each task (row) the order in which it meets the tasks; itself is skipped. Int ``[tasks, tasks]``.

    Returns:
        ``[tasks, tasks]``: row i holds the factors of the tasks' gradients that add up to task i's projected one.

    Example:
        >>> project(tf.constant([[1.0, -1.0], [-1.0, 2.0]]), tf.constant([[0, 1], [0, 1]])).numpy().tolist()
        [[1.0, 0.5], [1.0, 1.0]]
    """
    tasks = products.shape[0]
    factors = own = tf.eye(tasks)
    for turn in range(tasks):
        met = tf.one_hot(order[:, turn], tasks) * (1 - own)
        product = tf.reduce_sum(tf.matmul(factors, products) * met, axis=1)
        square = tf.linalg.matvec(met, tf.linalg.diag_part(products))
        factors -= tf.math.divide_no_nan(tf.minimum(product, 0.0), square)[:, None] * met
    return factors


def gradient_cosine(model: keras.Model, rows: Rows, losses: Mapping[str, keras.losses.Loss]) -> dict[str, np.ndarray]:
    """Gives the cosine between the tasks' gradients in every shared layer: below 0 they pull in opposite directions.

    In a layer that holds all experts at once (``MixtureOfExperts``, ``CustomizedGateControl``) the cosine is over all
    of them; experts that one task does not use make it smaller in size.

    Args:
        model: A model with one named output a task.
        rows: The rows to compute the losses on; some hundred or more, for a batch's cosine is noisy.
        losses: Task -> loss, for instance ``task_losses(data)``.

    Returns:
        Path of the layer -> cosines ``[tasks, tasks]`` in the order of ``losses``; NaN where a gradient is 0.

    Raises:
        ValueError: If a loss is for no output of the model.

    Example:
        >>> data = shop_log(100)
        >>> cosines = gradient_cosine(hard_sharing(data), data.train, task_losses(data))
        >>> [each.shape for each in cosines.values()]  # the embeddings and the shared layer
        [(2, 2), (2, 2)]
    """
    require_known("losses", losses, model.output)
    variables = model.trainable_variables
    with tf.GradientTape(persistent=True) as tape:
        outputs = model({name: tf.constant(values) for name, values in rows.inputs.items()}, training=False)
        values = [
            loss(in_output_shape(tf.constant(rows.labels[task]), outputs[task]), outputs[task], rows.weights.get(task))
            for task, loss in losses.items()
        ]
    gradients, shared = task_gradients(tape, values, variables)
    layers = [variable.path.rsplit("/", 1)[0] for variable in variables]
    cosines = {}
    for layer in dict.fromkeys(layers):
        mine = [common and name == layer for name, common in zip(layers, shared, strict=True)]
        if any(mine):
            products = gram(gradients, mine).numpy()
            sizes = np.sqrt(np.diag(products))
            scale = np.outer(sizes, sizes)
            cosines[layer] = np.where(scale > 0, products / np.where(scale > 0, scale, 1), np.nan)
    return cosines


def in_output_shape(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Gives labels ``[batch]`` the last axis of outputs ``[batch, 1]``; without, they broadcast to every pair."""
    return labels[..., None] if len(labels.shape) == len(outputs.shape) - 1 and outputs.shape[-1] == 1 else labels
