"""Figures of hard and soft sharing: what is shared, and where that helps or hurts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from mtl_helpers.metrics import paired_interval
from mtl_helpers.plots.style import (
    BLUE,
    GREY,
    VERMILLION,
    in_words,
    label_lines,
    model_colour,
    new_figure,
    styled,
    task_colour,
)

SETTING = ["correlation", "rows", "penalty"]
STRONG = 0.2  # a difference this large has the full colour
HARM_SHOWN = 0.25
MARKERS = ("o", "s", "^", "D", "v")


def sharing_effects(frame: pd.DataFrame, baseline: str = "single-task") -> pd.DataFrame:
    """Compares every model with a baseline, seed by seed.

    Args:
        frame: What ``Retrainer.train`` gives: model, correlation, rows, penalty, seed, task, value, reachable.
        baseline: The model whose error is subtracted.

    Returns:
        A row a model, setting and task, and one for the mean over the tasks of a seed, named "both tasks": the mean
        ``difference``, its 95 % interval (``low``, ``high``), ``n`` seeds, and ``verdict``: "helps", "hurts" or
        "undecided".

    Raises:
        ValueError: If the baseline is not in the frame.

    Example:
        >>> rows = {"model": ["single-task", "hard sharing"] * 2, "seed": [0, 0, 1, 1], "value": [1.0, 0.8, 1.1, 0.9]}
        >>> rows |= {"task": "task_1", "reachable": 0.5}
        >>> frame = pd.DataFrame({**rows, "correlation": 1.0, "rows": 200, "penalty": 0.1})
        >>> sharing_effects(frame)["difference"].round(2).tolist()
        [-0.2, -0.2]
    """
    if baseline not in set(frame["model"]):
        raise ValueError(f"baseline={baseline!r} is not in the frame; choose from {sorted(set(frame['model']))}.")
    mean = (
        frame.groupby(["model", *SETTING, "seed"], sort=False)["value"].mean().reset_index().assign(task="both tasks")
    )
    table = pd.concat([frame, mean]).pivot(index=[*SETTING, "task", "seed"], columns="model", values="value")
    rows = []
    for model in [name for name in frame["model"].unique() if name != baseline]:
        for cell, values in (table[model] - table[baseline]).groupby(level=[*SETTING, "task"], sort=False):
            found = paired_interval(values.to_numpy())
            verdict = "helps" if found.high < 0 else "hurts" if found.low > 0 else "undecided"
            rows.append((model, *cell, found.mean, found.low, found.high, found.n, verdict))
    return pd.DataFrame(rows, columns=["model", *SETTING, "task", "difference", "low", "high", "n", "verdict"])


@styled
def sharing_schemes() -> Figure:
    """Draws the four ways two tasks can live together, boxes being layers and arrows what they read.

    Returns:
        The figure.

    Example:
        >>> figure = sharing_schemes()
    """
    names = ("single-task", "hard sharing", "soft sharing", "cross-stitch")
    figure, axes = new_figure(12, 4.0, columns=4)
    for panel, name in zip(axes[0], names, strict=True):
        draw_scheme(panel, name)
        panel.set_title(name, color=model_colour(name), fontweight="bold")
        panel.set(xlim=(0, 4), ylim=(-0.3, 5.3))
        panel.set_axis_off()
    return figure


def draw_scheme(axes: Axes, name: str) -> None:
    """Draws one architecture: the input below, a path a task above it."""
    colours, places = [task_colour("task_1"), task_colour("task_2")], (1.0, 3.0)
    draw_box(axes, 2, 0.2, 3.6, "input", GREY)
    if name == "hard sharing":
        draw_box(axes, 2, 1.9, 3.4, "hidden layer", model_colour(name))
        draw_arrow(axes, (2, 0.55), (2, 1.5))
    for x, colour, task in zip(places, colours, (1, 2), strict=True):
        if name != "hard sharing":
            draw_box(axes, x, 1.9, 1.5, "hidden", colour)
            draw_arrow(axes, (x, 0.55), (x, 1.5))
        draw_box(axes, x, 3.5, 1.5, "tower", colour)
        draw_arrow(axes, (x, 2.3), (x, 3.1))
        draw_arrow(axes, (x, 3.9), (x, 4.45))
        axes.text(x, 4.7, f"task {task}", ha="center", color=colour, fontweight="bold")
    if name == "cross-stitch":
        for start, end in (places, places[::-1]):
            draw_arrow(axes, (start, 2.3), (end, 3.1), color=model_colour(name))
    if name == "soft sharing":
        for y in (1.9, 3.5):
            axes.plot([1.75, 2.25], [y, y], color=model_colour(name), linewidth=4)
        axes.text(2, 2.7, "distance\nis penalised", ha="center", va="center", fontsize=12)


def draw_box(axes: Axes, x: float, y: float, width: float, text: str, colour: str) -> None:
    """Draws a box around its middle."""
    style = "round,pad=0,rounding_size=0.12"
    box = FancyBboxPatch((x - width / 2, y - 0.37), width, 0.74, boxstyle=style, facecolor="white", edgecolor=colour)
    box.set_linewidth(2.5)
    axes.add_patch(box)
    axes.text(x, y, text, ha="center", va="center")


def draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str = GREY) -> None:
    """Draws an arrow."""
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 1.8})


@styled
def sharing_grid(effects: pd.DataFrame) -> Figure:
    """Draws a model's effect on the error for every cosine and number of rows: a panel a model.

    Args:
        effects: What ``sharing_effects`` gives, of one penalty.

    Returns:
        The figure. A cell has a colour if the interval of its mean over both tasks excludes zero, and bold digits if
        each task's own interval does so too, in the same direction.

    Example:
        >>> rows = {"model": ["single-task", "hard sharing"] * 2, "seed": [0, 0, 1, 1], "value": [1.0, 0.8, 1.1, 0.9]}
        >>> rows |= {"task": "task_1", "reachable": 0.5}
        >>> frame = pd.DataFrame({**rows, "correlation": 1.0, "rows": 200, "penalty": 0.1})
        >>> figure = sharing_grid(sharing_effects(frame))
    """
    models = list(effects["model"].unique())
    correlations, rows = sorted(effects["correlation"].unique(), reverse=True), sorted(effects["rows"].unique())
    figure, axes = new_figure(4.2 * len(models), 1.6 + 0.52 * len(correlations), columns=len(models), sharey=True)
    for panel, model in zip(axes[0], models, strict=True):
        mine = effects[effects["model"] == model]
        both = mine[mine["task"] == "both tasks"].set_index(["correlation", "rows"])
        tasks = mine[mine["task"] != "both tasks"].groupby(["correlation", "rows"])["verdict"].unique()
        for y, p in enumerate(correlations):
            for x, count in enumerate(rows):
                bold = list(tasks[p, count]) == [both.loc[(p, count), "verdict"]] != ["undecided"]
                draw_cell(panel, x, y, both.loc[(p, count)], bold)
        panel.set(xlim=(-0.5, len(rows) - 0.5), ylim=(len(correlations) - 0.5, -0.5), xlabel="training rows")
        panel.set_xticks(range(len(rows)), [f"{each:,}" for each in rows])
        panel.set_yticks(
            range(len(correlations)), [f"{each:+.1f}".replace("-", "−") if each else "0" for each in correlations]
        )
        panel.tick_params(length=0)
        panel.spines[:].set_visible(False)
        panel.set_title(model, color=model_colour(model), fontweight="bold")
    axes[0, 0].set_ylabel("cosine p of the tasks")
    figure.suptitle("test error minus single-task's, mean of both tasks     blue: helps     orange: hurts", fontsize=13)
    return figure


def draw_cell(axes: Axes, x: int, y: int, effect: pd.Series, bold: bool) -> None:
    """Draws one cell: tinted if decided, its number always."""
    decided = effect["verdict"] != "undecided"
    share = 0.15 + 0.6 * min(1.0, abs(effect["difference"]) / STRONG) if decided else 0.04
    base = np.array(to_rgb((BLUE if effect["difference"] < 0 else VERMILLION) if decided else GREY))
    box = FancyBboxPatch((x - 0.46, y - 0.44), 0.92, 0.88, boxstyle="round,pad=0,rounding_size=0.06")
    box.set(facecolor=tuple(1 - share * (1 - base)), edgecolor="white")
    axes.add_patch(box)
    rounded = round(effect["difference"], 2)
    text = f"{rounded:+.2f}".replace("-", "−") if rounded else "0"
    axes.text(x, y, text, ha="center", va="center", fontweight="bold" if bold else "normal", color="black")


@styled
def error_by_rows(frame: pd.DataFrame, correlations: Sequence[float]) -> Figure:
    """Draws the error over both tasks against the training rows: a panel a cosine, a line a model, the best reachable.

    Args:
        frame: What ``Retrainer.train`` gives.
        correlations: Which cosines to show, one a panel.

    Returns:
        The figure; bands are 95 % intervals of the mean over the seeds.

    Example:
        >>> rows = {"model": ["single-task", "hard sharing"] * 2, "seed": [0, 0, 1, 1], "value": [1.0, 0.8, 1.1, 0.9]}
        >>> rows |= {"task": "task_1", "reachable": 0.5}
        >>> frame = pd.DataFrame({**rows, "correlation": 1.0, "rows": 200, "penalty": 0.1})
        >>> figure = error_by_rows(frame, [1.0])
    """
    figure, axes = new_figure(5.0 * len(correlations), 4.2, columns=len(correlations), sharey=True)
    for panel, p in zip(axes[0], correlations, strict=True):
        rows = frame[frame["correlation"] == p]
        best = float(rows["reachable"].mean())
        ends = [(best, "best reachable", GREY)]
        for marker, (model, own) in zip(MARKERS, rows.groupby("model", sort=False), strict=False):
            seeds = own.groupby(["rows", "seed"])["value"].mean()
            found = {count: paired_interval(values.to_numpy()) for count, values in seeds.groupby(level="rows")}
            x, colour = list(found), model_colour(str(model))
            mean, low, high = ([getattr(each, name) for each in found.values()] for name in ("mean", "low", "high"))
            panel.plot(x, mean, color=colour, marker=marker)
            panel.fill_between(x, low, high, color=colour, alpha=0.13, linewidth=0)
            ends.append((mean[-1], str(model), colour))
        panel.axhline(best, color=GREY, linewidth=1.5, linestyle=":")
        panel.set(xscale="log", xlabel="training rows", title=f"p = {p:+g}".replace("-", "−"))
        panel.set_xticks(x, [f"{each:,}" for each in x], minor=False)
        panel.minorticks_off()
        panel.set_ylim(bottom=best - 0.05)
        label_lines(panel, ends, gap=0.075)
    axes[0, 0].set_ylabel("test error, mean of both tasks")
    return figure


@styled
def penalty_curves(effects: pd.DataFrame, reference: dict[float, float] | None = None) -> Figure:
    """Draws a model's effect on the error against the strength of its penalty: a panel a cosine, a line a model.

    Args:
        effects: What ``sharing_effects`` gives; the mean over both tasks is drawn.
        reference: Cosine -> the effect of hard sharing, drawn as a dotted line; None for none.

    Returns:
        The figure; bars are 95 % intervals. A line that leaves the frame ruined the networks: its end is not shown.

    Example:
        >>> rows = {"model": ["single-task", "hard sharing"] * 2, "seed": [0, 0, 1, 1], "value": [1.0, 0.8, 1.1, 0.9]}
        >>> rows |= {"task": "task_1", "reachable": 0.5}
        >>> frame = pd.DataFrame({**rows, "correlation": 1.0, "rows": 200, "penalty": 0.1})
        >>> figure = penalty_curves(sharing_effects(frame), {1.0: -0.09})
    """
    both = effects[effects["task"] == "both tasks"]
    correlations, models = sorted(both["correlation"].unique()), list(both["model"].unique())
    figure, axes = new_figure(12.5, 4.4, columns=len(correlations), sharey=True)
    palette = ("#0072B2", "#56B4E9", "#009E73", "#767676")
    for panel, p in zip(axes[0], correlations, strict=True):
        ends = []
        for number, model in enumerate(models):
            mine = both[(both["correlation"] == p) & (both["model"] == model)].sort_values("penalty")
            error = np.abs(mine[["low", "high"]].to_numpy().T - mine["difference"].to_numpy())
            style = {"color": palette[number % 4], "marker": MARKERS[number], "capsize": 3}
            panel.errorbar(mine["penalty"], mine["difference"], yerr=error, **style)
            ends.append((min(float(mine["difference"].iloc[-1]), HARM_SHOWN), model, palette[number % 4]))
        panel.axhline(0, color=GREY, linewidth=1)
        if reference:
            panel.axhline(reference[p], color=model_colour("hard sharing"), linestyle=":", linewidth=2.5)
            ends.append((reference[p], "hard sharing", model_colour("hard sharing")))
        panel.set(
            xscale="log", xlabel="strength of the penalty", title=f"p = {p:+g}".replace("-", "−") if p else "p = 0"
        )
        panel.set_ylim(top=HARM_SHOWN)
        if panel is axes[0, -1]:
            label_lines(panel, ends, gap=0.08)
    axes[0, 0].set_ylabel("test error minus single-task's")
    return figure


@styled
def sharing_result(frame: pd.DataFrame, baseline: str = "single-task") -> Figure:
    """Draws one setting of the lab: a panel a task, a row a model, dots for seeds, the mean with its interval.

    Args:
        frame: What ``Retrainer.train`` gives, of one setting.
        baseline: The model the others are held against.

    Returns:
        The figure; the text at the right is the difference to the baseline and what it says.

    Example:
        >>> rows = {"model": ["single-task", "hard sharing"] * 2, "seed": [0, 0, 1, 1], "value": [1.0, 0.8, 1.1, 0.9]}
        >>> rows |= {"task": "task_1", "reachable": 0.5}
        >>> frame = pd.DataFrame({**rows, "correlation": 1.0, "rows": 200, "penalty": 0.1})
        >>> figure = sharing_result(frame)
    """
    effects = sharing_effects(frame, baseline).set_index(["model", "task"])
    models, tasks = list(frame["model"].unique()), list(frame["task"].unique())
    figure, axes = new_figure(12, 1.5 + 0.62 * len(models), columns=len(tasks), sharey=True, sharex=True)
    for panel, task in zip(axes[0], tasks, strict=True):
        rows = frame[frame["task"] == task]
        best = float(rows["reachable"].mean())
        panel.axvline(best, color=GREY, linestyle=":")
        panel.annotate("best reachable", (best, 1), (4, 2), xycoords=("data", "axes fraction"),
                       textcoords="offset points", color=GREY, va="bottom")  # fmt: skip
        for y, model in enumerate(models):
            values = rows.loc[rows["model"] == model, "value"].to_numpy()
            mean, colour = paired_interval(values), model_colour(model)
            panel.plot(values, np.full(len(values), y), "o", color=colour, alpha=0.3, markersize=6)
            panel.plot([mean.low, mean.high], [y, y], color=colour, linewidth=3)
            panel.plot(mean.mean, y, "D", color=colour, markersize=9)
            if model != baseline:
                found = effects.loc[(model, task)]
                text = f"{found['difference']:+.2f} {found['verdict']}".replace("-", "−")
                where = {"xycoords": ("axes fraction", "data"), "va": "center", "color": "black"}
                panel.annotate(text, (1.01, y), **where)
        panel.set_xlabel("test error (1: guessing the mean)")
        panel.set_title(in_words(task), loc="left", pad=20)
    axes[0, 0].set_yticks(range(len(models)), models)
    axes[0, 0].set_ylim(len(models) - 0.5, -0.5)
    return figure
