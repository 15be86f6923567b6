"""Writes down what the gates of all runs do while they train."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtl_helpers.gates import GateLevel, GateRecord, gate_model
from mtl_helpers.metrics import task_metric
from mtl_helpers.study.plan import Plan, Run

ROWS_A_GROUP = 256
EXAMPLES = 8


class GateRecorder:
    """Records the gates of one model, on the same validation rows after every epoch.

    Args:
        name: The model's name.
        trainer: What trains it.
        plan: The runs.
    """

    def __init__(self, name: str, trainer: Any, plan: Plan) -> None:
        self.name, self.trainer, self.plan = name, trainer, plan
        self.layers = [layer for layer in trainer.model.layers if hasattr(layer, "gate_names")]
        self.groups = plan.data.groups or ("all rows",)
        self.sample = self._choose_sample()
        self.epochs: list[int] = []
        self._means: list[list[np.ndarray]] = [[] for _ in self.layers]
        self._examples: list[list[np.ndarray]] = [[] for _ in self.layers]

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

    def records(self, scores: dict[str, list[np.ndarray]], ablate: bool) -> dict[tuple[str, str, str], GateRecord]:
        """Gives the gates of every data set and loss weight.

        Args:
            scores: Task -> validation metric after each epoch, a list of ``[runs]``.
            ablate: Whether to measure each task's validation metric with each expert switched off.

        Returns:
            (model, data, loss_weight) -> the record; nothing for a model without gates.
        """
        if not self.layers:
            return {}
        worth = self._ablate() if ablate else None
        cells = dict.fromkeys((run.data, run.loss_weight) for run in self.plan.runs)
        found = {}
        for cell in cells:
            mine = np.array([(run.data, run.loss_weight) == cell for run in self.plan.runs])
            levels = [
                GateLevel(layer.gate_names, layer.expert_names, np.stack(means, axis=1)[mine])
                for layer, means in zip(self.layers, self._means, strict=True)
            ]
            found[self.name, *cell] = GateRecord(
                model=self.name,
                tasks=tuple(self.plan.tasks),
                groups=self.groups,
                epochs=tuple(self.epochs),
                seeds=tuple(run.seed for run, chosen in zip(self.plan.runs, mine, strict=True) if chosen),
                levels=tuple(levels),
                scores={task: np.stack(values, axis=1)[mine].astype(np.float32) for task, values in scores.items()},
                metric_names={task: task_metric(kind)[0] for task, kind in self.plan.data.tasks.items()},
                examples=tuple(np.stack(each, axis=1)[mine] for each in self._examples),
                example_names=self._example_names(),
                ablation=None if worth is None else {t: tuple(level[mine] for level in w) for t, w in worth.items()},
            )
        return found

    def _choose_sample(self) -> np.ndarray:
        """Chooses validation rows of every group; the first ``EXAMPLES`` are the examples."""
        members = [np.flatnonzero(self._groups_of(self.plan.runs[0]) == i) for i in range(len(self.groups))]
        each = -(-EXAMPLES // len(self.groups))
        parts = [part[:each] for part in members] + [part[each:ROWS_A_GROUP] for part in members]
        return np.concatenate(parts).astype(np.int32)

    def _groups_of(self, run: Run) -> np.ndarray:
        rows = self.plan.of_run(run).validation
        return np.zeros(len(rows), int) if rows.groups is None else rows.groups

    def _group_means(self, weights: np.ndarray, run: Run) -> np.ndarray:
        """Averages ``[gates, rows, experts]`` over the rows of each group: ``[gates, groups, experts]``."""
        groups = self._groups_of(run)[self.sample]
        member = np.array([groups == i for i in range(len(self.groups))], np.float32)
        member[member.sum(axis=1) == 0] = 1.0  # a group without a sampled row shows the mean of all rows
        return np.einsum("gre,sr->gse", weights, member / member.sum(axis=1, keepdims=True))

    def _example_names(self) -> tuple[str, ...]:
        groups = self._groups_of(self.plan.runs[0])[self.sample[:EXAMPLES]]
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
