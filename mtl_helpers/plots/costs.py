"""Figures of chapter 10: what a training costs, what an exchange costs, what a class needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mtl_helpers.plots.style import BLACK, BLUE, GREY, ORANGE, SKY, VERMILLION, new_figure, styled

Line = tuple[float, float]
COLOURS, MARKERS = (BLUE, VERMILLION), ("o", "s")


@styled
def cost_lines(
    points: pd.DataFrame,
    fits: Mapping[str, Line],
    panels: Mapping[str, Sequence[str]],
    y_label: str,
) -> Figure:
    """Draws measured costs against a size, both logarithmic, with lines fixed + slope · size that foretell the largest.

    A line is dashed from the last size it was fitted to on; beside the largest size stands what was measured there as a
    multiple of what the line says. The smallest cost of a size is drawn dark, its repeats light.

    Args:
        points: Rows with axis (for instance ``"vocabulary, Adam"``), value (the size) and cost.
        fits: Axis -> fixed cost and cost of one more, fitted to all sizes but the largest.
        panels: Name of what grows, for the x axis -> axes drawn in that panel, at most two; a second name after a
            comma labels the line.
        y_label: The cost with its unit.

    Returns:
        The figure.

    Example:
        >>> points = pd.DataFrame({"axis": "rows", "value": [10, 100, 1000], "cost": [2.0, 11.0, 120.0]})
        >>> figure = cost_lines(points, {"rows": (1.0, 0.1)}, {"training rows": ["rows"]}, "seconds")
    """
    columns = 2 if len(panels) == 4 else len(panels)
    rows_of_panels = len(panels) // columns
    figure, axes = new_figure(0.7 + 3.9 * columns, 0.3 + 3.2 * rows_of_panels, rows_of_panels, columns)
    for panel, (title, names) in zip(axes.flat, panels.items(), strict=True):
        for name, colour, marker in zip(names, COLOURS, MARKERS, strict=False):
            rows = points[points["axis"] == name]
            draw_cost(panel, rows, fits[name], colour, marker, name.partition(", ")[2])
        panel.margins(0.1, 0.2)
        both_logarithmic(panel)
        panel.set_xlabel(title)
    for panel in axes[:, 0]:
        panel.set_ylabel(y_label)
    return figure


def short_number(value: float, _: int = 0) -> str:
    """Writes a number of any size in a few letters: 0.03, 20, 5k, 1M."""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{letter}"
    return f"{value:g}"


def both_logarithmic(axes: Axes) -> None:
    """Makes both axes logarithmic, with few and short numbers: more of them the less an axis spans."""
    axes.set(xscale="log", yscale="log")
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        subs = (1,) if high / low >= 30 else (1, 2, 5) if high / low >= 6 else range(1, 10)
        axis.set_major_locator(LogLocator(subs=list(subs), numticks=12))
        axis.set_major_formatter(FuncFormatter(short_number))
        axis.set_minor_formatter(NullFormatter())


def draw_cost(axes: Axes, rows: pd.DataFrame, line: Line, colour: str, marker: str, label: str) -> None:
    """Draws one measured curve and its line, with the label at the end."""
    least = rows.groupby("value")["cost"].min()
    *_, known, largest = least.index
    for low, high, style in ((least.index[0], known, "-"), (known, largest, "--")):
        sizes = np.geomspace(low, high, 60)
        axes.plot(sizes, line[0] + line[1] * sizes, style, color=colour)
    axes.plot(rows["value"], rows["cost"], marker, color=colour, markersize=5, alpha=0.2)
    axes.plot(least.index, least, marker, color=colour, markersize=7)
    times = f"×{least.iloc[-1] / (line[0] + line[1] * largest):.1f}"
    text: dict[str, Any] = {"color": colour, "fontweight": "bold", "va": "center", "annotation_clip": False}
    axes.annotate(f"{label}\n{times}".strip(), (largest, least.iloc[-1]), (10, 0), textcoords="offset points", **text)


@styled
def same_losses(one: Sequence[float], several: Sequence[float], processes: int = 2) -> Figure:
    """Draws the losses of one process as a line, and those of several as dots on it.

    Args:
        one: Loss at every step.
        several: The same, of the processes together.
        processes: How many they are.

    Returns:
        The figure.

    Example:
        >>> figure = same_losses([1.4, 1.2], [1.4, 1.2])
    """
    figure, axes = new_figure(7.5, 3.6)
    steps = np.arange(1, len(one) + 1)
    axes[0, 0].plot(steps, one, color=BLACK, label="one process")
    axes[0, 0].plot(steps[::3], several[::3], "o", color=ORANGE, markersize=6, label=f"{processes} processes")
    axes[0, 0].set(xlabel="step", ylabel="loss, both tasks")
    axes[0, 0].legend(frameon=False)
    return figure


@styled
def exchange_lines(
    seconds: Mapping[int, float], gradient_bytes: int, own_seconds: float, wire: Mapping[str, float]
) -> Figure:
    """Draws how long an exchange takes against its size, measured on this computer, and what a wire would add at least.

    Args:
        seconds: Bytes -> measured seconds.
        gradient_bytes: Bytes of the chapter's model, marked.
        own_seconds: Seconds of one process's own part of a step, a line.
        wire: Name of a network -> bytes a second it carries.

    Returns:
        The figure.

    Example:
        >>> figure = exchange_lines({1000: 0.001, 10_000: 0.002}, 4000, 0.001, {"1 Gbit/s": 125e6})
    """
    figure, axes = new_figure(8.5, 4.0)
    panel, sizes = axes[0, 0], np.array(sorted(seconds))
    panel.plot(sizes, [1e3 * seconds[size] for size in sizes], "o-", color=BLUE)
    above = 1e3 * max(seconds[size] for size in sizes[:2])
    begin = (sizes[0], above)  # where no wire is near: at the other end a name may meet theirs
    panel.annotate("measured here", begin, (0, 9), textcoords="offset points", color=BLUE, weight="bold")
    for (name, speed), colour in zip(wire.items(), (SKY, VERMILLION), strict=False):
        times = 1e3 * sizes / speed
        panel.plot(sizes, times, "--", color=colour)
        panel.annotate(
            name, (sizes[-1], times[-1]), (8, 0), textcoords="offset points", va="center", color=colour, weight="bold"
        )
    panel.axhline(1e3 * own_seconds, color=GREY, linewidth=1)
    right = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
    panel.annotate("own part of a step", (1.01, 1e3 * own_seconds), **right)
    panel.axvline(gradient_bytes, color=GREY, linewidth=1, linestyle=":")
    top = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "top"}
    panel.annotate("our model", (gradient_bytes, 1), (5, -4), **top)
    both_logarithmic(panel)
    panel.set(xlabel="bytes exchanged at every step", ylabel="milliseconds")
    return figure


@styled
def memory_bars(table: pd.DataFrame, limits: Sequence[float] = (1.0, 1.2)) -> Figure:
    """Draws each chapter's peak memory as a bar, beside the limits of usual hubs.

    Args:
        table: Rows with chapter, kernel_bytes and all_bytes (with the processes the kernel started).
        limits: Gigabytes, drawn as lines.

    Returns:
        The figure.

    Example:
        >>> figure = memory_bars(pd.DataFrame({"chapter": ["01"], "kernel_bytes": [9e8], "all_bytes": [9e8]}))
    """
    figure, axes = new_figure(8.5, 3.7)
    panel, places = axes[0, 0], np.arange(len(table))
    extra = (table["all_bytes"] - table["kernel_bytes"]).clip(lower=0)
    panel.bar(places, table["kernel_bytes"] / 1e9, color=BLUE, label="the kernel")
    if (extra > 1e8).any():
        panel.bar(places, extra / 1e9, bottom=table["kernel_bytes"] / 1e9, color=ORANGE, label="processes it starts")
        panel.legend(frameon=False, loc="upper left")
    for limit in limits:
        panel.axhline(limit, color=GREY, linewidth=1, linestyle="--")
        where = (1.01, limit)
        panel.annotate(f"{limit:g} GB", where, xycoords=("axes fraction", "data"), va="center", annotation_clip=False)
    panel.set_xticks(places, list(table["chapter"]))
    panel.set(xlabel="chapter", ylabel="peak memory, GB")
    return figure
