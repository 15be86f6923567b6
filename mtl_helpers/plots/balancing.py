"""Figures of balancing: the front that loss weights trace, weights and cosines over epochs, a projected gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtl_helpers.plots.results import LINE_STYLES, mean_and_half_width
from mtl_helpers.plots.style import (
    BLACK,
    BROWN,
    GREY,
    HALO,
    ORANGE,
    in_words,
    label_lines,
    model_colour,
    new_figure,
    styled,
    task_colour,
)

WIDTHS = {"narrow": ORANGE, "wide": BROWN}  # of hard sharing
MARKERS = "osD^vP"


def dominated(points: np.ndarray) -> np.ndarray:
    """Says which points are dominated: another point has no larger error in any task, and a smaller one in some.

    Args:
        points: Errors (lower is better), ``[points, tasks]``.

    Returns:
        Booleans ``[points]``; the points that are not dominated form the Pareto front.

    Example:
        >>> dominated(np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0]])).tolist()
        [False, False, True]
    """
    points = np.asarray(points, float)
    no_worse = (points[:, None] <= points[None]).all(axis=2)  # [i, j]: i is no worse than j in every task
    better = (points[:, None] < points[None]).any(axis=2)
    return np.asarray((no_worse & better).any(axis=0))


@styled
def pareto_fronts(scores: pd.DataFrame, titles: Mapping[str, str], single: pd.DataFrame | None = None) -> Figure:
    """Draws one task's error against the other's: a panel a data set, a path a model, a dot a loss weight.

    A filled dot belongs to its model's Pareto front; a hollow one is dominated by another dot of the same model.

    Args:
        scores: Rows with model, data, loss_weight (a number as text), seed, task (two of them) and value, as
            ``Study.scores()`` gives; values are errors.
        titles: Data set -> title of its panel.
        single: Rows of a single-task model with data, task, seed and value; its means are drawn as lines.

    Returns:
        The figure; bars are 95 % intervals over the seeds.

    Example:
        >>> cells = {"loss_weight": ["1", "1", "2", "2"], "task": ["a", "b"] * 2, "value": [0.3, 0.5, 0.4, 0.4]}
        >>> scores = pd.DataFrame({"model": "MMoE", "data": "conflict", "seed": 0, **cells})
        >>> figure = pareto_fronts(scores, {"conflict": "unrelated tasks"})  # scores = found.scores() of a study
    """
    tasks = list(scores["task"].unique())
    figure, axes = new_figure(5.4 * len(titles), 4.8, columns=len(titles), sharex=True, sharey=True)
    for panel, (name, title) in zip(axes[0], titles.items(), strict=True):
        here = scores[scores["data"] == name]
        for place, (model, rows) in enumerate(here.groupby("model", sort=False)):
            colour = WIDTHS.get(str(model), model_colour(str(model)))
            draw_front(panel, rows, tasks, colour, str(model), above=place % 2 == 0)
        if single is not None:
            means = single[single["data"] == name].groupby("task")["value"].mean()
            panel.axvline(means[tasks[0]], color=BLACK, linewidth=1, linestyle=":")
            panel.axhline(means[tasks[1]], color=BLACK, linewidth=1, linestyle=":")
            at: dict[str, Any] = {"xycoords": panel.get_xaxis_transform(), "textcoords": "offset points"}
            name = "single-task" if panel is axes[0, 0] else ""
            panel.annotate(name, (means[tasks[0]], 0.98), (5, 0), va="top", path_effects=HALO, **at)
        panel.set_title(title)
        panel.set_xlabel(f"mean squared error of {in_words(tasks[0])}", color=task_colour(tasks[0]))
    axes[0, 0].set_ylabel(f"mean squared error of {in_words(tasks[1])}", color=task_colour(tasks[1]))
    return figure


def draw_front(panel: Axes, rows: pd.DataFrame, tasks: Sequence[str], colour: str, name: str, above: bool) -> None:
    """Draws one model's path over the loss weights, the first task's weight at its ends, its name above or below."""
    mean, half = mean_and_half_width(rows.groupby(["task", "loss_weight"])["value"])
    weights = sorted(rows["loss_weight"].unique(), key=float)
    x, y = (mean[task].loc[weights].to_numpy() for task in tasks)
    bars = [half[task].loc[weights].to_numpy() for task in tasks]
    panel.errorbar(x, y, yerr=bars[1], xerr=bars[0], color=colour, alpha=0.35, linewidth=1.2)
    beaten = dominated(np.stack([x, y], axis=1))
    for i, weight in enumerate(weights):
        face = "white" if beaten[i] else colour
        panel.plot(x[i], y[i], "o", color=colour, markerfacecolor=face, markersize=9, markeredgewidth=2)
        if i in (0, len(weights) - 1) and max(np.ptp(x), np.ptp(y)) > 0.15:  # else the numbers would sit on each other
            panel.annotate(
                weight, (x[i], y[i]), (7, 7), textcoords="offset points", color=colour, fontsize=12, path_effects=HALO
            )
    middle, side = len(weights) // 2, 1 if above else -1
    place: dict[str, Any] = {"ha": "left", "va": "bottom" if above else "top"}
    look: dict[str, Any] = {"color": colour, "fontweight": "bold", "path_effects": HALO}
    panel.annotate(name, (x[middle], y[middle]), (12, 14 * side), textcoords="offset points", **place, **look)


@styled
def skill_by_unit(skill: pd.DataFrame, units: Sequence[str], models: Sequence[str]) -> Figure:
    """Draws each task's skill for several units of a label: a panel a task, a place on the axis a unit, a mark a model.

    Args:
        skill: A row a seed, columns (task, unit, model).
        units: Units, from left to right.
        models: Models, in the order of the marks.

    Returns:
        The figure; bars are 95 % intervals over the seeds.

    Example:
        >>> columns = pd.MultiIndex.from_product([["click"], ["share", "percent"], ["single-task"]])
        >>> figure = skill_by_unit(pd.DataFrame([[0.7, 0.6], [0.8, 0.5]], columns=columns), ["share", "percent"],
        ...                        ["single-task"])
    """
    tasks = list(skill.columns.get_level_values(0).unique())
    figure, axes = new_figure(5.6 * len(tasks), 4.4, columns=len(tasks), sharey=True)
    for panel, task in zip(axes[0], tasks, strict=True):
        for place, model in enumerate(models):
            values = skill[task].xs(model, axis=1, level=1)[list(units)]
            mean, half = mean_and_half_width(values.melt(var_name="unit").groupby("unit", sort=False)["value"])
            x = np.arange(len(units)) + 0.18 * (place - (len(models) - 1) / 2)
            look: dict[str, Any] = {
                "color": model_colour(model),
                "marker": MARKERS[place % len(MARKERS)],
                "markersize": 8,
            }
            panel.errorbar(x, mean, yerr=half, linestyle="", label=model, **look)
        panel.set_title(task)
        panel.set_xticks(range(len(units)), units)
        panel.set_xlabel("unit of the regression's label")
        panel.grid(axis="y", alpha=0.3)
    axes[0, 0].set_ylabel("skill (0: nothing, 1: perfect)")
    axes[0, 0].legend(loc="best", frameon=False, labelcolor="linecolor", prop={"weight": "bold", "size": 13})
    return figure


@styled
def weights_over_epochs(frame: pd.DataFrame, tasks: Mapping[str, str] | None = None) -> Figure:
    """Draws the weights that balancers gave the tasks: a panel a balancer, a line a task, a band for the interval.

    Weights are divided by their mean over the tasks, for only their ratios matter to an optimizer like Adam.

    Args:
        frame: ``Study.frame``; its rows with the metric ``"balancer_weights"`` are used.
        tasks: Task -> name in the figure; the tasks' own names if None.

    Returns:
        The figure, weights on a logarithmic scale.

    Raises:
        ValueError: If no balancer wrote weights.

    Example:
        >>> cells = {"task": ["a", "b"] * 2, "epoch": [1, 1, 2, 2], "value": [1.0, 1.0, 0.8, 1.2], "seed": 0}
        >>> frame = pd.DataFrame({"model": "GradNorm", "data": "equal", "metric": "balancer_weights", **cells})
        >>> figure = weights_over_epochs(frame)  # frame = found.frame of a study
    """
    rows = frame[frame["metric"] == "balancer_weights"]
    if rows.empty:
        raise ValueError("frame has no rows with metric='balancer_weights'; study a model made by balanced(...).")
    rows = rows.assign(
        value=rows["value"] / rows.groupby(["model", "data", "seed", "epoch"])["value"].transform("mean")
    )
    models = list(rows["model"].unique())
    figure, axes = new_figure(3.4 * len(models) + 1.2, 3.9, columns=len(models), sharey=True)
    for panel, model in zip(axes[0], models, strict=True):
        ends = []
        for task, values in rows[rows["model"] == model].groupby("task", sort=False):
            mean, half = mean_and_half_width(np.log(values["value"]).groupby(values["epoch"]))
            colour = task_colour(str(task))
            panel.plot(mean.index, np.exp(mean), color=colour)
            panel.fill_between(
                mean.index, np.exp(mean - half), np.exp(mean + half), color=colour, alpha=0.15, linewidth=0
            )
            ends.append((float(np.exp(mean.iloc[-1])), (tasks or {}).get(str(task), str(task)), colour))
        panel.axhline(1, color=GREY, linewidth=1)
        panel.set(title=model, xlabel="epoch", yscale="log")
    axes[0, 0].set_ylabel("weight ÷ mean weight")
    name_lines(axes[0, -1], ends)
    return figure


def name_lines(panel: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Names lines on a logarithmic scale, at the right edge."""
    transform = panel.transData + panel.transAxes.inverted()
    x = panel.get_xlim()[1]
    places = sorted((float(transform.transform((x, y))[1]), name, colour) for y, name, colour in ends)
    lowest = -1.0
    for place, name, colour in places:
        lowest = max(place, lowest + 0.09)
        panel.annotate(name, (1.03, lowest), xycoords="axes fraction", va="center", color=colour, fontweight="bold")


@styled
def cosine_over_epochs(frame: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Draws how far two tasks' gradients agree while they train: their cosine, and the share of batches in conflict.

    Args:
        frame: Rows of ``Study.frame`` of models balanced by ``ConflictMeter``, for one loss weight and two tasks.
        titles: Data set -> its name in the figure.

    Returns:
        The figure: a row a model, a line style a data set; bands are 95 % intervals over the seeds.

    Example:
        >>> cells = {"metric": ["balancer_cosine", "balancer_conflict"] * 2, "epoch": [1, 1, 2, 2]}
        >>> frame = pd.DataFrame({"model": "MMoE", "data": "agree", "task": "a", "seed": 0, **cells, "value": 0.2})
        >>> figure = cosine_over_epochs(frame, {"agree": "same task"})  # frame = found.frame of a study
    """
    measures = {
        "balancer_cosine": "cosine of the gradients",
        "balancer_conflict": "share of batches below 0",
    }
    models = list(frame["model"].unique())
    figure, axes = new_figure(11.4, 3.2 * len(models), len(models), 2, sharex=True, sharey="col")
    for row, model in zip(axes, models, strict=True):
        for panel, (metric, label) in zip(row, measures.items(), strict=True):
            rows = frame[(frame["model"] == model) & (frame["metric"] == metric)]
            rows = rows[rows["task"] == rows["task"].iloc[0]]  # with two tasks both have the same number
            panel.axhline(0 if metric.endswith("cosine") else 0.5, color=GREY, linewidth=1)
            ends = []
            colour = WIDTHS.get(str(model), model_colour(str(model)))
            for line, (name, title) in zip(LINE_STYLES, titles.items(), strict=False):
                mean, half = mean_and_half_width(rows[rows["data"] == name].groupby("epoch")["value"])
                panel.plot(mean.index, mean, color=colour, linestyle=line)
                panel.fill_between(mean.index, mean - half, mean + half, color=colour, alpha=0.18, linewidth=0)
                ends.append((float(mean.iloc[-1]), title, colour))
            panel.set(ylabel=label, title=f"{model} shared layer")
            if metric.endswith("conflict"):
                panel.set_ylim(-0.02, 1.02)
                label_lines(panel, ends, gap=0.1)
    for panel in axes[-1]:
        panel.set_xlabel("epoch")
    return figure


@styled
def projected_gradients(first: Sequence[float], second: Sequence[float]) -> Figure:
    """Draws two gradients in the plane, and what PCGrad makes of each.

    Args:
        first: The first task's gradient, two numbers.
        second: The second task's gradient, two numbers; their inner product should be negative.

    Returns:
        The figure, a panel a task: full arrows are gradients, the dashed one is what is left after the projection.

    Raises:
        ValueError: If the gradients do not conflict.

    Example:
        >>> figure = projected_gradients([1.0, 0.0], [-1.0, 1.0])
    """
    pair = np.array([first, second], float)
    product = float(pair[0] @ pair[1])
    if product >= 0:
        raise ValueError(f"first={list(first)}, second={list(second)} do not conflict (inner product {product:g}).")
    figure, axes = new_figure(10.0, 3.7, columns=2, sharex=True, sharey=True)
    reach = 1.25 * np.abs(pair).max()
    for k, panel in enumerate(axes[0]):
        own, other = pair[k], pair[1 - k]
        projected = own - product / (other @ other) * other
        arrows = [(own, task_colour(f"task_{k + 1}"), f"$g_{k + 1}$", "-")]
        arrows += [
            (other, task_colour(f"task_{2 - k}"), f"$g_{2 - k}$", "-"),
            (projected, "black", f"$g'_{k + 1}$", "--"),
        ]
        for tip, colour, name, line in arrows:
            panel.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "->", "color": colour, "lw": 2.5, "ls": line})
            place = tip * (1 + 0.16 / np.linalg.norm(tip))
            panel.annotate(name, place, ha="center", va="center", color=colour, fontsize=16, path_effects=HALO)
        panel.plot(*np.stack([own, projected], axis=1), color=GREY, linewidth=1, linestyle=":")
        panel.set(title=f"task {k + 1} gives up what hurts task {2 - k}", aspect="equal")
        panel.set(xlim=(-reach, reach), ylim=(-0.15 * reach, reach), xlabel="first weight")
    axes[0, 0].set_ylabel("second weight")
    return figure
