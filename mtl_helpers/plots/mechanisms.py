"""Figures of experiments with arms: what an arm gains over training alone, and what a control arm gains."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtl_helpers.plots.results import MARKERS, mean_and_half_width
from mtl_helpers.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    colour_of,
    label_lines,
    new_figure,
    styled,
)

ARM_COLOURS = {
    "alone": BLACK,
    "weight decay": ORANGE,
    "shuffled": PURPLE,
    "other": VERMILLION,
    "same noise": VERMILLION,
    "wide": VERMILLION,
    "own noise": BLUE,
    "averaged": GREEN,
    "same inputs": BLUE,
    "hint": BLUE,
    "eavesdropping": SKY,
    "other planes": VERMILLION,
    "8 known": BLUE,
    "4 known": "#2A87C4",
    "2 known": "#3F9DD6",
    "1 known": SKY,
    "helpers": BLUE,
    "from scratch": ORANGE,
    "narrow": BLUE,
    "inputs as they are": BLACK,
}


@styled
def effects(table: pd.DataFrame, label: str, controls: tuple[str, ...] = ()) -> Figure:
    """Draws what each arm gains over training alone, with its interval; a control arm's marker is a square.

    Args:
        table: A row an arm: arm, difference, low, high.
        label: What the difference is, for the axis, with its unit.
        controls: Names of the arms that lack the mechanism.

    Returns:
        The figure. Filled markers: the interval excludes zero.

    Example:
        >>> rows = {"arm": ["hint", "other"], "difference": [20, 0], "low": [10, -1], "high": [30, 1]}
        >>> figure = effects(pd.DataFrame(rows), "points of AUC over training alone", controls=("other",))
    """
    figure, axes = new_figure(10, max(3.2, 1.2 + 0.46 * len(table)))
    panel = axes[0, 0]
    panel.axvline(0, color=GREY, linewidth=1)
    whole = table["difference"].abs().max() >= 10
    for y, row in enumerate(table.itertuples()):
        colour, decided = colour_of(str(row.arm), ARM_COLOURS), row.low > 0 or row.high < 0
        shape, face = "s" if row.arm in controls else "o", colour if decided else "white"
        panel.plot([row.low, row.high], [y, y], color=colour)
        panel.plot([row.difference], [y], shape, color=colour, markerfacecolor=face, markersize=9)
        _above(panel, row.difference, y, f"{round(row.difference):+d}" if whole else f"{row.difference:+.2g}")
    names = [f"{arm} (control)" if arm in controls else str(arm) for arm in table["arm"]]
    panel.set_yticks(range(len(table)), names)
    panel.set_ylim(len(table) - 0.5, -0.7)
    panel.margins(x=0.12)
    panel.set_xlabel(label)
    return figure


@styled
def arms_against(frame: pd.DataFrame, x_label: str, y_label: str) -> Figure:
    """Draws a value against a number that doubles: a line an arm, a band (or bar) for the 95 % interval over seeds.

    Args:
        frame: A row an arm, seed and x: arm, seed, x, value.
        x_label: Name of x, with its unit.
        y_label: Name of the value, with its unit.

    Returns:
        The figure; x is on a logarithmic scale with the values of x as its ticks.

    Example:
        >>> frame = pd.DataFrame({"arm": "own noise", "seed": [0, 1, 0, 1], "x": [1, 1, 2, 2], "value": [3, 4, 1, 2]})
        >>> figure = arms_against(frame, "tasks", "error")
    """
    figure, axes = new_figure(8.5, 4.4)
    panel, ends = axes[0, 0], []
    for number, (arm, rows) in enumerate(frame.groupby("arm", sort=False)):
        colour = colour_of(str(arm), ARM_COLOURS)
        mean, half = mean_and_half_width(rows.groupby("x")["value"])
        panel.plot(mean.index, mean, color=colour, marker=MARKERS[number % len(MARKERS)])
        if len(mean) > 1:
            panel.fill_between(mean.index, mean - half, mean + half, color=colour, alpha=0.12, linewidth=0)
        else:
            panel.errorbar(mean.index, mean, yerr=half, color=colour, capsize=4)
        ends.append((float(mean.iloc[-1]), str(arm), colour))
    ticks = sorted(frame["x"].unique())
    panel.set_xscale("log", base=2)
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.minorticks_off()
    panel.set(xlabel=x_label, ylabel=y_label, ylim=(0, None))
    label_lines(panel, ends)
    return figure


@styled
def input_use(uses: Mapping[str, np.ndarray], relevant: int) -> Figure:
    """Draws how much of a trained model's answer hangs on each input: a panel an arm, a bar an input.

    Args:
        uses: Arm -> share of each input ``[seeds, inputs]``, in percent.
        relevant: The first so many inputs are those that matter; they are drawn in blue.

    Returns:
        The figure; bars are means over the seeds, each panel's title the sum over the relevant inputs.

    Example:
        >>> figure = input_use({"alone": np.full((2, 10), 10.0)}, relevant=3)
    """
    figure, axes = new_figure(4.0 * len(uses), 3.6, columns=len(uses), sharey=True)
    for panel, (arm, shares) in zip(axes[0], uses.items(), strict=True):
        mean = np.asarray(shares).mean(axis=0)
        colours = [BLUE] * relevant + [GREY] * (len(mean) - relevant)
        panel.bar(np.arange(1, len(mean) + 1), mean, color=colours, width=1.0)
        panel.set_title(f"{arm}: {mean[:relevant].sum():.0f} %", color=colour_of(arm, ARM_COLOURS), fontweight="bold")
        panel.set_xlabel(f"input (the first {relevant} matter)")
    axes[0, 0].set_ylabel("share of the use, %")
    return figure


@styled
def train_test_gaps(table: pd.DataFrame, label: str) -> Figure:
    """Draws the training and the test error of each arm, and the gap between them.

    Args:
        table: A row an arm, its index the arm's name: columns train and test.
        label: What the errors are, for the axis.

    Returns:
        The figure: hollow marker training, filled marker test, the gap as a number on the line between.

    Example:
        >>> errors = pd.DataFrame({"train": [0.1], "test": [0.9]}, index=["alone"])
        >>> figure = train_test_gaps(errors, "mean squared error")
    """
    figure, axes = new_figure(9, 1.5 + 0.62 * len(table))
    panel = axes[0, 0]
    for y, (arm, row) in enumerate(table.iterrows()):
        colour = colour_of(str(arm), ARM_COLOURS)
        panel.plot([row["train"], row["test"]], [y, y], color=colour, linewidth=3, alpha=0.4)
        panel.plot([row["train"]], [y], "o", color=colour, markerfacecolor="white", markersize=10)
        panel.plot([row["test"]], [y], "o", color=colour, markersize=10)
        _above(panel, (row["train"] + row["test"]) / 2, y, f"gap {row['test'] - row['train']:.2f}")
    _above(panel, table["train"].iloc[0], 0, "training")
    _above(panel, table["test"].iloc[0], 0, "test")
    panel.set_yticks(range(len(table)), list(table.index))
    panel.set_ylim(len(table) - 0.5, -0.8)
    panel.set(xlabel=label, xlim=(0, None))
    panel.margins(x=0.1)
    return figure


def _above(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), (0, 9), textcoords="offset points", ha="center")
