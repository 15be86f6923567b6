"""What the recorded comparisons of tuned models have in common: who is trained how, and how a setting is chosen.

All models of a comparison try the same settings, and the validation rows choose among them, for every model by itself.
Test scores are measured along with the validation scores, and those of all settings but the chosen are thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mtl_helpers.datasets.base import MultiTaskData
from mtl_helpers.study import Study, study
from mtl_helpers.study.plan import DataSource
from mtl_helpers.study.training import Builder

RUN = ["model", "data", "loss_weight", "seed", "task", "metric", "epoch"]
APART = "single-task"  # its networks share nothing, so nothing makes them share a setting or a last epoch


def scores(found: Study) -> pd.DataFrame:
    """Gives what the final weights of every run score, by each task's main metric.

    Where training was stopped early, the final weights are those of a run's best epoch, and so are both scores.

    Args:
        found: A study.

    Returns:
        A row a run and task: model, data, loss_weight, seed, task, metric, epoch, validation and test.
    """
    test = found.scores("test").rename(columns={"value": "test"})
    validation = found.scores("validation").rename(columns={"value": "validation"})
    return test[[*RUN, "test"]].merge(validation[[*RUN, "validation"]])


def task_alone(source: DataSource, task: str) -> DataSource:
    """Gives a data set, or a function of the seed that draws one, with one of its tasks."""
    if isinstance(source, MultiTaskData):
        return source.with_tasks([task])
    return lambda seed: source(seed).with_tasks([task])


def try_setting(
    models: Mapping[str, Builder],
    data: Mapping[str | float, DataSource],
    tasks: Sequence[str],
    folder: Path | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Trains all models at one setting; single-task networks a task at a time, each stopped for itself.

    Args:
        models: Name -> builder.
        data: Label -> data set, or function of the seed that draws one.
        tasks: The tasks of the data.
        folder: Where finished trainings are kept, if a run that was stopped is to go on.
        options: Settings of ``study``.

    Returns:
        The rows of ``scores`` and ``network``: the task that a network is for, or ``"all tasks"``.
    """
    together = {name: builder for name, builder in models.items() if name != APART}
    networks = {"all tasks": (together, data)} if together else {}
    for task in tasks if APART in models else ():
        networks[task] = {APART: models[APART]}, {label: task_alone(source, task) for label, source in data.items()}
    return pd.concat(
        [
            scores(study(*what, gates=False, folder=folder and folder / network, **options)).assign(network=network)
            for network, what in networks.items()
        ],
        ignore_index=True,
    )


def validated(trials: pd.DataFrame, cell: Sequence[str], settings: Sequence[str]) -> pd.DataFrame:
    """Averages the validation scores of every cell and setting over seeds and tasks.

    Args:
        trials: Columns of the cell and the settings, and validation.
        cell: Columns that say what chooses a setting of its own, for instance ``["model"]``.
        settings: Columns that say what is chosen, for instance ``["learning_rate"]``.

    Returns:
        A row a cell and setting, with the mean as ``validation``.
    """
    return trials.groupby([*cell, *settings])["validation"].mean().reset_index()


def choose(
    trials: pd.DataFrame, cell: Sequence[str], settings: Sequence[str], lower_is_better: bool = False
) -> pd.DataFrame:
    """Keeps, for each cell, the setting with the best mean validation score.

    Args:
        trials: Columns of the cell and the settings, a row a seed and task, validation and test.
        cell: Columns that say what chooses a setting of its own.
        settings: Columns that say what is chosen.
        lower_is_better: Whether the score is an error.

    Returns:
        The rows of the settings chosen, without the validation scores; test becomes value.

    Example:
        >>> rows = {"model": "m", "seed": 0, "task": "click", "test": 0.7}
        >>> trials = pd.DataFrame([rows | {"learning_rate": r, "validation": v} for r, v in ((0.1, 0.6), (0.2, 0.8))])
        >>> choose(trials, ["model"], ["learning_rate"])["learning_rate"].tolist()
        [0.2]
    """
    means = validated(trials, cell, settings)
    groups = means.groupby(list(cell))["validation"]
    best = means.loc[groups.idxmin() if lower_is_better else groups.idxmax(), [*cell, *settings]]
    return trials.merge(best).drop(columns="validation").rename(columns={"test": "value"})


def at_the_edge(chosen: pd.DataFrame, cell: Sequence[str], grid: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    """Finds the cells whose chosen value is the least or the greatest there was: beyond it might be a better one.

    Args:
        chosen: As ``choose`` gives.
        cell: Columns that say what chose a setting of its own.
        grid: Setting -> its values.

    Returns:
        The cell, setting and value of every choice at the edge.

    Example:
        >>> at_the_edge(pd.DataFrame({"model": ["m"], "rate": [0.2]}), ["model"], {"rate": [0.05, 0.1, 0.2]})
        [{'model': 'm', 'rate': 0.2}]
    """
    ends = {setting: {min(values), max(values)} for setting, values in grid.items()}
    choices = chosen[[*cell, *grid]].drop_duplicates().to_dict("records")
    return [
        {name: choice[name] for name in [*cell, setting]}
        for setting, values in ends.items()
        for choice in choices
        if choice[setting] in values
    ]
