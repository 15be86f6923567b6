"""Checks that rows are what their data set says they are, made once, where the rows come in.

What passes here would train all the same: a NaN among the inputs ends as a model that always answers alike, a weight
under a misspelt task as labels that count although they are missing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from mtl_helpers.datasets.kinds import Categorical, InputKind, Task, Tokens
from mtl_helpers.datasets.rows import Rows


def check_rows(
    split: str, rows: Rows, tasks: Mapping[str, Task], inputs: Mapping[str, InputKind], groups: tuple[str, ...]
) -> None:
    """Checks the rows of one split.

    Args:
        split: Name of the split, for the message.
        rows: Its rows.
        tasks: Task name -> what it predicts.
        inputs: Input name -> what it holds.
        groups: Names of the segments.

    Raises:
        ValueError: If a task or input is missing, a weight is for another task, something is not an array, lengths or
            shapes differ, a number is missing, or a label, category or segment is not one of those there are.
    """
    for what, wanted, given in (("tasks", tasks, rows.labels), ("inputs", inputs, rows.inputs)):
        if set(wanted) != set(given):
            raise ValueError(f"{what}={sorted(wanted)}, but {split} holds {sorted(given)}; give the same.")
    if unknown := sorted(set(rows.weights) - set(tasks)):
        raise ValueError(f"{split}: weights for {unknown}; the tasks are {sorted(tasks)}.")
    members = np.zeros(len(rows), int) if rows.groups is None else rows.groups
    parts = {"inputs": rows.inputs, "labels": rows.labels, "weights": rows.weights, "truth": rows.truth}
    arrays = {f"{part} {name}": values for part, named in parts.items() for name, values in named.items()}
    arrays["groups"] = members
    for name, values in arrays.items():
        if not isinstance(values, np.ndarray):
            raise ValueError(f"{split}: {name} is a {type(values).__name__}; give a NumPy array, np.asarray(...).")
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{split}: rows differ in number: {lengths}; give every array the same.")
    for name, kind in inputs.items():
        check_input(f"{split}: input {name!r}", rows.inputs[name], kind)
    for name, task in tasks.items():
        check_labels(f"{split}: task {name!r}", rows.labels[name], task)
        if name in rows.weights and not (rows.weights[name] >= 0).all():
            raise ValueError(f"{split}: task {name!r} has weights below 0 or NaN; give 0 where the label is missing.")
    for name, values in rows.truth.items():
        check_finite(f"{split}: truth of {name!r}", values)
    if len(rows) and groups and not 0 <= members.min() <= members.max() < len(groups):
        raise ValueError(f"{split}: groups up to {members.max()}, but {len(groups)} names; count them from 0.")


def check_input(what: str, values: np.ndarray, kind: InputKind) -> None:
    """Checks one input's shape and numbers.

    Raises:
        ValueError: If the shape is not ``[rows, *kind.shape]``, a number is missing, or a word's number is not one.
    """
    if values.shape[1:] != kind.shape:
        raise ValueError(f"{what} has shape {values.shape}; {kind} asks for {('rows', *kind.shape)}.")
    if not isinstance(kind, Categorical | Tokens):
        check_finite(what, values)
    elif values.dtype.kind not in "iu":
        raise ValueError(f"{what} holds {values.dtype}; categories and words are whole numbers, int32.")
    elif isinstance(kind, Tokens) and values.size and not 0 <= values.min() <= values.max() < kind.size:
        raise ValueError(f"{what} runs from {values.min()} to {values.max()}; give numbers from 0 to {kind.size - 1}.")


def check_finite(what: str, values: np.ndarray) -> None:
    """Refuses NaN and infinity. The sum is finite if all are, and takes no memory for it.

    Raises:
        ValueError: If there is one.
    """
    if not math.isfinite(float(values.sum(dtype=np.float64))):
        raise ValueError(f"{what} holds {int((~np.isfinite(values)).sum())} NaN or infinite numbers; fill them first.")


def check_labels(what: str, labels: np.ndarray, task: Task) -> None:
    """Checks one task's labels; those that are missing are NaN, or 0 for classes.

    Raises:
        ValueError: If there is not one label a row (a token, for tags), or one is not 0 or 1, or not a class.
    """
    if labels.ndim != 1 + (task.kind == "tags") or labels.dtype.kind not in "biuf":
        shape = "[rows, tokens]" if task.kind == "tags" else "[rows]"
        raise ValueError(f"{what} has labels {labels.dtype} {labels.shape}; give numbers {shape}.")
    if task.kind == "binary" and not ((labels == 0) | (labels == 1) | (labels != labels)).all():
        raise ValueError(
            f"{what} is binary, but its labels run from {labels.min():g} to {labels.max():g}; "
            "give 0 and 1, or make it a regression."
        )
    if task.classes and labels.size and not 0 <= labels.min() <= labels.max() < len(task.classes):
        raise ValueError(f"{what} has labels from {labels.min()} to {labels.max()}; classes 0 to {task.units - 1} are.")
