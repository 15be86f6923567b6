"""Entities and the relation between two of them, read by one shared encoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from mtl_helpers.datasets.base import MultiTaskData, Task, Tokens, TokenVectors
from mtl_helpers.datasets.text import FARTHEST
from mtl_helpers.layers import ConditionalRandomField, CRFNegativeLogLikelihood
from mtl_helpers.layers.arguments import widths
from mtl_helpers.losses import Masked
from mtl_helpers.models.parts import joined, output_names

Tensor = Any
Encoder = Callable[[Mapping[str, Tensor]], Tensor]
CHOICES = {"positions": ("encoder", "head", "none"), "tagger": ("crf", "softmax"), "pooling": ("max", "entities")}


def ner_relation(
    data: MultiTaskData,
    *,
    encoder: Encoder | None = None,
    positions: str = "encoder",
    tagger: str = "crf",
    pooling: str = "max",
    embedding_dim: int = 64,
    feature_dim: int = 16,
    lstm_units: int = 64,
    tower_units: Sequence[int] = (64,),
    dropout: float = 0.5,
) -> keras.Model:
    """Builds a shared bidirectional LSTM with a path for the relation and one for the entities' tags.

    Token vectors and the embedded distances to the two entities enter the LSTM. Its states go (a) through a max-pool
    over the tokens, a dense layer and a softmax to the relation, and (b) through a dense layer and a conditional random
    field to the tags. A task the data lacks has no path: ``data.with_tasks(["relation"])`` gives the model of one task.

    Args:
        data: Text data: ``"tokens"`` (which also tell padding), ``"position_1"``, ``"position_2"``, and more token
            inputs or ``"vectors"`` if you like; a multi-class task, a tagging task, or both.
        encoder: What turns the inputs (name -> tensor; distances left out) into token vectors ``[batch, length, dim]``:
            a Keras layer or any function of Keras tensors. None: embeds every token input and keeps ``"vectors"``.
        positions: Where the distances to the two entities go in: ``"encoder"`` (both paths see them, the tags are
            almost given away), ``"head"`` (the relation path alone) or ``"none"``.
        tagger: ``"crf"``, or ``"softmax"`` for tags chosen one by one.
        pooling: What the relation path reads of the LSTM's states: ``"max"`` takes the highest value of
            each unit over the sentence, ``"entities"`` adds the mean states at either entity.
        embedding_dim: Width of a word's vector.
        feature_dim: Width of the vector of a shape, prefix, suffix or distance.
        lstm_units: Width of the LSTM in each direction.
        tower_units: Widths of the relation path's dense layers.
        dropout: Share of inputs dropped in training: of the token vectors, the LSTM's states, the dense layers.

    Returns:
        An uncompiled model with an output a task: the relation's probabilities ``[batch, classes]``; the tags as the
        tables of ``ConditionalRandomField`` ``[batch, length, tags, tags]``, to be read with ``decode_tags`` and
        ``tag_marginals`` (``"softmax"``: probabilities ``[batch, length, tags]``).

    Raises:
        ValueError: If an argument is not one of the choices, a width is below 1, or the data holds no text.

    References:
        BiLSTM-CRF: Z. Huang, W. Xu, K. Yu, arXiv:1508.01991. Distances as inputs: D. Zeng et al., COLING 2014,
        https://aclanthology.org/C14-1220, section 3.4.

    Example:
        >>> data = relation_corpus(50)
        >>> model = ner_relation(data)
        >>> model.compile("adam", loss=text_losses(data), loss_weights={"relation": 1.0, "entity": 1.0})
    """
    _check(data, {"positions": positions, "tagger": tagger, "pooling": pooling})
    units = widths("tower_units", tower_units, at_least_one=False)
    # Any length: the same model reads batches cut to their longest sentence.
    inputs = {
        name: keras.Input((None, *kind.shape[1:]), dtype="int32" if isinstance(kind, Tokens) else "float32", name=name)
        for name, kind in data.inputs.items()
    }
    present = ops.not_equal(inputs["tokens"], 0)
    sizes = {name: kind.size for name, kind in data.inputs.items() if isinstance(kind, Tokens)}
    distances = [
        keras.layers.Embedding(sizes[name], feature_dim, name=f"{name}_embedding")(inputs[name])
        for name in ("position_1", "position_2")
        if positions != "none"
    ]
    words = {name: tensor for name, tensor in inputs.items() if not name.startswith("position_")}
    vectors = encoder(words) if encoder else _embed(words, sizes, embedding_dim, feature_dim)
    vectors = keras.layers.Dropout(dropout)(vectors)
    read = joined([vectors, *distances]) if positions == "encoder" else vectors
    lstm = keras.layers.LSTM(lstm_units, return_sequences=True)
    states = keras.layers.Bidirectional(lstm, name="shared_encoder")(read, mask=present)
    states = keras.layers.Dropout(dropout)(states)
    outputs, names = {}, output_names(data.tasks, inputs, [states, *distances])
    for name, task in data.tasks.items():
        if task.kind == "tags":
            outputs[name] = _tags(states, present, names[name], task, tagger)
        else:
            seen = states
            if positions == "head":  # token by token, before the max-pool loses where each state stood
                seen = keras.layers.Dense(2 * lstm_units, activation="relu")(joined([states, *distances]))
            pooled = [_highest(seen, present)]
            if pooling == "entities":
                pooled += [_at_entity(states, inputs[position]) for position in ("position_1", "position_2")]
            outputs[name] = _relation(joined(pooled), names[name], task, units, dropout)
    return keras.Model(inputs, outputs)


def text_losses(data: MultiTaskData, tagger: str = "crf") -> dict[str, keras.losses.Loss]:
    """Gives the loss of each task for ``compile(loss=...)``.

    Args:
        data: Text data.
        tagger: As given to ``ner_relation``.

    Returns:
        Task name -> loss; both are means over what has a label.

    Raises:
        ValueError: If the tagger is unknown, or the data holds no text.

    Example:
        >>> text_losses(relation_corpus(50))["entity"].name
        'crf_negative_log_likelihood'
    """
    _check(data, {"tagger": tagger})
    crossentropy = {name: Masked(keras.losses.SparseCategoricalCrossentropy()) for name in data.tasks}
    tags = [name for name, task in data.tasks.items() if task.kind == "tags" and tagger == "crf"]
    return {**crossentropy, **{name: CRFNegativeLogLikelihood() for name in tags}}


def _check(data: MultiTaskData, chosen: Mapping[str, str]) -> None:
    """Refuses what the model cannot read."""
    for argument, value in chosen.items():
        if value not in CHOICES[argument]:
            raise ValueError(f"{argument}={value!r}; choose from {CHOICES[argument]}.")
    if not {"tokens", "position_1", "position_2"} <= set(data.inputs):
        raise ValueError(f"inputs={sorted(data.inputs)} lack 'tokens', 'position_1' or 'position_2'; give text data.")
    for name, kind in data.inputs.items():
        if not isinstance(kind, Tokens | TokenVectors):
            raise ValueError(f"inputs[{name!r}] holds {type(kind).__name__}; ner_relation reads tokens and vectors.")
    for name, task in data.tasks.items():
        if task.kind not in ("multiclass", "tags"):
            raise ValueError(f"tasks[{name!r}] is of kind {task.kind!r}; ner_relation does 'multiclass' and 'tags'.")


def _embed(words: Mapping[str, Tensor], sizes: Mapping[str, int], embedding_dim: int, feature_dim: int) -> Tensor:
    """Looks up the vector of every token input and joins them, vectors computed beforehand included."""
    parts = []
    for name, tensor in words.items():
        if name in sizes:
            width = embedding_dim if name == "tokens" else feature_dim
            tensor = keras.layers.Embedding(sizes[name], width, name=f"{name}_embedding")(tensor)
        parts.append(tensor)
    return joined(parts)


def _tags(states: Tensor, present: Tensor, name: str, task: Task, tagger: str) -> Tensor:
    """The path to the tags."""
    if tagger == "softmax":
        return keras.layers.Dense(task.units, activation="softmax", name=name)(states)
    scores = keras.layers.Dense(task.units, name=f"{name}_scores")(states)
    return ConditionalRandomField(task.units, name=name)(scores, mask=present)


def _highest(states: Tensor, present: Tensor) -> Tensor:
    """Takes the highest value of each unit over the tokens; padding is left out."""
    return ops.max(ops.where(ops.expand_dims(present, -1), states, -1e9), axis=1)


def _at_entity(states: Tensor, position: Tensor) -> Tensor:
    """Averages the states over the tokens of one of the two entities; 0 where no pair is asked about."""
    inside = ops.expand_dims(ops.cast(ops.equal(position, FARTHEST + 2), "float32"), -1)
    return ops.sum(states * inside, axis=1) / ops.maximum(ops.sum(inside, axis=1), 1.0)


def _relation(pooled: Tensor, name: str, task: Task, tower_units: Sequence[int], dropout: float) -> Tensor:
    """The path to the relation."""
    for width in tower_units:
        pooled = keras.layers.Dense(width, activation="relu")(pooled)
        pooled = keras.layers.Dropout(dropout)(pooled)
    return keras.layers.Dense(task.units, activation="softmax", name=name)(pooled)
