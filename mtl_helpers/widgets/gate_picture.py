"""The gate explorer where nothing can move: its network as a matplotlib figure, and in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from mtl_helpers.gates import GateLevel, GateRecord
from mtl_helpers.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    in_words,
    new_figure,
    styled,
    task_colour,
)

FAINT = 0.01
SPACING = 1.45  # of the levels, in widths of one
OTHER_COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK, YELLOW)
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
        best = zip(level.gates, weights.argmax(axis=1), weights.max(axis=1), strict=True)
        heard = [f"{gate} to {level.experts[expert]} ({weight:.2f})" for gate, expert, weight in best]
        said.append(f"In {name}, the gate of {', of '.join(heard)}.")
    where = f"Gate weights after epoch {first.epochs[epoch]}, rows: {rows}, seed {first.seeds[0]}."
    return f"{where} What each gate listens to most: {' '.join(said)}"


def gate_colours(records: Iterable[GateRecord]) -> dict[str, str]:
    """Gives every gate a colour: the course's for its tasks, others in turn."""
    records = list(records)
    gates = dict.fromkeys(gate for record in records for level in record.levels for gate in level.gates)
    names = dict.fromkeys([*(task for record in records for task in record.tasks), *gates])
    colours = {name: GREY if name == "shared" else task_colour(name) for name in names}
    taken = {colour for name, colour in colours.items() if colour != GREY}
    spare = itertools.cycle([colour for colour in OTHER_COLOURS if colour not in taken] or [GREY])
    unknown = {name for name, colour in colours.items() if colour == GREY and name != "shared"}
    return {name: next(spare) if name in unknown else colour for name, colour in colours.items()}


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
    colours = gate_colours(records.values())
    longest = max(len(task) for task in first.tasks)
    widths = [1.0 + SPACING * (len(record.levels) - 1) + 0.04 * longest for record in records.values()]
    figure, axes = new_figure(0.6 + 3.2 * sum(widths), 4.4, columns=len(records), width_ratios=widths)
    for panel, width, (name, record) in zip(axes[0], widths, records.items(), strict=True):
        panel.set_axis_off()
        panel.set(xlim=(-0.25, width - 0.1), ylim=(0, 1.08))
        for number, (level, weights) in enumerate(zip(record.levels, weights_at(record, epoch, group), strict=True)):
            last = number == len(record.levels) - 1
            title = name if len(record.levels) == 1 else f"{name}, level {number + 1}"
            panel.annotate(title, (number * SPACING - 0.23, 1.02), fontsize=14, fontweight="bold")
            draw_level(panel, number * SPACING, level, weights, colours, beside=last)
    rows = "all segments (mean)" if group is None else first.groups[group]
    words = f"{rows} · epoch {first.epochs[epoch]} · seed {first.seeds[0]}"
    figure.suptitle(words, x=0.01, ha="left", color=GREY, fontsize=13)
    return figure


def spread(order: list[int], share: float) -> dict[int, Place]:
    """Divides the height among boxes, the first on top; each takes ``share`` of its part."""
    middles = 1 - (np.arange(len(order)) + 0.5) / len(order)
    half = min(share / len(order), 0.3) / 2
    return {each: (float(middle - half), float(middle + half)) for each, middle in zip(order, middles, strict=True)}


def draw_level(
    panel: Axes, left: float, level: GateLevel, weights: np.ndarray, colours: dict[str, str], beside: bool
) -> None:
    """Draws the experts and gates of one level, their names beside or above, and the bands between them."""
    right = left + 0.8
    count = len(level.gates)
    experts, gates = spread(expert_order(level), 0.8), spread(gate_order(level), 0.56)
    into = {gate: top for gate, (_, top) in gates.items()}
    for expert, (low, high) in experts.items():
        scale = (high - low) / count
        leaving = (low + high) / 2 + scale * float(weights[:, expert].sum()) / 2
        for gate, (bottom, top) in gates.items():
            weight = float(weights[gate, expert])
            start = (leaving - weight * scale, leaving)
            end = (into[gate] - weight * (top - bottom), into[gate])
            leaving, into[gate] = start[0], end[0]
            if weight > FAINT:
                look = {"facecolor": colours[level.gates[gate]], "alpha": 0.22 + 0.68 * weight**0.5}
                panel.add_patch(band(left, start, right, end, **look))
        write_expert(panel, left, (low, high), in_words(level.experts[expert]) if len(experts) <= 20 else "")
    for gate, (low, high) in gates.items():
        name = in_words(level.gates[gate])
        panel.plot([right, right], [low, high], color=colours[level.gates[gate]], linewidth=6, solid_capstyle="butt")
        if beside:
            panel.annotate(name, (right + 0.05, (low + high) / 2), va="center", fontweight="bold")
        else:
            panel.annotate(name, (right + 0.01, high + 0.02), ha="right", fontweight="bold")


def gate_order(level: GateLevel) -> list[int]:
    """Puts the shared gate, if there is one, in the middle of the tasks' gates."""
    tasks = [i for i, gate in enumerate(level.gates) if gate != "shared"]
    half = -(-len(tasks) // 2)
    return [*tasks[:half], *(i for i in range(len(level.gates)) if i not in tasks), *tasks[half:]]


def expert_order(level: GateLevel) -> list[int]:
    """Puts private experts beside the gate they serve, and shared ones in the middle."""
    tasks = [gate for gate in gate_order(level) if level.gates[gate] != "shared"]
    middle = len(tasks) / 2 - 0.5
    where = [tasks.index(owner) if owner >= 0 else middle for owner in level.owners]
    return sorted(range(len(where)), key=lambda i: where[i])


def write_expert(panel: Axes, right: float, place: Place, name: str) -> None:
    """Draws an expert's box with its name to the left of it."""
    low, high = place
    panel.add_patch(Rectangle((right - 0.025, low), 0.02, high - low, facecolor=GREY, linewidth=0))
    panel.annotate(name, (right - 0.04, (low + high) / 2), ha="right", va="center", fontsize=12, color=BLACK)


def band(x1: float, start: Place, x2: float, end: Place, **look: object) -> PathPatch:
    """Makes a band that bends from one place to another."""
    middle = (x1 + x2) / 2
    points = [(x1, start[1]), (middle, start[1]), (middle, end[1]), (x2, end[1])]
    points += [(x2, end[0]), (middle, end[0]), (middle, start[0]), (x1, start[0]), (x1, start[1])]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return PathPatch(Path(points, codes), linewidth=0, **look)
