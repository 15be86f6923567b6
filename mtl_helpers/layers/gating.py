"""What MMoE and PLE have in common: experts, and gates that mix them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras
import numpy as np
from keras import ops

from mtl_helpers.datasets.kinds import distinct
from mtl_helpers.layers.arguments import Shape, Tensor, widths
from mtl_helpers.layers.parallel import ParallelDense

MASKED = -1e9  # a logit whose softmax is exactly 0
_FOR_XLA: ContextVar[bool] = ContextVar("traced for XLA", default=False)


def gate_weights(
    logits: Tensor,
    allowed: Tensor | None = None,
    temperature: float = 1.0,
    dropout: float = 0.0,
    seed: keras.random.SeedGenerator | None = None,
) -> Tensor:
    """Turns a gate's logits into weights that sum to 1.

    What a gate may not use is masked before the softmax: masked after it, the weights would no longer sum to 1.
    Dropping an expert works the same way, so the rest is renormalised (Zhao et al. 2019, "Recommending what video to
    watch next", DOI 10.1145/3298689.3346997). One allowed expert, chosen at random, is never dropped.

    Args:
        logits: ``[batch, gates, experts]``.
        allowed: Which expert each gate may use, boolean, broadcast to the logits, at least one a gate; all if None.
        temperature: Divides the logits: near 0 each gate picks one expert, large it spreads evenly.
        dropout: Probability with which a row's gate loses an expert.
        seed: Source of the randomness of dropout.

    Returns:
        Weights ``[batch, gates, experts]``, exactly 0 for an expert that is not allowed or dropped.

    Example:
        >>> gate_weights(np.zeros((1, 1, 3), "float32"), allowed=np.array([True, True, False])).numpy()
        array([[[0.5, 0.5, 0. ]]], dtype=float32)
    """
    if dropout:
        allowed = ops.broadcast_to(True if allowed is None else allowed, ops.shape(logits))
        chance = ops.where(allowed, keras.random.uniform(ops.shape(logits), seed=seed), -1.0)
        luckiest = chance == ops.max(chance, axis=-1, keepdims=True)
        allowed = ops.logical_and(allowed, ops.logical_or(chance >= dropout, luckiest))
    logits = logits if temperature == 1 else logits / temperature
    # Added, not chosen by where: the mask is as small as a bias, and the gradient need not pass it.
    return ops.softmax(logits if allowed is None else logits + ops.where(allowed, 0.0, MASKED), axis=-1)


@contextmanager
def traced_for_xla(compiled: bool = True) -> Iterator[None]:
    """Says that XLA will compile what is traced in a ``with`` block; changes how fast it is, not what it gives.

    Args:
        compiled: Whether it will.

    Example:
        >>> with traced_for_xla():
        ...     mixtures(np.full((1, 1, 2), 0.5, "float32"), np.array([[[1.0], [3.0]]], "float32")).numpy().tolist()
        [[[2.0]]]
    """
    token = _FOR_XLA.set(compiled)
    try:
        yield
    finally:
        _FOR_XLA.reset(token)


def mixtures(weights: Tensor, outputs: Tensor) -> Tensor:
    """Weighs the experts' outputs.

    It is a small matrix product a row. TensorFlow has a quick kernel for that; XLA makes a slow loop of it, but fuses a
    product and its sum with what comes before and after.

    Args:
        weights: ``[batch, gates, experts]``.
        outputs: ``[batch, experts, units]``.

    Returns:
        ``[batch, gates, units]``.

    Example:
        >>> mixtures(np.full((1, 1, 2), 0.5, "float32"), np.array([[[1.0], [3.0]]], "float32")).numpy().tolist()
        [[[2.0]]]
    """
    if _FOR_XLA.get():
        return ops.sum(weights[..., None] * outputs[:, None], axis=2)
    return ops.matmul(weights, outputs)


def load_imbalance(weights: Tensor) -> Tensor:
    """Measures how unevenly a batch uses the experts: the squared coefficient of variation of their loads.

    Shazeer et al. 2017 (arXiv:1701.06538), equations 6 and 7, with the load averaged over all gates, so that two tasks
    may well prefer different experts.

    Args:
        weights: Gate weights ``[batch, gates, experts]``.

    Returns:
        A scalar: 0 if every expert carries the same load, experts - 1 if one carries all.

    Example:
        >>> float(load_imbalance(np.array([[[1.0, 0.0]], [[0.0, 1.0]]], "float32")))
        0.0
    """
    load = ops.mean(weights, axis=(0, 1))
    return ops.cast(ops.size(load), load.dtype) * ops.sum(ops.square(load)) - 1.0


class GatedExperts(keras.layers.Layer):
    """Base of the layers whose gates mix experts; not used by itself.

    Args:
        expert_names: A name an expert.
        gate_names: A name a gate.
        expert_units: Widths of the layers of each expert.
        temperature: Divides the gates' logits; above 0.
        gate_dropout: Probability with which a gate loses an expert in training; at least 0, below 1.
        activation: Activation of the experts.
        **kwargs: For ``keras.layers.Layer``.

    Attributes:
        gate_names: The gates' names, in the order of the weights.
        expert_names: The experts' names, in the order of the weights.
        expert_enabled: Weight ``[experts]``, not trained: 1, or 0 for an expert that is switched off.
        allowed: Which gate may use which expert, boolean ``[gates, experts]``; None if every gate may use all.

    Raises:
        ValueError: If there is no gate, two have one name, a width is below 1, or the temperature or dropout is out of
            range.
    """

    allowed: np.ndarray | None = None

    def __init__(
        self,
        expert_names: Sequence[str],
        gate_names: Sequence[str],
        expert_units: Sequence[int],
        temperature: float,
        gate_dropout: float,
        activation: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not gate_names:
            raise ValueError(f"{type(self).__name__} was given no gate; name one a task.")
        if not temperature > 0:
            raise ValueError(f"temperature={temperature} is not above 0; 1 leaves the gates as they are.")
        if not 0 <= gate_dropout < 1:
            raise ValueError(f"gate_dropout={gate_dropout} is not a probability below 1; 0.1 is usual.")
        self.expert_names, self.gate_names = tuple(expert_names), distinct("gates", gate_names)
        self.expert_units = widths("expert_units", expert_units)
        self.temperature, self.gate_dropout = temperature, gate_dropout
        self.activation = keras.activations.get(activation)
        self.expert_layers = [ParallelDense(len(self.expert_names), units, activation) for units in self.expert_units]
        self.gate_layer = ParallelDense(len(self.gate_names), len(self.expert_names), use_bias=False)
        self.seed_generator = keras.random.SeedGenerator() if gate_dropout else None

    def build_experts(self, width: int) -> None:
        """Creates the weights of experts and gates for inputs of ``width`` numbers."""
        self.gate_layer.build((None, width))
        for layer in self.expert_layers:
            layer.build((None, width))
            width = layer.units
        experts = (len(self.expert_names),)
        self.expert_enabled = self.add_weight(name="expert_enabled", shape=experts, initializer="ones", trainable=False)

    def mix(
        self, expert_input: Tensor, gate_input: Tensor, allowed: np.ndarray | None, training: bool | None
    ) -> tuple[Tensor, Tensor]:
        """Computes experts and gates, and weighs the one by the other.

        Args:
            expert_input: ``[batch, in]`` or, an input an expert, ``[batch, experts, in]``.
            gate_input: ``[batch, in]`` or, an input a gate, ``[batch, gates, in]``.
            allowed: Which gate may use which expert, boolean ``[gates, experts]``; all if None.
            training: Whether gates lose experts.

        Returns:
            The mixtures ``[batch, gates, units]`` and the weights ``[batch, gates, experts]``.
        """
        enabled = self.expert_enabled > 0
        allowed = enabled if allowed is None else ops.logical_and(enabled, allowed)
        dropout = self.gate_dropout if training else 0.0
        logits = self.gate_layer(gate_input)
        weights = gate_weights(logits, allowed, self.temperature, dropout, self.seed_generator)
        outputs = expert_input
        for layer in self.expert_layers:
            outputs = layer(outputs)
        return mixtures(weights, outputs), weights

    def switch_off(self, experts: Sequence[int]) -> None:
        """Takes experts out of every gate; the weights of the others are renormalised.

        Args:
            experts: Their positions, counted from 0.

        Raises:
            ValueError: If a position does not exist, or a gate would have no expert left.
        """
        self.expert_enabled.assign(self.enabled_without(experts))

    def enabled_without(self, experts: Sequence[int]) -> np.ndarray:
        """Gives what ``expert_enabled`` would be without some experts; raises what ``switch_off`` does."""
        enabled = self.expert_enabled.numpy().copy()
        unknown = [expert for expert in experts if not 0 <= expert < len(enabled)]
        if unknown:
            raise ValueError(f"experts={list(experts)}: there is no {unknown}; count from 0 to {len(enabled) - 1}.")
        enabled[list(experts)] = 0
        left = (enabled > 0) if self.allowed is None else self.allowed & (enabled > 0)
        if not left.any(axis=-1).all():
            raise ValueError(f"experts={list(experts)} would switch off the last expert of a gate; leave one on.")
        return enabled

    def switch_on_all(self) -> None:
        """Puts every expert back."""
        self.expert_enabled.assign(np.ones(len(self.expert_names), "float32"))

    def mixture_shapes(self, batch: int | None) -> tuple[Shape, Shape]:
        """Gives the shapes of the mixtures and of the weights."""
        gates = len(self.gate_names)
        return (batch, gates, self.expert_units[-1]), (batch, gates, len(self.expert_names))

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments that all gated layers share."""
        return {
            **super().get_config(),
            "expert_units": self.expert_units,
            "temperature": self.temperature,
            "gate_dropout": self.gate_dropout,
            "activation": keras.activations.serialize(self.activation),
        }
