"""Writes down what the gates of all runs do while they train."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtl_helpers.datasets.base import MultiTaskData
from mtl_helpers.gates import GateLevel, GateRecord, gate_model
from mtl_helpers.metrics import task_metric
from mtl_helpers.study.plan import Plan, Run

ROWS_A_GROUP = 256
EXAMPLES = 8


def choose_gate_rows(data: MultiTaskData) -> np.ndarray:
    """Chooses validation rows of every group; the first ``EXAMPLES`` are the examples.

    Args:
        data: The first data set of a study. All its runs are looked at on the same rows, wherever they are trained.

    Returns:
        Row positions, int32 ``[rows]``.
    """
    members = [np.flatnonzero(groups_of(data) == i) for i in range(max(1, len(data.groups)))]
    each = -(-EXAMPLES // len(members))
    parts = [part[:each] for part in members] + [part[each:ROWS_A_GROUP] for part in members]
    return np.concatenate(parts).astype(np.int32)


def groups_of(data: MultiTaskData) -> np.ndarray:
    """Gives the group of every validation row, ``[rows]``."""
    rows = data.validation
    return np.zeros(len(rows), int) if rows.groups is None else rows.groups


class GateRecorder:
    """Records the gates of one model, on the same validation rows after every epoch.

    Args:
        name: The model's name.
        trainer: What trains it.
        plan: The runs.
        rows: Positions of those validation rows.
    """

    def __init__(self, name: str, trainer: Any, plan: Plan, rows: np.ndarray) -> None:
        self.name, self.trainer, self.plan, self.sample = name, trainer, plan, rows
        self.layers = [layer for layer in trainer.model.layers if hasattr(layer, "gate_names")]
        self.groups = plan.data.groups or ("all rows",)
        self.epochs: list[int] = []
        self._means: list[list[np.ndarray]] = [[] for _ in self.layers]
        self._examples: list[list[np.ndarray]] = [[] for _ in self.layers]

    def check_ablation(self) -> None:
        """Refuses to switch experts off one by one where a gate has a single one.

        Raises:
            ValueError: Naming the layer.
        """
        for layer in self.layers:
            for expert in range(len(layer.expert_names)):
                try:
                    layer.enabled_without([expert])
                except ValueError as error:
                    raise ValueError(f"ablate=True, layer {layer.name!r} of {self.name!r}: {error}") from None

    def record(self, epoch: int) -> None:
        """Notes the mean gate weights of every group, and those of a few examples."""
        if not self.layers:
            return
        outputs = iter(self.trainer.predict("validation", self.sample, gate_model).values())
        self.epochs.append(epoch)
        for position, layer in enumerate(self.layers):
            weights = np.stack([next(outputs) for _ in layer.gate_names], axis=1)  # runs, gates, rows, experts
            means = [self._group_means(each, run) for each, run in zip(weights, self.plan.runs, strict=True)]
            self._means[position].append(np.stack(means))
            self._examples[position].append(weights[:, :, :EXAMPLES])

    def records(self, scores: dict[str, list[np.ndarray]], last: np.ndarray, ablate: bool) -> list[GateRecord]:
        """Gives the gates of every run.

        Args:
            scores: Task -> validation metric after each epoch, a list of ``[runs]``.
            last: Each run's last epoch ``[runs]``; nothing later is given.
            ablate: Whether to measure each task's validation metric with each expert switched off.

        Returns:
            A record a run, of one seed each; nothing for a model without gates.
        """
        if not self.layers:
            return []
        worth = self._ablate() if ablate else {}
        metrics = {task: task_metric(kind)[0] for task, kind in self.plan.data.tasks.items()}
        found = []
        for place, run in enumerate(self.plan.runs):
            epochs = [epoch for epoch in self.epochs if epoch <= last[place]]

            def over_time(values: list[np.ndarray], place: int = place, length: int = len(epochs)) -> np.ndarray:
                return np.stack([each[place] for each in values[:length]])[None].astype(np.float32)

            means = zip(self.layers, map(over_time, self._means), strict=True)
            record = GateRecord(
                model=self.name,
                tasks=tuple(self.plan.tasks),
                groups=self.groups,
                epochs=tuple(epochs),
                seeds=(run.seed,),
                levels=tuple(GateLevel(layer.gate_names, layer.expert_names, each) for layer, each in means),
                scores={task: over_time(values) for task, values in scores.items()},
                metric_names=metrics,
                examples=tuple(map(over_time, self._examples)),
                example_names=self._example_names(run),
                ablation={task: tuple(each[[place]] for each in levels) for task, levels in worth.items()} or None,
            )
            found.append(record)
        return found

    def _group_means(self, weights: np.ndarray, run: Run) -> np.ndarray:
        """Averages ``[gates, rows, experts]`` over the rows of each group: ``[gates, groups, experts]``."""
        groups = groups_of(self.plan.of_run(run))[self.sample]
        member = np.array([groups == i for i in range(len(self.groups))], np.float32)
        member[member.sum(axis=1) == 0] = 1.0  # a group without a sampled row shows the mean of all rows
        return np.einsum("gre,sr->gse", weights, member / member.sum(axis=1, keepdims=True))

    def _example_names(self, run: Run) -> tuple[str, ...]:
        groups = groups_of(self.plan.of_run(run))[self.sample[:EXAMPLES]]
        return tuple(f"row {row} ({self.groups[i]})" for row, i in zip(self.sample, groups, strict=False))

    def _ablate(self) -> dict[str, list[np.ndarray]]:
        """Measures what each expert is worth: task -> change of its metric ``[runs, experts]``, a level each."""
        before = self._scores()
        worth: dict[str, list[np.ndarray]] = {task: [] for task in self.plan.tasks}
        for layer in self.layers:
            without = []
            for expert in range(len(layer.expert_names)):
                self.trainer.switch_off(layer.name, expert)
                without.append(self._scores())
            self.trainer.switch_off(layer.name, None)
            for task in self.plan.tasks:
                changes = [scores[task] - before[task] for scores in without]
                worth[task].append(np.stack(changes, axis=1).astype(np.float32))
        return worth

    def _scores(self) -> dict[str, np.ndarray]:
        """Measures the validation metric of every task: task -> ``[runs]``."""
        predictions = self.trainer.predict("validation")
        scores = {}
        for task, kind in self.plan.data.tasks.items():
            score = task_metric(kind)[1]
            values = []
            for run, outputs in zip(self.plan.runs, predictions[task], strict=True):
                rows = self.plan.of_run(run).validation
                given = outputs[:, 0] if kind.kind in ("binary", "regression") else outputs
                values.append(score(rows.labels[task], given, rows.weights.get(task)))
            scores[task] = np.array(values)
        return scores
