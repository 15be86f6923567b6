"""The sharing lab: set how related two tasks are and how many rows there are, train, and see whether sharing helps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from mtl_helpers.metrics import paired_interval
from mtl_helpers.plots.sharing import SETTING, sharing_effects, sharing_result
from mtl_helpers.plots.style import model_colour, styled, task_colour
from mtl_helpers.widgets.base import CourseWidget, Progress, bundle, styles
from mtl_helpers.widgets.labels import label

BASELINE = "single-task"
COLUMNS = ["model", *SETTING, "seed", "task", "value", "reachable"]
CORRELATIONS = [round(0.1 * step - 1, 1) for step in range(21)]
ROWS = [50, 100, 150, 200, 300, 500, 1000, 2000]
PENALTIES = [0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
TrainFunction = Callable[[float, int, float, Progress], pd.DataFrame]


class SharingLab(CourseWidget):
    """Trains four ways of sharing on a pair of tasks one sets by hand, and draws what each of them does to both tasks.

    With a kernel, the button trains eight seeds of each model on the setting of the three sliders. Without one, in a
    saved file, the sliders walk through the recorded settings.

    Args:
        recorded: What a ``Retrainer`` found on some settings: model, correlation, rows, penalty, seed, task, value,
            reachable. One of its models is ``"single-task"``.
        start: The setting to begin with, (cosine, rows, penalty), one of the recorded ones; the first if None.
        train: Function of (cosine, rows, penalty, progress) that gives such a frame for one setting; a ``Retrainer``
            of the four models, made at the first training, if None.

    Raises:
        ValueError: If a column or the single-task model is missing, or ``start`` was not recorded.

    Example:
        >>> SharingLab(sweep, start=(1.0, 200, 0.1))  # doctest: +SKIP
    """

    _esm = bundle("base.js", "sharing_lab.js")
    _css = styles("base.css", "sharing_lab.css")
    title = "Sharing lab"

    def __init__(
        self,
        recorded: pd.DataFrame,
        start: tuple[float, int, float] | None = None,
        train: TrainFunction | None = None,
    ) -> None:
        missing = [column for column in COLUMNS if column not in recorded]
        if missing or recorded.empty:
            raise ValueError(f"recorded lacks {missing or 'rows'}; give what Retrainer.train returns.")
        self.recorded = {setting: frame for setting, frame in recorded.groupby(SETTING, sort=False)}
        self.start = next(iter(self.recorded)) if start is None else tuple(start)
        if BASELINE not in set(recorded["model"]):
            raise ValueError(f"recorded has the models {sorted(set(recorded['model']))}; add {BASELINE!r}.")
        if self.start not in self.recorded:
            raise ValueError(f"start={start} was not recorded; choose from {list(self.recorded)}.")
        self._train = train or retrain()
        super().__init__(self._pack(), {"train": self._answer_train})

    @styled
    def picture(self) -> Figure:
        """Draws the recorded setting the lab begins with."""
        return sharing_result(self.recorded[self.start], BASELINE)

    def describe(self) -> str:
        """Says what sharing does at that setting."""
        p, rows, penalty = self.start
        effects = sharing_effects(self.recorded[self.start], BASELINE)
        effects = effects[effects["task"] != "both tasks"]
        said = []
        for model, own in effects.groupby("model", sort=False):
            each = [f"{row.verdict} {row.task.replace('_', ' ')} ({row.difference:+.2f})" for row in own.itertuples()]
            each = [text.replace("undecided", "undecided on") for text in each]
            said.append(f"{model} {' and '.join(each)}")
        setting = f"At cosine {p:g}, {rows:,} training rows and penalty {penalty:g}"
        return f"{setting}, test error against {BASELINE}: {'; '.join(said)}."

    def _pack(self) -> dict[str, Any]:
        first = self.recorded[self.start]
        models, tasks = list(first["model"].unique()), list(first["task"].unique())
        return {
            "models": models,
            "tasks": tasks,
            "colours": [*map(model_colour, models), *map(task_colour, tasks)],
            "baseline": models.index(BASELINE),
            "lists": {"correlation": CORRELATIONS, "rows": ROWS, "penalty": PENALTIES},
            "start": dict(zip(SETTING, map(float, self.start), strict=True)),
            "recorded": [result(frame) for frame in self.recorded.values()],
        }

    def _answer_train(self, content: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Trains on the setting asked for."""
        begin = time.perf_counter()
        frame = self._train(float(content["correlation"]), int(content["rows"]), float(content["penalty"]), progress)
        return {**result(frame), "seconds": round(time.perf_counter() - begin, 1)}


def result(frame: pd.DataFrame) -> dict[str, Any]:
    """Makes one setting's results small: for each task and model the seeds, the mean, its interval and the effect."""
    effects = sharing_effects(frame, BASELINE).set_index(["model", "task"])
    tasks = []
    for task, rows in frame.groupby("task", sort=False):
        models = []
        for model, own in rows.groupby("model", sort=False):
            mean = paired_interval(own["value"].to_numpy())
            found = {"values": numbers(own["value"]), "mean": numbers([mean.mean, mean.low, mean.high])}
            if model != BASELINE:
                effect = effects.loc[(model, task)]
                found |= {"effect": numbers(effect[["difference", "low", "high"]]), "verdict": effect["verdict"]}
            models.append(found)
        tasks.append({"best": round(float(rows["reachable"].mean()), 4), "models": models})
    setting = {name: float(frame[name].iloc[0]) for name in SETTING}
    return {**setting, "seeds": int(frame["seed"].nunique()), "tasks": tasks}


def numbers(values: Any) -> list[float]:
    """Rounds numbers to four digits."""
    return [round(float(value), 4) for value in values]


def retrain() -> TrainFunction:
    """Gives a function that trains the four models, and makes what it needs when first called."""
    made: list[Any] = []

    def train(correlation: float, rows: int, penalty: float, progress: Progress) -> pd.DataFrame:
        progress(0.0, label("drawing data") if made else label("preparing"))
        from mtl_helpers.study.retrain import Retrainer, Setting, four_models  # TensorFlow, not before it is needed

        if not made:
            made.append(Retrainer(four_models()))

        def training(share: float, model: str) -> None:
            progress(share, label("training {model}", model=model) if model else "")

        return made[0].train([Setting(correlation, rows, penalty)], training)

    return train
