"""Figures of scores: how they grow, how they differ, what they depend on."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtl_helpers.metrics.intervals import half_width
from mtl_helpers.plots.style import GREY, HALO, in_words, label_lines, model_colour, new_figure, signed, styled

LINE_STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
METRIC_NAMES = {"auc": "AUC", "mse": "mean squared error", "loss": "loss", "log_loss": "log loss"}


@styled
def learning_curves(frame: pd.DataFrame, metric: str | None = None, split: str = "validation") -> Figure:
    """Draws scores over the epochs: a panel a task, a line a model, a band for the 95 % interval over seeds.

    Args:
        frame: ``Study.frame``, or some of its rows: model, task, split, epoch, metric, seed, value.
        metric: Which metric; the first one of that split that is not a loss if None.
        split: ``"train"`` or ``"validation"``.

    Returns:
        The figure.

    Raises:
        ValueError: If the frame has no such rows.

    Example:
        >>> rows = {"epoch": [1, 2], "value": [0.6, 0.7], "model": "MMoE", "task": "click", "seed": 0}
        >>> frame = pd.DataFrame({**rows, "split": "validation", "metric": "auc"})
        >>> figure = learning_curves(frame, metric="auc")  # frame = found.frame of a study
    """
    rows = frame[frame["split"] == split]
    names = list(rows["metric"].unique())
    metric = metric or next((name for name in names if "loss" not in name), names[0] if names else None)
    rows = rows[rows["metric"] == metric]
    if rows.empty:
        raise ValueError(f"metric={metric!r}, split={split!r}: no such rows; metrics of that split are {names}.")
    tasks = list(rows["task"].unique())
    figure, axes = new_figure(5.2 * len(tasks), 3.8, columns=len(tasks))
    for panel, task in zip(axes[0], tasks, strict=True):
        label_lines(panel, draw_lines(panel, rows[rows["task"] == task], "epoch", marked=False))
        panel.set(title=in_words(task), xlabel="epoch", ylabel=METRIC_NAMES.get(str(metric), str(metric)))
    return figure


@styled
def score_against(
    frame: pd.DataFrame,
    x: str,
    x_label: str,
    metric: str = "mse",
    best: dict[str, float] | None = None,
) -> Figure:
    """Draws scores against a setting: a panel a task, a line a model, a band for the 95 % interval over seeds.

    The lines are named once, beside the last panel.

    Args:
        frame: Rows with model, task, seed, value and the setting, for instance ``Study.scores()``.
        x: Column of the setting; its values are read as numbers.
        x_label: The setting's name, with its unit.
        metric: What the values are, for the axis.
        best: Task -> best reachable score, drawn as a thin line.

    Returns:
        The figure.

    Example:
        >>> rows = {"data": ["0", "1"], "value": [0.6, 0.7], "model": "MMoE", "task": "click", "seed": 0}
        >>> figure = score_against(pd.DataFrame(rows), x="data", x_label="correlation")  # found.scores() of a study
    """
    numbered = frame.assign(**{x: frame[x].astype(float)})
    tasks = list(numbered["task"].unique())
    figure, axes = new_figure(5.2 * len(tasks), 4.6, columns=len(tasks), sharey=True)
    for panel, task in zip(axes[0], tasks, strict=True):
        ends = draw_lines(panel, numbered[numbered["task"] == task], x, marked=True)
        if best and task in best:
            panel.axhline(best[task], color=GREY, linewidth=1)
            ends.append((best[task], "best reachable", GREY))
        panel.set(title=in_words(task), xlabel=x_label)
    axes[0, 0].set_ylabel(METRIC_NAMES.get(metric, metric))
    label_lines(panel, ends)
    return figure


def draw_lines(axes: Axes, rows: pd.DataFrame, x: str, marked: bool) -> list[tuple[float, str, str]]:
    """Draws each model's mean over the seeds and its 95 % interval; gives the lines' last y, names and colours."""
    ends = []
    for i, (model, values) in enumerate(rows.groupby("model", sort=False)):
        colour = model_colour(str(model))
        mean, half = mean_and_half_width(values.groupby(x)["value"])
        marker, line = (MARKERS[i % len(MARKERS)], "-") if marked else ("", LINE_STYLES[i % len(LINE_STYLES)])
        axes.plot(mean.index, mean, color=colour, label=str(model), marker=marker, linestyle=line)
        axes.fill_between(mean.index, mean - half, mean + half, color=colour, alpha=0.15, linewidth=0)
        ends.append((float(mean.iloc[-1]), str(model), colour))
    return ends


def mean_and_half_width(groups: pd.core.groupby.SeriesGroupBy) -> tuple[pd.Series, pd.Series]:
    """Gives the mean of each group and half the width of its 95 % t interval (0 for a single value)."""
    return groups.mean(), half_width(groups.std().fillna(0), groups.count())


def draw_row(
    axes: Axes, y: int, values: pd.Series, colour: str, label: str = "", filled: bool | None = True, dots: bool = True
) -> None:
    """Draws one row of a figure: a dot a seed, their mean with its 95 % interval, and the mean as a number above it.

    Args:
        axes: Where to draw.
        y: Height of the row.
        values: A value a seed.
        colour: Of all of it.
        label: Format of the number, for instance ``"+.1f"``; none if empty.
        filled: Whether the mean's marker is filled; None: if the interval excludes zero.
        dots: Whether to draw the seeds.

    Example:
        >>> figure, axes = new_figure(6, 2)
        >>> draw_row(axes[0, 0], 0, pd.Series([1.0, 2.0, 3.0]), GREY, "+.1f")
        >>> axes[0, 0].texts[0].get_text()
        '+2.0'
    """
    mean, half = values.mean(), half_width(values.std() if len(values) > 1 else 0.0, len(values))
    if dots:
        axes.plot(values, [y] * len(values), "o", color=colour, alpha=0.3, markersize=6)
    face = colour if (abs(mean) > half if filled is None else filled) else "white"
    axes.errorbar(mean, y, xerr=half, fmt="D", color=colour, markerfacecolor=face, capsize=5, markersize=8)
    if label:
        place: dict[str, Any] = {"xytext": (0, 10), "textcoords": "offset points", "ha": "center"}
        axes.annotate(format(mean, label), (mean, y), path_effects=HALO, **place)


@styled
def forest(
    comparisons: pd.DataFrame, label: str = "model", baseline: str = "the baseline", scale: float = 1.0, unit: str = ""
) -> Figure:
    """Draws paired differences with their intervals: a row a comparison, a panel a task, a line at no difference.

    Args:
        comparisons: Rows with task, metric, difference, low, high (as ``Study.compare`` gives) and the label.
        label: Column that names the rows of the figure.
        baseline: What is subtracted, for the axis.
        scale: Factor of the differences, for instance 100 for points of AUC.
        unit: Name of the scaled unit, for the axis.

    Returns:
        The figure. Filled markers: the interval excludes zero.

    Example:
        >>> rows = {"model": ["MMoE"], "task": ["click"], "metric": ["auc"], "difference": [0.01]}
        >>> figure = forest(pd.DataFrame({**rows, "low": [0.0], "high": [0.02]}), baseline="single-task")
    """
    tasks, names = list(comparisons["task"].unique()), list(comparisons[label].unique())
    width = max(5 * min(len(tasks), 2), 3.8 * len(tasks))  # three panels in full width would be small on a slide
    figure, axes = new_figure(width, 1.9 + 0.5 * len(names), columns=len(tasks), sharey=True)
    for panel, task in zip(axes[0], tasks, strict=True):
        rows = comparisons[comparisons["task"] == task]
        widest = scale * float((rows["high"] - rows["low"]).max()) / 2
        digits = max(0, 1 - math.floor(math.log10(widest))) if widest > 0 else 2  # as exact as the widest interval
        for _, row in rows.iterrows():
            draw_interval(panel, names.index(row[label]), row, model_colour(str(row[label])), scale, digits)
        panel.axvline(0, color=GREY, linewidth=1)
        metric = str(rows["metric"].iloc[0])
        better = "← better" if metric in ("mse", "loss", "log_loss") else "better →"
        of = unit or METRIC_NAMES.get(metric, metric)
        panel.set_xlabel(f"{of},\nminus {baseline}   ({better})")
        panel.locator_params(axis="x", nbins=5)
        panel.set_title(in_words(task))
        panel.margins(x=0.15)
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.5, -0.6)
    return figure


def draw_interval(axes: Axes, y: int, row: pd.Series, colour: str, scale: float, digits: int) -> None:
    """Draws one difference: a marker, its interval and the number above it."""
    middle, low, high = (scale * float(row[name]) for name in ("difference", "low", "high"))
    decided = low > 0 or high < 0
    axes.plot([low, high], [y, y], color=colour)
    axes.plot([middle], [y], marker="o", color=colour, markerfacecolor=colour if decided else "white", markersize=9)
    place: dict[str, Any] = {"xytext": (0, 9), "textcoords": "offset points", "ha": "center", "path_effects": HALO}
    axes.annotate(signed(middle, digits), (middle, y), fontsize=12, **place)
