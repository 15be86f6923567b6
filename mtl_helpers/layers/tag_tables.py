"""What the tables of a ``ConditionalRandomField`` say: the loss, the best tags, the probability of each tag."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mtl_helpers.layers.arguments import Tensor


def token_mask(tables: Tensor) -> Tensor:
    """Tells tokens from padding: a row of probabilities never consists of ones, so an all-zero table is padding.

    A table of NaN is a token, so that a training that diverged has the loss NaN, and not 0.

    Args:
        tables: float ``[batch, length, classes, classes]`` of a ``ConditionalRandomField``.

    Returns:
        bool ``[batch, length]``.

    Example:
        >>> tables = ConditionalRandomField(2)(np.zeros((1, 2, 2)), mask=np.array([[True, False]]))
        >>> token_mask(tables).numpy().tolist()
        [[True, False]]
    """
    return ops.any(tables != 0, axis=(-2, -1))


def tag_log_probability(tags: Tensor, tables: Tensor) -> Tensor:
    """Gives the log-probability of each tag given the one before it; the sum over a sentence is that of the sequence.

    Args:
        tags: int ``[batch, length]``.
        tables: float ``[batch, length, classes, classes]`` of a ``ConditionalRandomField``.

    Returns:
        float ``[batch, length]``, 0 at padding.

    Example:
        >>> tag_log_probability(np.array([[0, 1]]), np.log(np.full((1, 2, 2, 2), 0.5, "float32"))).numpy()
        array([[-0.6931472, -0.6931472]], dtype=float32)
    """
    classes = tables.shape[-1]
    tags = ops.cast(tags, "int32")
    before = ops.pad(tags[:, :-1], ((0, 0), (1, 0)))
    flat = ops.reshape(tables, (-1, ops.shape(tables)[1], classes * classes))
    return ops.take_along_axis(flat, (before * classes + tags)[:, :, None], axis=-1)[:, :, 0]


def decode_tags(tables: Tensor) -> Tensor:
    """Finds the most probable tag sequence of each sentence (A. Viterbi, 1967, 10.1109/TIT.1967.1054010).

    Args:
        tables: float ``[batch, length, classes, classes]`` of a ``ConditionalRandomField``.

    Returns:
        int32 ``[batch, length]``, 0 at padding.

    Example:
        >>> decode_tags(ConditionalRandomField(2)(np.array([[[0.0, 1.0], [3.0, 0.0]]], "float32"))).numpy()
        array([[1, 0]], dtype=int32)
    """

    def forward(state: tuple[Tensor, Tensor], table: Tensor) -> tuple[Tensor, Tensor]:
        reached = state[0][:, :, None] + table
        return ops.max(reached, axis=1), ops.cast(ops.argmax(reached, axis=1), "int32")

    def back(tag: Tensor, came_from: Tensor) -> Tensor:
        return ops.take_along_axis(came_from, tag[:, None], axis=1)[:, 0]

    first = tables[:, 0, 0]
    steps = ops.transpose(tables[:, 1:], (1, 0, 2, 3))
    best, came_from = tf.scan(forward, steps, initializer=(first, ops.zeros_like(first, "int32")))
    last = ops.cast(ops.argmax(ops.concatenate([first[None], best], axis=0)[-1], axis=-1), "int32")
    earlier = tf.scan(back, came_from, initializer=last, reverse=True)
    tags = ops.transpose(ops.concatenate([earlier, last[None]], axis=0))
    return tags * ops.cast(token_mask(tables), "int32")


def tag_marginals(tables: Tensor) -> Tensor:
    """Gives the probability of each tag at each token, over all tag sequences.

    It is what the forward-backward algorithm gives (L. Rabiner, 1989, DOI 10.1109/5.18626, equation 27), in one pass:
    the tables hold the backward half already.

    Args:
        tables: float ``[batch, length, classes, classes]`` of a ``ConditionalRandomField``.

    Returns:
        float32 ``[batch, length, classes]``; each token sums to 1, padding is 0.

    Example:
        >>> tag_marginals(ConditionalRandomField(2)(np.zeros((1, 1, 2), "float32"))).numpy()
        array([[[0.5, 0.5]]], dtype=float32)
    """

    def step(now: Tensor, table: Tensor) -> Tensor:
        return ops.matmul(now[:, None, :], table)[:, 0]

    chances = ops.transpose(ops.exp(tables), (1, 0, 2, 3))
    first = chances[0, :, 0]
    marginals = ops.concatenate([first[None], tf.scan(step, chances[1:], initializer=first)], axis=0)
    return ops.where(token_mask(tables)[:, :, None], ops.transpose(marginals, (1, 0, 2)), 0.0)


@keras.saving.register_keras_serializable(package="mtl_helpers")
class CRFNegativeLogLikelihood(keras.losses.Loss):
    """The loss of a ``ConditionalRandomField``: minus the log-probability of the true tags, per token.

    It is summed over the tokens of the batch and divided by their number, padding left out of both, so that neither
    padding nor a long sentence changes a token's weight. It has no weights of its own and is saved with the model.

    Args:
        name: Name of the loss.
        **kwargs: For ``keras.losses.Loss``; ``reduction`` is fixed.

    Call:
        y_true: int ``[batch, length]``, the tags; a tag that is not one, such as -1, is an error or a wrong loss. A
            ``MultiTaskData`` refuses those.
        y_pred: float ``[batch, length, classes, classes]``, the layer's output.
        sample_weight: float ``[batch]`` or ``[batch, length]``; 0 leaves a sentence out. The chain conditions on every
            tag, so weights are meant for sentences and padding, not for single tokens with an unknown tag.

    Raises:
        ValueError: If the predictions are not the layer's tables.

    Example:
        >>> from mtl_helpers.models import ner_relation
        >>> model = ner_relation(relation_corpus(50))
        >>> model.compile(loss={"relation": "sparse_categorical_crossentropy", "entity": CRFNegativeLogLikelihood()})
    """

    def __init__(self, name: str = "crf_negative_log_likelihood", **kwargs: Any) -> None:
        super().__init__(name=name, **{**kwargs, "reduction": None})

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Gives float ``[batch, length]``: minus the log-probability of each tag, 0 at padding."""
        return -tag_log_probability(y_true, y_pred)

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Gives the mean over the batch's tokens (0 for a batch without any)."""
        y_pred = ops.convert_to_tensor(y_pred)
        if len(y_pred.shape) != 4:
            raise ValueError(
                f"y_pred={tuple(y_pred.shape)} is no table of a ConditionalRandomField; for tags chosen one by one "
                "give text_losses(data, tagger='softmax')."
            )
        weights = ops.cast(token_mask(y_pred), "float32")
        if sample_weight is not None:
            given = ops.cast(sample_weight, "float32")
            weights = weights * (given[:, None] if len(given.shape) == 1 else given)
        losses = ops.where(weights > 0, self.call(y_true, y_pred), 0.0)
        return ops.sum(losses * weights) / ops.maximum(ops.sum(weights), keras.backend.epsilon())
