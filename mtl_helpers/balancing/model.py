"""A Keras model whose ``fit`` balances its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from mtl_helpers.balancing.base import Balancer, State, task_gradients
from mtl_helpers.balancing.by_gradients import in_output_shape


@keras.saving.register_keras_serializable(package="mtl_helpers")
class BalancedModel(keras.Model):
    """A functional model that asks a balancer how to combine its tasks' gradients.

    It compiles, fits, evaluates, saves and loads like any other; outputs must be a dict, losses a dict with the same
    keys. ``loss_weights`` count: the balancer sees losses and gradients multiplied by them. Penalties of layers are
    added unweighted. ``history`` holds, beside the usual, each task's weight after the epoch as ``"<task>_weight"``;
    its ``"loss"`` is the sum that Keras reports without a balancer, so that balancers can be compared.

    Args:
        inputs: Inputs, as for ``keras.Model``.
        outputs: Task -> output.
        balancer: How to balance.
        name: Name of the model.

    Attributes:
        balancer: The balancer.
        balancer_state: Its state: name -> variable. Saved with the model, as weights that are not trained.

    Raises:
        ValueError: If the outputs are not a dict.

    Example:
        >>> data = shop_log(100)
        >>> model = balanced(hard_sharing(data), GradNorm())
        >>> model.compile("sgd", loss=task_losses(data), jit_compile=False)
        >>> history = model.fit(data.train.inputs, data.train.labels, verbose=0).history
        >>> list(history)
        ['click_loss', 'click_weight', 'loss', 'pay_loss', 'pay_weight']
    """

    def __init__(self, inputs: Any, outputs: Mapping[str, Any], balancer: Balancer, name: str | None = None) -> None:
        if not isinstance(outputs, Mapping):
            raise ValueError(f"outputs={type(outputs).__name__}; give a dict, task name -> output.")
        super().__init__(inputs=inputs, outputs=dict(outputs), name=name)
        self.balancer = balancer
        self.balancer_state = {
            key: self.add_weight(
                name=f"balancer_{key}",
                shape=value.shape,
                dtype=value.dtype.name,
                initializer=lambda shape, dtype, value=value: tf.cast(value, dtype),
                trainable=False,
            )
            for key, value in balancer.initial_state(list(outputs)).items()
        }

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks, in the order of the state."""
        return list(self.output)

    def make_train_function(self, force: bool = False) -> Any:
        """Prepares training as Keras does; reads what ``compile`` was given while Keras still runs eagerly."""
        given = self.get_compile_config()["loss_weights"] or {}
        if not isinstance(given, Mapping):
            raise ValueError(f"loss_weights={given}: give a dict, task -> weight, of the tasks {self.tasks}.")
        self._loss_weights = dict(given)
        return super().make_train_function(force)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Makes one step: differentiates every task's loss, lets the balancer combine, lets the optimizer apply."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape(persistent=True) as tape:
            outputs = self(x, training=True)
            total = self.compute_loss(x, y, outputs, sample_weight)  # updates what the history shows
            losses = self._task_losses(y, outputs, sample_weight)
            penalty = sum(self.losses)
        variables = self.trainable_variables
        gradients, shared = task_gradients(tape, losses, variables)
        state = {key: variable.value for key, variable in self.balancer_state.items()}
        combined, state = self.balancer.combine(tf.stack(losses), gradients, shared, state)
        if self.losses:
            extra = tape.gradient(penalty, variables)  # None for weights that no penalty concerns
            combined = [
                one if other is None else one + tf.convert_to_tensor(other)
                for one, other in zip(combined, extra, strict=True)
            ]
        self.optimizer.apply_gradients(
            [(self.optimizer.scale_loss(each), variable) for each, variable in zip(combined, variables, strict=True)]
        )
        self._keep(state)
        rows = tf.shape(tf.nest.flatten(x)[0])[0]
        next(each for each in self.metrics if each.name == "loss").update_state(total, sample_weight=rows)
        weights = {f"{task}_weight": state["weights"][k] for k, task in enumerate(self.tasks)}
        return {**self.compute_metrics(x, y, outputs, sample_weight), **weights}

    def _task_losses(self, y: Any, outputs: Mapping[str, Any], sample_weight: Any) -> list[tf.Tensor]:
        """Computes each task's loss, multiplied by its ``loss_weights``."""
        for name, given in (("loss", self.loss), ("y", y)):
            if not isinstance(given, Mapping) or set(given) != set(self.tasks):
                keys = sorted(given) if isinstance(given, Mapping) else type(given).__name__
                raise ValueError(f"{name}={keys}: give a dict with the keys {self.tasks}.")
        weights = dict.fromkeys(self.tasks, 1.0) | self._loss_weights
        present = sample_weight if isinstance(sample_weight, Mapping) else dict.fromkeys(self.tasks, sample_weight)
        return [
            weights[task]
            * as_loss(self.loss[task])(in_output_shape(y[task], outputs[task]), outputs[task], present.get(task))
            for task in self.tasks
        ]

    def _keep(self, state: State) -> None:
        for key, value in state.items():
            self.balancer_state[key].assign(value)

    def fit(self, *args: Any, callbacks: Any = None, **kwargs: Any) -> keras.callbacks.History:
        """Fits as ``keras.Model.fit`` does; tells the balancer when an epoch ends."""
        return super().fit(*args, callbacks=[_EpochEnd(), *(callbacks or [])], **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Gives the model without the balancing, and the balancer."""
        plain = keras.Model(self.input, self.output, name=self.name)
        return {
            "model": plain.get_config(),
            "balancer": keras.saving.serialize_keras_object(self.balancer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> BalancedModel:
        """Makes the model from what ``get_config`` gave."""
        plain = keras.Model.from_config(config["model"], custom_objects)
        return balanced(plain, keras.saving.deserialize_keras_object(config["balancer"], custom_objects))


class _EpochEnd(keras.callbacks.Callback):
    """Gives the balancer the mean losses of the epoch."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Updates the balancer's state."""
        model, logs = self.model, logs or {}
        losses = tf.constant([float(logs.get(f"{task}_loss", logs["loss"])) for task in model.tasks])
        state = {key: variable.value for key, variable in model.balancer_state.items()}
        model._keep(model.balancer.epoch_end(losses, state))
        for k, weight in enumerate(model.balancer_state["weights"].numpy()):
            logs[f"{model.tasks[k]}_weight"] = float(weight)


class FunctionLoss(keras.losses.Loss):
    """A loss function as a loss."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Calls the function."""
        return self.function(y_true, y_pred)


def as_loss(loss: Any) -> keras.losses.Loss:
    """Gives the loss that Keras understands by a name, a function or a loss."""
    found = keras.losses.get(loss)
    return found if isinstance(found, keras.losses.Loss) else FunctionLoss(found)


def balanced(model: keras.Model, balancer: Balancer) -> BalancedModel:
    """Makes a model balance its tasks in ``fit``. The two share all weights.

    Args:
        model: A functional model with a dict of outputs, one a task; not yet compiled.
        balancer: How to balance.

    Returns:
        The balanced model, to be compiled.

    Raises:
        ValueError: If the model is not functional, its outputs are not a dict, or the balancer is none.

    Example:
        >>> balanced(hard_sharing(shop_log(100)), PCGrad()).name
        'hard_sharing'
    """
    if not isinstance(getattr(model, "output", None), Mapping):
        name = getattr(model, "name", model)
        raise ValueError(f"model={name!r} has no dict of outputs; build it from keras.Input to {{task: output}}.")
    if not isinstance(balancer, Balancer):
        raise ValueError(f"balancer={balancer!r} is not a Balancer; give an object, for instance GradNorm().")
    return BalancedModel(model.input, model.output, balancer, name=model.name)
