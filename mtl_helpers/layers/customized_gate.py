"""Customized gate control (CGC), the level that progressive layered extraction (PLE) stacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from mtl_helpers.datasets.kinds import distinct
from mtl_helpers.layers.arguments import Shape, Tensor, at_least, check_axes
from mtl_helpers.layers.gating import GatedExperts


@keras.saving.register_keras_serializable(package="mtl_helpers")
class CustomizedGateControl(GatedExperts):
    """Experts of each task's own beside shared ones; a task's gate sees its own and the shared.

    So a task's gradient never reaches another task's private experts. The shared gate sees all experts and feeds the
    shared experts of the next level; the last level has no next one and therefore no shared gate. Tang et al. 2020,
    "Progressive layered extraction", DOI 10.1145/3383313.3412236, equations 2 to 6.

    Args:
        shared_experts: Number of shared experts.
        private_experts: Private experts of each task: one number for all, or one a task.
        expert_units: Widths of the layers of each expert.
        tasks: Names of the tasks.
        shared_gate: Whether there is a shared gate: on every level but the last.
        temperature: Divides the gates' logits: near 0 a gate picks one expert, large it uses all evenly.
        gate_dropout: Probability with which a row's gate loses an expert in training; the rest is renormalised.
        activation: Activation of the experts.
        **kwargs: ``name`` and the like, for ``keras.layers.Layer``.

    Attributes:
        gate_names: The tasks and, with a shared gate, ``"shared"``.
        expert_names: ``"click 1"`` and so on for each task's private experts, then ``"shared 1"`` and so on.
        allowed: Which gate may use which expert, boolean ``[gates, experts]``.

    Input: a list of tasks + 1 tensors ``[batch, in]``: each task's, then the shared one. On the first level they are
    all the same tensor.
    Output: a list with a tensor ``[batch, units]`` a gate, and all weights ``[batch, gates, experts]``, exactly 0 for
    another task's private experts.

    Raises:
        ValueError: If a task would have no expert, the number of private experts does not match the tasks, two tasks
            have one name, or the temperature or dropout is out of range.

    Example:
        >>> layer = CustomizedGateControl(2, private_experts=(1, 3), expert_units=(16,), tasks=("a", "b"))
        >>> x = np.ones((32, 10))
        >>> outputs, weights = layer([x, x, x])
        >>> len(outputs), weights.shape
        (2, TensorShape([32, 2, 6]))
    """

    def __init__(
        self,
        shared_experts: int,
        private_experts: int | Sequence[int],
        expert_units: Sequence[int],
        tasks: Sequence[str],
        shared_gate: bool = False,
        temperature: float = 1.0,
        gate_dropout: float = 0.0,
        activation: str | None = "relu",
        **kwargs: Any,
    ) -> None:
        self.counts = expert_counts(shared_experts, private_experts, tasks)
        owners = [*tasks, "shared"]
        names = [f"{owner} {i + 1}" for owner, count in zip(owners, self.counts, strict=True) for i in range(count)]
        gates = owners if shared_gate else owners[:-1]
        super().__init__(names, gates, expert_units, temperature, gate_dropout, activation, **kwargs)
        self.shared_gate = shared_gate
        self.owner = np.repeat(np.arange(len(owners)), self.counts)  # whose input each expert reads
        shared = len(tasks)
        self.allowed = np.array([(self.owner == gate) | (self.owner == shared) for gate in range(shared)])
        if shared_gate:
            self.allowed = np.vstack([self.allowed, np.ones_like(self.owner, bool)])

    def build(self, input_shape: list[Shape]) -> None:
        """Creates the weights."""
        if not isinstance(input_shape, list | tuple) or len(input_shape) != len(self.counts):
            raise ValueError(
                f"inputs={input_shape}: give a list of {len(self.counts)} tensors, one a task and then the shared one."
            )
        if len(set(map(tuple, input_shape))) > 1:
            raise ValueError(f"inputs={input_shape} differ in shape; give tensors of one width.")
        check_axes("inputs", input_shape[0], 2)
        self.build_experts(input_shape[0][-1] or 0)

    def call(self, inputs: list[Tensor], training: bool | None = None) -> tuple[list[Tensor], Tensor]:
        """Mixes: tasks + 1 times ``[batch, in]`` -> gates times ``[batch, units]``, ``[batch, gates, experts]``."""
        if all(each is inputs[0] for each in inputs):
            expert_input = gate_input = inputs[0]  # the first level: one product for all experts
        else:
            expert_input = ops.stack([inputs[owner] for owner in self.owner], axis=1)
            gate_input = ops.stack(inputs[: len(self.gate_names)], axis=1)
        mixed, weights = self.mix(expert_input, gate_input, self.allowed, training)
        return ops.unstack(mixed, num=len(self.gate_names), axis=1), weights

    def compute_output_shape(self, input_shape: list[Shape]) -> tuple[list[Shape], Shape]:
        """Gives ``(batch, units)`` a gate, and ``(batch, gates, experts)``."""
        (batch, gates, units), weights = self.mixture_shapes(input_shape[0][0])
        return [(batch, units)] * (gates or 0), weights

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        *private, shared = self.counts
        tasks = self.gate_names[: len(private)]
        own = {"shared_experts": shared, "private_experts": private, "tasks": tasks, "shared_gate": self.shared_gate}
        return {**super().get_config(), **own}


def expert_counts(shared_experts: int, private_experts: int | Sequence[int], tasks: Sequence[str]) -> tuple[int, ...]:
    """Counts the experts of each task and the shared ones.

    Args:
        shared_experts: Number of shared experts.
        private_experts: One number for all tasks, or one a task.
        tasks: Names of the tasks.

    Returns:
        Private experts of each task, then the shared ones.

    Raises:
        ValueError: If the counts do not fit the tasks, one is negative, two tasks have one name, or a task would have
            no expert at all or is called "shared".

    Example:
        >>> expert_counts(4, 2, ("click", "like"))
        (2, 2, 4)
    """
    distinct("tasks", tasks)
    private = [private_experts] * len(tasks) if isinstance(private_experts, int) else list(private_experts)
    if len(private) != len(tasks):
        raise ValueError(
            f"private_experts={private} has {len(private)} numbers for {len(tasks)} tasks; give one a task."
        )
    if "shared" in tasks:
        raise ValueError(f"tasks={tuple(tasks)}: the shared experts are called 'shared'; give that task another name.")
    at_least("shared_experts", shared_experts, 0)
    at_least("private_experts", min(private, default=0), 0)
    if shared_experts == 0 and 0 in private:
        raise ValueError(f"private_experts={private} and shared_experts=0 leave a task without experts; add one.")
    return (*private, shared_experts)
