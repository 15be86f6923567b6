"""The gate explorer where nothing can move: its network as a matplotlib figure, and in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from mtl_helpers.gates import GateLevel, GateRecord
from mtl_helpers.plots.style import BLACK, GREY, new_figure, styled, task_colour

FAINT = 0.01
Place = tuple[float, float]  # lower and upper end


def weights_at(record: GateRecord, epoch: int, group: int | None, seed: int = 0) -> list[np.ndarray]:
    """Gives ``[gates, experts]`` of each level; ``group=None`` averages over the segments."""
    return [
        level.weights[seed, epoch].mean(axis=1) if group is None else level.weights[seed, epoch, :, group]
        for level in record.levels
    ]


def words_for_gates(records: Mapping[str, GateRecord], epoch: int, group: int | None) -> str:
    """Says which expert every task's gate of the last level listens to most."""
    first = next(iter(records.values()))
    rows = "all segments" if group is None else first.groups[group]
    said = []
    for name, record in records.items():
        level, weights = record.levels[-1], weights_at(record, epoch, group)[-1]
        heard = [f"{gate} to {level.experts[row.argmax()]} ({row.max():.2f})" for gate, row in zip(level.gates, weights)]
        said.append(f"In {name}, the gate of {', of '.join(heard)}.")
    where = f"Gate weights after epoch {first.epochs[epoch]}, rows: {rows}, seed {first.seeds[0]}."
    return f"{where} What each gate listens to most: {' '.join(said)}"


@styled
def draw_gates(records: Mapping[str, GateRecord], epoch: int, group: int | None) -> Figure:
    """Draws each model's network; the width of a band is the weight that a gate gives an expert.

    Args:
        records: Name -> gates.
        epoch: Position of the epoch.
        group: Position of the segment; None is the mean of all.

    Returns:
        The figure, a panel a model.
    """
    first = next(iter(records.values()))
    figure, axes = new_figure(5.4 * len(records), 4.2, columns=len(records))
    for panel, (name, record) in zip(axes[0], records.items(), strict=True):
        panel.set_axis_off()
        panel.set(xlim=(-0.02, len(record.levels) + 0.25), ylim=(0, 1))
        panel.set_title(name, loc="left", fontweight="bold")
        for number, (level, weights) in enumerate(zip(record.levels, weights_at(record, epoch, group), strict=True)):
            draw_level(panel, number, level, weights, record)
    rows = "all segments (mean)" if group is None else first.groups[group]
    figure.suptitle(f"{rows} · epoch {first.epochs[epoch]} · seed {first.seeds[0]}", x=0.01, ha="left", color=GREY)
    return figure


def spread(count: int, share: float) -> list[Place]:
    """Divides the height among ``count`` boxes, the first on top; each takes ``share`` of its part."""
    middles = 1 - (np.arange(count) + 0.5) / count
    half = min(share / count, 0.3) / 2
    return [(float(middle - half), float(middle + half)) for middle in middles]


def draw_level(panel: Axes, number: int, level: GateLevel, weights: np.ndarray, record: GateRecord) -> None:
    """Draws the experts and gates of one level, the bands between them and, after the last, the towers."""
    left, right = number + 0.09, number + (0.78 if len(record.levels) > 1 else 0.86)
    order = drawing_order(level)
    experts = dict(zip(order, spread(len(order), 0.8), strict=True))
    gates = spread(len(level.gates), 0.6)
    into = [top for _, top in gates]
    taken = dict.fromkeys(order, 0.0)
    for expert in order:
        low, high = experts[expert]
        for gate, (bottom, top) in enumerate(gates):
            weight = float(weights[gate, expert])
            start = (low + high) / 2 + (high - low) * (weights[:, expert].sum() / 2 - taken[expert]) / len(gates)
            taken[expert] += weight
            ends = (start - weight * (high - low) / len(gates), start)
            arriving = (into[gate] - weight * (top - bottom), into[gate])
            into[gate] = arriving[0]
            if weight > FAINT:
                colour = task_colour(level.gates[gate])
                panel.add_patch(band(left, ends, right, arriving, facecolor=colour, alpha=0.22 + 0.68 * weight**0.5))
        if len(order) <= 20:
            write_expert(panel, left, (low, high), level.experts[expert])
    for name, (low, high) in zip(level.gates, gates, strict=True):
        panel.plot([right, right], [low, high], color=task_colour(name), linewidth=6, solid_capstyle="butt")
        panel.annotate(name, (right + 0.03, (low + high) / 2), va="center", fontweight="bold")


def drawing_order(level: GateLevel) -> list[int]:
    """Puts private experts beside the gate they serve, in the order of the gates, and shared ones after the first."""
    owner = [next((i for i, gate in enumerate(level.gates) if name.startswith(f"{gate} ")), -1) for name in level.experts]
    tasks = [i for i, gate in enumerate(level.gates) if gate != "shared"]
    middle = (len(tasks) + 1) / 2 - 0.75
    return sorted(range(len(owner)), key=lambda i: middle if owner[i] not in tasks else tasks.index(owner[i]))


def write_expert(panel: Axes, right: float, place: Place, name: str) -> None:
    """Draws an expert's box with its name to the left of it."""
    low, high = place
    box = FancyBboxPatch((right - 0.025, low), 0.02, high - low, boxstyle="round,pad=0.002", facecolor=GREY, linewidth=0)
    panel.add_patch(box)
    panel.annotate(name, (right - 0.04, (low + high) / 2), ha="right", va="center", fontsize=12, color=BLACK)


def band(x1: float, from_: Place, x2: float, to: Place, **look: object) -> PathPatch:
    """Makes a band that bends from one place to another."""
    middle = (x1 + x2) / 2
    points = [(x1, from_[1]), (middle, from_[1]), (middle, to[1]), (x2, to[1])]
    points += [(x2, to[0]), (middle, to[0]), (middle, from_[0]), (x1, from_[0]), (x1, from_[1])]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return PathPatch(Path(points, codes), linewidth=0, **look)
