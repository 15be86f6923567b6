"""Figures of gates: which expert each task listens to, when that was settled, and what it is worth.

Expert 3 of one seed has nothing to do with expert 3 of another: experts are born alike and part by chance. So pictures
of single experts show one seed; what is averaged over seeds (entropy, frequency) does not depend on their numbering.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtl_helpers.metrics import gate_entropy
from mtl_helpers.plots.style import BLUE, GREY, SKY, in_words, label_lines, new_figure, signed, styled, task_colour

if TYPE_CHECKING:
    from mtl_helpers.gates import GateRecord

EXPERT_COLOURS = sns.color_palette("cividis", as_cmap=True)
LINE_STYLES = ("-", "--", "-.", ":")


@styled
def gate_heat_map(record: GateRecord, epoch: int = -1, seed: int = 0, level: int = 0) -> Figure:
    """Draws the gates as tables, one a group of rows: a row a gate, a column an expert, darker for more weight.

    Args:
        record: The gates of a study's model.
        epoch: Position of the epoch in the record; -1 is the last.
        seed: Position of the seed in the record.
        level: Position of the level.

    Returns:
        The figure, with the weights written in it; each row sums to 1. A cell without a number: no connection.

    Example:
        >>> figure = gate_heat_map(record, epoch=-1)  # record = found.gates["MMoE"] of a study
    """
    gates = record.levels[level]
    weights = gates.weights[seed, epoch]  # gates, groups, experts
    columns = min(len(record.groups), 4 if len(gates.experts) <= 4 else 2)
    rows, names = -(-len(record.groups) // columns), short_names(gates.experts)
    cell = 0.55 if max(map(len, names)) <= 2 else 0.6
    width = max(3.0, cell * len(names)) * columns + 1.6
    figure, axes = new_figure(width, rows * (0.6 + 0.45 * len(gates.gates)) + 0.8, rows, columns)
    for panel in axes.flat[len(record.groups) :]:
        panel.set_axis_off()
    for i, (panel, group) in enumerate(zip(axes.flat, record.groups, strict=False)):
        written = [[f"{weight:.2f}".removeprefix("0") if weight else "" for weight in row] for row in weights[:, i]]
        draw_table(panel, weights[:, i], written, vmin=0, vmax=1, cmap="Blues")
        panel.set_yticks(np.arange(len(gates.gates)) + 0.5, map(in_words, gates.gates) if i % columns == 0 else [])
        lowest = i + columns >= len(record.groups)
        panel.set_title(group)
        panel.set(xticklabels=names if lowest else [], xlabel="expert" if lowest else "")
    return figure


def draw_table(axes: Axes, values: np.ndarray, written: list[list[str]], vmin: float, vmax: float, cmap: str) -> None:
    """Draws numbers ``[rows, columns]`` as a coloured table with words written in it.

    As ``seaborn.heatmap`` does, which takes 300 MB for a page of these.
    """
    cells = axes.pcolormesh(values, vmin=vmin, vmax=vmax, cmap=cmap, edgecolors="white", linewidth=1)
    for row, column in np.ndindex(*values.shape):
        red, green, blue, _ = cells.to_rgba(values[row, column])
        dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.55
        colour = "white" if dark else "black"
        axes.text(column + 0.5, row + 0.5, written[row][column], ha="center", va="center", fontsize=14, color=colour)
    axes.set_xticks(np.arange(values.shape[1]) + 0.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.invert_yaxis()


def short_names(experts: tuple[str, ...]) -> list[str]:
    """Drops the word that all names share, "expert 3" -> "3", or puts the number on a line of its own."""
    return [name.removeprefix("expert ").replace(" ", "\n") for name in experts]


@styled
def gate_weights_over_epochs(record: GateRecord, group: int = 0, seed: int = 0, level: int = 0) -> Figure:
    """Draws how each gate divides its weight among the experts over training: a panel a gate, a band an expert.

    Args:
        record: The gates of a study's model.
        group: Position of the group of rows.
        seed: Position of the seed.
        level: Position of the level.

    Returns:
        The figure; at each epoch a panel's bands add up to 1.

    Example:
        >>> figure = gate_weights_over_epochs(record, group=1)  # record = found.gates["MMoE"] of a study
    """
    gates = record.levels[level]
    colours = EXPERT_COLOURS(np.linspace(0, 1, len(gates.experts)))
    figure, axes = new_figure(5.0 * len(gates.gates), 3.6, columns=len(gates.gates), sharey=True)
    for i, (panel, gate) in enumerate(zip(axes[0], gates.gates, strict=True)):
        weights = gates.weights[seed, :, i, group]  # epochs, experts
        panel.stackplot(record.epochs, weights.T, colors=colours, edgecolor="white", linewidth=0.8)
        panel.set_title(f"gate of {in_words(gate)}", color=task_colour(gate))
        panel.set(xlabel="epoch", xlim=(record.epochs[0], record.epochs[-1]), ylim=(0, 1))
        panel.xaxis.get_major_locator().set_params(integer=True)
        middles = np.cumsum(weights[-1]) - weights[-1] / 2
        for name, middle, share in zip(gates.experts, middles, weights[-1], strict=True):
            if share > 0.05:
                panel.annotate(name, (1.01, middle), xycoords="axes fraction", va="center", fontsize=12)
    axes[0, 0].set_ylabel("share of the gate's weight")
    return figure


@styled
def gate_entropy_over_epochs(records: dict[str, GateRecord], level: int = 0) -> Figure:
    """Draws how evenly gates spread their weight over training: a line a record, a thin line a seed.

    Args:
        records: Name -> gates.
        level: Position of the level.

    Returns:
        The figure. Entropy is that of a gate's mean weights over a group of rows, averaged over gates and groups, and
        divided by that of equal weights: 1 uses all experts alike, 0 a single one. Lines are shades of MMoE's blue, as
        what is compared are variants of one model.

    Example:
        >>> figure = gate_entropy_over_epochs({"MMoE": record})  # found.gates of a study
    """
    figure, axes = new_figure(9.6, 4.4)
    ends = []
    for i, (name, record) in enumerate(records.items()):
        colour = (BLUE, "#00263D", "#6B8CA3", SKY)[i % 4]
        entropy = gate_entropy(record.levels[level].weights, normalised=True).mean(axis=(2, 3))  # seeds, epochs
        axes[0, 0].plot(record.epochs, entropy.T, color=colour, alpha=0.35, linewidth=0.9)
        axes[0, 0].plot(record.epochs, entropy.mean(axis=0), color=colour, linestyle=LINE_STYLES[i % 4], label=name)
        ends.append((float(entropy[:, -1].mean()), name, colour))
    axes[0, 0].set(xlabel="epoch", ylabel="normalised entropy of the gates", ylim=(0, 1.03))
    axes[0, 0].xaxis.get_major_locator().set_params(integer=True)
    label_lines(axes[0, 0], ends)
    return figure


@styled
def expert_load_over_epochs(record: GateRecord, seed: int = 0, level: int = 0) -> Figure:
    """Draws each expert's load over training: its mean weight over all gates and groups.

    Args:
        record: The gates of a study's model.
        seed: Position of the seed.
        level: Position of the level.

    Returns:
        The figure, with a line at the load of equal shares.

    Example:
        >>> figure = expert_load_over_epochs(record)  # record = found.gates["MMoE"] of a study
    """
    gates = record.levels[level]
    load = gates.weights[seed].mean(axis=(1, 2))  # epochs, experts
    colours = EXPERT_COLOURS(np.linspace(0, 0.75, len(gates.experts)))
    figure, axes = new_figure(7.5, 4.0)
    ends = []
    for i, name in enumerate(gates.experts):
        axes[0, 0].plot(record.epochs, load[:, i], color=colours[i], linestyle=LINE_STYLES[i % 4])
        ends.append((float(load[-1, i]), name, colours[i]))
    axes[0, 0].axhline(1 / len(gates.experts), color=GREY, linewidth=1)
    axes[0, 0].set(xlabel="epoch", ylabel="mean gate weight")
    axes[0, 0].xaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].set_ylim(bottom=0)
    label_lines(axes[0, 0], ends)
    return figure


@styled
def collapse_frequency(frame: pd.DataFrame) -> Figure:
    """Draws in how many seeds the gates collapsed: a bar a variant.

    Args:
        frame: Rows with ``variant`` and ``collapsed`` (True or False), one a seed.

    Returns:
        The figure; the counts are written beside the bars.

    Example:
        >>> figure = collapse_frequency(pd.DataFrame({"variant": ["plain", "plain"], "collapsed": [True, False]}))
    """
    counted = frame.groupby("variant", sort=False)["collapsed"].agg(["sum", "count"])
    figure, axes = new_figure(8, 1.2 + 0.5 * len(counted))
    panel = axes[0, 0]
    panel.barh(range(len(counted)), counted["sum"] / counted["count"], color=BLUE, height=0.6)
    for y, (hits, seeds) in enumerate(counted.to_numpy()):
        text = f"{int(hits)} of {int(seeds)}"
        panel.annotate(text, (hits / seeds, y), (8, 0), textcoords="offset points", va="center")
    panel.set_yticks(range(len(counted)), counted.index)
    panel.set(xlabel="share of seeds in which the gates collapsed", xlim=(0, 1.12))
    panel.set_xticks([0, 0.5, 1])
    panel.invert_yaxis()
    return figure


@styled
def ablation_heat_map(record: GateRecord, seed: int = 0, level: int = 0, scale: float = 100) -> Figure:
    """Draws what each task's score loses when one expert is switched off: a row a task, a column an expert.

    Args:
        record: The gates of a study's model, from ``study(..., ablate=True)``.
        seed: Position of the seed.
        level: Position of the level.
        scale: Factor of the changes; 100 for points of AUC.

    Returns:
        The figure, with the changes written in it.

    Raises:
        ValueError: If the record was made without ablation.

    Example:
        >>> figure = ablation_heat_map(record)  # record = study(..., ablate=True).gates["MMoE"]
    """
    if record.ablation is None:
        raise ValueError("record has no ablation; run study(..., ablate=True).")
    changes = scale * np.stack([record.ablation[task][level][seed] for task in record.tasks])  # tasks, experts
    experts = record.levels[level].experts
    limit = max(float(np.abs(changes).max()), 1e-6)
    figure, axes = new_figure(max(5.0, 0.95 * len(experts) + 1.5), 1.4 + 0.55 * len(record.tasks))
    panel = axes[0, 0]
    written = [[signed(float(change), 1) for change in row] for row in changes]
    draw_table(panel, changes, written, vmin=-limit, vmax=limit, cmap="PuOr")
    panel.set_yticks(np.arange(len(record.tasks)) + 0.5, map(in_words, record.tasks))
    panel.set_xticklabels(short_names(experts), rotation=0)
    metrics = sorted({record.metric_names[task] for task in record.tasks})
    unit = "points of AUC" if metrics == ["auc"] and scale == 100 else " / ".join(metrics)
    panel.set(xlabel="expert switched off", title=f"change in {unit}")
    return figure
