"""Category numbers to vectors: one table for all columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from mtl_helpers.layers.arguments import Shape, Tensor, at_least, widths


def table_rows(numbers: Tensor, sizes: Sequence[int]) -> Tensor:
    """Turns category numbers into row numbers of one table that holds all columns' categories end to end.

    A number that its column does not have counts as 0, "not seen in training": without this it would read a
    category of the next column.

    Args:
        numbers: int ``[batch, columns]``.
        sizes: Number of categories of each column.

    Returns:
        int32 ``[batch, columns]``, each below ``sum(sizes)``.

    Example:
        >>> table_rows(np.array([[1, 2], [9, 0]]), (3, 4)).numpy().tolist()
        [[1, 5], [0, 3]]
    """
    numbers = ops.cast(numbers, "int32")
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype("int32")
    known = ops.logical_and(numbers >= 0, numbers < np.array(sizes, "int32"))
    return ops.where(known, numbers, 0) + offsets


@keras.saving.register_keras_serializable(package="mtl_helpers")
class FeatureEmbedding(keras.layers.Layer):
    """Looks up a vector for each of many categorical columns in one table.

    One table with offsets is one look-up, where a Keras ``Embedding`` a column would be dozens.

    Args:
        sizes: Number of categories of each column, the unseen one (number 0) included.
        dim: Width of the vectors.
        copies: Number of tables of one shape, for networks that share nothing or only softly; None for a single one.
        regularizer: Regularizer of the table ``[rows, dim]`` or, with copies, ``[rows, copies, dim]``.
        **kwargs: ``name`` and the like, for ``keras.layers.Layer``.

    Input: int ``[batch, columns]``; numbers a column does not have count as 0.
    Output: ``[batch, columns, dim]`` or, with copies, ``[batch, copies, columns, dim]``.

    Raises:
        ValueError: If there is no column, or a size, ``dim`` or ``copies`` is below 1.

    Example:
        >>> layer = FeatureEmbedding(sizes=(10, 3), dim=4)
        >>> layer(np.array([[7, 2], [0, 1]])).shape
        TensorShape([2, 2, 4])
    """

    def __init__(
        self,
        sizes: Sequence[int],
        dim: int,
        copies: int | None = None,
        regularizer: keras.regularizers.Regularizer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sizes = widths("sizes", sizes)
        at_least("dim", dim, 1)
        at_least("copies", 1 if copies is None else copies, 1)
        self.dim, self.copies = dim, copies
        self.regularizer = keras.regularizers.get(regularizer)

    def build(self, input_shape: Shape) -> None:
        """Creates the table."""
        if input_shape[-1] != len(self.sizes):
            raise ValueError(
                f"inputs={input_shape} have {input_shape[-1]} columns for sizes={self.sizes}; give as many."
            )
        copies = () if self.copies is None else (self.copies,)
        shape = (sum(self.sizes), *copies, self.dim)
        self.table = self.add_weight(name="table", shape=shape, initializer="uniform", regularizer=self.regularizer)

    def call(self, inputs: Tensor) -> Tensor:
        """Looks up: int ``[batch, columns]`` -> ``[batch, columns, dim]`` (``[batch, copies, columns, dim]``)."""
        vectors = ops.take(self.table, table_rows(inputs, self.sizes), axis=0)
        return vectors if self.copies is None else ops.transpose(vectors, (0, 2, 1, 3))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Gives ``(batch, columns, dim)`` or ``(batch, copies, columns, dim)``."""
        copies = () if self.copies is None else (self.copies,)
        return (input_shape[0], *copies, len(self.sizes), self.dim)

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {
            **super().get_config(),
            "sizes": self.sizes,
            "dim": self.dim,
            "copies": self.copies,
            "regularizer": keras.regularizers.serialize(self.regularizer),
        }


@keras.saving.register_keras_serializable(package="mtl_helpers")
class SelectColumns(keras.layers.Layer):
    """Keeps some columns of an input, for instance those that describe the user.

    Args:
        columns: Positions of the columns to keep, in the order wanted.
        **kwargs: ``name`` and the like, for ``keras.layers.Layer``.

    Input: ``[batch, columns]`` of any type.
    Output: ``[batch, kept columns]``.

    Raises:
        ValueError: If the input has no column of such a position.

    Example:
        >>> SelectColumns([2, 0])(np.array([[5, 6, 7]])).numpy().tolist()
        [[7, 5]]
    """

    def __init__(self, columns: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.columns = tuple(int(column) for column in columns)

    def build(self, input_shape: Shape) -> None:
        """Checks that the input has the columns."""
        if unknown := [column for column in self.columns if not 0 <= column < (input_shape[-1] or 0)]:
            raise ValueError(f"columns={self.columns}: inputs={input_shape} have no {unknown}; count from 0.")

    def call(self, inputs: Tensor) -> Tensor:
        """Keeps the columns."""
        return ops.take(inputs, np.array(self.columns, "int32"), axis=1)

    def compute_output_spec(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Gives shape ``(batch, kept columns)`` and the input's type."""
        return keras.KerasTensor((inputs.shape[0], len(self.columns)), dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {**super().get_config(), "columns": self.columns}
