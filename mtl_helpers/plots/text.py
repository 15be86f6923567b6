"""Figures of chapter 09: sentences, tag sequences, and what joint training brings to tags and relations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mtl_helpers.plots.results import LINE_STYLES, MARKERS, draw_row, mean_and_half_width
from mtl_helpers.plots.style import (
    BLACK,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    label_lines,
    new_figure,
    styled,
    task_colour,
)

INK = LinearSegmentedColormap.from_list("ink", ["#FFFFFF", SKY])
CLEAR = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85}  # under text that lies on lines
POINTS = 100  # F1 is shown in points


@styled
def sentence_picture(
    shown: Mapping[str, Any],
    tags: Sequence[str],
    relations: Sequence[str],
    pair: Mapping[str, Any] | None,
    colours: Mapping[str, str],
) -> Figure:
    """Draws a sentence as the inspector shows it: the marginals of its tags, its entities, and a pair's relation.

    Args:
        shown: What ``SentenceInspector.inspect`` gives.
        tags: Names of the tags.
        relations: Names of the relations.
        pair: One of ``shown["pairs"]``; None draws no relation.
        colours: Entity type -> colour.

    Returns:
        The figure: probability of each tag at each word (the best sequence in frames), entities as bars above, words
        not seen in training in brackets; to the right the relations' probabilities.

    Example:
        >>> shown = {"words": ["Ann", "ran"], "unknown": [False, True], "tags": [1, 0], "spans": [(0, 1, "Person")]}
        >>> shown["marginals"] = [[0.1, 0.9], [0.8, 0.2]]  # all of it from SentenceInspector.inspect("Ann ran")
        >>> figure = sentence_picture(shown, ["O", "B-Person"], [], None, {})
    """
    words, count = shown["words"], len(shown["words"])
    width = 4.6 + 0.42 * count
    figure, axes = new_figure(max(9, width), 5.2, columns=2, width_ratios=[max(2, 0.15 * count), 1])
    strip, bars = axes[0]
    strip.imshow(np.array(shown["marginals"]).T, cmap=INK, vmin=0, vmax=1, aspect="auto")
    for at, tag in enumerate(shown["tags"]):
        strip.add_patch(Rectangle((at - 0.45, tag - 0.45), 0.9, 0.9, fill=False, edgecolor=BLACK, linewidth=2))
    strip.set_yticks(range(len(tags)), tags)
    names = [f"[{word}]" if new else word for word, new in zip(words, shown["unknown"], strict=True)]
    strip.set_xticks(range(count), names, rotation=60, ha="right", rotation_mode="anchor")
    level, last = 0, -9.0
    for start, stop, kind in shown["spans"]:
        colour = colours.get(kind, GREY)
        strip.plot([start - 0.4, stop - 0.6], [-0.9, -0.9], color=colour, linewidth=5, clip_on=False)
        middle = (start + stop - 1) / 2
        level = 1 if level == 0 and middle - last < 2.2 else 0  # neighbours would write over each other
        last = middle
        above = {"xytext": (0, 5 + 17 * level), "textcoords": "offset points", "annotation_clip": False}
        strip.annotate(kind, (middle, -0.9), ha="center", va="bottom", color=colour, fontweight="bold", **above)
    strip.spines[:].set_visible(False)
    strip.set_title(" ", pad=34)
    if pair is None:
        bars.set_axis_off()
        return figure
    draw_relations(bars, shown, relations, pair)
    return figure


def draw_relations(axes: Axes, shown: Mapping[str, Any], relations: Sequence[str], pair: Mapping[str, Any]) -> None:
    """Draws the probability of each relation between two entities as bars."""
    first, second = (" ".join(shown["words"][slice(*shown["spans"][pair[side]][:2])]) for side in ("first", "second"))
    axes.barh(range(len(relations)), pair["probabilities"], color=task_colour("relation"))
    axes.set_yticks(range(len(relations)), relations)
    axes.set(xlim=(0, 1), xlabel="probability", title=f"{first}\n→ {second}")
    axes.invert_yaxis()


@styled
def tag_trellis(
    scores: np.ndarray, sums: np.ndarray, best: Sequence[int], words: Sequence[str], tags: Sequence[str]
) -> Figure:
    """Draws the lattice of all tag sequences: a column a word, a dot a tag, a line each step from tag to tag.

    Args:
        scores: What each tag scores at each word, ``[words, tags]``.
        sums: The forward algorithm's sums in log space, ``[words, tags]``: all ways to get to that tag.
        best: The best sequence (Viterbi's), drawn thick.
        words: The words.
        tags: Names of the tags.

    Returns:
        The figure.

    Example:
        >>> figure = tag_trellis(np.zeros((2, 2)), np.zeros((2, 2)), [0, 1], ["a", "b"], ["O", "B"])
    """
    figure, axes = new_figure(3.0 * len(words) + 1, 1.0 + 1.5 * len(tags))
    panel = axes[0, 0]
    for at in range(len(words) - 1):
        for before in range(len(tags)):
            panel.plot(
                [[at] * len(tags), [at + 1] * len(tags)],
                [[before] * len(tags), range(len(tags))],
                color="#C9CDD2",
                linewidth=1,
                zorder=1,
            )
    panel.plot(range(len(words)), best, color=ORANGE, linewidth=7, zorder=2, solid_capstyle="round")
    for at in range(len(words)):
        for tag, name in enumerate(tags):
            chosen = best[at] == tag
            panel.plot(at, tag, "o", markersize=34, color="white", markeredgecolor=ORANGE if chosen else GREY, zorder=3)
            panel.annotate(name, (at, tag), ha="center", va="center", fontweight="bold", zorder=4)
            text = f"score {scores[at, tag]:+.1f}\nsum {sums[at, tag]:.2f}"
            place = {"xytext": (0, 24), "va": "bottom"} if tag == 0 else {"xytext": (0, -24), "va": "top"}
            panel.annotate(text, (at, tag), textcoords="offset points", ha="center", bbox=CLEAR, **place)
    panel.set_xticks(range(len(words)), words, fontsize=15, fontweight="bold")
    panel.xaxis.tick_top()
    panel.tick_params(length=0)
    panel.set_yticks([])
    panel.set(xlim=(-0.4, len(words) - 0.6), ylim=(len(tags) - 0.35, -0.65))
    panel.spines[:].set_visible(False)
    return figure


@styled
def weight_sweep(frame: pd.DataFrame, alone: Mapping[str, float]) -> Figure:
    """Draws both tasks' F1 against the weight of the tags' loss: a panel a task, a dot a seed, the mean as a line.

    Args:
        frame: Rows with weight (a number above 0), seed, task and value (F1 from 0 to 1).
        alone: Task -> mean F1 of the model that learned this task alone, a dashed line.

    Returns:
        The figure; bands are 95 % intervals over the seeds.

    Example:
        >>> rows = {"weight": [0.1, 1.0], "seed": [0, 0], "task": "relation", "value": [0.8, 0.7]}
        >>> figure = weight_sweep(pd.DataFrame(rows), {"relation": 0.75})
    """
    tasks = list(frame["task"].unique())
    figure, axes = new_figure(5.0 * len(tasks), 3.9, columns=len(tasks))
    for panel, task in zip(axes[0], tasks, strict=True):
        rows, colour = frame[frame["task"] == task], task_colour(task)
        mean, half = mean_and_half_width((POINTS * rows["value"]).groupby(rows["weight"]))
        panel.plot(rows["weight"], POINTS * rows["value"], "o", color=colour, alpha=0.3)
        panel.plot(mean.index, mean, color=colour, marker="D")
        panel.fill_between(mean.index, mean - half, mean + half, color=colour, alpha=0.15, linewidth=0)
        panel.axhline(POINTS * alone[task], color=BLACK, linestyle="--", linewidth=1.5)
        panel.annotate(
            f"{task} alone",
            (0.02, POINTS * alone[task]),
            (0, 4),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
        )
        panel.set_xscale("log")
        panel.set_xticks(mean.index, [f"{weight:g}" for weight in mean.index])
        panel.minorticks_off()
        panel.set(xlabel="weight of the tags' loss", ylabel="F1, points")
        panel.set_title(task, color=colour)
    return figure


@styled
def gain_against(frame: pd.DataFrame, x: str, x_label: str, claimed: float | None = None) -> Figure:
    """Draws what joint training adds to a task against a setting, for instance the number of training sentences.

    Args:
        frame: Rows with line (its name), the setting, seed and gain (joint minus alone, in points).
        x: Column of the setting; above 0, drawn on a logarithmic axis.
        x_label: The setting's name, with its unit.
        claimed: A gain someone reports, drawn as a dotted line.

    Returns:
        The figure: a line a name, a dot a seed, bands of the 95 % interval where there are two seeds or more.

    Example:
        >>> rows = {"line": "no positions", "rows": [500, 500, 1000, 1000], "seed": [0, 1] * 2, "gain": [2, 3, 1, 1.5]}
        >>> figure = gain_against(pd.DataFrame(rows), "rows", "training sentences", claimed=2)
    """
    figure, axes = new_figure(10, 4.4)
    panel, ends = axes[0, 0], []
    for position, (name, rows) in enumerate(frame.groupby("line", sort=False)):
        colour = (GREEN, PURPLE, BLACK)[position % 3]  # blue and orange are the two tasks
        mean, half = mean_and_half_width(rows.groupby(x)["gain"])
        panel.plot(rows[x] * (0.985 + 0.03 * position), rows["gain"], "o", color=colour, alpha=0.3, markersize=5)
        panel.plot(mean.index, mean, color=colour, marker=MARKERS[position], linestyle=LINE_STYLES[position])
        panel.fill_between(mean.index, mean - half, mean + half, color=colour, alpha=0.12, linewidth=0)
        ends.append((float(mean.iloc[-1]), str(name), colour))
    panel.axhline(0, color=GREY, linewidth=1)
    if claimed is not None:
        panel.axhline(claimed, color=GREY, linewidth=1.5, linestyle=":")
        ends.append((claimed, "claimed", GREY))
    shown = [*frame["gain"], 0.0, *([] if claimed is None else [claimed])]
    margin = 0.2 * (max(shown) - min(shown)) + 0.5
    panel.set_ylim(min(shown) - margin, max(shown) + margin)  # by the dots: the interval of two seeds may be endless
    panel.set_xscale("log")
    values = sorted(frame[x].unique())
    panel.set_xticks(values, [f"{value:,}" for value in values])
    panel.minorticks_off()
    panel.set(xlabel=x_label, ylabel="joint minus alone,\npoints of F1")
    label_lines(panel, ends, 0.09)
    return figure


@styled
def score_bars(frame: pd.DataFrame, label: str = "metric") -> Figure:
    """Draws scores of a few models side by side: a panel a task, a row a model, a dot a seed, the mean with interval.

    Args:
        frame: Rows with model, seed, value (F1 from 0 to 1) and the label's column.
        label: Column that names the panels.

    Returns:
        The figure.

    Example:
        >>> rows = {"model": ["joint", "joint"], "seed": [0, 1], "metric": "entity F1", "value": [0.7, 0.8]}
        >>> figure = score_bars(pd.DataFrame(rows))
    """
    panels, models = list(frame[label].unique()), list(frame["model"].unique())
    low, high = POINTS * frame["value"].min() - 4, POINTS * frame["value"].max() + 4
    figure, axes = new_figure(5.0 * len(panels), 1.4 + 0.6 * len(models), columns=len(panels), sharey=True)
    for panel, name in zip(axes[0], panels, strict=True):
        rows = frame[frame[label] == name]
        for y, model in enumerate(models):
            values = POINTS * rows[rows["model"] == model]["value"]
            if values.empty:
                continue
            draw_row(panel, y, values, task_colour(str(name)), ".1f")
        panel.set_title(name, color=task_colour(str(name)))
        panel.set(xlabel="F1, points", xlim=(low, high))
    axes[0, 0].set_yticks(range(len(models)), models)
    axes[0, 0].set_ylim(len(models) - 0.5, -0.7)
    return figure
