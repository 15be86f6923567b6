"""Factorization machines: a weight for every pair of features, without a parameter for every pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_helpers.layers.arguments import Shape, Tensor, at_least, widths
from mtl_helpers.layers.embedding import table_rows


def pair_sum(vectors: Tensor) -> Tensor:
    """Sums the inner products of all pairs of vectors without visiting the pairs.

    ``sum_{i<j} <v_i, v_j> = 1/2 sum_f ((sum_i v_if)^2 - sum_i v_if^2)``: O(nd) instead of O(n^2 d). Rendle 2010,
    "Factorization machines", DOI 10.1109/ICDM.2010.127, lemma 3.1.

    Args:
        vectors: ``[..., n, d]``. For features with values, the vector times the value.

    Returns:
        ``[...]``.

    Example:
        >>> float(pair_sum(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])))  # 11 + 17 + 39
        67.0
    """
    square_of_sum = ops.square(ops.sum(vectors, axis=-2))
    sum_of_squares = ops.sum(ops.square(vectors), axis=-2)
    return 0.5 * ops.sum(square_of_sum - sum_of_squares, axis=-1)


@keras.saving.register_keras_serializable(package="mtl_helpers")
class FactorizationMachine(keras.layers.Layer):
    """Linear terms and all pairwise interactions of its features, in time linear in their number.

    ``w_0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j`` (Rendle 2010, DOI 10.1109/ICDM.2010.127, equation 1). A
    categorical column counts as one feature a category, of value 1 for the row's category: it is looked up, not
    multiplied by zeros. Each unit is a machine of its own, with its own weights and vectors.

    Args:
        dim: Width of the vectors v_i. 0 leaves the linear terms alone: logistic regression.
        sizes: Number of categories of each categorical column; empty for numeric features only.
        units: Number of outputs.
        return_vectors: Whether to return the row's vectors too, for a network to read, as DeepFM does.
        **kwargs: ``name`` and the like, for ``keras.layers.Layer``.

    Input: numbers ``[batch, n]``; or, with ``sizes``, categories int ``[batch, columns]``, or a list of both.
    Output: ``[batch, units]`` and, if asked for, the vectors ``x_i v_i`` ``[batch, features, units * dim]``.

    Raises:
        ValueError: If ``dim`` is negative or ``units`` below 1, or the inputs do not fit ``sizes``.

    Example:
        >>> layer = FactorizationMachine(dim=4, sizes=(10, 3))
        >>> layer([np.array([[7, 2]]), np.array([[0.5]])]).shape  # two categorical columns and a number
        TensorShape([1, 1])
    """

    def __init__(
        self, dim: int = 4, sizes: Sequence[int] = (), units: int = 1, return_vectors: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        at_least("dim", dim, 1 if return_vectors else 0)
        at_least("units", units, 1)
        self.dim, self.units, self.return_vectors = dim, units, return_vectors
        self.sizes = widths("sizes", sizes, at_least_one=False)

    def build(self, input_shape: Shape | list[Shape]) -> None:
        """Creates the bias, a weight and a vector a feature."""
        categories, numeric = self._split(input_shape)
        if (categories[-1] if categories else 0) != len(self.sizes):
            raise ValueError(f"inputs={input_shape} for sizes={self.sizes}: give a column a size, then the numbers.")
        features = sum(self.sizes) + (numeric[-1] if numeric else 0)
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.linear = self.add_weight(name="linear", shape=(features, self.units), initializer="zeros")
        if self.dim:
            shape = (features, self.units * self.dim)
            self.factors = self.add_weight(name="factors", shape=shape, initializer="uniform")

    def call(self, inputs: Tensor | list[Tensor]) -> Tensor | tuple[Tensor, Tensor]:
        """Scores rows: ``[batch, units]`` and, if asked for, their vectors ``[batch, features, units * dim]``."""
        categories, numbers = self._split(inputs)
        rows = None if categories is None else table_rows(categories, self.sizes)
        score = self.bias + self._linear_terms(rows, numbers)
        if not self.dim:
            return score
        vectors = self._vectors(rows, numbers)  # looked up once, for the pairs and for who reads them after
        pairs = 0.5 * (ops.square(ops.sum(vectors, axis=1)) - ops.sum(ops.square(vectors), axis=1))
        score += ops.sum(ops.reshape(pairs, (-1, self.units, self.dim)), axis=-1)
        return (score, vectors) if self.return_vectors else score

    def _split(self, inputs: Any) -> tuple[Any, Any]:
        """Tells categories from numbers, in tensors as in shapes; None for what is absent."""
        both = isinstance(inputs, list | tuple) and not isinstance(inputs[0], int | None)  # a shape begins with these
        if both and len(inputs) != 2:
            raise ValueError(f"inputs: a list of {len(inputs)}; give [categories, numbers], or one of them alone.")
        if both:
            return inputs[0], inputs[1]
        return (inputs, None) if self.sizes else (None, inputs)

    def _linear_terms(self, rows: Tensor | None, numbers: Tensor | None) -> Tensor:
        """Sums the features' weights times their values: ``[batch, units]``."""
        total: Tensor = 0.0
        if rows is not None:
            total += ops.sum(ops.take(self.linear, rows, axis=0), axis=1)
        if numbers is not None:
            total += ops.matmul(numbers, self.linear[sum(self.sizes) :])
        return total

    def _vectors(self, rows: Tensor | None, numbers: Tensor | None) -> Tensor:
        """Gives the features' vectors times their values: ``[batch, features, units * dim]``."""
        parts = []
        if rows is not None:
            parts.append(ops.take(self.factors, rows, axis=0))
        if numbers is not None:
            parts.append(numbers[:, :, None] * self.factors[sum(self.sizes) :])
        return ops.concatenate(parts, axis=1)

    def compute_output_shape(self, input_shape: Shape | list[Shape]) -> Shape | tuple[Shape, Shape]:
        """Gives ``(batch, units)`` and, if asked for, ``(batch, features, units * dim)``."""
        categories, numbers = self._split(input_shape)
        batch = (categories or numbers)[0]
        features = sum(shape[1] for shape in (categories, numbers) if shape)
        score = (batch, self.units)
        return (score, (batch, features, self.units * self.dim)) if self.return_vectors else score

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        own = {"dim": self.dim, "sizes": self.sizes, "units": self.units, "return_vectors": self.return_vectors}
        return {**super().get_config(), **own}
