"""What is measured while a model trains: losses and scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd

from mtl_helpers.datasets.base import Rows
from mtl_helpers.losses import Masked
from mtl_helpers.metrics import log_loss, task_metric
from mtl_helpers.study.plan import Plan


class Evaluator:
    """Measures all runs of one model.

    Args:
        name: The model's name.
        trainer: What trains it.
        plan: The runs.
        losses: Task name -> loss.

    Attributes:
        scores: Task -> validation metric of every run after each epoch from 0 on, a list of ``[runs]``.
    """

    def __init__(self, name: str, trainer: Any, plan: Plan, losses: dict[str, keras.losses.Loss]) -> None:
        self.name, self.trainer, self.plan, self.losses = name, trainer, plan, losses
        self._rows: list[tuple] = []
        self.scores: dict[str, list[np.ndarray]] = {task: [] for task in plan.tasks}

    def validate(self, epoch: int, training: np.ndarray | None) -> np.ndarray:
        """Measures the validation split after an epoch, and notes what a balancer did.

        Args:
            epoch: The epoch; 0 before training.
            training: The epoch's mean training losses ``[runs, tasks]``; None before training.

        Returns:
            Validation loss of each run, its tasks weighted as in training, ``[runs]``.
        """
        predictions = self.trainer.predict("validation")
        total = np.zeros(len(self.plan.runs))
        recorded = {} if training is None else self.trainer.balancer_records()
        for position, task in enumerate(self.plan.tasks):
            if training is not None:
                self._write(task, "train", epoch, "loss", training[:, position])
            for name, values in recorded.items():
                self._write(task, "train", epoch, f"balancer_{name}", values[:, position])
            total += self._score_split(task, "validation", epoch, predictions[task])
        return total

    def finish(self, epochs: np.ndarray) -> None:
        """Measures the test split, once, with the final weights; ``epochs`` are those weights' epochs, ``[runs]``."""
        predictions = self.trainer.predict("test")
        for task in self.plan.tasks:
            self._score_split(task, "test", epochs, predictions[task])

    def frame(self, last: np.ndarray | None = None) -> pd.DataFrame:
        """Gives what was measured, as the rows of ``Study.frame``; of each run until its last epoch, ``[runs]``."""
        runs = self.plan.runs
        columns = ["task", "split", "metric", "epoch", "value"]
        wide = pd.DataFrame(self._rows, columns=columns).explode(["epoch", "value"], ignore_index=True)
        for column in ("data", "loss_weight", "seed"):
            wide[column] = np.tile([getattr(run, column) for run in runs], len(self._rows))
        if last is not None:
            wide = wide[wide["epoch"] <= np.tile(last, len(self._rows))]
        return wide.assign(model=self.name).astype({"epoch": int, "value": float})

    def _write(self, task: str, split: str, epoch: int | np.ndarray, metric: str, values: np.ndarray) -> None:
        epochs = np.broadcast_to(epoch, len(values))
        self._rows.append((task, split, metric, list(epochs), list(map(float, values))))

    def _score_split(self, task: str, split: str, epoch: int | np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Writes a task's metrics ``predicted`` ``[runs, rows, ...]``; gives its weighted loss, ``[runs]``."""
        kind = self.plan.data.tasks[task]
        metric, score, _ = task_metric(kind)
        splits = [getattr(self.plan.of_run(run), split) for run in self.plan.runs]
        values: dict[str, Any] = {metric: [], "loss": run_losses(self.losses[task], task, splits, predicted)}
        for rows, outputs in zip(splits, predicted, strict=True):
            labels, weights = rows.labels[task], rows.weights.get(task)
            given = outputs[:, 0] if kind.kind in ("binary", "regression") else outputs
            values[metric].append(score(labels, given, weights))
            if kind.kind == "binary":
                values.setdefault("log_loss", []).append(log_loss(labels, given, weights))
        for name, numbers in values.items():
            self._write(task, split, epoch, name, np.array(numbers))
        if split == "validation":
            self.scores[task].append(np.array(values[metric]))
        return np.array(values["loss"]) * [run.weights[task] for run in self.plan.runs]


def run_losses(loss: keras.losses.Loss, task: str, splits: Sequence[Rows], predicted: np.ndarray) -> np.ndarray:
    """Computes the loss of every run, all in one go if the loss can tell its rows apart: Keras takes its time a call.

    Args:
        loss: The task's loss.
        task: The task.
        splits: Each run's rows.
        predicted: Their predictions, ``[runs, rows, ...]``.

    Returns:
        ``[runs]``.
    """
    labels, weights = ([getattr(rows, part).get(task) for rows in splits] for part in ("labels", "weights"))
    if not isinstance(loss, Masked):
        return np.array([float(loss(*run)) for run in zip(labels, predicted, weights, strict=True)])
    some = [
        np.ones(np.shape(own), np.float32) if one is None else one for own, one in zip(labels, weights, strict=True)
    ]
    each, weight = loss.each(np.concatenate(labels), np.concatenate(predicted), np.concatenate(some))
    each, weight = (np.reshape(values, (len(splits), -1)) for values in (each, weight))
    return (each * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), keras.backend.epsilon())


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
