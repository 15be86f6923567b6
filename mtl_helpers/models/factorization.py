"""Wide to deep: logistic regression, the factorization machine and DeepFM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import ops

from mtl_helpers.datasets.base import Categorical, MultiTaskData
from mtl_helpers.layers import FactorizationMachine
from mtl_helpers.layers.arguments import Tensor, widths
from mtl_helpers.models.parts import HEAD_ACTIVATIONS, dense_stack, joined, make_inputs, output_names


def logistic_regression(data: MultiTaskData) -> keras.Model:
    """Builds a weight a feature and nothing else, independently for every task.

    A regression task gets linear regression, a multi-class one softmax regression.

    Args:
        data: Names inputs and tasks.

    Returns:
        A model with an output a task.

    Raises:
        ValueError: If the data holds text.

    Example:
        >>> model = logistic_regression(task_pair(correlation=0.5, rows=1000))
    """
    inputs = make_inputs(data)
    scores = _machine(data, inputs, dim=0)
    return keras.Model(inputs, _outputs(data, inputs, scores), name="logistic_regression")


def factorization_machine(data: MultiTaskData, *, embedding_dim: int = 4) -> keras.Model:
    """Builds a factorization machine a task: linear terms and all pairs of features.

    Rendle 2010, "Factorization machines", DOI 10.1109/ICDM.2010.127. The tasks share nothing.

    Args:
        data: Names inputs and tasks.
        embedding_dim: Width of a feature's vector; a pair's weight is the inner product of two of them.

    Returns:
        A model with an output a task.

    Raises:
        ValueError: If ``embedding_dim`` is negative, or the data holds text.

    Example:
        >>> model = factorization_machine(task_pair(correlation=0.5, rows=1000), embedding_dim=8)
    """
    inputs = make_inputs(data)
    scores = _machine(data, inputs, dim=embedding_dim)
    return keras.Model(inputs, _outputs(data, inputs, scores), name="factorization_machine")


def deepfm(
    data: MultiTaskData,
    *,
    hidden_units: Sequence[int] = (128,),
    embedding_dim: int = 4,
    activation: str | None = "relu",
) -> keras.Model:
    """Builds DeepFM: a factorization machine plus a deep network that reads the same vectors.

    ``y = sigmoid(y_FM + y_DNN)``: Guo et al. 2017 (arXiv:1703.04247), equation 1. With several tasks each has a machine
    and vectors of its own, and one deep network, shared by all, reads the vectors of all of them.

    Args:
        data: Names inputs and tasks.
        hidden_units: Widths of the deep network's layers.
        embedding_dim: Width of a feature's vector.
        activation: Activation of the deep network.

    Returns:
        A model with an output a task.

    Raises:
        ValueError: If a width is below 1, or the data holds text (``ner_relation`` reads that).

    Example:
        >>> model = deepfm(census_income().with_tasks(["income"]), hidden_units=(128, 64))
    """
    inputs = make_inputs(data)
    scores, vectors = _machine(data, inputs, dim=embedding_dim, return_vectors=True)
    hidden = dense_stack(keras.layers.Flatten()(vectors), widths("hidden_units", hidden_units), activation)
    deep = keras.layers.Dense(scores.shape[-1], use_bias=False)(hidden)  # the machine has a bias already
    return keras.Model(inputs, _outputs(data, inputs, keras.layers.Add()([scores, deep])), name="deepfm")


def _machine(data: MultiTaskData, inputs: Mapping[str, Tensor], dim: int, return_vectors: bool = False) -> Tensor:
    """Applies a factorization machine with a unit for every output number of every task."""
    categorical = [name for name, kind in data.inputs.items() if isinstance(kind, Categorical)]
    numeric = [name for name in data.inputs if name not in categorical]
    sizes = [size for name in categorical for size in data.inputs[name].sizes]  # type: ignore[union-attr]
    parts = [joined([inputs[name] for name in names]) for names in (categorical, numeric) if names]
    units = sum(task.units for task in data.tasks.values())
    machine = FactorizationMachine(dim, sizes, units, return_vectors)
    return machine(parts if len(parts) == 2 else parts[0])


def _outputs(data: MultiTaskData, inputs: Mapping[str, Tensor], scores: Tensor) -> dict[str, Tensor]:
    """Cuts scores ``[batch, all units]`` into tasks and applies each task's output activation."""
    ends = np.cumsum([task.units for task in data.tasks.values()])[:-1].tolist()
    parts = ops.split(scores, ends, axis=1) if ends else [scores]
    names = output_names(data.tasks, inputs, parts)
    return {
        name: keras.layers.Activation(HEAD_ACTIVATIONS[task.kind], name=names[name])(part)
        for part, (name, task) in zip(parts, data.tasks.items(), strict=True)
    }
