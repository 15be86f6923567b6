"""Gates as a study would record them, made up: even at first, they part over the epochs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_helpers.gates import GateLevel, GateRecord
from mtl_helpers.widgets import FusionDesk

TASKS = ("click", "finish")
GROUPS = ("new users", "regulars", "night owls", "fans of bait")
Names = tuple[str, ...]


def mmoe_levels(tasks: Names, experts: int) -> list[tuple[Names, Names]]:
    return [(tasks, tuple(f"expert {i + 1}" for i in range(experts)))]


def ple_levels(tasks: Names) -> list[tuple[Names, Names]]:
    names = (*tuple(f"{task} {i + 1}" for task in tasks for i in range(3)), "shared 1", "shared 2")
    return [((*tasks, "shared"), names), (tasks, names)]


def make_record(
    model: str,
    levels: Sequence[tuple[Names, Names]],
    tasks: Names = TASKS,
    seeds: int = 3,
    epochs: int = 20,
    examples: int = 4,
    ablation: bool = True,
) -> GateRecord:
    random = np.random.default_rng(len(model) + 10 * len(tasks))
    share = np.arange(epochs + 1) / epochs
    ramp = 2.6 * (1 - np.exp(-3 * share))[None, :, None, None, None]

    def weights(gates: Names, experts: Names, places: int) -> np.ndarray:
        logits = random.normal(size=(seeds, 1, len(gates), places, len(experts))) * ramp
        logits = logits + 0.06 * np.cumsum(random.normal(size=logits.shape), axis=1)
        private = np.array([name.rsplit(" ", 1)[0] for name in experts])
        for i, gate in enumerate(gates):
            if gate != "shared":
                logits[:, :, i][..., np.isin(private, [task for task in tasks if task != gate])] = -np.inf
        found = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return (found / found.sum(axis=-1, keepdims=True)).astype(np.float32)

    start = np.array([0.62 - 0.02 * i for i in range(len(tasks))])[:, None, None]
    scores = start + 0.2 * (1 - np.exp(-4 * share)) + 0.004 * random.normal(size=(len(tasks), seeds, epochs + 1))
    change = {
        task: tuple((0.01 * random.normal(size=(seeds, len(names))) - 0.01).astype(np.float32) for _, names in levels)
        for task in tasks
    }
    return GateRecord(
        model=model,
        tasks=tasks,
        groups=GROUPS,
        epochs=tuple(range(epochs + 1)),
        seeds=tuple(range(seeds)),
        levels=tuple(GateLevel(gates, names, weights(gates, names, len(GROUPS))) for gates, names in levels),
        scores=dict(zip(tasks, scores.astype(np.float32), strict=True)),
        metric_names=dict.fromkeys(tasks, "auc"),
        examples=tuple(weights(gates, names, examples) for gates, names in levels) if examples else (),
        example_names=tuple(f"row {i} ({GROUPS[i % 4]})" for i in range(examples)),
        ablation=change if ablation else None,
    )


def mmoe_and_ple(epochs: int = 20) -> dict[str, GateRecord]:
    levels = {"MMoE": mmoe_levels(TASKS, 8), "PLE": ple_levels(TASKS)}
    return {model: make_record(model, own, epochs=epochs) for model, own in levels.items()}


def large_mmoe() -> GateRecord:
    tasks = ("click", "finish", "like", "share", "follow", "comment", "pay", "return")
    return make_record("MMoE", mmoe_levels(tasks, 64), tasks, seeds=1, epochs=50, examples=0)


def video_desk() -> FusionDesk:
    random = np.random.default_rng(3)
    count = 200
    good, bait, noise = random.normal(size=(3, count))
    click, finish = 1 / (1 + np.exp(-0.6 * good - 1.2 * bait)), 1 / (1 + np.exp(-good + bait))
    return FusionDesk(
        {"click": click, "finish": 1 / (1 + np.exp(-good + bait - 0.4 * noise)), "length": np.exp(0.3 * noise)},
        {"click": click, "finish": click * finish, "minutes": 2 * click * finish * np.exp(0.3 * noise)},
        items=[f"video {i + 1}" for i in range(count)],
        requests=np.repeat(["Ada", "Blaise", "Carl", "Dora"], count // 4),
        start=[1, 1, 0],
    )
