"""Training the task pair again and again: what a reader turns is data to the program, so nothing is compiled twice.

A new cosine changes the rows' values, fewer rows change which of them the batches name, another penalty is a number. So
a program traced once serves every setting, and many settings are simply more runs in it.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow first, without its log noise)

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import ops

from mtl_helpers.datasets import task_pair
from mtl_helpers.datasets.base import MultiTaskData, Rows
from mtl_helpers.layers import ParallelDense, SoftSharingPenalty
from mtl_helpers.layers.arguments import Tensor
from mtl_helpers.models import cross_stitch, hard_sharing, single_task
from mtl_helpers.models.parts import features_per_task, make_inputs
from mtl_helpers.seeds import course_seed
from mtl_helpers.study.stacked import traced
from mtl_helpers.study.weights import StackedWeights

Builder = Callable[[MultiTaskData], keras.Model]
Progress = Callable[[float, str], None]
TASKS = ("task_1", "task_2")
DRAWN_ROWS, MOST_ROWS = 5_000, 2_000  # 1,000 each for validation and test; at most 2,000 for training
STEPS, BATCH, READINGS, LEARNING_RATE = 600, 50, 10, 0.01
TIGHT: dict[str, Any] = {"hidden_units": (1,), "tower_units": (8,), "activation": "tanh"}


@dataclass(frozen=True)
class Setting:
    """What is turned between trainings.

    Attributes:
        correlation: Cosine p of the two tasks' directions, from -1 to 1.
        rows: Training rows, from 50 to 2,000.
        penalty: Strength of the pull of models that have one; other models do not feel it.

    Raises:
        ValueError: If one of them is out of range.

    Example:
        >>> Setting(correlation=-1.0, rows=200)
        Setting(correlation=-1.0, rows=200, penalty=0.1)
    """

    correlation: float
    rows: int
    penalty: float = 0.1

    def __post_init__(self) -> None:
        if not -1 <= self.correlation <= 1:
            raise ValueError(f"correlation={self.correlation} is not a cosine; give a number from -1 to 1.")
        if not BATCH <= self.rows <= MOST_ROWS:
            raise ValueError(f"rows={self.rows}: give {BATCH} (a batch) to {MOST_ROWS} rows.")
        if not self.penalty >= 0:
            raise ValueError(f"penalty={self.penalty} would push the tasks apart; give 0 or more.")


def pull_together(
    data: MultiTaskData,
    *,
    norm: Literal["l2", "l1"] = "l2",
    hidden_units: Sequence[int] = (128,),
    tower_units: Sequence[int] = (8,),
    activation: str | None = "relu",
) -> keras.Model:
    """Builds soft sharing whose pull reaches through the whole networks, towers and outputs included.

    ``models.soft_sharing`` pulls at the hidden layers alone. A ``Retrainer`` multiplies this pull by a run's penalty.

    Args:
        data: Names numeric inputs and tasks, of one label each.
        norm: ``"l2"`` or ``"l1"``.
        hidden_units: Widths of each network's hidden layers.
        tower_units: Widths of the layers after them.
        activation: Activation of the hidden layers.

    Returns:
        A model with an output a task.

    Raises:
        ValueError: If the norm is unknown or a width below 1.

    Example:
        >>> model = pull_together(task_pair(rows=1000), hidden_units=(16,))
    """
    inputs, tasks = make_inputs(data), list(data.tasks)
    pull = SoftSharingPenalty(1.0, norm)
    x = features_per_task(data, inputs, embedding_dim=4)
    layers = [(units, activation) for units in (*hidden_units, *tower_units)] + [(1, None)]
    for units, own in layers:
        x = ParallelDense(len(tasks), units, own, kernel_regularizer=pull, bias_regularizer=pull)(x)
    outputs = ops.unstack(x, num=len(tasks), axis=1)
    return keras.Model(inputs, dict(zip(tasks, outputs, strict=True)), name="pull_together")


def four_models() -> dict[str, Builder]:
    """Gives the four models of the lab, each with one hidden unit in front of its towers."""
    return {
        "single-task": partial(single_task, **TIGHT),
        "hard sharing": partial(hard_sharing, **TIGHT),
        "soft sharing": partial(pull_together, **TIGHT),
        "cross-stitch": partial(cross_stitch, **TIGHT),
    }


def draw_pair(correlation: float, seed: int) -> MultiTaskData:
    """Draws the pair all trainings use: 30 inputs, one sine term, as much noise as signal."""
    return task_pair(correlation, DRAWN_ROWS, inputs=30, noise=1.0, terms=1, frequencies="ramp", seed=seed)


class Retrainer:
    """Trains models from several seeds on settings that change, in programs that are traced once.

    Every run makes the same number of steps, so fewer rows are seen more often. Each task is read at the best of ten
    moments of the training, chosen on validation rows: early stopping, for every model alike.

    Args:
        builders: Model name -> function from the data to a ``keras.Model``. Losses that a model adds (a regularizer's)
            are multiplied by the setting's penalty.
        seeds: How many seeds, counted from the course's seed.
        settings: How many settings are trained at once.
        steps: Steps of the optimizer, a multiple of 10.

    Raises:
        ValueError: If there is no model, no seed, or ``steps`` is no multiple of 10.

    Example:
        >>> retrainer = Retrainer(four_models(), seeds=8)  # doctest: +SKIP
        >>> frame = retrainer.train([Setting(correlation=1.0, rows=200)])  # doctest: +SKIP
    """

    def __init__(self, builders: Mapping[str, Builder], seeds: int = 8, settings: int = 1, steps: int = STEPS) -> None:
        if not builders or seeds < 1 or settings < 1:
            raise ValueError(f"{len(builders)} models, seeds={seeds}, settings={settings}: give at least one of each.")
        if steps < READINGS or steps % READINGS:
            raise ValueError(f"steps={steps} is no multiple of {READINGS}; the scores are read {READINGS} times.")
        self.builders, self.settings, self.steps = dict(builders), settings, steps
        self.seeds = [course_seed(i) for i in range(seeds)]
        self._programs: dict[str, Program] = {}

    def train(self, settings: Sequence[Setting], progress: Progress = lambda share, model: None) -> pd.DataFrame:
        """Trains every model from every seed on every setting.

        Args:
            settings: As many as announced.
            progress: Called with (share done, name of the model in training, empty at the end) while it works.

        Returns:
            A row a model, setting, seed and task: these, the test error ``value`` (1 is what guessing the mean costs),
            the ``validation`` error then, to choose a penalty by, and the best ``reachable`` error of the test set.

        Raises:
            ValueError: If the number of settings is another one.
        """
        if len(settings) != self.settings:
            raise ValueError(f"{len(settings)} settings for a Retrainer of {self.settings}; make another one for them.")
        data = Material(settings, self.seeds, self.steps)
        frames = []
        for position, name in enumerate(self.builders):

            def report(share: float, name: str = name, position: int = position) -> None:
                progress((position + share) / len(self.builders), name)

            report(0.0)
            if name not in self._programs:
                self._programs[name] = Program(self.builders[name], data.template, self.seeds, self.settings)
            frames.append(data.frame(name, *self._programs[name].train(data, report)))
        progress(1.0, "")
        return pd.concat(frames, ignore_index=True)


class Material:
    """The rows, the batches and the penalties of all runs of some settings; a run is a setting and a seed."""

    def __init__(self, settings: Sequence[Setting], seeds: Sequence[int], steps: int) -> None:
        self.runs = [(setting, seed) for setting in settings for seed in seeds]
        keys = list(dict.fromkeys((setting.correlation, seed) for setting, seed in self.runs))
        pairs = [draw_pair(*key) for key in keys]
        self.template = pairs[0]
        most = max(setting.rows for setting in settings) if len(settings) > 1 else MOST_ROWS
        self.source = np.array([keys.index((setting.correlation, seed)) for setting, seed in self.runs], np.int32)
        x, y = joined([pair.train.take(slice(most)) for pair in pairs])
        self.rows = tf.constant(x.reshape(-1, x.shape[-1])), tf.constant(y.reshape(-1, len(TASKS)))
        self.validation = tuple(tf.constant(each) for each in joined([pair.validation for pair in pairs]))
        self.test = tuple(tf.constant(each) for each in joined([pair.test for pair in pairs]))
        order = [shuffled(setting.rows, seed, steps) for setting, seed in self.runs]
        self.order = np.stack(order, axis=1) + most * self.source[:, None]  # steps, runs, batch
        self.penalty = tf.constant([setting.penalty for setting, _ in self.runs], tf.float32)
        truth = np.stack([np.stack([pair.test.truth[task] for task in TASKS], axis=-1) for pair in pairs])
        self.reachable = np.square(truth - self.test[1].numpy()).mean(axis=1)[self.source]  # runs, tasks

    def frame(self, model: str, validation: np.ndarray, test: np.ndarray) -> pd.DataFrame:
        """Writes errors ``[runs, tasks]`` as rows."""
        rows = [(model, each.correlation, each.rows, each.penalty, seed) for each, seed in self.runs]
        columns = ["model", "correlation", "rows", "penalty", "seed"]
        frames = []
        for k, task in enumerate(TASKS):
            measured = {"value": test[:, k], "validation": validation[:, k], "reachable": self.reachable[:, k]}
            frames.append(pd.DataFrame(rows, columns=columns).assign(task=task, **measured))
        return pd.concat(frames, ignore_index=True).astype({"value": float, "validation": float, "reachable": float})


def joined(parts: Sequence[Rows]) -> tuple[np.ndarray, np.ndarray]:
    """Stacks inputs ``[sources, rows, inputs]`` and labels ``[sources, rows, tasks]``."""
    labels = [np.stack([rows.labels[task] for task in TASKS], axis=-1) for rows in parts]
    return np.stack([rows.inputs["numeric"] for rows in parts]), np.stack(labels).astype(np.float32)


def shuffled(rows: int, seed: int, steps: int) -> np.ndarray:
    """Gives int32 ``[steps, batch]``: the first ``rows`` rows in a new order each time all have been seen."""
    random, wanted = np.random.default_rng([seed, rows]), steps * BATCH
    passes = [random.permutation(rows) for _ in range(-(-wanted // rows))]
    return np.concatenate(passes)[:wanted].reshape(steps, BATCH).astype(np.int32)


class Program:
    """All runs of one model, stacked, and the two programs that train and score them."""

    def __init__(self, builder: Builder, data: MultiTaskData, seeds: Sequence[int], settings: int) -> None:
        models = []
        for seed in seeds:
            keras.utils.set_random_seed(seed)
            models.append(builder(data))
        self.model, runs, inputs = models[0], len(seeds) * settings, models[0].inputs[0].shape[-1]
        self.weights = StackedWeights([model.trainable_variables for model in models] * settings)
        self.optimizer = keras.optimizers.Adam(LEARNING_RATE)
        self.optimizer.build([self.weights.variable])
        self._all = [self.weights.variable, *self.optimizer.variables]
        self._start = [variable.numpy() for variable in self._all]
        spec = tf.TensorSpec
        rows = spec([None, inputs], tf.float32), spec([None, len(TASKS)], tf.float32)
        sources = spec([None, None, inputs], tf.float32), spec([None, None, len(TASKS)], tf.float32)
        batches = spec([None, runs, BATCH], tf.int32)
        self._train = traced(self._train_epoch, batches, *rows, spec([runs], tf.float32))
        self._score = traced(self._predict_rows, *sources, spec([runs], tf.int32))

    def train(self, data: Material, report: Callable[[float], None]) -> tuple[np.ndarray, np.ndarray]:
        """Trains all runs from their first weights; gives validation and test errors ``[runs, tasks]``."""
        for variable, value in zip(self._all, self._start, strict=True):
            variable.assign(value)
        validation, test = [], []
        for number, order in enumerate(np.split(data.order, READINGS), start=1):
            self._train(tf.constant(order), *data.rows, data.penalty)
            source = tf.constant(data.source)
            validation.append(self._score(*data.validation, source).numpy())
            test.append(self._score(*data.test, source).numpy())
            report(number / READINGS)
        best = np.argmin(validation, axis=0)[None]
        at_best = [np.take_along_axis(np.array(each), best, axis=0)[0] for each in (validation, test)]
        return at_best[0], at_best[1]

    def _train_epoch(self, order: tf.Tensor, x: tf.Tensor, y: tf.Tensor, penalty: tf.Tensor) -> None:
        """Steps over batches ``order`` ``[steps, runs, batch]`` of rows ``x``, ``y``."""

        def step(number: tf.Tensor) -> tuple[tf.Tensor]:
            batch = tf.gather(x, order[number]), tf.gather(y, order[number])
            runs = (self.weights.tensors(), *batch, penalty)
            gradients = tf.vectorized_map(self._one_run, runs, warn=False)
            self.optimizer.apply([self.weights.joined(gradients)], [self.weights.variable])
            return (number + 1,)

        tf.while_loop(lambda number: number < tf.shape(order)[0], step, [tf.constant(0)])

    def _one_run(self, run: tuple) -> list[tf.Tensor]:
        """The gradients of one run's weights on one batch."""
        weights, x, y, penalty = run
        with tf.GradientTape() as tape:
            tape.watch(weights)
            outputs, _, extra = self.model.stateless_call(
                weights, [], {"numeric": x}, training=True, return_losses=True
            )
            total = tf.reduce_sum(errors(outputs, y)) + penalty * sum(extra)
        return [tf.convert_to_tensor(each) for each in tape.gradient(total, weights, unconnected_gradients="zero")]

    def _predict_rows(self, x: tf.Tensor, y: tf.Tensor, source: tf.Tensor) -> tf.Tensor:
        """Errors ``[runs, tasks]`` on each run's own source of ``x``, ``y`` ``[sources, rows, ...]``."""

        def one_run(run: tuple) -> tf.Tensor:
            weights, mine = run
            return errors(self.model.stateless_call(weights, [], {"numeric": x[mine]}, training=False)[0], y[mine])

        return tf.vectorized_map(one_run, (self.weights.tensors(), source), warn=False)


def errors(outputs: Mapping[str, Tensor], labels: tf.Tensor) -> tf.Tensor:
    """Mean squared error of each task, ``[tasks]``."""
    predicted = tf.concat([outputs[task] for task in TASKS], axis=-1)
    return tf.reduce_mean(tf.square(predicted - labels), axis=0)
