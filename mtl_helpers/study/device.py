"""Rows as tensors, held once."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mtl_helpers.datasets.base import Rows


def on_device(datasets: list[Rows]) -> tuple[dict[str, tf.Tensor], ...]:
    """Lays the rows of all data sets end to end as tensors: inputs, labels, and weights where labels are missing."""
    some = sorted({task for rows in datasets for task in rows.weights})
    weights = [{task: rows.weights.get(task, np.ones(len(rows), np.float32)) for task in some} for rows in datasets]
    return tuple(map(end_to_end, ([rows.inputs for rows in datasets], [rows.labels for rows in datasets], weights)))


def end_to_end(arrays: list[dict[str, np.ndarray]]) -> dict[str, tf.Tensor]:
    """Joins arrays of one name to a tensor.

    TensorFlow holds a constant made of an array twice. Halves are joined, even those of a single array, so that the
    result is a tensor of its own and all constants go.
    """
    return {
        name: tf.concat([tf.constant(half) for each in arrays for half in np.array_split(each[name], 2)], axis=0)
        for name in arrays[0]
    }
