"""Models in which gates mix experts: one gate, a gate a task (MMoE), and private experts (CGC, PLE)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from mtl_helpers.datasets.base import MultiTaskData
from mtl_helpers.layers import CustomizedGateControl, MixtureOfExperts
from mtl_helpers.layers.arguments import at_least
from mtl_helpers.models.parts import features, make_inputs, towers


def one_gate(
    data: MultiTaskData,
    *,
    experts: int = 8,
    expert_units: Sequence[int] = (16,),
    tower_units: Sequence[int] = (8,),
    embedding_dim: int = 4,
    activation: str | None = "relu",
    temperature: float = 1.0,
    gate_dropout: float = 0.0,
    load_balancing: float = 0.0,
) -> keras.Model:
    """Builds a mixture of experts with a single gate for all tasks (OMoE), the step before MMoE.

    Jacobs et al. 1991, DOI 10.1162/neco.1991.3.1.79; named OMoE by Ma et al. 2018, DOI 10.1145/3219819.3220007.

    Args:
        data: Names inputs and tasks.
        experts: Number of experts.
        expert_units: Widths of the layers of each expert.
        tower_units: Widths of each task's own layers.
        embedding_dim: Width of a category's vector.
        activation: Activation of experts and towers.
        temperature: Divides the gate's logits.
        gate_dropout: Probability with which the gate loses an expert in training.
        load_balancing: Weight of the penalty on unevenly used experts.

    Returns:
        A model with an output a task; its gate is named "shared".

    Raises:
        ValueError: If a number of experts or a width is below 1, the temperature not above 0, the dropout not a
            probability below 1, the load balancing negative, or the data holds text.

    Example:
        >>> model = one_gate(task_pair(correlation=0.5, rows=1000))
    """
    inputs = make_inputs(data)
    mixture = MixtureOfExperts(
        experts, expert_units, ("shared",), temperature, gate_dropout, load_balancing, activation, name="level_1"
    )
    mixed, _ = mixture(features(data, inputs, embedding_dim))
    outputs = towers(data, inputs, ops.unstack(mixed, num=1, axis=1) * len(data.tasks), tower_units, activation)
    return keras.Model(inputs, outputs, name="one_gate")


def mmoe(
    data: MultiTaskData,
    *,
    experts: int = 8,
    expert_units: Sequence[int] = (16,),
    tower_units: Sequence[int] = (8,),
    embedding_dim: int = 4,
    activation: str | None = "relu",
    temperature: float = 1.0,
    gate_dropout: float = 0.0,
    load_balancing: float = 0.0,
) -> keras.Model:
    """Builds MMoE: shared experts, a gate and a tower a task.

    Ma et al. 2018, "Modeling task relationships in multi-task learning with multi-gate mixture-of-experts",
    DOI 10.1145/3219819.3220007.

    Args:
        data: Names inputs and tasks.
        experts: Number of experts.
        expert_units: Widths of the layers of each expert.
        tower_units: Widths of each task's own layers.
        embedding_dim: Width of a category's vector.
        activation: Activation of experts and towers.
        temperature: Divides the gates' logits.
        gate_dropout: Probability with which a gate loses an expert in training.
        load_balancing: Weight of the penalty on unevenly used experts.

    Returns:
        A model with an output a task; its gates are named like the tasks.

    Raises:
        ValueError: If a number of experts or a width is below 1, the temperature not above 0, the dropout not a
            probability below 1, the load balancing negative, or the data holds text.

    Example:
        >>> model = mmoe(task_pair(correlation=0.5, rows=1000), experts=4, expert_units=(32, 16))
        >>> model.get_layer("level_1").gate_names
        ('task_1', 'task_2')
    """
    inputs = make_inputs(data)
    mixture = MixtureOfExperts(
        experts, expert_units, tuple(data.tasks), temperature, gate_dropout, load_balancing, activation, name="level_1"
    )
    mixed, _ = mixture(features(data, inputs, embedding_dim))
    outputs = towers(data, inputs, ops.unstack(mixed, num=len(data.tasks), axis=1), tower_units, activation)
    return keras.Model(inputs, outputs, name="mmoe")


def ple(
    data: MultiTaskData,
    *,
    levels: int = 2,
    shared_experts: int = 4,
    private_experts: int | Sequence[int] = 2,
    expert_units: Sequence[int] = (16,),
    tower_units: Sequence[int] = (8,),
    embedding_dim: int = 4,
    activation: str | None = "relu",
    temperature: float = 1.0,
    gate_dropout: float = 0.0,
) -> keras.Model:
    """Builds PLE: levels of private and shared experts, each reading what the gates of the level below gave.

    Tang et al. 2020, "Progressive layered extraction", DOI 10.1145/3383313.3412236. Task k's experts and gate read
    task k's output of the level below, the shared ones read the shared gate's; the last level has no shared gate.

    Args:
        data: Names inputs and tasks.
        levels: Number of levels; one is CGC.
        shared_experts: Shared experts on each level.
        private_experts: Private experts of each task on each level: one number for all tasks, or one a task.
        expert_units: Widths of the layers of each expert.
        tower_units: Widths of each task's own layers.
        embedding_dim: Width of a category's vector.
        activation: Activation of experts and towers.
        temperature: Divides the gates' logits.
        gate_dropout: Probability with which a gate loses an expert in training.

    Returns:
        A model with an output a task; its gated layers are named "level_1", "level_2" and so on.

    Raises:
        ValueError: If ``levels`` or a width is below 1, ``private_experts`` does not fit the tasks or leaves one
            without experts, a task is called "shared", the temperature is not above 0, the dropout not a probability
            below 1, or the data holds text.

    Example:
        >>> model = ple(task_pair(correlation=0.5, rows=1000), levels=2, shared_experts=2, private_experts=(3, 3))
    """
    at_least("levels", levels, 1)
    inputs, tasks = make_inputs(data), tuple(data.tasks)
    streams = [features(data, inputs, embedding_dim)] * (len(tasks) + 1)
    for level in range(1, levels + 1):
        control = CustomizedGateControl(
            shared_experts,
            private_experts,
            expert_units,
            tasks,
            shared_gate=level < levels,
            temperature=temperature,
            gate_dropout=gate_dropout,
            activation=activation,
            name=f"level_{level}",
        )
        streams, _ = control(streams)
    return keras.Model(
        inputs, towers(data, inputs, streams, tower_units, activation), name="ple" if levels > 1 else "cgc"
    )


def cgc(
    data: MultiTaskData,
    *,
    shared_experts: int = 4,
    private_experts: int | Sequence[int] = 2,
    expert_units: Sequence[int] = (16,),
    tower_units: Sequence[int] = (8,),
    embedding_dim: int = 4,
    activation: str | None = "relu",
    temperature: float = 1.0,
    gate_dropout: float = 0.0,
) -> keras.Model:
    """Builds customized gate control: PLE with a single level.

    Tang et al. 2020, DOI 10.1145/3383313.3412236, section 4.1.

    Args:
        data: Names inputs and tasks.
        shared_experts: Experts that every task's gate may use.
        private_experts: Experts of each task's own: one number for all tasks, or one a task.
        expert_units: Widths of the layers of each expert.
        tower_units: Widths of each task's own layers.
        embedding_dim: Width of a category's vector.
        activation: Activation of experts and towers.
        temperature: Divides the gates' logits.
        gate_dropout: Probability with which a gate loses an expert in training.

    Returns:
        A model with an output a task.

    Raises:
        ValueError: As ``ple`` does.

    Example:
        >>> model = cgc(task_pair(correlation=0.5, rows=1000), shared_experts=2, private_experts=3)
        >>> model.get_layer("level_1").expert_names[-2:]
        ('shared 1', 'shared 2')
    """
    return ple(
        data,
        levels=1,
        shared_experts=shared_experts,
        private_experts=private_experts,
        expert_units=expert_units,
        tower_units=tower_units,
        embedding_dim=embedding_dim,
        activation=activation,
        temperature=temperature,
        gate_dropout=gate_dropout,
    )
