"""The unit of a label: the first thing to balance, before any method does."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mtl_helpers.datasets.base import Arrays, MultiTaskData, Rows


def rescale_label(data: MultiTaskData, task: str, factor: float, shift: float = 0.0) -> MultiTaskData:
    """Expresses a regression's label in another unit.

    Args:
        data: The data.
        task: A regression.
        factor: New units an old one has, not 0; 100 makes percent of a share.
        shift: Subtracted before, in the old unit.

    Returns:
        The same data with ``(label - shift) * factor`` as the label, and as the truth where it is known.

    Raises:
        ValueError: If the task is not a regression of the data, or the factor is 0 or not finite.

    Example:
        >>> data = video_log(100, tasks=("click", "watch_ratio"))
        >>> percent = rescale_label(data, "watch_ratio", 100)
        >>> float(percent.train.labels["watch_ratio"][0] / data.train.labels["watch_ratio"][0])
        100.0
    """
    if task not in data.tasks or data.tasks[task].kind != "regression":
        choices = [name for name, kind in data.tasks.items() if kind.kind == "regression"]
        raise ValueError(f"task={task!r} is not a regression; choose from {choices}.")
    if factor == 0 or not math.isfinite(factor * shift):
        raise ValueError(f"factor={factor}, shift={shift} make all labels alike, or no numbers; give others.")

    def changed(arrays: Arrays) -> Arrays:
        return {name: ((values - shift) * factor).astype(np.float32) if name == task else values
                for name, values in arrays.items()}  # fmt: skip

    def change(rows: Rows) -> Rows:
        return replace(rows, labels=changed(rows.labels), truth=changed(rows.truth))

    return data.with_rows(change)


def standardise_label(data: MultiTaskData, task: str) -> MultiTaskData:
    """Gives a regression's label mean 0 and standard deviation 1 over the training rows.

    Then a squared error of 1 is what guessing the mean costs, whatever the unit was.

    Args:
        data: The data.
        task: A regression.

    Returns:
        The same data; validation and test rows are scaled by the training rows' numbers.

    Raises:
        ValueError: If the task is not a regression of the data, or its label does not vary.

    Example:
        >>> data = standardise_label(video_log(100, tasks=("click", "watch_ratio")), "watch_ratio")
        >>> round(float(data.train.labels["watch_ratio"].std()), 3)
        1.0
    """
    rescale_label(data, task, 1.0)  # says what is wrong with the task
    labels = data.train.labels[task]
    spread = float(np.nanstd(labels))
    if not spread > 0:
        raise ValueError(f"task={task!r}: its label is {labels[0]:g} in every training row; drop it.")
    return rescale_label(data, task, 1 / spread, float(np.nanmean(labels)))
