"""Figures of chapter 04: what a ranking trades, and what learning from clicks does to conversion."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from mtl_helpers.plots.results import LINE_STYLES, draw_row
from mtl_helpers.plots.style import GREEN, GREY, SKY, label_lines, model_colour, new_figure, styled, task_colour

MARKERS = ("o", "s", "D", "^")
TREES = GREEN  # gradient-boosted trees are no network; the networks' colours stay theirs


def way_colour(way: str) -> str:
    """Gives the colour of a way to predict conversion: a network of clicks only is a single-task one."""
    if "weighted" in way:
        return SKY
    return model_colour("single-task" if "clicks only" in way else way)


@styled
def trade_off(frame: pd.DataFrame, x: str = "click", y: str = "pay") -> Figure:
    """Draws what the shown items bring of two outcomes: a path a model, a dot a setting, its label beside it.

    Args:
        frame: Rows with model, label (of the setting) and the two outcomes, as shares of the shown items. Rows of a
            model are joined in their order; a label that would lie on the one before is left out.
        x: Column of the outcome to the right.
        y: Column of the outcome upwards.

    Returns:
        The figure.

    Example:
        >>> rows = {"model": ["two-tower", "two-tower"], "label": ["0", "9"], "click": [0.4, 0.3], "pay": [0.1, 0.12]}
        >>> figure = trade_off(pd.DataFrame(rows))
    """
    figure, axes = new_figure(8.5, 4.8)
    panel = axes[0, 0]
    reach = (frame[[x, y]].max() - frame[[x, y]].min()).to_numpy(float)
    halo = {"textcoords": "offset points", "path_effects": [withStroke(linewidth=3, foreground="white")]}
    for position, (model, rows) in enumerate(frame.groupby("model", sort=False)):
        colour = TREES if "trees" in str(model) else model_colour(str(model))
        points = rows[[x, y]].to_numpy(float)
        panel.plot(*points.T, marker=MARKERS[position % len(MARKERS)], color=colour, markersize=8)
        last = np.full(2, np.inf)
        for label, point in zip(rows["label"], points, strict=True):
            if np.abs((point - last) / reach).max() > 0.07:
                panel.annotate(label, point, (9, 4), color=colour, **halo)
                last = point
        panel.annotate(model, points[0], (0, -20), ha="center", color=colour, fontweight="bold", **halo)
    panel.set_xlabel(f"share of the shown items that are clicked ({x})")
    panel.set_ylabel(f"share that are paid for ({y})")
    panel.margins(x=0.14, y=0.2)
    return figure


@styled
def conversion_by_click(conversion: np.ndarray, clicked: np.ndarray, most: float = 1.0) -> Figure:
    """Draws how likely clicked and unclicked rows are to convert, were they all clicked.

    Args:
        conversion: True conversion rate ``[rows]``.
        clicked: Whether each row was clicked, ``[rows]``.
        most: Right end of the axis; larger rates are counted in the last bin.

    Returns:
        The figure: a curve of shares for each group, and its mean as a vertical line.

    Example:
        >>> figure = conversion_by_click(np.array([0.1, 0.3]), np.array([False, True]))
    """
    figure, axes = new_figure(8.5, 3.8)
    panel = axes[0, 0]
    edges = np.linspace(0, most, 26)
    which = np.asarray(clicked, bool)
    groups = [("unclicked", conversion[~which], GREY, "--"), ("clicked", conversion[which], task_colour("click"), "-")]
    beside = max(rates.mean() for _, rates, _, _ in groups) + 0.01 * most
    for height, (name, rates, colour, line) in zip((0.9, 0.76), groups, strict=True):
        share = np.histogram(np.clip(rates, 0, most), edges)[0] / len(rates)
        panel.stairs(share, edges, color=colour, linewidth=2.5, linestyle=line)
        panel.axvline(rates.mean(), color=colour, linewidth=1.5, linestyle=line)
        place = {"xy": (beside, height), "xycoords": panel.get_xaxis_transform()}
        panel.annotate(f"{name}: mean {rates.mean():.3f}", color=colour, fontweight="bold", **place)
    panel.set(xlabel="true probability of paying once clicked", ylabel="share of the rows", xlim=(0, most))
    return figure


@styled
def bias_bars(errors: pd.DataFrame, xlabel: str) -> Figure:
    """Draws each way's error: a row a way, a dot a seed, the mean with its 95 % interval, a line at no error.

    Args:
        errors: ``[seeds, ways]``, in percentage points.
        xlabel: What the error is, with its unit.

    Returns:
        The figure. Filled markers: the interval excludes zero.

    Example:
        >>> figure = bias_bars(pd.DataFrame({"clicks only": [7.0, 6.0], "ESMM": [6.0, 5.5]}), "points")
    """
    figure, axes = new_figure(9, 1.3 + 0.62 * errors.shape[1])
    panel = axes[0, 0]
    for y, (way, values) in enumerate(errors.items()):
        draw_row(panel, y, values, way_colour(str(way)), "+.1f", filled=None)
    panel.axvline(0, color=GREY, linewidth=1)
    panel.set_yticks(range(errors.shape[1]), list(errors.columns))
    panel.set_xlabel(xlabel)
    panel.set_ylim(errors.shape[1] - 0.5, -0.75)
    return figure


@styled
def calibration_of_conversion(curves: pd.DataFrame) -> Figure:
    """Draws predicted against true conversion, in bins of the prediction: a line a way, the diagonal is right.

    Args:
        curves: Rows with way, predicted and true, in the order of the bins.

    Returns:
        The figure.

    Example:
        >>> curves = pd.DataFrame({"way": ["ESMM", "ESMM"], "predicted": [0.1, 0.3], "true": [0.05, 0.15]})
        >>> figure = calibration_of_conversion(curves)
    """
    figure, axes = new_figure(8.5, 4.4)
    panel = axes[0, 0]
    most = float(curves[["predicted", "true"]].to_numpy().max())
    panel.plot([0, most], [0, most], color=GREY, linewidth=1)
    panel.annotate("right", (most, most), (-6, 0), textcoords="offset points", ha="right", color=GREY)
    ends = []
    for position, (way, rows) in enumerate(curves.groupby("way", sort=False)):
        colour = way_colour(str(way))
        line = LINE_STYLES[position % 4]
        panel.plot(
            rows["predicted"], rows["true"], color=colour, linestyle=line, marker=MARKERS[position % len(MARKERS)]
        )
        ends.append((float(rows["true"].iloc[-1]), str(way), colour))
    panel.set(xlabel="predicted conversion, unclicked rows", ylabel="true conversion", xlim=(0, None), ylim=(0, None))
    label_lines(panel, ends, gap=0.09)
    return figure
