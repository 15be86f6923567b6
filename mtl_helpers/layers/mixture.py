"""Multi-gate mixture of experts (MMoE)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from mtl_helpers.layers.arguments import Shape, Tensor, at_least, check_axes
from mtl_helpers.layers.gating import GatedExperts, load_imbalance


@keras.saving.register_keras_serializable(package="mtl_helpers")
class MixtureOfExperts(GatedExperts):
    """Experts shared by all tasks, and gates that mix them: one a task (MMoE) or a single one (OMoE).

    Gate k gives ``f_k(x) = sum_i softmax(W_k x)_i f_i(x)``: Ma et al. 2018, "Modeling task relationships in multi-task
    learning with multi-gate mixture-of-experts", DOI 10.1145/3219819.3220007, equations 6 to 8.

    Args:
        experts: Number of experts.
        expert_units: Widths of the layers of each expert.
        gates: Names of the gates, one a task, or a single one for all.
        temperature: Divides the gates' logits: near 0 a gate picks one expert, large it uses all evenly.
        gate_dropout: Probability with which a row's gate loses an expert in training; the rest is renormalised.
        load_balancing: Weight of the penalty on unevenly used experts, see ``load_imbalance``; added in training.
        activation: Activation of the experts.
        **kwargs: ``name`` and the like, for ``keras.layers.Layer``.

    Attributes:
        gate_names: ``gates`` as a tuple.
        expert_names: ``("expert 1", "expert 2", ...)``.

    Input: ``[batch, in]``.
    Output: the mixtures ``[batch, gates, units]`` and the gates' weights ``[batch, gates, experts]``.

    Raises:
        ValueError: If there is no expert or gate, two gates have one name, or the temperature, dropout or load
            balancing is out of range.

    Example:
        >>> layer = MixtureOfExperts(experts=8, expert_units=(16,), gates=("click", "like"))
        >>> mixed, weights = layer(np.ones((32, 10)))
        >>> mixed.shape, weights.shape
        (TensorShape([32, 2, 16]), TensorShape([32, 2, 8]))
    """

    def __init__(
        self,
        experts: int = 8,
        expert_units: Sequence[int] = (16,),
        gates: Sequence[str] = ("shared",),
        temperature: float = 1.0,
        gate_dropout: float = 0.0,
        load_balancing: float = 0.0,
        activation: str | None = "relu",
        **kwargs: Any,
    ) -> None:
        at_least("experts", experts, 1)
        at_least("load_balancing", load_balancing, 0)
        names = [f"expert {i + 1}" for i in range(experts)]
        super().__init__(names, gates, expert_units, temperature, gate_dropout, activation, **kwargs)
        self.load_balancing = load_balancing

    def build(self, input_shape: Shape) -> None:
        """Creates the weights."""
        check_axes("inputs", input_shape, 2)
        self.build_experts(input_shape[-1] or 0)

    def call(self, inputs: Tensor, training: bool | None = None) -> tuple[Tensor, Tensor]:
        """Mixes: ``[batch, in]`` -> ``[batch, gates, units]``, ``[batch, gates, experts]``."""
        mixed, weights = self.mix(inputs, inputs, None, training)
        if self.load_balancing and training:
            self.add_loss(self.load_balancing * load_imbalance(weights))
        return mixed, weights

    def compute_output_shape(self, input_shape: Shape) -> tuple[Shape, Shape]:
        """Gives ``(batch, gates, units), (batch, gates, experts)``."""
        return self.mixture_shapes(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        own = {"experts": len(self.expert_names), "gates": self.gate_names, "load_balancing": self.load_balancing}
        return {**super().get_config(), **own}
