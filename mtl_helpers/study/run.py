"""``study``: trains several models over many seeds and writes down everything a comparison needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pandas as pd

from mtl_helpers.datasets.base import MultiTaskData, require_known
from mtl_helpers.losses import task_losses
from mtl_helpers.memory import release
from mtl_helpers.metrics import task_metric
from mtl_helpers.study.evaluate import Evaluator
from mtl_helpers.study.fitted import FittedModels
from mtl_helpers.study.gate_recorder import GateRecorder
from mtl_helpers.study.plan import DataSource, LossWeights, Plan, Run, make_plan
from mtl_helpers.study.progress import progress_bar
from mtl_helpers.study.results import COLUMNS, Study
from mtl_helpers.study.stacked import StackedModel, check_optimizer, why_not_stackable

Builder = Callable[[MultiTaskData], keras.Model]
WORTH_COMPILING = 5e9  # weights × training rows × epochs from which on compiling has paid, measured


@dataclass(frozen=True)
class Settings:
    """How every model of a study is trained; the fields are arguments of ``study``."""

    losses: dict[str, keras.losses.Loss]
    optimizer: keras.optimizers.Optimizer
    epochs: int
    batch_size: int
    jit_compile: bool | None


def study(
    builders: Mapping[str, Builder],
    data: DataSource | Mapping[str | float, DataSource],
    seeds: int | Sequence[int] = 10,
    *,
    epochs: int = 10,
    batch_size: int = 512,
    optimizer: keras.optimizers.Optimizer | None = None,
    losses: Mapping[str, keras.losses.Loss] | None = None,
    loss_weights: LossWeights | Mapping[str, LossWeights] | None = None,
    early_stopping: int | None = None,
    gates: bool = True,
    ablate: bool = False,
    jit_compile: bool | None = None,
    progress: bool = True,
) -> Study:
    """Trains every model from every seed and compares like with like.

    For one seed, all models see the same data in the same batches. All seeds of a model are trained in one compiled
    program (see ``stacked.py``), which costs about as much as one ``model.fit``; a model that cannot be is trained with
    ``fit``, and the study says so.

    Args:
        builders: Model name -> function from the data to an uncompiled ``keras.Model`` with one named output a task.
        data: A data set; a function of the seed that draws one; or several of either, by label.
        seeds: How many seeds, counted from the course's seed (``MTL_SEED``); or the seeds themselves.
        epochs: Passes over the training rows (at most, with early stopping).
        batch_size: Rows in a batch.
        optimizer: A Keras optimizer that acts element by element, schedules included; Adam(3e-3) if None.
        losses: Task -> loss, for tasks whose usual loss is not wanted.
        loss_weights: Task -> weight; or label -> such weights, a sweep trained at once; 1 each if None.
        early_stopping: Epochs without a lower validation loss after which a run's best weights count; None for never.
        gates: Whether to record the gates of models that have them, after every epoch.
        ablate: Whether to measure, after training, each task's validation score with each expert switched off.
        jit_compile: Whether XLA compiles the training. It takes a second or two and some 40 MB a model that are not
            given back, and makes large trainings up to three times faster; None decides by the size of the training.
        progress: Whether to show a progress bar.

    Returns:
        The results.

    Raises:
        ValueError: If an argument does not fit the data; the message names the argument and the mend.

    Example:
        >>> from mtl_helpers.datasets import task_pair
        >>> from mtl_helpers.models import hard_sharing, mmoe
        >>> found = study({"hard sharing": hard_sharing, "MMoE": mmoe}, task_pair(rows=2000), seeds=8)  # doctest: +SKIP
    """
    if not builders:
        raise ValueError("builders={} is empty; give at least one model, for instance {'MMoE': mmoe}.")
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs={epochs}, batch_size={batch_size}: both must be at least 1.")
    optimizer = optimizer or keras.optimizers.Adam(3e-3)
    check_optimizer(optimizer)
    plan = make_plan(data, seeds, loss_weights)
    own = dict(losses or {})
    if own:
        require_known("losses", own, plan.data.tasks)
    settings = Settings(task_losses(plan.data, **own), optimizer, epochs, batch_size, jit_compile)
    bar = progress_bar(len(builders) * epochs, f"{len(builders)} models × {len(plan.runs)} runs", progress)
    frames, records, weights, parameters = [], {}, {}, {}
    for name, builder in builders.items():
        bar.set_postfix_str(name)
        trainer = make_trainer(name, builder, plan, settings, bar)
        parameters[name] = int(sum(np.prod(each.shape) for each in trainer.model.trainable_variables))
        evaluator = Evaluator(name, trainer, plan, settings.losses)
        recorder = GateRecorder(name, trainer, plan) if gates else None
        train(trainer, evaluator, recorder, epochs, early_stopping, bar)
        frames.append(evaluator.frame())
        records.update(recorder.records(evaluator.scores, ablate) if recorder else {})
        weights[name] = trainer.get_weights()
        del trainer, evaluator, recorder
        release()
    bar.close()
    frame = pd.concat(frames, ignore_index=True)[COLUMNS]
    return Study(frame, parameters, best_reachable(plan), plan, dict(builders), records, weights)


def make_trainer(
    name: str,
    builder: Builder,
    plan: Plan,
    settings: Settings,
    bar: Any,
) -> StackedModel | FittedModels:
    """Builds a model's runs and chooses how to train them."""

    def build(run: Run) -> keras.Model:
        keras.utils.set_random_seed(run.seed)
        return builder(plan.of_run(run))

    # A seed's initial weights are the same for every data set and loss weight: built once, stacked as often as needed.
    first = {run.seed: run for run in reversed(plan.runs)}
    built = {seed: build(run) for seed, run in first.items()}
    models = [built[run.seed] for run in plan.runs]
    outputs = getattr(models[0], "output", None)
    if not isinstance(outputs, dict) or set(outputs) != set(plan.tasks):
        given = sorted(outputs) if isinstance(outputs, dict) else type(outputs).__name__
        raise ValueError(
            f"builders[{name!r}]: outputs are {given}; give a dict with the tasks {plan.tasks} as its keys."
        )
    reason = why_not_stackable(models[0])
    if reason:
        bar.write(f"{name}: {reason}; training with model.fit, one run after the other.")
        models = models if len(built) == len(models) else [build(run) for run in plan.runs]
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
    epochs: int,
    patience: int | None,
    bar: Any,
) -> None:
    """Trains all runs of one model; with patience, each ends with the weights of its best epoch."""
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
        bar.update()
        if patience:
            # A run that has waited long enough is over: what its weights do from here on is not looked at.
            improved = (loss < best_loss) & (epoch - best_epoch <= patience)
            best_loss[improved], best_epoch[improved] = loss[improved], epoch
            for kept, now in zip(best, trainer.get_weights(), strict=True):
                kept[improved] = now[improved]
            if (epoch - best_epoch >= patience).all():
                bar.update(epochs - epoch)
                break
    if patience:
        trainer.set_weights(best)
    evaluator.finish(best_epoch if patience else np.full(len(best_loss), epoch))


def best_reachable(plan: Plan) -> pd.DataFrame:
    """Scores the generator's own probabilities or means on the test rows: no model can be expected to do better."""
    rows = []
    for label in dict.fromkeys(run.data for run in plan.runs):
        sources = sorted({run.source for run in plan.runs if run.data == label})
        for task, kind in plan.data.tasks.items():
            metric, score, _ = task_metric(kind)
            tests = [plan.datasets[source].test for source in sources]
            values = [
                score(test.labels[task], test.truth[task], test.weights.get(task))
                for test in tests
                if task in test.truth
            ]
            if values:
                rows.append((label, task, metric, float(np.mean(values))))
    return pd.DataFrame(rows, columns=["data", "task", "metric", "value"])
