"""A linear-chain conditional random field: tags of a sentence that are chosen together rather than one by one.

The field scores a tag sequence ``y`` for a sentence ``x`` by ``start[y_1] + sum of scores[t, y_t] + sum of
transitions[y_t, y_{t+1}] + end[y_n]``. Its probability is a softmax over all sequences, which is a Markov chain once
the sentence is given: ``log p(y | x) = sum over t of log p(y_t | y_{t-1}, x)``. The layer returns exactly these tables
``log p(y_t = j | y_{t-1} = i, x)``. They carry all there is to know, the transitions and the mask included, so the
loss, the best tags and the marginals are functions of the layer's output alone, and a model with this layer compiles,
saves and loads like any other.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mtl_helpers.layers.arguments import Tensor, check_axes
from mtl_helpers.layers.tag_tables import decode_tags, tag_log_probability
from mtl_helpers.memory import gradients_forgotten_with_graph


@keras.saving.register_keras_serializable(package="mtl_helpers")
class ConditionalRandomField(keras.layers.Layer):
    """Turns a score per token and tag into the probability of every tag after every other tag.

    All sums over tag sequences run in log space from the last token to the first, and only differences between tags
    are carried along, so 200 tokens with scores of ±100 lose no precision.

    Args:
        classes: Number of tags, at least 2.
        **kwargs: ``name`` and the like, for ``keras.layers.Layer``.

    Call:
        scores: float ``[batch, length, classes]``, usually of a ``Dense(classes)``.
        mask: bool ``[batch, length]``, True at tokens; padding may only follow the tokens. Given explicitly, or by
            Keras from an embedding with ``mask_zero=True``. None: no padding.

    Returns:
        float32 ``[batch, length, classes, classes]``: entry ``[b, t, i, j]`` is ``log p(y_t = j | y_{t-1} = i, x)``.
        The first token has no tag before it, so all its rows are the same. Tables of padding are all zero.

    Raises:
        ValueError: If ``classes`` is below 2 or differs from the scores' last dimension, or these have other axes.

    References:
        J. Lafferty, A. McCallum, F. Pereira: Conditional random fields, ICML 2001. The neural form with start and end
        scores: G. Lample et al., Neural architectures for named entity recognition, arXiv:1603.01360, section 2.2.

    Example:
        >>> crf = ConditionalRandomField(3)
        >>> tables = crf(np.zeros((1, 5, 3), "float32"))
        >>> tables.shape, decode_tags(tables).shape, tag_marginals(tables).shape
        (TensorShape([1, 5, 3, 3]), TensorShape([1, 5]), TensorShape([1, 5, 3]))
    """

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if classes < 2:
            raise ValueError(f"classes={classes} leaves nothing to choose; give at least 2.")
        self.classes = classes
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the transition, start and end scores, all zero: no opinion about neighbours yet."""
        check_axes("scores", input_shape, 3)
        if input_shape[-1] != self.classes:
            raise ValueError(
                f"scores of width {input_shape[-1]} for classes={self.classes}; put a Dense({self.classes}) before."
            )
        self.transitions = self.add_weight(shape=(self.classes, self.classes), initializer="zeros", name="transitions")
        self.start = self.add_weight(shape=(self.classes,), initializer="zeros", name="start")
        self.end = self.add_weight(shape=(self.classes,), initializer="zeros", name="end")

    def call(self, scores: Tensor, mask: Tensor | None = None) -> Tensor:
        """Computes the tables (see the class)."""
        scores = ops.cast(scores, "float32")
        present = ops.ones_like(scores[:, :, 0], "bool") if mask is None else ops.cast(mask, "bool")
        before = ops.concatenate(
            [
                ops.broadcast_to(self.start, (1, self.classes, self.classes)),
                ops.broadcast_to(self.transitions, (ops.shape(scores)[1] - 1, self.classes, self.classes)),
            ],
            axis=0,
        )
        steps = before + scores[:, :, None, :]
        with gradients_forgotten_with_graph():
            futures = log_futures(steps, present, ops.broadcast_to(self.end, ops.shape(scores[:, 0])))
        tables = ops.log_softmax(steps + futures[:, :, None, :], axis=-1)
        return tables * ops.cast(present, "float32")[:, :, None, None]

    def log_partition(self, scores: Tensor, mask: Tensor | None = None) -> Tensor:
        """Gives the log of the sum over all tag sequences of exp(score), the softmax's denominator.

        Args:
            scores: float ``[batch, length, classes]``.
            mask: bool ``[batch, length]``.

        Returns:
            float32 ``[batch]``: the best sequence's score minus its log-probability, which is the same number.
        """
        tables = self(scores, mask=mask)
        best = decode_tags(tables)
        return self.score(scores, best, mask) - ops.sum(tag_log_probability(best, tables), axis=1)

    def score(self, scores: Tensor, tags: Tensor, mask: Tensor | None = None) -> Tensor:
        """Adds up the score of one tag sequence a sentence.

        Args:
            scores: float ``[batch, length, classes]``.
            tags: int ``[batch, length]``.
            mask: bool ``[batch, length]``.

        Returns:
            float32 ``[batch]``.
        """
        chosen = ops.one_hot(tags, self.classes, dtype="float32")
        present = ops.ones_like(chosen[:, :, 0]) if mask is None else ops.cast(mask, "float32")
        chosen = chosen * present[:, :, None]
        ends = chosen * (present - ops.pad(present[:, 1:], ((0, 0), (0, 1))))[:, :, None]
        pairs = ops.einsum("bti,ij,btj->b", chosen[:, :-1], self.transitions, chosen[:, 1:])
        singles = ops.einsum("btj,btj->b", chosen, scores)
        return singles + pairs + ops.einsum("btj,j->b", ends, self.end) + ops.matmul(chosen[:, 0], self.start)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Gives ``[batch, length, classes, classes]``."""
        return (*input_shape, self.classes)

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor | None = None) -> None:
        """Ends the Keras mask here: the tables themselves say where padding is."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Gives what rebuilds the layer."""
        return {**super().get_config(), "classes": self.classes}


@tf.custom_gradient
def log_futures(steps: Tensor, present: Tensor, last: Tensor) -> tuple[Tensor, Any]:
    """Sums up, from the last token to the first, all that can follow a tag (the backward algorithm).

    Its gradient is written out because it is one matrix product a token, carried from the first token to the last (the
    forward algorithm): half the time of the automatic one.

    Args:
        steps: float32 ``[batch, length, classes, classes]``, score of tag j at token t after tag i.
        present: bool ``[batch, length]``, True at tokens.
        last: float32 ``[batch, classes]``, score of ending with each tag.

    Returns:
        float32 ``[batch, length, classes]``: entry ``[b, t, j]`` is the log of the summed exp(score) of all ends after
        tag j at token t, less a number that is the same for all j.
    """
    later = tf.transpose(steps[:, 1:], (1, 0, 2, 3))
    here = tf.transpose(present[:, 1:])[:, :, None]

    def backward(future: Tensor, now: tuple[Tensor, Tensor]) -> Tensor:
        paths = now[0] + future[:, None, :]
        highest = tf.reduce_max(paths, axis=-1)
        total = tf.math.log(tf.reduce_sum(tf.exp(paths - highest[:, :, None]), axis=-1)) + highest - highest[:, :1]
        return tf.where(now[1], total, future)

    futures = tf.concat([tf.scan(backward, (later, here), initializer=last, reverse=True), last[None]], axis=0)

    def gradient(upstream: Tensor) -> tuple[Tensor, None, Tensor]:
        upstream = tf.transpose(upstream, (1, 0, 2))
        chances = tf.nn.softmax(later + futures[1:, :, None, :])

        def forward(flow: Tensor, now: tuple[Tensor, Tensor, Tensor]) -> Tensor:
            return now[0] + tf.where(now[2], tf.linalg.matvec(now[1], flow, transpose_a=True), flow)

        flows = tf.scan(forward, (upstream[1:], chances, here), initializer=upstream[0])
        before = tf.concat([upstream[:1], flows], axis=0)[:-1]
        to_steps = tf.where(here[:, :, None], before[:, :, :, None] * chances, 0.0)
        to_steps = tf.pad(tf.transpose(to_steps, (1, 0, 2, 3)), ((0, 0), (1, 0), (0, 0), (0, 0)))
        return to_steps, None, tf.concat([upstream[:1], flows], axis=0)[-1]

    return tf.transpose(futures, (1, 0, 2)), gradient
