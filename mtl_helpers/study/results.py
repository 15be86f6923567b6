"""What a study found: every number in one table, and the comparisons made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np
import pandas as pd

from mtl_helpers.gates import GateRecord
from mtl_helpers.metrics import paired_interval, task_metric
from mtl_helpers.study.plan import Plan

COLUMNS = ["model", "data", "loss_weight", "seed", "task", "split", "epoch", "metric", "value"]
RUN = COLUMNS[:4]
LOWER_IS_BETTER = ("mse", "log_loss", "loss")


def judge(low: float, high: float, higher_is_better: bool) -> str:
    """Says whether an interval of differences is "better", "worse", or, where it holds zero, a "tie"."""
    if low <= 0 <= high:
        return "tie"
    return "better" if (low > 0) == higher_is_better else "worse"


@dataclass
class Study:
    """The results of training several models over many seeds.

    Attributes:
        frame: Every number measured, a row each: model, data, loss_weight, seed, task, split, epoch, metric, value.
            Rows of the test split are of the final weights, or of the best ones where training was stopped early.
        parameters: Model -> number of trainable weights.
        best: Best reachable score on the test split (data, task, metric, value) where the truth is known, else empty.
        records: (model, data, loss_weight) -> its gates, for models that have gates.
        weights: Model -> its final weights, ``[runs, ...]`` each, in the order of ``plan.runs``.
        builders: Model -> the function that builds it.
        plan: The runs.
    """

    frame: pd.DataFrame
    parameters: dict[str, int]
    best: pd.DataFrame
    plan: Plan
    builders: dict[str, Callable]
    records: dict[tuple[str, str, str], GateRecord] = field(default_factory=dict)
    weights: dict[str, list[np.ndarray]] = field(default_factory=dict)

    @property
    def gates(self) -> dict[str, GateRecord]:
        """Model -> its gates, for the first data set and loss weights; ``records`` has the others."""
        first = self.plan.runs[0]
        return {
            model: record
            for (model, data, weight), record in self.records.items()
            if (data, weight) == (first.data, first.loss_weight)
        }

    def scores(self, split: str = "test", metric: str | None = None) -> pd.DataFrame:
        """Gives the final scores.

        Args:
            split: ``"validation"`` or ``"test"``.
            metric: Name of the metric; each task's main one if None (AUC, mean squared error, accuracy).

        Returns:
            The rows of ``frame`` of that split, metric and the epoch whose weights each run ended with: the last, or
            with early stopping its best.

        Raises:
            ValueError: If nothing was measured on that split, or by that metric.
        """
        main = {task: task_metric(kind)[0] for task, kind in self.plan.data.tasks.items()}
        wanted = self.frame["task"].map(main) if metric is None else metric
        rows = self.frame[(self.frame["split"] == split) & (self.frame["metric"] == wanted)]
        if rows.empty:
            raise ValueError(
                f"split={split!r}, metric={metric!r}: nothing measured; splits are "
                f"{sorted(self.frame['split'].unique())}, metrics {sorted(self.frame['metric'].unique())}."
            )
        ended = self.frame[self.frame["split"] == "test"].groupby(RUN)["epoch"].max().rename("ended")
        return rows[rows["epoch"] == rows.join(ended, on=RUN)["ended"]]

    def compare(
        self, model: str, baseline: str, split: str = "test", metric: str | None = None, method: str = "t"
    ) -> pd.DataFrame:
        """Compares two models, seed by seed.

        Args:
            model: The model asked about.
            baseline: The model it is held against.
            split: ``"validation"`` or ``"test"``.
            metric: Name of the metric; each task's main one if None.
            method: ``"t"`` (Student's t over the seeds' differences) or ``"bootstrap"``.

        Returns:
            A row for each data set, loss weight and task: the mean difference model minus baseline, its 95 % interval
            (low, high), the number of seeds, the method, and ``verdict``: "better", "worse", or "tie" when the interval
            holds zero.

        Raises:
            ValueError: If a model is not in the study, or there are fewer than two seeds.

        Example:
            >>> found.compare("MMoE", "hard sharing")  # doctest: +SKIP
        """
        scores = self.scores(split, metric)
        self._require(model=model, baseline=baseline)
        table = scores.pivot(index=["data", "loss_weight", "task", "metric", "seed"], columns="model", values="value")
        difference = table[model] - table[baseline]
        rows = []
        for cell, values in difference.groupby(level=["data", "loss_weight", "task", "metric"], sort=False):
            interval = paired_interval(values.to_numpy(), method=method)
            verdict = judge(interval.low, interval.high, higher_is_better=cell[-1] not in LOWER_IS_BETTER)
            numbers = (interval.mean, interval.low, interval.high, interval.n, interval.method)
            rows.append((*cell, *numbers, verdict))
        columns = ["data", "loss_weight", "task", "metric", "difference", "low", "high", "n", "method", "verdict"]
        return pd.DataFrame(rows, columns=columns)

    def _require(self, **names: str) -> None:
        """Refuses names that are no models of the study."""
        for argument, name in names.items():
            if name not in self.parameters:
                raise ValueError(f"{argument}={name!r} is not in the study; choose from {sorted(self.parameters)}.")

    def table(self, split: str = "test", metric: str | None = None) -> pd.DataFrame:
        """Gives the mean score of every model and task over the seeds, its standard error and the model's size.

        Args:
            split: ``"validation"`` or ``"test"``.
            metric: Name of the metric; each task's main one if None.

        Returns:
            A row a data set, loss weight, model and task: the metric, its ``mean``, ``standard_error``, the number of
            ``seeds``, and the model's ``parameters``.

        Raises:
            ValueError: If nothing was measured on that split, or by that metric.
        """
        grouped = self.scores(split, metric).groupby(["data", "loss_weight", "model", "task", "metric"], sort=False)
        table = grouped["value"].agg(mean="mean", standard_error="sem", seeds="count").reset_index()
        table["parameters"] = table["model"].map(self.parameters)
        return table

    def model(self, name: str, run: int = 0) -> keras.Model:
        """Gives one trained Keras model.

        Args:
            name: The model.
            run: Position of the run in ``plan.runs``: the seeds of the first data set and loss weights come first.

        Returns:
            A newly built model with that run's final weights.

        Raises:
            ValueError: If there is no such model or run.
        """
        self._require(model=name)
        if not 0 <= run < len(self.plan.runs):
            raise ValueError(f"run={run} is not one of {len(self.plan.runs)}; count from 0, in the order of plan.runs.")
        model = self.builders[name](self.plan.data)
        for variable, stack in zip(
            model.trainable_variables + model.non_trainable_variables, self.weights[name], strict=True
        ):
            variable.assign(stack[run])
        return model
