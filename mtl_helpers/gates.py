"""Gate weights made visible: a model's gates as outputs, and the record of what they did in training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

SUM_TOLERANCE = 2e-3


def gate_model(model: keras.Model) -> keras.Model:
    """Makes the gates of a model its outputs. The two share all weights.

    Args:
        model: A model with a ``MixtureOfExperts`` or ``CustomizedGateControl`` layer.

    Returns:
        A model from the same inputs to a dict, in order of levels and gates: ``"level_1/click"`` ->
        weights ``[batch, experts]``, each row summing to 1.

    Raises:
        ValueError: If the model has no gates.

    Example:
        >>> data = shop_log(100)
        >>> gates = gate_model(mmoe(data, experts=3))
        >>> gates(data.test.inputs)["level_1/click"].shape
        TensorShape([20, 3])
    """
    import keras

    layers = [layer for layer in model.layers if hasattr(layer, "gate_names")]
    if not layers:
        raise ValueError(f"model={model.name!r} has no gates; build it with mmoe, one_gate, cgc or ple.")
    outputs = {
        f"level_{level}/{gate}": layer.output[-1][:, position]
        for level, layer in enumerate(layers, start=1)
        for position, gate in enumerate(layer.gate_names)
    }
    return keras.Model(model.input, outputs, name=f"{model.name}_gates")


@dataclass(frozen=True, eq=False)
class GateLevel:
    """The gates of one level of a model, over a training.

    Attributes:
        gates: Names of the gates: the tasks and, below the last level of a PLE, ``"shared"``.
        experts: Names of the experts.
        weights: Mean gate weights of each group's rows, float32 ``[seeds, epochs, gates, groups, experts]``.
    """

    gates: tuple[str, ...]
    experts: tuple[str, ...]
    weights: np.ndarray

    @property
    def owners(self) -> tuple[int, ...]:
        """Whose each expert is: the position of the gate it is private to ("click 2" of "click"), -1 if shared.

        Example:
            >>> GateLevel(("click", "like"), ("click 1", "like 1", "shared 1"), np.empty(0)).owners
            (0, 1, -1)
        """
        private = {gate: i for i, gate in enumerate(self.gates) if gate != "shared"}
        return tuple(private.get(expert.rsplit(" ", 1)[0], -1) for expert in self.experts)


@dataclass(frozen=True, eq=False)
class GateRecord:
    """What the gates of one model did, from several seeds, after every epoch.

    Attributes:
        model: Name of the model.
        tasks: Names of the tasks.
        groups: Names of the segments of rows.
        epochs: The epochs recorded; 0 is before training.
        seeds: The seeds.
        levels: A record a level.
        scores: Task -> validation metric, float32 ``[seeds, epochs]``.
        metric_names: Task -> name of that metric.
        examples: A level each, the weights of single rows, float32 ``[seeds, epochs, gates, examples, experts]``.
        example_names: Names of those rows.
        ablation: Task -> a level each, the change of its validation metric when an expert is switched off after
            training, float32 ``[seeds, experts]``; None if not measured.

    Raises:
        ValueError: If the record is empty, a shape does not fit, a number is missing, or weights do not sum to 1.
    """

    model: str
    tasks: tuple[str, ...]
    groups: tuple[str, ...]
    epochs: tuple[int, ...]
    seeds: tuple[int, ...]
    levels: tuple[GateLevel, ...]
    scores: dict[str, np.ndarray]
    metric_names: dict[str, str]
    examples: tuple[np.ndarray, ...] = ()
    example_names: tuple[str, ...] = ()
    ablation: dict[str, tuple[np.ndarray, ...]] | None = field(default=None)

    def __post_init__(self) -> None:
        for name in ("tasks", "groups", "epochs", "seeds", "levels"):
            if not getattr(self, name):
                raise ValueError(f"{name}=() of the gate record of {self.model!r} is empty; record at least one.")
        seeds, epochs = len(self.seeds), len(self.epochs)
        for number, level in enumerate(self.levels, start=1):
            wanted = (seeds, epochs, len(level.gates), len(self.groups), len(level.experts))
            check_weights(f"levels[{number}].weights", level.weights, wanted)
        if self.examples and len(self.examples) != len(self.levels):
            raise ValueError(f"examples holds {len(self.examples)} levels, levels {len(self.levels)}; give as many.")
        for number, (level, values) in enumerate(zip(self.levels, self.examples, strict=False), start=1):
            wanted = (seeds, epochs, len(level.gates), len(self.example_names), len(level.experts))
            check_weights(f"examples[{number}]", values, wanted)
        for task in self.tasks:
            check_numbers(f"scores[{task!r}]", self.scores.get(task, np.empty(0)), (seeds, epochs))
            if task not in self.metric_names:
                raise ValueError(f"metric_names={self.metric_names} does not name {task!r}; name each task's metric.")
            changes = () if self.ablation is None else self.ablation.get(task, ())
            if self.ablation is not None and len(changes) != len(self.levels):
                raise ValueError(
                    f"ablation[{task!r}] holds {len(changes)} of {len(self.levels)} levels; give all, or None."
                )
            for number, (level, values) in enumerate(zip(self.levels, changes, strict=False), start=1):
                check_numbers(f"ablation[{task!r}][{number}]", values, (seeds, len(level.experts)))

    def to_json(self, digits: int | None = 4) -> str:
        """Writes the record as JSON, numbers rounded to so many digits; None to keep them as they are."""

        def plain(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                return (value if digits is None else np.round(value.astype(float), digits)).tolist()
            if isinstance(value, GateLevel):
                return {"gates": value.gates, "experts": value.experts, "weights": plain(value.weights)}
            if isinstance(value, dict):
                return {key: plain(each) for key, each in value.items()}
            return [plain(each) for each in value] if isinstance(value, tuple | list) else value

        return json.dumps({name: plain(value) for name, value in vars(self).items()}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> GateRecord:
        """Reads what ``to_json`` wrote.

        Args:
            text: The JSON.

        Returns:
            The record.

        Raises:
            ValueError: If it is not a gate record.
        """
        try:
            found = json.loads(text)
            levels = tuple(
                GateLevel(tuple(each["gates"]), tuple(each["experts"]), np.array(each["weights"], np.float32))
                for each in found["levels"]
            )
            scores = {task: np.array(values, np.float32) for task, values in found["scores"].items()}
            examples = tuple(np.array(values, np.float32) for values in found["examples"])
            names = {name: tuple(found[name]) for name in ("tasks", "groups", "epochs", "seeds", "example_names")}
            ablation = found["ablation"] and {
                task: tuple(np.array(values, np.float32) for values in each) for task, each in found["ablation"].items()
            }
            model, metrics = found["model"], found["metric_names"]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"text is not a gate record ({error!r}); write it with GateRecord.to_json.") from error
        return cls(
            model=model,
            levels=levels,
            scores=scores,
            metric_names=metrics,
            examples=examples,
            ablation=ablation,
            **names,
        )


def join_records(records: Sequence[GateRecord]) -> GateRecord:
    """Puts records of one model from different seeds together.

    Args:
        records: The records; all but seeds, epochs and numbers are alike. A seed whose training stopped early keeps
            its last gates until the longest training ends.

    Returns:
        One record of all seeds, in the order given.
    """
    first, epochs = records[0], max((each.epochs for each in records), key=len)

    def over_time(parts: Sequence[np.ndarray]) -> np.ndarray:
        last = np.arange(len(epochs))
        return np.concatenate([each[:, np.minimum(last, each.shape[1] - 1)] for each in parts])

    levels = [
        replace(level, weights=over_time([each.levels[number].weights for each in records]))
        for number, level in enumerate(first.levels)
    ]
    ablations = [each.ablation for each in records if each.ablation]
    ablation = {
        task: tuple(np.concatenate(parts) for parts in zip(*(each[task] for each in ablations), strict=True))
        for task in first.tasks
    }
    return replace(
        first,
        epochs=epochs,
        seeds=tuple(seed for each in records for seed in each.seeds),
        levels=tuple(levels),
        scores={task: over_time([each.scores[task] for each in records]) for task in first.tasks},
        examples=tuple(over_time(parts) for parts in zip(*(each.examples for each in records), strict=True)),
        ablation=ablation if ablations else None,
    )


def check_numbers(name: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    """Checks shape and finiteness.

    Raises:
        ValueError: Naming the array and what is wrong.
    """
    if values.shape != shape:
        raise ValueError(f"{name} has shape {values.shape}; the record's names and numbers ask for {shape}.")
    missing = int((~np.isfinite(values)).sum())
    if missing:
        raise ValueError(f"{name} holds {missing} NaN or infinite; record the gates of a model whose loss is finite.")


def check_weights(name: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    """Checks shape, finiteness and that gate weights sum to 1.

    Raises:
        ValueError: Naming the array and what is wrong.
    """
    check_numbers(name, values, shape)
    off = np.abs(values.sum(axis=-1) - 1).max()
    if off > SUM_TOLERANCE or values.min() < 0:
        raise ValueError(f"{name}: weights of a gate must be at least 0 and sum to 1; they are off by up to {off:.3g}.")
