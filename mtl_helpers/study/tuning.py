"""``tuned_study``: compares recipes, each at the learning rate that the validation rows choose for it.

All seeds and learning rates of a recipe train side by side in one program: Adam's step is a multiple of its learning
rate, so each run can have its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops

from mtl_helpers.datasets.base import MultiTaskData
from mtl_helpers.losses import task_losses
from mtl_helpers.memory import release
from mtl_helpers.study.evaluate import Evaluator, best_reachable
from mtl_helpers.study.plan import DataSource, Plan, check_counts, make_plan
from mtl_helpers.study.progress import progress_bar
from mtl_helpers.study.results import COLUMNS, Study
from mtl_helpers.study.stacked import StackedModel
from mtl_helpers.study.training import Settings, make_trainer

Schedule = Callable[[Any], Any]


@dataclass(frozen=True)
class Recipe:
    """A model and how it is trained.

    Attributes:
        builder: Function from the data to an uncompiled ``keras.Model``. Recipes that share builder and losses (the
            very same objects) share one compiled program.
        schedule: Step -> factor of the learning rate, for instance ``CosineDecay(1.0, steps)``; None for always 1.
        losses: Task -> loss, for tasks whose usual loss is not wanted.
    """

    builder: Callable[[MultiTaskData], keras.Model]
    schedule: Schedule | None = None
    losses: Mapping[str, keras.losses.Loss] | None = None


@dataclass
class TunedStudy(Study):
    """A study whose every recipe was trained at its own best learning rate.

    Attributes:
        tuning: Validation scores at every learning rate: model, learning_rate, seed, task, metric, value, skill.
        learning_rates: Model -> the learning rate chosen.
        predictions: Model -> task -> predictions for the test rows, float32 ``[seeds, rows]``.
    """

    tuning: pd.DataFrame = field(default_factory=pd.DataFrame)
    learning_rates: dict[str, float] = field(default_factory=dict)
    predictions: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)


@keras.saving.register_keras_serializable(package="mtl_helpers")
class RateTable(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rates for every step, one a run, in a table that can be rewritten without compiling anew.

    Args:
        steps: Steps of the whole training.
        runs: Runs that train side by side: a row each of the stacked weights.
    """

    def __init__(self, steps: int, runs: int) -> None:
        self.steps, self.runs = steps, runs
        self.table = keras.Variable(np.zeros((steps, runs, 1), np.float32), trainable=False)

    def __call__(self, step: Any) -> Any:
        """Gives the learning rates of a step, ``[runs, 1]``."""
        return ops.take(self.table, ops.minimum(ops.cast(step, "int32"), self.steps - 1), axis=0)

    def get_config(self) -> dict[str, Any]:
        """Gives the arguments."""
        return {"steps": self.steps, "runs": self.runs}


def tuned_study(
    recipes: Mapping[str, Recipe],
    data: DataSource,
    learning_rates: Sequence[float],
    seeds: int | Sequence[int] = 8,
    *,
    epochs: int = 3,
    batch_size: int = 512,
    jit_compile: bool = False,
    progress: bool = True,
) -> TunedStudy:
    """Trains every recipe at every learning rate (Adam) and reports each at the one that does best in validation.

    All recipes get the same learning rates to choose from, so the same effort of tuning. What decides is the skill on
    the validation rows, averaged over seeds and tasks: 2 AUC - 1 of a binary task, 1 - mse / variance of the labels of
    a regression, so that 0 is knowing nothing and 1 is perfect. Only the chosen runs are scored on the test rows.

    Args:
        recipes: Name -> model and how it is trained.
        data: A data set; or a function of the seed that draws one. Tasks must be binary or regressions.
        learning_rates: What to choose from.
        seeds: How many seeds, counted from the course's seed; or the seeds themselves.
        epochs: Passes over the training rows.
        batch_size: Rows in a batch.
        jit_compile: Whether XLA compiles the training.
        progress: Whether to show a progress bar.

    Returns:
        The results, with one row a recipe, seed, task and metric for the validation and the test rows.

    Raises:
        ValueError: If there is no recipe or learning rate, epochs or batch size are below 1, there are several data
            sets, a task is of another kind, or a model cannot be stacked.

    Example:
        >>> recipes = {"DeepFM": Recipe(deepfm), "annealed": Recipe(deepfm, CosineDecay(1.0, 200))}  # doctest: +SKIP
        >>> found = tuned_study(recipes, census_income(rows=20_000), [1e-3, 3e-3, 1e-2])  # doctest: +SKIP
    """
    rates = [float(rate) for rate in learning_rates]
    check_recipes(recipes, rates)
    check_counts(epochs=epochs, batch_size=batch_size)
    plan = plan_of_one(data, seeds)
    # A run a seed and rate; the rate stands where a study has the label of its loss weights.
    trials = replace(plan, runs=tuple(replace(run, loss_weight=str(rate)) for rate in rates for run in plan.runs))
    steps = epochs * max(1, len(plan.data.train) // min(batch_size, len(plan.data.train)))
    bar = progress_bar(len(recipes) * epochs, f"{len(recipes)} recipes × {len(rates)} rates", progress)
    found = TunedStudy(pd.DataFrame(), {}, best_reachable(plan), plan, {n: r.builder for n, r in recipes.items()})
    frames, tuning = [], []
    for group in programs(recipes):
        losses = task_losses(plan.data, **dict(next(iter(group.values())).losses or {}))
        optimizer = keras.optimizers.Adam(RateTable(steps, len(trials.runs)))
        settings = Settings(losses, optimizer, epochs, batch_size, jit_compile)
        trainer = make_trainer(" = ".join(group), next(iter(group.values())).builder, trials, settings, bar.write)
        if not isinstance(trainer, StackedModel):
            raise ValueError(f"recipes {list(group)}: this model cannot be trained in one program; use study.")
        start = trainer.get_weights()
        for name, recipe in group.items():
            bar.set_postfix_str(name)
            restart(trainer, start, recipe.schedule)
            for epoch in range(1, epochs + 1):
                training = trainer.train_epoch(epoch)
                bar.update()
            evaluator = Evaluator(name, trainer, trials, losses)
            evaluator.validate(epochs, training)
            tuning.append(validation_scores(evaluator, plan))
            frames += keep_best(found, evaluator, mean_score(tuning[-1]).idxmax(), epochs)
        del trainer, evaluator
        release()
    bar.close()
    found.frame = pd.concat(frames, ignore_index=True)[COLUMNS].assign(loss_weight=plan.runs[0].loss_weight)
    found.tuning = pd.concat(tuning, ignore_index=True)
    return found


def check_recipes(recipes: Mapping[str, Recipe], rates: Sequence[float]) -> None:
    """Refuses what cannot be trained.

    Raises:
        ValueError: If there is no recipe or learning rate, one is no ``Recipe``, or a rate not above 0.
    """
    if not recipes or not rates or not all(rate > 0 for rate in rates):
        raise ValueError(f"recipes={list(recipes)}, learning_rates={rates}: give at least one of each, rates above 0.")
    if others := {name: type(each).__name__ for name, each in recipes.items() if not isinstance(each, Recipe)}:
        raise ValueError(f"recipes={others}: give a Recipe for each name, for instance Recipe(mmoe).")


def plan_of_one(data: DataSource, seeds: int | Sequence[int]) -> Plan:
    """Lists the runs of one data set whose tasks have a skill.

    Raises:
        ValueError: If there are several data sets, or a task is neither binary nor a regression.
    """
    if isinstance(data, Mapping):
        raise ValueError(f"data={list(data)}: give one data set, or a function that draws it; one call for each.")
    plan = make_plan(data, seeds, None)
    others = [task for task, kind in plan.data.tasks.items() if kind.kind not in ("binary", "regression")]
    if others:
        raise ValueError(f"tasks {others} are neither binary nor regressions; drop them with data.with_tasks([...]).")
    return plan


def programs(recipes: Mapping[str, Recipe]) -> list[dict[str, Recipe]]:
    """Groups recipes that one compiled program can train: same builder, same losses."""
    groups: dict[tuple[int, int], dict[str, Recipe]] = {}
    for name, recipe in recipes.items():
        key = id(recipe.builder), id(recipe.losses) if recipe.losses else 0
        groups.setdefault(key, {})[name] = recipe
    return list(groups.values())


def validation_scores(evaluator: Evaluator, plan: Plan) -> pd.DataFrame:
    """Gives a recipe's validation scores at every learning rate, as rows of ``TunedStudy.tuning``."""
    rows = evaluator.frame()
    rows = rows[(rows["split"] == "validation") & rows["metric"].isin(["auc", "mse"])]
    rows = rows.assign(learning_rate=rows["loss_weight"].astype(float), skill=skill(rows, plan, "validation"))
    return rows[["model", "seed", "task", "metric", "value", "learning_rate", "skill"]]


def keep_best(found: TunedStudy, evaluator: Evaluator, rate: float, epochs: int) -> list[pd.DataFrame]:
    """Keeps what a recipe gave at its best learning rate, and measures that, and no other, on the test rows.

    Returns:
        The measurements, validation and test.
    """
    name, trainer = evaluator.name, evaluator.trainer
    mine = np.array([run.loss_weight == str(rate) for run in trainer.plan.runs])
    test = {task: outputs[mine] for task, outputs in trainer.predict("test").items()}
    chosen = Evaluator(name, SimpleNamespace(predict={"test": test}.__getitem__), found.plan, evaluator.losses)
    chosen.finish(np.full(len(found.plan.runs), epochs))
    found.learning_rates[name] = float(rate)
    found.parameters[name] = int(sum(np.prod(each.shape) for each in trainer.model.trainable_variables))
    found.weights[name] = [each[mine] for each in trainer.get_weights()]
    found.predictions[name] = {task: outputs[..., 0] for task, outputs in test.items()}
    measured = evaluator.frame()
    return [measured[measured["loss_weight"] == str(rate)], chosen.frame()]


def mean_score(trials: pd.DataFrame) -> pd.Series:
    """Averages the trials' skill over seeds and tasks, a number a learning rate."""
    return trials.groupby("learning_rate")["skill"].mean()


def skill(rows: pd.DataFrame, plan: Plan, split: str) -> list[float]:
    """Puts scores of binary tasks and regressions on one scale: 0 for knowing nothing, 1 for perfect.

    Args:
        rows: Rows with seed, task, metric (``"auc"`` or ``"mse"``) and value, all of one data set a seed.
        plan: The runs they come from.
        split: The split they were measured on.

    Returns:
        For each row 2 AUC - 1, or 1 - mse / variance of the labels.
    """
    runs = {run.seed: plan.of_run(run) for run in plan.runs}

    def one(seed: int, task: str, metric: str, value: float) -> float:
        if metric == "auc":
            return 2 * value - 1
        return 1 - value / float(np.nanvar(getattr(runs[seed], split).labels[task]))

    return [one(*row) for row in rows[["seed", "task", "metric", "value"]].itertuples(index=False)]


def schedule_factors(schedule: Schedule | None, steps: int) -> np.ndarray:
    """Evaluates a schedule at every step, float32 ``[steps]``."""
    if schedule is None:
        return np.ones(steps, np.float32)
    return np.array([float(schedule(step)) for step in range(steps)], np.float32)


def restart(trainer: StackedModel, weights: list[np.ndarray], schedule: Schedule | None) -> None:
    """Puts a trainer back to its start, the optimizer's memory included, with each run's rate under a schedule."""
    trainer.set_weights(weights)
    rates = trainer.optimizer._learning_rate
    each_run = [float(run.loss_weight) for run in trainer.plan.runs]
    rates.table.assign(np.outer(schedule_factors(schedule, rates.steps), each_run)[..., None])
    for variable in trainer.optimizer.variables:
        if variable is not rates:
            variable.assign(ops.zeros_like(variable))
