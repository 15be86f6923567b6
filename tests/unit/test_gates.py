from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.gates import GateLevel, GateRecord, gate_model
from mtl_helpers.layers import CustomizedGateControl, MixtureOfExperts


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def make_record(seed: int = 0, seeds: int = 2, epochs: int = 3, groups: int = 2, experts: int = 4) -> GateRecord:
    random = np.random.default_rng(seed)
    tasks = ("click", "like")
    names = tuple(f"expert {i + 1}" for i in range(experts))
    level = GateLevel(tasks, names, softmax(random.normal(size=(seeds, epochs, 2, groups, experts))))
    return GateRecord(
        model="MMoE",
        tasks=tasks,
        groups=tuple(f"group {i}" for i in range(groups)),
        epochs=tuple(range(epochs)),
        seeds=tuple(range(seeds)),
        levels=(level,),
        scores={task: random.random((seeds, epochs)).astype(np.float32) for task in tasks},
        metric_names=dict.fromkeys(tasks, "auc"),
        examples=(softmax(random.normal(size=(seeds, epochs, 2, 1, experts))),),
        example_names=("row 7",),
        ablation={task: (random.normal(size=(seeds, experts)).astype(np.float32),) for task in tasks},
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(1, 9))
def test_json_keeps_the_record_to_four_digits(seed: int, seeds: int, epochs: int, groups: int, experts: int) -> None:
    record = make_record(seed, seeds, epochs, groups, experts)
    again = GateRecord.from_json(record.to_json())
    for name in ("model", "tasks", "groups", "epochs", "seeds", "metric_names", "example_names"):
        assert getattr(again, name) == getattr(record, name)
    assert again.levels[0].experts == record.levels[0].experts
    np.testing.assert_allclose(again.levels[0].weights, record.levels[0].weights, atol=6e-5)
    np.testing.assert_allclose(again.examples[0], record.examples[0], atol=6e-5)
    assert again.ablation is not None
    for task in record.tasks:
        np.testing.assert_allclose(again.scores[task], record.scores[task], atol=6e-5)
        np.testing.assert_allclose(again.ablation[task][0], record.ablation[task][0], atol=6e-5)


def test_a_record_may_do_without_ablation_and_examples() -> None:
    plain = dataclasses.replace(make_record(), ablation=None, examples=(), example_names=())
    assert GateRecord.from_json(plain.to_json()).ablation is None


def broken_level(**change: object) -> dict[str, object]:
    return {"levels": (dataclasses.replace(make_record().levels[0], **change),)}


WEIGHTS = make_record().levels[0].weights
HOLED = np.where(np.arange(4) == 1, np.nan, WEIGHTS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": ()}, r"tasks=\(\) of the gate record of 'MMoE' is empty"),
        ({"groups": ()}, r"groups=\(\)"),
        ({"levels": ()}, r"levels=\(\)"),
        ({"epochs": (0, 1)}, r"levels\[1\].weights has shape \(2, 3, 2, 2, 4\)"),
        (broken_level(experts=("a", "b")), r"levels\[1\].weights has shape"),
        (broken_level(weights=HOLED), r"levels\[1\].weights holds 24 NaN"),
        (broken_level(weights=WEIGHTS * 1.1), r"must be at least 0 and sum to 1; they are off by up to 0.1"),
        (broken_level(weights=WEIGHTS - 1), r"must be at least 0"),
        ({"scores": {"click": np.zeros((2, 3))}}, r"scores\['like'\] has shape \(0,\)"),
        ({"metric_names": {"click": "auc"}}, r"does not name 'like'"),
        ({"examples": make_record().examples * 2}, r"examples holds 2 levels, levels 1"),
        ({"example_names": ("a", "b")}, r"examples\[1\] has shape"),
        ({"ablation": {"click": make_record().ablation["click"]}}, r"ablation\['like'\] holds 0 of 1 levels"),
        ({"ablation": dict.fromkeys(("click", "like"), (np.zeros((2, 3)),))}, r"ablation\['click'\]\[1\] has shape"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        dataclasses.replace(make_record(), **change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{}", "[]", '{"levels": 3}', "not json"])
def test_other_text_is_no_record(text: str) -> None:
    with pytest.raises(ValueError, match="text is not a gate record"):
        GateRecord.from_json(text)


def test_private_experts_know_their_gate() -> None:
    level = GateLevel(("click", "like", "shared"), ("like 1", "click 1", "click 2", "shared 1", "expert 1"), WEIGHTS)
    assert level.owners == (1, 0, 0, -1, -1)


def test_gate_model_gives_every_level_and_gate_by_name() -> None:
    import keras

    inputs = keras.Input((3,))
    outputs, _ = CustomizedGateControl(1, 2, (4,), ("click", "like"), shared_gate=True, name="first")([inputs] * 3)
    mixed, _ = MixtureOfExperts(3, (4,), ("click", "like"), name="second")(outputs[-1])
    model = keras.Model(inputs, mixed)
    rows = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    found = gate_model(model)(rows)
    assert list(found) == ["level_1/click", "level_1/like", "level_1/shared", "level_2/click", "level_2/like"]
    weights = {name: np.asarray(values) for name, values in found.items()}
    assert weights["level_1/click"].shape == (5, 5)
    assert weights["level_2/like"].shape == (5, 3)
    for values in weights.values():
        np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-5)
    assert (weights["level_1/click"][:, 2:4] == 0).all()  # the other task's private experts
    with pytest.raises(ValueError, match="has no gates; build it with mmoe"):
        gate_model(keras.Sequential([inputs, keras.layers.Dense(1)]))
