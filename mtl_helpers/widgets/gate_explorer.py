"""The gate explorer: a network drawn from its gates, to be walked through by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mtl_helpers.datasets.base import require_known
from mtl_helpers.gates import GateRecord
from mtl_helpers.plots.style import model_colour
from mtl_helpers.widgets.base import CourseWidget, Progress, bundle, pack, styles
from mtl_helpers.widgets.gate_picture import draw_gates, gate_colours, words_for_gates

WEIGHT_STEP = 0.001
MODULES = ("base.js", "gate_data.js", "gate_network.js", "gate_panels.js", "gate_explorer.js")
AblationFunction = Callable[[str, int, int, int], Mapping[str, float]]


class GateExplorer(CourseWidget):
    """Shows what the gates of one or several models did, over training, for every segment and seed.

    Everything but ``ablate`` happens in the browser, so a saved file does the same without a kernel.

    Args:
        records: A ``Study`` (or anything with ``gates``), a ``GateRecord``, a list of them, or a dict that names them.
        models: Names of the models to show, in order; all if None.
        epoch: Position of the epoch to begin with; -1 is the last.
        group: Position of the segment to begin with; None is the mean of all segments.
        ablate: Called with (model, seed, level, expert), the last two as positions, when an expert is switched off and
            the record does not hold what it is worth; gives task -> change of its metric.

    Raises:
        TypeError: If there are no gate records in ``records``.
        ValueError: If there is nothing to show, a record has one task, or the records are not of one study.

    Example:
        >>> found = study({"MMoE": mmoe, "PLE": ple}, data, seeds=8)  # doctest: +SKIP
        >>> GateExplorer(found)  # doctest: +SKIP
    """

    _esm = bundle(*MODULES)
    _css = styles("base.css", "gate_explorer.css")
    title = "Gate explorer"

    def __init__(
        self,
        records: Any,
        models: Sequence[str] | None = None,
        epoch: int = -1,
        group: int | None = 0,
        ablate: AblationFunction | None = None,
    ) -> None:
        self.records = choose(read_records(records), models)
        first = next(iter(self.records.values()))
        self.epoch = position("epoch", epoch, len(first.epochs))
        self.group = None if group is None else position("group", group, len(first.groups))
        self._ablate = ablate
        super().__init__(self._pack(first), {"ablate": self._answer_ablate} if ablate else None)

    def picture(self) -> Figure:
        """Draws the networks at the epoch and segment the explorer begins with."""
        return draw_gates(self.records, self.epoch, self.group)

    def describe(self) -> str:
        """Says which experts each task listens to most in that picture."""
        return words_for_gates(self.records, self.epoch, self.group)

    def _pack(self, first: GateRecord) -> dict[str, Any]:
        with_examples = all(
            record.examples and record.example_names == first.example_names for record in self.records.values()
        )
        colours = gate_colours(self.records.values())
        mean = len(first.groups) > 1
        place = len(first.groups) if self.group is None and mean else self.group or 0
        return {
            "tasks": list(first.tasks),
            "taskColours": [list(colours).index(task) for task in first.tasks],
            "gateColours": {gate: i for i, gate in enumerate(colours)},
            "colours": [*colours.values(), *(model_colour(name) for name in self.records)],
            "groups": [*first.groups, *(["all segments (mean)"] if mean else [])],
            "examples": list(first.example_names) if with_examples else [],
            "epochs": list(first.epochs),
            "seeds": list(first.seeds),
            "models": [
                pack_record(name, record, len(colours) + i, mean, with_examples)
                for i, (name, record) in enumerate(self.records.items())
            ],
            "start": {"epoch": self.epoch, "place": place},
        }

    def _answer_ablate(self, content: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Computes what a switched-off expert is worth."""
        assert self._ablate is not None
        name, seed, level, expert = content["model"], content["seed"], content["level"], content["expert"]
        progress(0.0, f"switching off {self.records[name].levels[level].experts[expert]}")
        return {task: float(change) for task, change in self._ablate(name, seed, level, expert).items()}


def pack_record(name: str, record: GateRecord, colour: int, mean: bool, with_examples: bool) -> dict[str, Any]:
    """Makes one record small: segments, their mean and single rows become the places one can look at."""
    levels = []
    for i, level in enumerate(record.levels):
        weights = [level.weights]  # seeds, epochs, gates, groups, experts
        if mean:
            weights.append(level.weights.mean(axis=3, keepdims=True))
        if with_examples:
            weights.append(record.examples[i])
        places = np.concatenate(weights, axis=3).transpose(0, 3, 2, 4, 1)  # seeds, places, gates, experts, epochs
        change = None
        if record.ablation:
            change = pack(np.stack([record.ablation[task][i] for task in record.tasks]))
        names = {"gates": list(level.gates), "experts": list(level.experts), "owners": list(level.owners)}
        levels.append({**names, "weights": pack(places, WEIGHT_STEP), "ablation": change})
    scores = pack(np.stack([record.scores[task] for task in record.tasks]))  # tasks, seeds, epochs
    metrics = [record.metric_names[task] for task in record.tasks]
    return {"name": name, "colour": colour, "levels": levels, "scores": scores, "metrics": metrics}


def read_records(found: Any) -> dict[str, GateRecord]:
    """Finds gate records in what a caller gave, by name.

    Raises:
        TypeError: If there are none in it.
        ValueError: If it is empty, or two are named alike.
    """
    found = getattr(found, "gates", found)
    if isinstance(found, GateRecord):
        found = [found]
    if isinstance(found, list | tuple):
        if not all(isinstance(each, GateRecord) for each in found):
            raise TypeError(f"records={short_type(found)} is not a list of GateRecords; give study(...).gates.")
        names = [each.model for each in found]
        if len(set(names)) < len(names):
            raise ValueError(f"records: two are named alike in {names}; give a dict that names them.")
        found = dict(zip(names, found, strict=True))
    if not isinstance(found, Mapping) or not all(isinstance(each, GateRecord) for each in found.values()):
        raise TypeError(f"records={short_type(found)} holds no GateRecords; give a Study, or a GateRecord of one.")
    if not found:
        raise ValueError("records is empty; run study(..., gates=True) with a model that has gates, such as mmoe.")
    return {str(name): record for name, record in found.items()}


def short_type(found: Any) -> str:
    """Names the type of a value for a message."""
    inner = {type(each).__name__ for each in found} if isinstance(found, list | tuple) else set()
    return f"<{type(found).__name__}{' of ' + ', '.join(sorted(inner)) if inner else ''}>"


def choose(records: dict[str, GateRecord], models: Sequence[str] | None) -> dict[str, GateRecord]:
    """Takes the wanted models, and checks that they can be shown side by side.

    Raises:
        ValueError: If a model is unknown, has a single task, or the records are not of one study.
    """
    if models is not None:
        records = {name: records[name] for name in require_known("models", models, records)}
    first_name, first = next(iter(records.items()))
    for name, record in records.items():
        if len(record.tasks) < 2:
            raise ValueError(f"records[{name!r}] has the single task {record.tasks[0]!r}; give it two or more.")
        for what in ("tasks", "groups", "epochs", "seeds"):
            if getattr(record, what) != getattr(first, what):
                raise ValueError(
                    f"records[{name!r}].{what}={getattr(record, what)} but {first_name!r} has {getattr(first, what)}; "
                    "show records of one study."
                )
    return records


def position(argument: str, value: int, count: int) -> int:
    """Checks a position and counts it from 0.

    Raises:
        ValueError: If there is no such position.
    """
    if not -count <= value < count:
        raise ValueError(f"{argument}={value} is not one of the {count} recorded; give 0 to {count - 1}, or -1.")
    return value % count
