"""Figures of the seesaw: what two tasks gain and lose over a baseline when the weights of their losses shift."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from mtl_helpers.metrics.intervals import half_width
from mtl_helpers.plots.results import LINE_STYLES, draw_row
from mtl_helpers.plots.style import GREY, HALO, label_lines, model_colour, new_figure, signed, styled, task_colour

INSIDE = "#EEF5EC"  # where both tasks gain


@styled
def seesaw_paths(scores: pd.DataFrame, baseline: str, least: float = -3.0, most: float = 1.5) -> Figure:
    """Draws two tasks' gains over a baseline as a path over the loss weights: a panel a model, a dot a weight.

    A model without a seesaw is one knot of dots; a model with one is a bent arm. Up and right of the lines both tasks
    gain. What lies outside the frame is drawn on its edge as a triangle with the missing number beside it.

    Args:
        scores: Rows with model, loss_weight (a number as text), seed, task (two of them) and value, as
            ``Study.scores()`` gives; values are AUC, higher is better.
        baseline: The model whose scores, for the same seed and weight, are subtracted.
        least: Lower end of both axes, in points of AUC.
        most: Upper end of both axes.

    Returns:
        The figure; bars are 95 % intervals over the seeds.

    Raises:
        ValueError: If the baseline is missing or there are not exactly two tasks.

    Example:
        >>> each = [["single-task", "MMoE"], ["0.5", "2"], [0, 1], ["click", "like"]]
        >>> cells = pd.MultiIndex.from_product(each, names=["model", "loss_weight", "seed", "task"])
        >>> scores = cells.to_frame(index=False).assign(value=0.8)
        >>> figure = seesaw_paths(scores, "single-task")  # scores = found.scores() of a study
    """
    tasks = list(scores["task"].unique())
    if baseline not in set(scores["model"]) or len(tasks) != 2:
        raise ValueError(f"baseline={baseline!r}, tasks={tasks}: the baseline must be a model, the tasks two.")
    wide = 100 * scores.pivot(index=["loss_weight", "seed"], columns=["model", "task"], values="value")
    models = [name for name in scores["model"].unique() if name != baseline]
    columns = min(3, len(models))
    rows = -(-len(models) // columns)
    figure, axes = new_figure(3.5 * columns, 3.4 * rows, rows, columns, sharex=True, sharey=True)
    for panel in axes.flat[len(models) :]:
        panel.set_axis_off()
    green, spare = Patch(facecolor=INSIDE, edgecolor=GREY, label="both tasks gain"), len(axes.flat) > len(models)
    axes.flat[-1 if spare else 0].legend(handles=[green], loc="center left" if spare else "lower left", frameon=False)
    for panel, model in zip(axes.flat, models, strict=False):
        gains = (wide[model] - wide[baseline]).groupby(level="loss_weight")
        draw_path(panel, gains, tasks, model_colour(model), least, most)
        panel.set_title(model, color=model_colour(model), fontweight="bold")
    for position, panel in enumerate(axes.flat[: len(models)]):
        if position + columns >= len(models):
            panel.set_xlabel(f"{tasks[0]}: points over {baseline}", color=task_colour(tasks[0]))
            panel.tick_params(labelbottom=True)
        if position % columns == 0:
            panel.set_ylabel(f"{tasks[1]}: points over {baseline}", color=task_colour(tasks[1]))
    return figure


def draw_path(
    axes: Axes, gains: pd.core.groupby.DataFrameGroupBy, tasks: list[str], colour: str, least: float, most: float
) -> None:
    """Draws one model's path: its mean gains at every weight, their intervals, and the weights' names."""
    mean, half = gains.mean()[tasks], half_width(gains.std(), gains.count())[tasks].to_numpy()
    order = np.argsort(mean.index.astype(float))
    points, half = mean.to_numpy()[order], half[order]
    names = [f"{float(name):g}" for name in mean.index[order]]
    shown = np.clip(points, least + 0.12, most - 0.12)
    axes.add_patch(Rectangle((0, 0), most, most, color=INSIDE, zorder=0))
    axes.axhline(0, color=GREY, linewidth=1)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.plot(*shown.T, color=colour, alpha=0.55)
    for number, (name, true, place, width) in enumerate(zip(names, points, shown, half, strict=True)):
        outside = not np.allclose(true, place)
        if not outside:
            axes.errorbar(place[0], place[1], yerr=width[1], xerr=width[0], color=colour, alpha=0.25, linewidth=1.5)
        axes.plot(*place, marker=edge_marker(true, place), color=colour, markersize=11 if outside else 8)
        text = f"{name} ({signed(true.min(), 1)})" if outside else name
        if outside or number in (0, len(names) // 2, len(names) - 1):
            offset = (-8, 8) if number == 0 and not outside else (8, 8) if number else (14, -4)
            side = "right" if number == 0 and not outside else "left"
            axes.annotate(text, place, offset, textcoords="offset points", ha=side, zorder=5, path_effects=HALO)
    axes.set(xlim=(least, most), ylim=(least, most), aspect="equal")


def edge_marker(true: np.ndarray, place: np.ndarray) -> str:
    """Chooses a dot for a point inside the frame, and a triangle that points outwards for one moved to its edge."""
    if np.allclose(true, place):
        return "o"
    x, y = true - place
    if abs(x) >= abs(y):
        return "<" if x < 0 else ">"
    return "v" if y < 0 else "^"


@styled
def swing_bars(swings: pd.DataFrame) -> Figure:
    """Draws each model's swing: a row a model, a dot a seed, the mean with its 95 % interval.

    Args:
        swings: ``[seeds, models]``, the swing in points of AUC.

    Returns:
        The figure.

    Example:
        >>> figure = swing_bars(pd.DataFrame({"MMoE": [1.0, 2.0], "CGC": [0.5, 0.7]}))
    """
    figure, axes = new_figure(9, 1.2 + 0.55 * swings.shape[1])
    panel = axes[0, 0]
    for y, (model, values) in enumerate(swings.items()):
        draw_row(panel, y, values, model_colour(str(model)), ".1f")
    panel.set_yticks(range(swings.shape[1]), list(swings.columns))
    panel.set(xlabel="swing over the loss weights, in points of AUC", xlim=(0, None))
    panel.spines["left"].set_position(("outward", 14))  # off the numbers of those that hardly swing
    panel.set_ylim(swings.shape[1] - 0.5, -0.7)
    return figure


@styled
def fusion_sweep(frame: pd.DataFrame, exponent: str, outcomes: list[str], chosen: float | None = None) -> Figure:
    """Draws what users really do with the top of a ranking, as one exponent of the score product moves.

    Args:
        frame: A row an exponent: the column ``exponent`` and one of each outcome, as shares of the shown videos.
        exponent: Column with the exponent, also the axis's name.
        outcomes: Columns to draw, one line each.
        chosen: An exponent to mark; None for none.

    Returns:
        The figure.

    Example:
        >>> sweep = pd.DataFrame({"exponent of finish": [0, 1], "click": [0.9, 0.8], "finish": [0.5, 0.7]})
        >>> figure = fusion_sweep(sweep, "exponent of finish", ["click", "finish"])
    """
    figure, axes = new_figure(8, 4.2)
    panel = axes[0, 0]
    for position, outcome in enumerate(outcomes):
        line = LINE_STYLES[position % 4]
        panel.plot(frame[exponent], frame[outcome], color=task_colour(outcome), linestyle=line, linewidth=3)
    if chosen is not None:
        panel.axvline(chosen, color=GREY, linewidth=1)
    panel.set(xlabel=exponent, ylabel="share of the shown videos")
    label_lines(panel, [(float(frame[name].iloc[-1]), name, task_colour(name)) for name in outcomes])
    return figure
