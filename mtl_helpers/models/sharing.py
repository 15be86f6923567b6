"""From no sharing to full sharing: independent networks, a shared bottom, and the soft ways between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import keras
from keras import ops

from mtl_helpers.datasets.base import MultiTaskData
from mtl_helpers.layers import CrossStitch, ParallelDense, SoftSharingPenalty
from mtl_helpers.layers.arguments import widths
from mtl_helpers.models.parts import dense_stack, features, features_per_task, make_inputs, towers


def single_task(
    data: MultiTaskData,
    *,
    hidden_units: Sequence[int] = (128,),
    tower_units: Sequence[int] = (8,),
    embedding_dim: int = 4,
    activation: str | None = "relu",
) -> keras.Model:
    """Builds one independent network a task: the baseline every multi-task model has to beat.

    The networks share no weight, embeddings included. They sit in one model so that they train and compare like the
    others; training one of them alone gives the same network.

    Args:
        data: Names inputs and tasks.
        hidden_units: Widths of each network's hidden layers.
        tower_units: Widths of the layers after them, so that a network is as deep as a task's path in ``hard_sharing``.
        embedding_dim: Width of a category's vector.
        activation: Activation of the hidden layers.

    Returns:
        A model with an output a task.

    Raises:
        ValueError: If a width is below 1, or the data holds text (``ner_relation`` reads that).

    Example:
        >>> model = single_task(task_pair(correlation=0.5, rows=1000))
        >>> list(model.output)
        ['task_1', 'task_2']
    """
    inputs = make_inputs(data)
    hidden = widths("hidden_units", hidden_units)
    per_task = [dense_stack(features(data, inputs, embedding_dim), hidden, activation) for _ in data.tasks]
    return keras.Model(inputs, towers(data, inputs, per_task, tower_units, activation), name="single_task")


def hard_sharing(
    data: MultiTaskData,
    *,
    hidden_units: Sequence[int] = (128,),
    tower_units: Sequence[int] = (8,),
    embedding_dim: int = 4,
    activation: str | None = "relu",
) -> keras.Model:
    """Builds the shared-bottom model: common hidden layers, a tower a task.

    Caruana 1997, "Multitask learning", DOI 10.1023/A:1007379606734.

    Args:
        data: Names inputs and tasks.
        hidden_units: Widths of the shared hidden layers.
        tower_units: Widths of each task's own layers after them.
        embedding_dim: Width of a category's vector.
        activation: Activation of the hidden layers.

    Returns:
        A model with an output a task.

    Raises:
        ValueError: If a width is below 1, or the data holds text (``ner_relation`` reads that).

    Example:
        >>> model = hard_sharing(task_pair(correlation=0.5, rows=1000), hidden_units=(64, 32))
    """
    inputs = make_inputs(data)
    hidden = widths("hidden_units", hidden_units)
    shared = dense_stack(features(data, inputs, embedding_dim), hidden, activation)
    outputs = towers(data, inputs, [shared] * len(data.tasks), tower_units, activation)
    return keras.Model(inputs, outputs, name="hard_sharing")


def soft_sharing(
    data: MultiTaskData,
    *,
    penalty: float = 1e-3,
    norm: Literal["l2", "l1"] = "l2",
    hidden_units: Sequence[int] = (128,),
    tower_units: Sequence[int] = (8,),
    embedding_dim: int = 4,
    activation: str | None = "relu",
) -> keras.Model:
    """Builds one network a task whose weights are pulled together by a penalty on their distance.

    The penalty acts on what ``hard_sharing`` shares: embeddings and hidden layers. At 0 this is ``single_task``; as it
    grows it becomes ``hard_sharing``.

    Args:
        data: Names inputs and tasks.
        penalty: Strength of the pull; it multiplies the distance, summed over all weights and pairs of tasks.
        norm: ``"l2"`` (squared distance, Duong et al. 2015, DOI 10.3115/v1/P15-2139) or ``"l1"``.
        hidden_units: Widths of each network's hidden layers.
        tower_units: Widths of each task's layers after them, which are not pulled.
        embedding_dim: Width of a category's vector.
        activation: Activation of the hidden layers.

    Returns:
        A model with an output a task.

    Raises:
        ValueError: If the penalty is negative, the norm unknown, a width below 1, or the data holds text.

    Example:
        >>> model = soft_sharing(task_pair(correlation=0.5, rows=1000), penalty=1e-2, norm="l1")
    """
    inputs, tasks = make_inputs(data), len(data.tasks)
    pull = SoftSharingPenalty(penalty, norm)
    x = features_per_task(data, inputs, embedding_dim, pull)
    for units in widths("hidden_units", hidden_units):
        x = ParallelDense(tasks, units, activation, kernel_regularizer=pull, bias_regularizer=pull)(x)
    outputs = towers(data, inputs, ops.unstack(x, num=tasks, axis=1), tower_units, activation)
    return keras.Model(inputs, outputs, name="soft_sharing")


def cross_stitch(
    data: MultiTaskData,
    *,
    own: float = 0.9,
    hidden_units: Sequence[int] = (128,),
    tower_units: Sequence[int] = (8,),
    embedding_dim: int = 4,
    activation: str | None = "relu",
) -> keras.Model:
    """Builds one network a task with a learned mixture of all tasks' activations after every hidden layer.

    Misra et al. 2016 (arXiv:1604.03539). The tasks share the embeddings.

    Args:
        data: Names inputs and tasks.
        own: Initial weight of a task's own activations in the mixtures.
        hidden_units: Widths of each network's hidden layers.
        tower_units: Widths of each task's layers after them.
        embedding_dim: Width of a category's vector.
        activation: Activation of the hidden layers.

    Returns:
        A model with an output a task.

    Raises:
        ValueError: If ``own`` is not between 0 and 1, a width is below 1, or the data holds text.

    Example:
        >>> model = cross_stitch(task_pair(correlation=0.5, rows=1000), hidden_units=(32, 32))
    """
    inputs, tasks = make_inputs(data), len(data.tasks)
    x = features(data, inputs, embedding_dim)
    for units in widths("hidden_units", hidden_units):
        x = CrossStitch(own)(ParallelDense(tasks, units, activation)(x))
    outputs = towers(data, inputs, ops.unstack(x, num=tasks, axis=1), tower_units, activation)
    return keras.Model(inputs, outputs, name="cross_stitch")
