"""The parts every model is built from: inputs, features, towers and heads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import keras
from keras import ops

from mtl_helpers.datasets.base import Categorical, MultiTaskData, Numeric, Task
from mtl_helpers.layers import FeatureEmbedding, SoftSharingPenalty
from mtl_helpers.layers.arguments import Tensor, widths

HEAD_ACTIVATIONS = {"binary": "sigmoid", "regression": None, "multiclass": "softmax"}


def make_inputs(data: MultiTaskData) -> dict[str, Tensor]:
    """Declares a Keras input for each input of the data.

    Args:
        data: The data; its inputs must be categorical or numeric, its tasks one label a row.

    Returns:
        Input name -> ``keras.Input``.

    Raises:
        ValueError: If an input holds tokens or a task labels tokens: ``ner_relation`` reads those.

    Example:
        >>> make_inputs(task_pair(rows=100))["numeric"].shape
        (None, 100)
    """
    for name, kind in data.inputs.items():
        if not isinstance(kind, Categorical | Numeric):
            raise ValueError(f"inputs[{name!r}] holds {type(kind).__name__}; this model reads categories and numbers.")
    for name, task in data.tasks.items():
        if task.kind not in HEAD_ACTIVATIONS:
            raise ValueError(f"tasks[{name!r}] is of kind {task.kind!r}; this model does {sorted(HEAD_ACTIVATIONS)}.")
    return {
        name: keras.Input(kind.shape, dtype="int32" if isinstance(kind, Categorical) else "float32", name=name)
        for name, kind in data.inputs.items()
    }


def features(data: MultiTaskData, inputs: Mapping[str, Tensor], embedding_dim: int) -> Tensor:
    """Turns the inputs into one vector a row: embedded categories, then numbers.

    Args:
        data: Says what the inputs hold.
        inputs: Input name -> tensor.
        embedding_dim: Width of a category's vector.

    Returns:
        ``[batch, features]``.

    Example:
        >>> data = shop_log(100)
        >>> features(data, make_inputs(data), embedding_dim=4).shape
        (None, 29)
    """
    parts = []
    for name, kind in _categorical_first(data):
        tensor = inputs[name]
        if isinstance(kind, Categorical):
            tensor = keras.layers.Flatten()(FeatureEmbedding(kind.sizes, embedding_dim)(tensor))
        parts.append(tensor)
    return joined(parts)


def features_per_task(
    data: MultiTaskData,
    inputs: Mapping[str, Tensor],
    embedding_dim: int,
    penalty: SoftSharingPenalty | None = None,
) -> Tensor:
    """Turns the inputs into one vector a row and task, with embeddings of each task's own.

    Args:
        data: Says what the inputs hold.
        inputs: Input name -> tensor.
        embedding_dim: Width of a category's vector.
        penalty: Pulls the tasks' embeddings together; None leaves them independent.

    Returns:
        ``[batch, tasks, features]``.

    Example:
        >>> data = shop_log(100)
        >>> features_per_task(data, make_inputs(data), embedding_dim=4).shape
        (None, 2, 29)
    """
    tasks, parts = len(data.tasks), []
    for name, kind in _categorical_first(data):
        if isinstance(kind, Categorical):
            embedded = FeatureEmbedding(kind.sizes, embedding_dim, copies=tasks, regularizer=penalty)(inputs[name])
            parts.append(keras.layers.Reshape((tasks, -1))(embedded))
        else:
            parts.append(ops.repeat(ops.expand_dims(inputs[name], 1), tasks, axis=1))
    return joined(parts)


def _categorical_first(data: MultiTaskData) -> list[tuple[str, Categorical | Numeric]]:
    kinds = [(name, kind) for name, kind in data.inputs.items() if isinstance(kind, Categorical | Numeric)]
    return sorted(kinds, key=lambda item: isinstance(item[1], Numeric))


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Joins tensors along their last axis; a single one is left as it is."""
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate()(list(parts))


def dense_stack(x: Tensor, units: Sequence[int], activation: str | None = "relu", name: str | None = None) -> Tensor:
    """Applies Dense layers one after the other.

    Args:
        x: ``[batch, features]``.
        units: Width of each layer; none leaves ``x`` as it is.
        activation: Activation of each.
        name: Name of the last layer.

    Returns:
        ``[batch, units[-1]]``.

    Raises:
        ValueError: If a width is below 1.

    Example:
        >>> dense_stack(np.ones((5, 3)), (16, 8)).shape
        TensorShape([5, 8])
    """
    hidden = widths("units", units, at_least_one=False)
    for position, width in enumerate(hidden):
        layer_name = name if position == len(hidden) - 1 else None
        x = keras.layers.Dense(width, activation=activation, name=layer_name)(x)
    return x


def task_output(x: Tensor, name: str, task: Task) -> Tensor:
    """Adds a task's output layer: a probability, class probabilities or a number.

    Args:
        x: What the layer reads, ``[batch, units]``.
        name: The layer's name.
        task: What the task predicts.

    Returns:
        ``[batch, 1]``, or ``[batch, classes]`` for a multi-class task.

    Example:
        >>> task_output(np.ones((5, 8)), "stars", Task("multiclass", ("low", "high"))).shape
        TensorShape([5, 2])
    """
    return keras.layers.Dense(task.units, activation=HEAD_ACTIVATIONS[task.kind], name=name)(x)


def output_names(
    tasks: Iterable[str], inputs: Mapping[str, Tensor], below: Sequence[Tensor], taken: Iterable[str] = ()
) -> dict[str, str]:
    """Names each task's output layer: like the task, if Keras allows the name and no other layer bears it.

    The model's outputs bear the tasks' own names whatever the layers are called.

    Args:
        tasks: Names of the tasks.
        inputs: The model's inputs.
        below: What the output layers or their towers will read, which leads to every layer made so far.
        taken: Names of layers that are still to come; what Keras calls a ``Dense`` is never given.

    Returns:
        Task name -> layer name.

    Example:
        >>> x = keras.Input((3,), name="numeric")
        >>> output_names(["click", "watch ratio", "numeric"], {"numeric": x}, [x])
        {'click': 'click', 'watch ratio': 'watch_ratio', 'numeric': 'numeric_output'}
    """
    used = {*taken, *(operation.name for operation in keras.Model(inputs, list(below)).operations)}
    names = {}
    for task in tasks:
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", task)
        if name in used or not re.match(r"(?!dense(_\d+)?$)[A-Za-z0-9.]", name):
            name = f"{name.lstrip('_-') or 'task'}_output"
        while name in used:
            name += "_"
        used.add(name)
        names[task] = name
    return names


def towers(
    data: MultiTaskData,
    inputs: Mapping[str, Tensor],
    per_task: Sequence[Tensor],
    tower_units: Sequence[int],
    activation: str | None,
) -> dict[str, Tensor]:
    """Gives every task its own tower and output layer.

    Args:
        data: Names the tasks.
        inputs: The model's inputs.
        per_task: What each task's tower reads, ``[batch, units]``, in the order of the tasks.
        tower_units: Widths of a tower's hidden layers; may be empty.
        activation: Activation of the towers.

    Returns:
        Task name -> output.

    Raises:
        ValueError: If a width is below 1.

    Example:
        >>> data = task_pair(rows=100)
        >>> inputs = make_inputs(data)
        >>> list(towers(data, inputs, [inputs["numeric"]] * 2, (8,), "relu"))
        ['task_1', 'task_2']
    """
    widths("tower_units", tower_units, at_least_one=False)
    names = output_names(data.tasks, inputs, per_task)
    return {
        name: task_output(dense_stack(x, tower_units, activation), names[name], task)
        for x, (name, task) in zip(per_task, data.tasks.items(), strict=True)
    }
