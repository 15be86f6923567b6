"""The entire-space model: conversion after the click, learned from all impressions."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from mtl_helpers.datasets.base import MultiTaskData, Task
from mtl_helpers.layers.arguments import widths
from mtl_helpers.models.parts import dense_stack, features, make_inputs, output_names, task_output

CONVERSION = "conversion"  # the layer whose output is pCVR


def esmm(
    data: MultiTaskData,
    *,
    click: str | None = None,
    pay: str | None = None,
    hidden_units: Sequence[int] = (128,),
    tower_units: Sequence[int] = (8,),
    embedding_dim: int = 4,
    activation: str | None = "relu",
) -> keras.Model:
    """Builds ESMM: pCTR and pCTCVR are trained on every impression, pCVR is what multiplies the one into the other.

    ``p(click and pay) = p(click) * p(pay | click)``: Ma et al. 2018, "Entire space multi-task model"
    (arXiv:1804.07931), equations 1 to 3. A model of pCVR trained on clicked rows alone is asked, when serving, about
    rows unlike those.

    Args:
        data: Has two binary tasks: the click, and the payment, which happens only after a click.
        click: Name of the first; the data's first task by default.
        pay: Name of the second, the label "clicked and paid" of every row; the data's second task by default.
        hidden_units: Widths of the hidden layers of the click and of the conversion network.
        tower_units: Widths of the layers after them.
        embedding_dim: Width of a category's vector; the two networks share the vectors.
        activation: Activation of the hidden layers.

    Returns:
        A model with two outputs: the click task's is pCTR, the pay task's pCTCVR. See ``conversion_model`` for pCVR.

    Raises:
        ValueError: If the data has other tasks, one is not binary, or a row was paid without a click.

    Example:
        >>> model = esmm(shop_log().with_tasks(["click", "pay"]))
        >>> pcvr = conversion_model(model)
    """
    click, pay = _two_tasks(data, click, pay)
    inputs = make_inputs(data)
    x = features(data, inputs, embedding_dim)
    units = (*widths("hidden_units", hidden_units), *widths("tower_units", tower_units, at_least_one=False))
    names = output_names(data.tasks, inputs, [x], taken=[CONVERSION])
    clicked = task_output(dense_stack(x, units, activation), names[click], Task())
    paid_after_click = task_output(dense_stack(x, units, activation), CONVERSION, Task())
    clicked_and_paid = keras.layers.Multiply(name=names[pay])([clicked, paid_after_click])
    return keras.Model(inputs, {click: clicked, pay: clicked_and_paid}, name="esmm")


def conversion_model(model: keras.Model) -> keras.Model:
    """Gives the view of an ESMM that predicts pCVR, the probability of paying once clicked.

    Args:
        model: What ``esmm`` built, trained or loaded; the view shares its weights.

    Returns:
        A model with one output, "conversion", ``[batch, 1]``.

    Raises:
        ValueError: If the model is not an ESMM.

    Example:
        >>> conversion_model(esmm(shop_log().with_tasks(["click", "pay"]))).output["conversion"].shape
        (None, 1)
    """
    if CONVERSION not in [layer.name for layer in model.layers]:
        raise ValueError(f"model={model.name!r} has no conversion output; give a model that esmm built.")
    return keras.Model(model.input, {CONVERSION: model.get_layer(CONVERSION).output}, name="conversion_model")


def _two_tasks(data: MultiTaskData, click: str | None, pay: str | None) -> tuple[str, str]:
    """Finds the names of the click and the pay task, and checks that they can be such."""
    tasks = list(data.tasks)
    if len(tasks) != 2:
        raise ValueError(f"data has the tasks {tasks}; esmm needs two, give data.with_tasks([click task, pay task]).")
    click = click or next(task for task in tasks if task != pay)
    pay = pay or next(task for task in tasks if task != click)
    if {click, pay} != set(tasks):
        raise ValueError(f"click={click!r}, pay={pay!r}: name both tasks of the data, {tasks}.")
    for task in tasks:
        if data.tasks[task].kind != "binary":
            raise ValueError(f"tasks[{task!r}] is of kind {data.tasks[task].kind!r}; esmm needs binary tasks.")
    paid_only = np.sum((data.train.labels[pay] == 1) & (data.train.labels[click] == 0))
    if paid_only:
        raise ValueError(f"pay={pay!r} is 1 in {paid_only} rows in which click={click!r} is 0; swap or mend them.")
    return click, pay
