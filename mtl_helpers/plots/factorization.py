"""Figures of chapter 05: how the pair sum grows, pairs never seen, the focal loss, learning rates, calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from mtl_helpers.metrics import focal_loss, unfocus
from mtl_helpers.plots.results import LINE_STYLES, MARKERS, METRIC_NAMES, mean_and_half_width
from mtl_helpers.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILLION,
    label_lines,
    new_figure,
    styled,
)

ORDER = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, BLACK)  # for what is neither a model nor a task


def growth_exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Fits values = factor * size^exponent by least squares of the logarithms.

    Args:
        sizes: Sizes above 0, at least two different ones.
        values: What was measured at each, above 0.

    Returns:
        The exponent: 1 for what doubles with the size, 2 for what becomes four times as large.

    Raises:
        ValueError: If there are fewer than two sizes, not as many values, or one is not above 0.

    Example:
        >>> round(growth_exponent([1, 2, 4], [3.0, 12.0, 48.0]), 3)
        2.0
    """
    points = np.column_stack([sizes, values]).astype(float) if len(sizes) == len(values) else np.zeros((0, 2))
    if len(set(points[:, 0])) < 2 or not (points > 0).all():
        raise ValueError(f"sizes={list(sizes)}, values={list(values)}: give two or more of both, above 0.")
    logarithms = np.log(points)
    return float(np.polyfit(logarithms[:, 0], logarithms[:, 1], 1)[0])


@styled
def growth(times: pd.DataFrame, unit: str = "seconds a call") -> Figure:
    """Draws measurements against a size, both axes logarithmic, with the fitted power law of each.

    Args:
        times: Index: the size; a column a way of computing, values above 0.
        unit: What the values are, for the axis.

    Returns:
        The figure; the slope of a line is its exponent.

    Example:
        >>> figure = growth(pd.DataFrame({"loop": [1.0, 4.0], "formula": [1.0, 2.0]}, index=[8, 16]))
    """
    figure, axes = new_figure(8.5, 4.2)
    panel, ends = axes[0, 0], []
    sizes = times.index.to_numpy(float)
    for position, (name, values) in enumerate(times.items()):
        colour, marker = ORDER[position % len(ORDER)], MARKERS[position]
        exponent = growth_exponent(sizes, values.to_numpy())
        level = np.exp(np.mean(np.log(values) - exponent * np.log(sizes)))
        panel.plot(sizes, values, marker, color=colour, markersize=8)
        panel.plot(sizes, level * sizes**exponent, color=colour, alpha=0.6)
        ends.append((float(values.iloc[-1]), f"{name}\n∝ n$^{{{exponent:.1f}}}$", colour))
    panel.set_xscale("log", base=2)
    panel.set_yscale("log")
    panel.set_xticks(sizes, [f"{size:g}" for size in sizes])
    for y, text, colour in ends:
        panel.annotate(
            text, (1.02, y), xycoords=("axes fraction", "data"), va="center", color=colour, fontweight="bold"
        )
    panel.set(xlabel="features n", ylabel=unit)
    return figure


@styled
def pair_maps(
    maps: Mapping[str, np.ndarray], held_out: np.ndarray, rows: str = "reader", columns: str = "topic"
) -> Figure:
    """Draws the probability of every pair as each model sees it; where a pair was never seen, a dot marks the cell.

    Args:
        maps: Name -> probabilities ``[rows, columns]``, a panel each.
        held_out: True where the pair has no training row, ``[rows, columns]``.
        rows: What a row of the map is.
        columns: What a column is.

    Returns:
        The figure.

    Example:
        >>> figure = pair_maps({"truth": np.full((2, 2), 0.5)}, np.eye(2, dtype=bool))
    """
    figure, axes = new_figure(2.55 * len(maps) + 0.9, 3.3, columns=len(maps), sharey=True)
    for panel, (name, values) in zip(axes[0], maps.items(), strict=True):
        image = panel.imshow(values, cmap="cividis", vmin=0, vmax=1, interpolation="nearest")
        y, x = np.nonzero(held_out)
        panel.plot(x, y, ".", color="white", markersize=3.5, markeredgecolor="black", markeredgewidth=0.4)
        panel.set(xlabel=columns, xticks=[], yticks=[])
        panel.set_title(name, fontsize=13)
    axes[0, 0].set_ylabel(rows)
    figure.colorbar(image, ax=list(axes[0]), shrink=0.75, label="probability of a click")
    return figure


@styled
def focal_loss_curves(gammas: Sequence[float] = (0, 1, 2, 5), at: tuple[float, float] | None = None) -> Figure:
    """Draws the focal loss of one row against the probability that the model gives to the right answer.

    Args:
        gammas: The exponents, a line each; 0 is cross-entropy.
        at: A pair (gamma, probability) to mark; None for none.

    Returns:
        The figure.

    Example:
        >>> figure = focal_loss_curves((0, 2), at=(2, 0.9))
    """
    chance = np.linspace(0.02, 1, 200)
    figure, axes = new_figure(8.5, 4.0)
    panel = axes[0, 0]
    for position, gamma in enumerate(gammas):
        colour, line = ORDER[position % len(ORDER)], LINE_STYLES[position % len(LINE_STYLES)]
        panel.plot(chance, focal_loss(chance, True, gamma), color=colour, linestyle=line, linewidth=2.5)
        spot = 0.46 - 0.3 * position / max(1, len(gammas) - 1)
        on_line(panel, gamma, (spot, float(focal_loss(spot, True, gamma))), colour)
    if at:
        gamma, p = at
        value = float(focal_loss(p, True, gamma))
        panel.plot(p, value, "o", color=BLACK, markersize=9)
        panel.annotate(f"p = {p:g}: {value:.3f}", (p, value), (0, 10), textcoords="offset points", ha="center")
    panel.set(xlabel="probability given to what happened, $p_t$", ylabel="loss of the row", xlim=(0, 1), ylim=(0, 3))
    return figure


def on_line(axes: Axes, gamma: float, place: tuple[float, float], colour: str) -> None:
    """Writes a curve's gamma on the curve; that of cross-entropy, which is longer, beside it."""
    name = "γ = 0, cross-entropy" if gamma == 0 else f"γ = {gamma:g}"
    side: dict[str, Any] = {"ha": "center", "va": "center", "xytext": (0, 0)}
    if gamma == 0:
        side = {"ha": "left", "va": "center", "xytext": (10, 4)}
    text = axes.annotate(name, place, textcoords="offset points", color=colour, fontweight="bold", zorder=5, **side)
    text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.5})


@styled
def focal_answers(gammas: Sequence[float] = (0, 1, 2, 5)) -> Figure:
    """Draws which prediction makes the expected focal loss smallest, against the true probability.

    Args:
        gammas: The exponents, a line each; 0 is cross-entropy.

    Returns:
        The figure; on the diagonal a prediction can be taken at its word.

    Example:
        >>> figure = focal_answers((0, 2))
    """
    figure, axes = new_figure(6.4, 4.8)
    panel, where = axes[0, 0], np.linspace(0.01, 0.99, 300)
    for position, gamma in enumerate(gammas):
        colour, line = ORDER[position % len(ORDER)], LINE_STYLES[position % len(LINE_STYLES)]
        true = unfocus(where, gamma)
        panel.plot(true, where, color=colour, linestyle=line, linewidth=2.5)
        spot = 0.3 if gamma == 0 else 0.1
        on_line(panel, gamma, (spot, float(np.interp(spot, true, where))), colour)
    ticks = np.linspace(0, 1, 6)
    panel.set(xlabel="true probability", ylabel="prediction of least expected loss", xlim=(0, 1), ylim=(0, 1))
    panel.set(xticks=ticks, yticks=ticks, aspect="equal")
    return figure


@styled
def schedule_shapes(schedules: Mapping[str, Callable[[int], Any] | None], steps: int) -> Figure:
    """Draws the factor of the learning rate over the training, a line a schedule.

    Args:
        schedules: Name -> function of the step; None for always 1.
        steps: Steps of the whole training.

    Returns:
        The figure.

    Example:
        >>> figure = schedule_shapes({"constant": None, "linear": lambda step: 1 - step / 100}, steps=100)
    """
    where = np.unique(np.linspace(0, steps - 1, 150).astype(int))
    figure, axes = new_figure(9, 2.4, columns=len(schedules), sharey=True)
    for position, (panel, (name, schedule)) in enumerate(zip(axes[0], schedules.items(), strict=True)):
        factors = [1.0 if schedule is None else float(schedule(int(step))) for step in where]
        panel.plot(where, factors, color=ORDER[position % len(ORDER)], linewidth=3)
        panel.set(title=name, xlabel="step", xticks=[0, steps], ylim=(0, 1.08))
    axes[0, 0].set_ylabel("factor")
    return figure


@styled
def rate_sweep(tuning: pd.DataFrame, metric: str = "auc") -> Figure:
    """Draws how far each schedule stays below the best at every learning rate; a band for the 95 % interval over seeds.

    Seeds have data of their own, some easier than others. So each score is taken relative to the best mean of its seed:
    what is left is the schedules' doing.

    Args:
        tuning: Rows with model (the schedule's name), learning_rate, seed and value, as ``TunedStudy.tuning``.
        metric: What the values are, for the axis; higher is better.

    Returns:
        The figure; a ring marks the best learning rate of each line.

    Example:
        >>> cells = {"learning_rate": [1e-3, 1e-2] * 2, "seed": [0, 0, 1, 1], "value": [0.8, 0.7, 0.8, 0.75]}
        >>> figure = rate_sweep(pd.DataFrame({"model": "constant", **cells}))  # found.tuning of a tuned_study
    """
    figure, axes = new_figure(9, 4.4)
    panel, ends = axes[0, 0], []
    scores = tuning.groupby(["model", "learning_rate", "seed"], sort=False)["value"].mean()
    lost = 100 * (scores - scores.groupby(level="seed").transform("max"))
    for position, (name, rows) in enumerate(lost.groupby(level="model", sort=False)):
        colour = ORDER[position % len(ORDER)]
        mean, half = mean_and_half_width(rows.groupby(level="learning_rate"))
        panel.plot(mean.index, mean, color=colour, marker=MARKERS[position], linestyle=LINE_STYLES[position % 4])
        panel.fill_between(mean.index, mean - half, mean + half, color=colour, alpha=0.12, linewidth=0)
        panel.plot(mean.idxmax(), mean.max(), "o", markersize=16, markerfacecolor="none", markeredgecolor=colour)
        ends.append((float(mean.iloc[-1]), str(name), colour))
    panel.set_xscale("log")
    rates = sorted(tuning["learning_rate"].unique())
    panel.set_xticks(rates, [f"{rate:g}" for rate in rates])
    panel.minorticks_off()
    name = METRIC_NAMES.get(metric, metric)
    panel.set(xlabel="learning rate at its highest", ylabel=f"validation {name},\npoints below the seed's best")
    label_lines(panel, ends)
    return figure


@styled
def calibration_lines(curves: Mapping[str, Mapping[str, pd.DataFrame]]) -> Figure:
    """Draws what happened against what was predicted: a panel a task, a line a model, both axes as square roots.

    Args:
        curves: Task -> model -> rows with predicted and observed, as ``metrics.calibration_curve`` gives.

    Returns:
        The figure; the square roots give rare events room. Below the grey line too much was promised.

    Example:
        >>> line = pd.DataFrame({"predicted": [0.1, 0.5], "observed": [0.1, 0.4]})
        >>> figure = calibration_lines({"click": {"DeepFM": line}})
    """
    figure, axes = new_figure(5.4 * len(curves), 4.6, columns=len(curves), sharey=True)
    for panel, (task, lines) in zip(axes[0], curves.items(), strict=True):
        panel.plot([0, 1], [0, 1], color=GREY, linewidth=1)
        for position, (name, line) in enumerate(lines.items()):
            panel.plot(
                line["predicted"],
                line["observed"],
                color=ORDER[position % len(ORDER)],
                marker=MARKERS[position],
                linestyle=LINE_STYLES[position % 4],
                label=name,
            )
        panel.set_xscale("function", functions=(np.sqrt, np.square))
        panel.set_yscale("function", functions=(np.sqrt, np.square))
        ticks = [0, 0.05, 0.2, 0.5, 1]
        panel.set(title=task, xlabel="predicted probability", xlim=(0, 1), ylim=(0, 1), xticks=ticks, yticks=ticks)
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        panel.set_aspect("equal")
    axes[0, 0].set_ylabel("share that happened")
    axes[0, 0].legend(loc="upper left", frameon=False)
    return figure
