"""Figures of several objectives: what a ranking earns and loses, which ways serve which goal, what a change costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from mtl_helpers.plots.results import LINE_STYLES, MARKERS, draw_row, mean_and_half_width
from mtl_helpers.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    label_lines,
    new_figure,
    styled,
    task_colour,
)

RANKING_COLOURS = {"clicks": BLUE, "finishes": VERMILLION, "product": GREEN, "random": GREY}
WAY_COLOURS = {"1": BLACK, "2": PURPLE, "3": SKY, "4": ORANGE}  # by the number a way's name begins with
HALO = [withStroke(linewidth=4, foreground="white")]  # keeps letters readable where a line runs below them


@styled
def outcome_lines(frame: pd.DataFrame, x: str, x_label: str, outcomes: Sequence[str], share: str) -> Figure:
    """Draws what users do with what several rankings show: a panel an outcome, a line a ranking, 95 % bands.

    Args:
        frame: Rows with ranking, seed, the setting ``x`` and a column for each outcome, as shares.
        x: Column of the setting; its values are read as numbers.
        x_label: The setting's name.
        outcomes: Columns to draw, a panel each.
        share: Of what the outcomes are shares, for the axis.

    Returns:
        The figure.

    Example:
        >>> rows = {"ranking": ["random"] * 2, "seed": [0, 0], "knob": [0, 1], "click": [0.4, 0.4]}
        >>> figure = outcome_lines(pd.DataFrame(rows), "knob", "clickbait", ["click"], "the top tenth")
    """
    figure, axes = new_figure(5.4 * len(outcomes), 4.2, columns=len(outcomes), sharey=True)
    numbered = frame.assign(**{x: frame[x].astype(float)})
    for panel, outcome in zip(axes[0], outcomes, strict=True):
        ends = []
        for i, (ranking, rows) in enumerate(numbered.groupby("ranking", sort=False)):
            mean, half = mean_and_half_width(rows.groupby(x)[outcome])
            colour = RANKING_COLOURS.get(str(ranking), GREY)
            panel.plot(mean.index, mean, color=colour, linestyle=LINE_STYLES[i % 4], linewidth=3)
            panel.fill_between(mean.index, mean - half, mean + half, color=colour, alpha=0.15, linewidth=0)
            ends.append((float(mean.iloc[-1]), str(ranking), colour))
        panel.set(xlabel=x_label, ylim=(0, 1), xticks=sorted(numbered[x].unique()))
        panel.set_title(f"true {outcome}", color=task_colour(outcome), fontweight="bold")
        label_lines(panel, ends)
    axes[0, 0].set_ylabel(f"share of {share}")
    return figure


def way_colour(name: str) -> str:
    """Gives the colour of a way to serve several objectives; its name begins with its number."""
    return WAY_COLOURS.get(str(name)[:1], GREY)


@styled
def ways_by_goal(frame: pd.DataFrame, x_label: str) -> Figure:
    """Draws how well each way serves each goal: a panel a goal, a row a way, a dot a seed, means with 95 % intervals.

    Args:
        frame: Rows with way, goal, seed, value and ``fresh``: whether the way was trained (or fused) for this goal.
            What was made for another goal is drawn as a white diamond.
        x_label: What the values are.

    Returns:
        The figure.

    Example:
        >>> rows = {"way": ["4 multi-task"] * 2, "goal": ["now"] * 2, "seed": [0, 1], "value": [0.8, 0.9]}
        >>> figure = ways_by_goal(pd.DataFrame({**rows, "fresh": True}), "NDCG")
    """
    goals, ways = list(frame["goal"].unique()), list(frame["way"].unique())
    figure, axes = new_figure(5.6 * len(goals), 1.4 + 0.6 * len(ways), columns=len(goals), sharey=True)
    for panel, goal in zip(axes[0], goals, strict=True):
        for (way, fresh), rows in frame[frame["goal"] == goal].groupby(["way", "fresh"], sort=False):
            draw_row(panel, ways.index(way), rows["value"], way_colour(str(way)), filled=bool(fresh), dots=bool(fresh))
        panel.set_title(goal, fontweight="bold")
        panel.set_xlabel(x_label)
        panel.grid(axis="x", color="#E5E5E5")
        panel.set_axisbelow(True)
        panel.locator_params(axis="x", nbins=6, steps=[1, 2, 5, 10])
    axes[0, 0].set_yticks(range(len(ways)), ways)
    axes[0, 0].set_ylim(len(ways) - 0.5, -0.6)
    return figure


@styled
def seconds_to_change(frame: pd.DataFrame) -> Figure:
    """Draws what a changed weight costs: a row a way, seconds on a logarithmic axis.

    Args:
        frame: Rows with way and seconds.

    Returns:
        The figure.

    Example:
        >>> figure = seconds_to_change(pd.DataFrame({"way": ["2 trees", "4 multi-task"], "seconds": [0.2, 0.0001]}))
    """
    figure, axes = new_figure(9, 1.4 + 0.55 * len(frame))
    panel = axes[0, 0]
    low = 10 ** np.floor(np.log10(frame["seconds"].min()) - 0.5)
    for y, row in enumerate(frame.itertuples()):
        colour = way_colour(str(row.way))
        panel.plot([low, row.seconds], [y, y], color=colour, linewidth=6, solid_capstyle="butt")
        panel.annotate(
            duration(float(row.seconds)),
            (row.seconds, y),
            (8, 0),
            textcoords="offset points",
            va="center",
            color=colour,
        )
    panel.set_yticks(range(len(frame)), list(frame["way"]))
    panel.set(xscale="log", xlim=(low, 30 * frame["seconds"].max()), xlabel="seconds until a new weight is in force")
    panel.set_ylim(len(frame) - 0.5, -0.6)
    return figure


def duration(seconds: float) -> str:
    """Writes seconds to two digits, in a unit that needs no power of ten."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{float(f'{seconds / 1e-6:.2g}'):g} µs"


@styled
def fusion_lines(
    sum_weights: Sequence[float], exponents: Sequence[float], points: dict[str, Sequence[float]]
) -> Figure:
    """Draws which items a sum and a product hold to be equally good: lines of one score, and some items as dots.

    Args:
        sum_weights: Weights of ctr and cvr in the sum.
        exponents: Exponents of ctr and cvr in the product.
        points: Name -> its ctr and cvr.

    Returns:
        The figure.

    Example:
        >>> figure = fusion_lines((0.5, 0.5), (1, 1), {"A": (0.9, 0.05)})
    """
    figure, axes = new_figure(11, 4.6, columns=2, sharex=True, sharey=True)
    ctr, cvr = np.meshgrid(np.linspace(0.001, 1, 200), np.linspace(0.001, 1, 200))
    fused = {
        f"sum: {sum_weights[0]:g} ctr + {sum_weights[1]:g} cvr": sum_weights[0] * ctr + sum_weights[1] * cvr,
        f"product: {power('ctr', exponents[0])} · {power('cvr', exponents[1])}": ctr ** exponents[0]
        * cvr ** exponents[1],
    }
    for panel, (title, score) in zip(axes[0], fused.items(), strict=True):
        levels = np.linspace(0, score.max(), 9)[1:-1]
        panel.contourf(ctr, cvr, score, levels=np.r_[0, levels, score.max()], cmap="Blues", alpha=0.55)
        panel.contour(ctr, cvr, score, levels=levels, colors=GREY, linewidths=1)
        for name, (x, y) in points.items():
            panel.plot(x, y, "o", color=VERMILLION, markersize=10)
            side = {"ha": "right", "xytext": (-4, 8)} if x > 0.7 else {"ha": "left", "xytext": (8, 8)}
            panel.annotate(name, (x, y), textcoords="offset points", fontsize=14, fontweight="bold", **side)
        panel.set(title=title, xlabel="ctr, click-through rate")
    axes[0, 0].set_ylabel("cvr, conversion rate")
    return figure


def power(name: str, exponent: float) -> str:
    """Writes a power, without the exponent where it is 1."""
    return name if exponent == 1 else f"{name}$^{{{exponent:g}}}$"


@styled
def fronts(curves: dict[str, pd.DataFrame], dots: pd.DataFrame, x_label: str, y_label: str) -> Figure:
    """Draws what lists bring of two objectives: a curve for a way whose weight can be moved, a dot for one trained.

    Args:
        curves: Way -> rows with x and y, in the order of the weight, and ``name``: what to write at a point, or "".
        dots: Rows with way, x, y and name.
        x_label: The first objective, with its unit.
        y_label: The second objective, with its unit.

    Returns:
        The figure.

    Example:
        >>> curve = pd.DataFrame({"x": [0.4, 0.5], "y": [0.2, 0.1], "name": ["0", "1"]})
        >>> dots = pd.DataFrame({"way": ["2 trees"], "x": [0.4], "y": [0.1], "name": ["A"]})
        >>> figure = fronts({"4 multi-task": curve}, dots, "clicks", "payments")
    """
    figure, axes = new_figure(9.5, 5.6)
    panel = axes[0, 0]
    for number, (way, curve) in enumerate(curves.items()):
        colour = way_colour(way)
        panel.plot(curve["x"], curve["y"], color=colour, linestyle=LINE_STYLES[number % 4], linewidth=3, label=way)
        for row in curve[curve["name"] != ""].itertuples():
            panel.plot(row.x, row.y, "o", color=colour, markersize=8)
            beside = {"textcoords": "offset points", "color": colour, "path_effects": HALO, "zorder": 5}
            panel.annotate(str(row.name), (row.x, row.y), (8, 8), **beside)
    for number, (way, rows) in enumerate(dots.groupby("way", sort=False)):
        colour, marker = way_colour(str(way)), MARKERS[1 + number % 6]
        panel.plot(rows["x"], rows["y"], marker, color=colour, markersize=11, linestyle="", label=str(way))
        for row in rows.itertuples():
            beside = {"textcoords": "offset points", "color": colour, "path_effects": HALO, "zorder": 5}
            panel.annotate(str(row.name), (row.x, row.y), (9 if number % 2 == 0 else -20, -14), **beside)
    panel.set(xlabel=x_label, ylabel=y_label)
    panel.margins(0.08)
    panel.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
