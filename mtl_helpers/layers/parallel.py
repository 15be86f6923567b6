"""Several Dense layers of one shape, computed as one: the workhorse behind experts, gates and soft sharing."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from mtl_helpers.layers.arguments import Shape, Tensor, at_least, check_axes


@keras.saving.register_keras_serializable(package="mtl_helpers")
class PerCopy(keras.initializers.Initializer):
    """Initialises a stacked kernel ``[in, copies, units]`` copy by copy.

    Drawn as one array of three axes, Glorot's and He's initialisers would take the first axis for a receptive field and
    start every copy wrongly. Drawn copy by copy, each starts exactly as a ``Dense`` layer of its own would.

    Args:
        initializer: What initialises one copy ``[in, units]``: a name or a Keras initializer.

    Example:
        >>> kernel = PerCopy("he_normal")((100, 8, 16))  # standard deviation sqrt(2 / 100) in each of the 8
    """

    def __init__(self, initializer: str | keras.initializers.Initializer = "glorot_uniform") -> None:
        self.initializer = keras.initializers.get(initializer)

    def __call__(self, shape: Shape, dtype: str | None = None) -> Tensor:
        """Draws the copies; a clone a copy, because a Keras initializer repeats itself when called twice."""
        fan_in, copies, units = shape
        return ops.stack([self.initializer.clone()((fan_in, units), dtype=dtype) for _ in range(copies or 0)], axis=1)

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {"initializer": keras.initializers.serialize(self.initializer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PerCopy:
        """Makes the initializer again from ``get_config``."""
        return cls(keras.initializers.deserialize(config["initializer"]))


@keras.saving.register_keras_serializable(package="mtl_helpers")
class ParallelDense(keras.layers.Layer):
    """Several independent Dense layers in one batched product.

    One large matrix product costs far less than many small ones. And since all copies sit in one array, a regularizer
    can look at them together: ``SoftSharingPenalty`` needs that.

    Args:
        copies: Number of Dense layers.
        units: Width of each.
        activation: Applied to every output.
        use_bias: Whether each copy adds a bias.
        kernel_initializer: What initialises each copy's kernel, as if it were alone.
        kernel_regularizer: Regularizer of the stacked kernel ``[in, copies, units]``.
        bias_regularizer: Regularizer of the stacked bias ``[copies, units]``.
        **kwargs: ``name`` and the like, for ``keras.layers.Layer``.

    Input: ``[batch, in]``, read by every copy, or ``[batch, copies, in]``, a slice for each.
    Output: ``[batch, copies, units]``.

    Raises:
        ValueError: If ``copies`` or ``units`` is below 1, or the input has other axes or another number of slices.

    Example:
        >>> layer = ParallelDense(copies=3, units=16, activation="relu")
        >>> layer(np.ones((32, 10))).shape
        TensorShape([32, 3, 16])
    """

    def __init__(
        self,
        copies: int,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        kernel_initializer: str | keras.initializers.Initializer = "glorot_uniform",
        kernel_regularizer: keras.regularizers.Regularizer | None = None,
        bias_regularizer: keras.regularizers.Regularizer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        at_least("copies", copies, 1)
        at_least("units", units, 1)
        self.copies, self.units, self.use_bias = copies, units, use_bias
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)

    def build(self, input_shape: Shape) -> None:
        """Creates the stacked kernel and bias."""
        check_axes("inputs", input_shape, 2, 3)
        if len(input_shape) == 3 and input_shape[1] != self.copies:
            raise ValueError(
                f"inputs={input_shape} hold {input_shape[1]} slices for copies={self.copies}; give as many."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.copies, self.units),
            initializer=PerCopy(self.kernel_initializer),
            regularizer=self.kernel_regularizer,
        )
        if self.use_bias:
            shape = (self.copies, self.units)
            self.bias = self.add_weight(
                name="bias", shape=shape, initializer="zeros", regularizer=self.bias_regularizer
            )

    def call(self, inputs: Tensor) -> Tensor:
        """Computes all copies: ``[batch, in]`` or ``[batch, copies, in]`` -> ``[batch, copies, units]``."""
        if len(inputs.shape) == 2:  # one product with all kernels side by side
            outputs = ops.matmul(inputs, ops.reshape(self.kernel, (-1, self.copies * self.units)))
            if self.use_bias:
                outputs = outputs + ops.reshape(self.bias, (-1,))
            outputs = ops.reshape(outputs, (-1, self.copies, self.units))
        else:  # a batch of products, a copy each
            by_copy = ops.matmul(ops.transpose(inputs, (1, 0, 2)), ops.transpose(self.kernel, (1, 0, 2)))
            outputs = ops.transpose(by_copy, (1, 0, 2))
            if self.use_bias:
                outputs = outputs + self.bias
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Gives ``(batch, copies, units)``."""
        return (input_shape[0], self.copies, self.units)

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {
            **super().get_config(),
            "copies": self.copies,
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
        }
