"""Batches of sentences to fit ``ner_relation`` on, and its outputs as labels."""

from __future__ import annotations

import math
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from mtl_helpers.datasets.base import Arrays, MultiTaskData, Rows
from mtl_helpers.layers.tag_tables import decode_tags

POOL = 16  # batches whose sentences are sorted by length together


def similar_lengths(lengths: np.ndarray, batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Draws batches at random, of sentences of similar length.

    Args:
        lengths: Tokens of each sentence, int ``[rows]``.
        batch_size: Sentences in a batch.
        rng: The source of chance.

    Returns:
        The rows of each batch.
    """
    order = rng.permutation(len(lengths))
    pools = [order[at : at + POOL * batch_size] for at in range(0, len(order), POOL * batch_size)]
    ordered = [pool[np.argsort(lengths[pool], kind="stable")] for pool in pools]
    batches = [pool[at : at + batch_size] for pool in ordered for at in range(0, len(pool), batch_size)]
    return [batches[at] for at in rng.permutation(len(batches))]


def trimmed(arrays: Arrays, which: np.ndarray, length: int) -> Arrays:
    """Gives some rows of each array, cut to a length where the array has one."""
    return {name: values[which][:, :length] if values.ndim > 1 else values[which] for name, values in arrays.items()}


def text_batches(rows: Rows, batch_size: int = 32, *, seed: int) -> tf.data.Dataset:
    """Gives batches of sentences of similar length, each cut to its longest: a fraction of the work of full rows.

    Every pass draws new batches. Padding never changes a score, so the cut does not either.

    Args:
        rows: Text rows.
        batch_size: Sentences in a batch.
        seed: Of the order.

    Returns:
        A data set of (inputs, labels, weights) for ``model.fit(..., shuffle=False)``: it shuffles by itself.

    Raises:
        ValueError: If ``batch_size`` is not positive or there are no rows.

    Example:
        >>> inputs, labels, weights = text_batches(relation_corpus(50).train, 32, seed=0).take(1).get_single_element()
        >>> labels["relation"].shape
        TensorShape([30])
    """
    if batch_size < 1 or not len(rows):
        raise ValueError(f"batch_size={batch_size} of {len(rows)} rows; give at least 1 of at least 1.")
    rng, lengths = np.random.default_rng(seed), np.count_nonzero(rows.inputs["tokens"], axis=1)
    ones = {task: np.ones(len(rows), np.float32) for task in rows.labels}
    parts = (rows.inputs, rows.labels, {**ones, **rows.weights})

    def one_pass() -> Iterator[tuple[Arrays, Arrays, Arrays]]:
        for which in similar_lengths(lengths, batch_size, rng):
            inputs, labels, weights = (trimmed(part, which, int(lengths[which].max())) for part in parts)
            yield inputs, labels, weights

    def spec(values: np.ndarray) -> tf.TensorSpec:
        free = (None, None) if values.ndim > 1 else (None,)
        return tf.TensorSpec((*free, *values.shape[2:]), values.dtype)

    signature = tuple({name: spec(values) for name, values in part.items()} for part in parts)
    count = math.ceil(len(rows) / batch_size)
    made = tf.data.Dataset.from_generator(one_pass, output_signature=signature)
    return made.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2)


def read_text(model: keras.Model, data: MultiTaskData, rows: Rows, batch_size: int = 256) -> Arrays:
    """Gives the labels a ``ner_relation`` model predicts.

    Args:
        model: The model.
        data: The data it was built for.
        rows: Rows to read.
        batch_size: Rows at a time.

    Returns:
        Task name -> int ``[rows]`` (the most probable class) or ``[rows, length]`` (the most probable tag sequence).

    Example:
        >>> from mtl_helpers.models import ner_relation
        >>> data = relation_corpus(50)
        >>> read_text(ner_relation(data), data, data.test)["relation"].shape == data.test.labels["relation"].shape
        True
    """
    found: dict[str, list[np.ndarray]] = {name: [] for name in data.tasks}
    for start in range(0, len(rows), batch_size):
        outputs = model(rows.take(slice(start, start + batch_size)).inputs, training=False)
        for name in data.tasks:
            tables = len(outputs[name].shape) == 4
            found[name].append(np.asarray(decode_tags(outputs[name]) if tables else np.argmax(outputs[name], axis=-1)))
    return {name: np.concatenate(parts) for name, parts in found.items()}
