"""How the runs of one model are built and trained."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import keras
import numpy as np
from keras.src.random import seed_generator

from mtl_helpers.datasets.base import MultiTaskData
from mtl_helpers.study.evaluate import Evaluator
from mtl_helpers.study.fitted import FittedModels
from mtl_helpers.study.gate_recorder import GateRecorder
from mtl_helpers.study.plan import Plan, Run
from mtl_helpers.study.stacked import StackedModel, why_not_stackable

Builder = Callable[[MultiTaskData], keras.Model]
WORTH_COMPILING = 5e9  # weights × training rows × epochs from which on compiling has paid, measured
BUILDING = Lock()  # one at a time, for what follows is a setting of the whole process


@dataclass(frozen=True)
class Settings:
    """How every model of a study is trained.

    Attributes:
        losses: Task name -> loss.
        optimizer: A fresh copy of it trains each model.
        epochs: Passes over the training rows, at most.
        batch_size: Rows in a batch.
        jit_compile: Whether XLA compiles the training; None decides by its size.
        early_stopping: Epochs without a lower validation loss after which a run is over; None for never.
        gate_rows: Positions of the validation rows whose gates are recorded; None to record none.
        ablate: Whether to measure each task's score with each expert switched off.
    """

    losses: dict[str, keras.losses.Loss]
    optimizer: keras.optimizers.Optimizer
    epochs: int
    batch_size: int
    jit_compile: bool | None
    early_stopping: int | None = None
    gate_rows: np.ndarray | None = None
    ablate: bool = False


@contextmanager
def own_random_numbers(seed: int) -> Iterator[None]:
    """Has Keras draw initial weights from random numbers that nobody else draws from.

    It takes the seeds of its layers from Python's ``random``, of which a thread of a Dask worker takes numbers as well.
    """
    shared = seed_generator.python_random
    with BUILDING:
        keras.utils.set_random_seed(seed)
        seed_generator.python_random = random.Random(seed)
        try:
            yield
        finally:
            seed_generator.python_random = shared


def build_run(name: str, builder: Builder, plan: Plan, run: Run) -> keras.Model:
    """Builds the model of one run, with that run's initial weights.

    Raises:
        ValueError: If its outputs are not a dict with the tasks as keys.
    """
    with own_random_numbers(run.seed):
        model = builder(plan.of_run(run))
    outputs = getattr(model, "output", None)
    if not isinstance(outputs, dict) or set(outputs) != set(plan.tasks):
        given = sorted(outputs) if isinstance(outputs, dict) else type(outputs).__name__
        raise ValueError(
            f"builders[{name!r}]: outputs are {given}; give a dict with the tasks {plan.tasks} as its keys."
        )
    return model


def make_trainer(
    name: str, builder: Builder, plan: Plan, settings: Settings, say: Callable[[str], Any]
) -> StackedModel | FittedModels:
    """Builds a model's runs and chooses how to train them; ``say`` is told if that is the slow way."""
    # A seed's initial weights are the same for every data set and loss weight: built once, stacked as often as needed.
    first = {run.seed: run for run in reversed(plan.runs)}
    built = {seed: build_run(name, builder, plan, run) for seed, run in first.items()}
    models = [built[run.seed] for run in plan.runs]
    reason = why_not_stackable(models[0])
    if reason:
        say(f"{name}: {reason}; training with model.fit, one run after the other.")
        models = models if len(built) == len(models) else [build_run(name, builder, plan, run) for run in plan.runs]
        return FittedModels(models, plan, settings.losses, settings.optimizer, settings.batch_size)
    jit_compile = settings.jit_compile
    if jit_compile is None:
        weights = sum(np.prod(each.shape) for each in models[0].trainable_variables)
        jit_compile = bool(weights * len(plan.data.train) * settings.epochs > WORTH_COMPILING)
    return StackedModel(models, plan, settings.losses, settings.optimizer, settings.batch_size, jit_compile)


def train(
    trainer: StackedModel | FittedModels,
    evaluator: Evaluator,
    recorder: GateRecorder | None,
    settings: Settings,
    tick: Callable[[int], Any],
) -> np.ndarray:
    """Trains all runs of one model; with early stopping, each ends with the weights of its best epoch.

    Args:
        trainer: The runs.
        evaluator: Measures them.
        recorder: Records their gates, if wanted.
        settings: How to train.
        tick: Told the number of epochs done, or skipped.

    Returns:
        Each run's last epoch, ``[runs]``: what its weights did afterwards, in company of others, does not count.
    """
    epochs, patience = settings.epochs, settings.early_stopping
    evaluator.validate(epoch=0, training=None)
    if recorder:
        recorder.record(epoch=0)
    best_loss = np.full(len(trainer.plan.runs), np.inf)
    best_epoch = np.zeros(len(best_loss), int)
    best = trainer.get_weights() if patience else []
    for epoch in range(1, epochs + 1):
        training = trainer.train_epoch(epoch)
        loss = evaluator.validate(epoch, training)
        if recorder:
            recorder.record(epoch)
        tick(1)
        if patience:
            improved = (loss < best_loss) & (epoch - best_epoch <= patience)
            best_loss[improved], best_epoch[improved] = loss[improved], epoch
            for kept, now in zip(best, trainer.get_weights(), strict=True):
                kept[improved] = now[improved]
            if (epoch - best_epoch >= patience).all():
                tick(epochs - epoch)
                break
    if patience:
        trainer.set_weights(best)
    evaluator.finish(best_epoch if patience else np.full(len(best_loss), epoch))
    return np.minimum(best_epoch + patience if patience else epochs, np.full(len(best_loss), epochs))
