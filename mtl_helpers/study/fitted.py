"""The road for models that cannot be stacked: ``model.fit``, one run after the other, on the same batches."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from mtl_helpers.memory import on_one_device
from mtl_helpers.study.plan import Plan, batches


class FittedModels:
    """The runs of one model, each a Keras model of its own. Offers what ``StackedModel`` offers.

    Args:
        models: One built model a run, with that run's initial weights.
        plan: The runs and their data.
        losses: Task name -> loss.
        optimizer: A fresh copy of it trains each model.
        batch_size: Rows in a batch.
    """

    def __init__(
        self,
        models: list[keras.Model],
        plan: Plan,
        losses: dict[str, keras.losses.Loss],
        optimizer: keras.optimizers.Optimizer,
        batch_size: int,
    ) -> None:
        self.models, self.model, self.plan = models, models[0], plan
        self.batch_size = min(batch_size, len(plan.data.train))
        self._views: dict[Callable, list[keras.Model]] = {}
        for model, run in zip(models, plan.runs, strict=True):
            copy = type(optimizer).from_config(optimizer.get_config())
            model.compile(on_one_device(copy), loss=dict(losses), loss_weights=run.weights)

    def train_epoch(self, epoch: int) -> np.ndarray:
        """Trains every run for one epoch; gives its mean losses ``[runs, tasks]``."""
        losses = []
        for model, run in zip(self.models, self.plan.runs, strict=True):
            rows = self.plan.of_run(run).train
            rows = rows.take(batches(len(rows), self.batch_size, run.seed, epoch).ravel())
            weights = {task: rows.weights.get(task, np.ones(len(rows), np.float32)) for task in self.plan.tasks}
            history = model.fit(
                rows.inputs,
                rows.labels,
                sample_weight=weights if rows.weights else None,
                batch_size=self.batch_size,
                shuffle=False,
                verbose=0,
            ).history
            losses.append([history.get(f"{task}_loss", history["loss"])[0] for task in self.plan.tasks])
        return np.array(losses, np.float32)

    def balancer_records(self) -> dict[str, np.ndarray]:
        """Gives what the balancer wants written down after an epoch: name -> ``[runs, tasks]``; {} without one."""
        names = self.model.balancer.recorded if hasattr(self.model, "balancer") else ()
        return {name: np.stack([model.balancer_state[name].numpy() for model in self.models]) for name in names}

    def predict(
        self, split: str, rows: np.ndarray | None = None, view: Callable[[keras.Model], keras.Model] | None = None
    ) -> dict[str, np.ndarray]:
        """Computes outputs for a split, or some of its rows, for every run: name -> ``[runs, rows, ...]``."""
        if view and view not in self._views:
            self._views[view] = [view(model) for model in self.models]
        outputs = []
        for model, run in zip(self._views[view] if view else self.models, self.plan.runs, strict=True):
            chosen = getattr(self.plan.of_run(run), split)
            inputs = chosen.inputs if rows is None else chosen.take(rows).inputs
            outputs.append(model.predict(inputs, batch_size=1024, verbose=0))
        return {name: np.stack([output[name] for output in outputs]) for name in outputs[0]}

    def get_weights(self) -> list[np.ndarray]:
        """Copies all weights, ``[runs, ...]`` each, trainable ones first."""
        every = [model.trainable_variables + model.non_trainable_variables for model in self.models]
        return [np.stack([each.numpy() for each in same]) for same in zip(*every, strict=True)]

    def set_weights(self, values: list[np.ndarray]) -> None:
        """Puts copied weights back."""
        for position, model in enumerate(self.models):
            for variable, value in zip(model.trainable_variables + model.non_trainable_variables, values, strict=True):
                variable.assign(value[position])

    def switch_off(self, layer: str, expert: int | None) -> None:
        """Switches one expert of a gated layer off in every run; None switches all of them on."""
        for model in self.models:
            enabled = model.get_layer(layer).expert_enabled
            enabled.assign(np.arange(enabled.shape[0]) != (-1 if expert is None else expert))
