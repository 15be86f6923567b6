"""Many seeds of one Keras model trained in one compiled program.

Every weight gets a new first axis, the run. Inside ``tf.vectorized_map`` one run computes its own gradients with
``model.stateless_call``, exactly as it would alone; outside, an ordinary Keras optimizer moves all weights of all runs
at once, as one variable (``weights.py``). Adam and its kin treat each number by itself, so this equals training every
run alone. An epoch is one call.

A balancer keeps its state in weights that are not trained, which are stacked too: every run balances by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_helpers.balancing.base import task_gradients
from mtl_helpers.balancing.by_gradients import in_output_shape
from mtl_helpers.layers.gating import traced_for_xla
from mtl_helpers.memory import on_one_device
from mtl_helpers.study.device import end_to_end, on_device
from mtl_helpers.study.plan import Plan, batches
from mtl_helpers.study.weights import StackedWeights

ELEMENTWISE = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Lion")
PREDICTED_AT_ONCE = 4_096


def check_optimizer(optimizer: keras.optimizers.Optimizer) -> None:
    """Refuses an optimizer that mixes the numbers of a weight, for it would mix the runs.

    Args:
        optimizer: The optimizer asked for.

    Raises:
        ValueError: If it is none, clips by norm, averages weights, or is not known to act element by element.
    """
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(
            f"optimizer={optimizer!r} is not an optimizer; give an object, such as keras.optimizers.Adam()."
        )
    name = type(optimizer).__name__
    for setting in ("clipnorm", "global_clipnorm"):
        if getattr(optimizer, setting, None) is not None:
            raise ValueError(
                f"optimizer={name}({setting}={getattr(optimizer, setting)}): a norm taken over all runs would couple "
                "them; use clipvalue, or train with model.fit."
            )
    if getattr(optimizer, "use_ema", False):
        raise ValueError(f"optimizer={name}(use_ema=True) is not supported by study; train with model.fit.")
    if name not in ELEMENTWISE:
        raise ValueError(f"optimizer={name} does not act element by element; choose from {list(ELEMENTWISE)}.")


def why_not_stackable(model: keras.Model) -> str | None:
    """Says what in a model keeps it from being trained in one program, or None.

    Args:
        model: The model.

    Returns:
        A short reason that names the layer, or None if the model can be stacked.
    """
    if type(model).train_step is not keras.Model.train_step and not hasattr(model, "balancer"):
        return f"{type(model).__name__} has a train_step of its own"
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional):
            return f"layer {layer.name!r} is recurrent, which does not pay when vectorised"
    for variable in model.trainable_variables:
        if getattr(variable, "constraint", None) is not None:
            return f"weight {variable.path!r} has a constraint"
    return None


def traced(function: Callable, *arguments: Any, jit_compile: bool = False) -> Callable:
    """Turns a function of tensors into a program, for arguments like the given ones.

    It is traced first and compiled after: traced under XLA, ``tf.vectorized_map`` would wrap itself in one more
    function, which TensorFlow never frees.
    """
    with traced_for_xla(jit_compile):
        program = tf.function(function, autograph=False).get_concrete_function(*arguments)
    if not jit_compile:
        return program
    compiled = tf.function(lambda *values: program(*values), autograph=False, jit_compile=True)
    return compiled.get_concrete_function(*arguments)


def stack(variables: list[list[keras.Variable]]) -> list[keras.Variable]:
    """Stacks the variables of several models: ``[models][variables]`` to one ``[models, ...]`` each."""
    return [
        keras.Variable(np.stack([each.numpy() for each in same]), dtype=same[0].dtype, trainable=same[0].trainable)
        for same in zip(*variables, strict=True)
    ]


class StackedModel:
    """The runs of one model, stacked.

    Args:
        models: One built model a run, with that run's initial weights; all of one architecture.
        plan: The runs and their data.
        losses: Task name -> loss.
        optimizer: An optimizer that acts element by element; a fresh copy of it is used.
        batch_size: Rows in a batch.
        jit_compile: Whether XLA compiles the epoch.

    Attributes:
        model: The first run's model, used as the template of the computation.
        weights: The trainable weights of all runs.
        states: The stacked other weights, for instance the seeds of dropout.
    """

    def __init__(
        self,
        models: list[keras.Model],
        plan: Plan,
        losses: dict[str, keras.losses.Loss],
        optimizer: keras.optimizers.Optimizer,
        batch_size: int,
        jit_compile: bool = True,
    ) -> None:
        check_optimizer(optimizer)
        self.model, self.plan, self.losses = models[0], plan, losses
        self.batch_size = min(batch_size, len(plan.data.train))
        self.steps = len(plan.data.train) // self.batch_size
        self.balancer = getattr(self.model, "balancer", None)
        places = {id(each): place for place, each in enumerate(self.model.non_trainable_variables)}
        state = getattr(self.model, "balancer_state", {})
        self._balancer_places = {key: places[id(variable)] for key, variable in state.items()}
        if self.balancer and self.model.tasks != list(plan.tasks):
            raise ValueError(f"outputs {self.model.tasks} of a balanced model must be in the order {list(plan.tasks)}.")
        self.weights = StackedWeights([model.trainable_variables for model in models])
        self.states = stack([model.non_trainable_variables for model in models])
        self.optimizer = type(optimizer).from_config(optimizer.get_config())
        self.optimizer.build([self.weights.variable])
        on_one_device(self.optimizer)
        self.loss_weights = tf.constant([[run.weights[task] for task in plan.tasks] for run in plan.runs], tf.float32)
        self.offsets = np.array([run.source for run in plan.runs], np.int32) * len(plan.data.train)
        self.train_rows = on_device([data.train for data in plan.datasets])  # inputs, labels, weights
        order = tf.TensorSpec([self.steps, len(plan.runs), self.batch_size], tf.int32)
        # The rows are an argument: a program that captures them would keep a copy.
        self._train = traced(self._train_epoch, order, self.train_rows, jit_compile=jit_compile)
        self._inputs: dict[str, dict[str, tf.Tensor]] = {}
        self._predictors: dict[Any, Callable] = {}

    def train_epoch(self, epoch: int) -> np.ndarray:
        """Trains every run for one epoch.

        Args:
            epoch: Its number, counted from 1; decides the order of the rows.

        Returns:
            Mean loss of each run and task over the epoch's batches, ``[runs, tasks]``.
        """
        rows = len(self.plan.data.train)
        order = [batches(rows, self.batch_size, run.seed, epoch) for run in self.plan.runs]
        stacked = np.stack(order, axis=1) + self.offsets[:, None]
        return self._train(tf.constant(stacked), self.train_rows).numpy()

    def _train_epoch(self, order: tf.Tensor, rows: tuple) -> tf.Tensor:
        """The compiled epoch: ``order`` int32 ``[steps, runs, batch]`` -> mean losses ``[runs, tasks]``."""

        def step(number: tf.Tensor, total: tf.Tensor, states: list[tf.Tensor]) -> tuple:
            batch = tf.nest.map_structure(lambda values: tf.gather(values, order[number]), rows)
            runs = (self.weights.tensors(), states, batch, self.loss_weights)
            losses, gradients, states = tf.vectorized_map(self._one_run, runs, warn=False)
            self.optimizer.apply([self.weights.joined(gradients)], [self.weights.variable])
            return number + 1, total + losses, states

        states = [variable.value for variable in self.states]
        start = tf.constant(0), tf.zeros([len(self.plan.runs), len(self.plan.tasks)]), states
        _, total, states = tf.while_loop(lambda number, *_: number < self.steps, step, start)
        mean = total / self.steps
        if self.balancer:
            ending = (mean, self._balancer_state(states))
            state = tf.vectorized_map(lambda run: self.balancer.epoch_end(*run), ending, warn=False)
            states = self._with_balancer_state(states, state)
        for variable, value in zip(self.states, states, strict=True):
            variable.assign(value)
        return mean

    def _one_run(self, run: tuple) -> tuple[tf.Tensor, list[tf.Tensor], list[tf.Tensor]]:
        """One step of one run: its task losses ``[tasks]``, the gradients of its weights and its new states."""
        weights, states, (inputs, labels, present), loss_weights = run
        with tf.GradientTape(persistent=self.balancer is not None) as tape:
            tape.watch(weights)
            called = self.model.stateless_call(weights, states, inputs, training=True, return_losses=True)
            outputs, states, extra = called
            each = [
                self.losses[task](in_output_shape(labels[task], outputs[task]), outputs[task], present.get(task))
                for task in self.plan.tasks
            ]
            # Stacked and taken apart again, every task's gradient would seem to reach every weight.
            weighted = [loss * loss_weights[place] for place, loss in enumerate(each)]
            penalty = tf.add_n([tf.zeros([]), *extra])
            total = tf.add_n(weighted) + penalty
        if self.balancer is None:
            return tf.stack(each), all_gradients(tape, total, weights), states
        gradients, shared = task_gradients(tape, weighted, weights)
        state = self._balancer_state(states)
        gradients, state = self.balancer.combine(tf.stack(weighted), gradients, shared, state)
        if extra:
            gradients = [a + b for a, b in zip(gradients, all_gradients(tape, penalty, weights), strict=True)]
        return tf.stack(each), gradients, self._with_balancer_state(states, state)

    def _balancer_state(self, states: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        return {key: states[place] for key, place in self._balancer_places.items()}

    def _with_balancer_state(self, states: list[tf.Tensor], state: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        new = {place: state[key] for key, place in self._balancer_places.items()}
        return [new.get(place, value) for place, value in enumerate(states)]

    def balancer_records(self) -> dict[str, np.ndarray]:
        """Gives what the balancer wants written down after an epoch: name -> ``[runs, tasks]``; {} without one."""
        names = getattr(self.balancer, "recorded", ())
        return {name: self.states[self._balancer_places[name]].numpy() for name in names}

    def predict(
        self, split: str, rows: np.ndarray | None = None, view: Callable[[keras.Model], keras.Model] | None = None
    ) -> dict[str, np.ndarray]:
        """Computes outputs for a split, or some of its rows, for every run.

        Args:
            split: ``"train"``, ``"validation"`` or ``"test"``.
            rows: Row positions; all rows if None.
            view: Makes another model over the same layers, for instance ``gate_model``; None for the model itself.

        Returns:
            Output name -> float32 ``[runs, rows, ...]``.
        """
        if split not in self._inputs:
            self._inputs.clear()  # one split at a time
            self._inputs[split] = end_to_end([getattr(data, split).inputs for data in self.plan.datasets])
        inputs, runs = self._inputs[split], self.plan.runs
        if view not in self._predictors:
            any_rows = {name: tf.TensorSpec([None, *values.shape[1:]], values.dtype) for name, values in inputs.items()}
            which = tf.TensorSpec([len(runs), None], tf.int32)
            model = view(self.model) if view else self.model
            self._predictors[view] = traced(partial(self._predict_rows, model), any_rows, which)
        size = len(getattr(self.plan.data, split))
        wanted = np.arange(size, dtype=np.int32) if rows is None else np.asarray(rows, np.int32)
        chunk = min(len(wanted), max(1, PREDICTED_AT_ONCE // len(runs)))
        padded = np.resize(wanted, (-(-len(wanted) // chunk), 1, chunk))
        offsets = np.array([run.source for run in runs], np.int32)[:, None] * size
        pieces = [self._predictors[view](inputs, tf.constant(piece + offsets)) for piece in padded]
        return {
            name: np.concatenate([piece[name].numpy() for piece in pieces], axis=1)[:, : len(wanted)]
            for name in pieces[0]
        }

    def _predict_rows(self, model: keras.Model, inputs: dict[str, tf.Tensor], which: tf.Tensor) -> dict[str, tf.Tensor]:
        """The traced outputs of rows ``which`` int32 ``[runs, rows]``."""
        values = self.weights.tensors() + [state.value for state in self.states]
        own = {id(mine): value for mine, value in zip(self._own_variables(), values, strict=True)}
        weights = [own[id(variable)] for variable in model.trainable_variables]
        states = [own[id(variable)] for variable in model.non_trainable_variables]

        def one_run(run: tuple) -> dict[str, tf.Tensor]:
            return model.stateless_call(*run, training=False)[0]

        rows = {name: tf.gather(values, which) for name, values in inputs.items()}
        return tf.vectorized_map(one_run, (weights, states, rows), warn=False)

    def _own_variables(self) -> list[keras.Variable]:
        return self.model.trainable_variables + self.model.non_trainable_variables

    def get_weights(self) -> list[np.ndarray]:
        """Copies all stacked weights, ``[runs, ...]`` each: the trained ones, then the others."""
        return self.weights.numpy() + [state.numpy() for state in self.states]

    def set_weights(self, values: list[np.ndarray]) -> None:
        """Puts copied weights back."""
        trained = len(values) - len(self.states)
        self.weights.assign(values[:trained])
        for state, value in zip(self.states, values[trained:], strict=True):
            state.assign(value)

    def switch_off(self, layer: str, expert: int | None) -> None:
        """Switches one expert of a gated layer off in every run; None switches all of them on."""
        enabled = self.model.get_layer(layer).expert_enabled
        pairs = zip(self.model.non_trainable_variables, self.states, strict=True)
        state = next(state for own, state in pairs if own is enabled)
        values = np.ones(state.shape, np.float32)
        if expert is not None:
            values[:, expert] = 0
        state.assign(values)


def all_gradients(tape: tf.GradientTape, value: tf.Tensor, weights: list[tf.Tensor]) -> list[tf.Tensor]:
    """Differentiates a scalar by every weight; 0 where it does not depend on one."""
    gradients = tape.gradient(value, weights, unconnected_gradients="zero")
    return [tf.convert_to_tensor(gradient) for gradient in gradients]
