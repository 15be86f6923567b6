"""Balancers that look at the losses alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from mtl_helpers.balancing.base import Balancer, State
from mtl_helpers.datasets.base import require_known
from mtl_helpers.layers.arguments import at_least


@keras.saving.register_keras_serializable(package="mtl_helpers")
class UncertaintyWeighting(Balancer):
    """Learns for each task how noisy it is, and weighs it by the inverse.

    Kendall, Gal and Cipolla 2018 (arXiv:1705.07115). With s = ln(sigma^2) the loss of a regression is
    ``L exp(-s) / 2 + s / 2`` (equation 7, L the mean squared error) and that of a classification ``L exp(-s) + s / 2``
    (equation 10, L the cross-entropy). s moves by gradient descent along with the model, one number a task. It rests
    at s = ln(L) for a regression and ln(2 L) for a classification: every weighted loss ends at 1/2, whatever its unit.

    The authors train s with the model's optimizer; here it takes plain gradient steps of at most ``learning_rate``,
    which are well scaled because the second derivative at rest is 1/2 for every task.

    Args:
        regressions: Names of the tasks whose loss is a squared error; the others count as classifications.
        learning_rate: Step length of s.

    Raises:
        ValueError: If the learning rate is negative, or (when the state is made) a name is unknown.

    Example:
        >>> balancer = UncertaintyWeighting(regressions=["watch"])
        >>> balancer.initial_state(["click", "watch"])["weights"].numpy().tolist()
        [1.0, 0.5]
    """

    def __init__(self, regressions: Sequence[str] = (), learning_rate: float = 0.05) -> None:
        at_least("learning_rate", learning_rate, 0)
        self.regressions = [regressions] if isinstance(regressions, str) else list(regressions)
        self.learning_rate = learning_rate

    def initial_state(self, tasks: Sequence[str]) -> State:
        """Gives s = 0 for every task."""
        if self.regressions:
            require_known("regressions", self.regressions, dict.fromkeys(tasks))
        factor = tf.constant([0.5 if task in self.regressions else 1.0 for task in tasks])
        return {"weights": factor, "factor": factor, "log_variance": tf.zeros([len(tasks)])}

    def after_batch(
        self, losses: tf.Tensor, gradients: Sequence[tf.Tensor], shared: Sequence[bool], state: State
    ) -> State:
        """Moves s one step downhill; a task without a label in the batch (its loss is 0) stays."""
        slope = 0.5 - state["weights"] * losses
        step = self.learning_rate * tf.clip_by_value(slope, -1.0, 1.0)
        log_variance = state["log_variance"] - tf.where(losses > 0, step, 0.0)
        weights = state["factor"] * tf.exp(-log_variance)
        return {**state, "weights": weights, "log_variance": log_variance}

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {"regressions": self.regressions, "learning_rate": self.learning_rate}


@keras.saving.register_keras_serializable(package="mtl_helpers")
class DynamicWeightAverage(Balancer):
    """Gives more weight to the tasks whose loss fell least from one epoch to the next.

    Liu, Johns and Davison 2019 (arXiv:1803.10704), equation 7: ``weights = tasks * softmax(ratio / temperature)`` with
    the ratio of the mean losses of the last two epochs; equal weights in the first two.

    Args:
        temperature: Above 0; the larger, the more even the weights.

    Raises:
        ValueError: If the temperature is not above 0.

    Example:
        >>> balancer = DynamicWeightAverage()
        >>> state = balancer.initial_state(["click", "like"])
        >>> for losses in ([1.0, 1.0], [1.0, 0.5]):
        ...     state = balancer.epoch_end(tf.constant(losses), state)
        >>> state["weights"].numpy().round(2).tolist()
        [1.12, 0.88]
    """

    def __init__(self, temperature: float = 2.0) -> None:
        if not temperature > 0:
            raise ValueError(f"temperature={temperature} must be above 0; 2 is the paper's.")
        self.temperature = temperature

    def initial_state(self, tasks: Sequence[str]) -> State:
        """Gives equal weights and no past losses."""
        return {"weights": tf.ones([len(tasks)]), "previous": tf.zeros([len(tasks)])}

    def epoch_end(self, losses: tf.Tensor, state: State) -> State:
        """Compares the epoch's mean losses with those of the one before."""
        previous = state["previous"]
        ratio = tf.where(previous > 0, losses / tf.where(previous > 0, previous, 1.0), 1.0)
        weights = losses.shape[0] * tf.nn.softmax(ratio / self.temperature)
        return {"weights": weights, "previous": losses}

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {"temperature": self.temperature}
