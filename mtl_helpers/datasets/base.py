"""What a multi-task data set is: inputs, one label a task, and what is known about both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from mtl_helpers.datasets.checks import check_rows
from mtl_helpers.datasets.kinds import Categorical, InputKind, Kind, Numeric, Task, Tokens, TokenVectors
from mtl_helpers.datasets.rows import Arrays, Rows, has_label
from mtl_helpers.seeds import random_numbers

__all__ = [
    "Arrays",
    "Categorical",
    "InputKind",
    "Kind",
    "MultiTaskData",
    "Numeric",
    "Rows",
    "Task",
    "TokenVectors",
    "Tokens",
    "has_label",
    "require_known",
]

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class MultiTaskData:
    """A data set with several labels a row, split into train, validation and test.

    Attributes:
        name: What it is called in tables and figures.
        tasks: Task name -> what the task predicts. The names key labels, losses, metrics and model outputs. Any text
            will do for the models and ``study``; Keras's own ``fit`` takes letters A to Z, digits and ``_ . - /``, and
            any text after ``losses.allow_any_names``.
        inputs: Input name -> what the input holds.
        train: Rows to fit on. Vocabularies and scalers were fitted on them alone.
        validation: Rows to choose settings and stopping times by.
        test: Rows to report on, once.
        groups: Names of the segments that ``Rows.groups`` counts.
        vocabularies: Column name -> its categories in number order, starting with the unseen one.
        notes: What was done to the rows on the way in, such as how many sentences were cut.

    Raises:
        ValueError: If a split lacks a task's labels or an input, lengths or shapes differ, a number is missing, or a
            label, weight or segment is none that can be; see ``checks.check_rows``.

    Example:
        >>> data = task_pair(correlation=0.5, rows=1000)
        >>> list(data.tasks), len(data.train)
        (['task_1', 'task_2'], 600)
    """

    name: str
    tasks: dict[str, Task]
    inputs: dict[str, InputKind]
    train: Rows
    validation: Rows
    test: Rows
    groups: tuple[str, ...] = ()
    vocabularies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.tasks, Mapping) or not self.tasks:
            raise ValueError(f"tasks={self.tasks!r} names no task; give a dict, for instance {{'click': Task()}}.")
        for split in SPLITS:
            check_rows(split, getattr(self, split), self.tasks, self.inputs, self.groups)

    def with_tasks(self, tasks: Iterable[str]) -> MultiTaskData:
        """Gives the same data with some of its tasks.

        Args:
            tasks: Names of the tasks to keep, in the order wanted.

        Returns:
            The data with those tasks alone.

        Raises:
            ValueError: If a name is not a task of the data.
        """
        kept = require_known("tasks", tasks, self.tasks)
        cut = {split: getattr(self, split).only(kept) for split in SPLITS}
        return replace(self, tasks={task: self.tasks[task] for task in kept}, **cut)

    def with_train(self, choose: Callable[[Rows], Rows]) -> MultiTaskData:
        """Gives the same data with changed training rows, for instance fewer of them."""
        return replace(self, train=choose(self.train))

    def with_rows(self, change: Callable[[Rows], Rows], tasks: Mapping[str, Task] | None = None) -> MultiTaskData:
        """Gives the same data with the rows of every split changed.

        Args:
            change: Called with each split's rows.
            tasks: The tasks of the changed rows, if they are others.

        Returns:
            The changed data.

        Example:
            >>> half = task_pair(rows=1000).with_rows(lambda rows: rows.take(slice(0, len(rows) // 2)))
            >>> len(half.train)
            300
        """
        train, validation, test = (change(getattr(self, split)) for split in SPLITS)
        return replace(self, tasks=dict(tasks or self.tasks), train=train, validation=validation, test=test)

    def with_missing_labels(self, task: str, share: float, seed: int | None = None) -> MultiTaskData:
        """Gives the same data with some of one task's training labels missing, drawn at random.

        Args:
            task: The task.
            share: Share of its training labels to take away, from 0 to 1 (excluded).
            seed: Seed of the draw; the course's if None.

        Returns:
            The data; where a label is gone it is NaN (0 for classes) and its weight 0.

        Raises:
            ValueError: If the task is unknown or the share out of range.

        Example:
            >>> data = task_pair(rows=1000).with_missing_labels("task_2", 0.9)
            >>> float(data.train.weights["task_2"].sum())
            60.0
        """
        require_known("task", task, self.tasks)
        if not 0 <= share < 1:
            raise ValueError(f"share={share} is not a share from 0 to 1 (excluded).")
        rows = self.train
        order = random_numbers(seed).permutation(len(rows))
        gone = order[: round(share * len(rows))]
        numbers = self.tasks[task].kind in ("binary", "regression")
        labels = rows.labels[task].astype(np.float32 if numbers else np.int32)
        weights = rows.weights.get(task, np.ones(labels.shape, np.float32)).copy()
        labels[gone] = np.nan if numbers else 0
        weights[gone] = 0
        changed = replace(rows, labels=rows.labels | {task: labels}, weights=rows.weights | {task: weights})
        return replace(self, train=changed)

    def describe(self) -> pd.DataFrame:
        """Counts rows and labels.

        Returns:
            A row a split and task: rows, labelled rows, and the mean label (the positive rate of a binary task).
        """
        table = []
        for split in SPLITS:
            rows = getattr(self, split)
            for task in self.tasks:
                labels = rows.labels[task]
                present = has_label(labels, rows.weights.get(task))
                mean = float(labels[present].mean()) if present.any() else float("nan")
                table.append((split, task, len(rows), int(present.sum()), mean))
        return pd.DataFrame(table, columns=["split", "task", "rows", "labelled", "mean label"])


def require_known(argument: str, names: Iterable[str], known: Mapping[str, object]) -> list[str]:
    """Checks that every name is known.

    Args:
        argument: Name of the argument, for the message.
        names: What the caller asked for.
        known: What there is, by name.

    Returns:
        The names, as a list.

    Raises:
        ValueError: Naming the unknown ones and those that exist, or that none was given.
    """
    wanted = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise ValueError(f"{argument}={wanted}: unknown {unknown}; choose from {sorted(known)}.")
    return wanted
