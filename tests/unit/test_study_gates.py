"""A study's gate records are what the trained models' gates say, and its ablations what switching off does."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from mtl_helpers.datasets import video_log
from mtl_helpers.gates import GateRecord, gate_model, join_records
from mtl_helpers.metrics import auc
from mtl_helpers.models import hard_sharing, mmoe, ple
from mtl_helpers.study import study
from mtl_helpers.study.fitted import FittedModels
from mtl_helpers.study.gate_recorder import EXAMPLES, GateRecorder, choose_gate_rows
from mtl_helpers.study.plan import make_plan


@pytest.fixture(scope="module")
def data():
    return video_log(1500, seed=1)


@pytest.fixture(scope="module")
def found(data):
    builders = {"MMoE": mmoe, "PLE": lambda data: ple(data, shared_experts=1, private_experts=1), "hard": hard_sharing}
    return study(builders, data, seeds=2, epochs=2, batch_size=100, ablate=True, progress=False)


def test_only_models_with_gates_have_records(found):
    assert set(found.gates) == {"MMoE", "PLE"}
    assert [len(found.gates[name].levels) for name in ("MMoE", "PLE")] == [1, 2]
    assert found.gates["PLE"].levels[0].gates == ("click", "finish", "shared")
    assert found.gates["PLE"].levels[1].gates == ("click", "finish")
    assert found.gates["MMoE"].epochs == (0, 1, 2)


def test_recorded_means_are_those_of_the_trained_model(found, data):
    record = found.gates["MMoE"]
    for run in range(2):
        weights = gate_model(found.model("MMoE", run)).predict(data.validation.inputs, verbose=0)
        for group in range(len(data.groups)):
            mine = np.flatnonzero(data.validation.groups == group)  # fewer rows than the recorder's sample takes
            expected = weights["level_1/finish"][mine].mean(axis=0)
            np.testing.assert_allclose(record.levels[0].weights[run, -1, 1, group], expected, atol=1e-4)


def test_recorded_scores_are_those_of_the_frame(found):
    rows = found.frame.query("model == 'MMoE' and task == 'click' and metric == 'auc' and split == 'validation'")
    table = rows.pivot(index="seed", columns="epoch", values="value").to_numpy()
    np.testing.assert_allclose(found.gates["MMoE"].scores["click"], table, atol=1e-6)


def test_ablation_is_the_change_of_the_score_without_the_expert(found, data):
    record = found.gates["MMoE"]
    model = found.model("MMoE", 0)
    labels = data.validation.labels["finish"]
    before = auc(labels, model.predict(data.validation.inputs, verbose=0)["finish"][:, 0])
    model.get_layer("level_1").switch_off([3])
    after = auc(labels, model.predict(data.validation.inputs, verbose=0)["finish"][:, 0])
    assert record.ablation["finish"][0][0, 3] == pytest.approx(after - before, abs=1e-4)


def test_records_survive_json_and_name_their_examples(found):
    record = found.gates["PLE"]
    again = GateRecord.from_json(record.to_json())
    assert again.example_names == record.example_names
    assert len(record.example_names) == EXAMPLES
    np.testing.assert_allclose(again.levels[1].weights, record.levels[1].weights, atol=1e-4)
    assert json.loads(record.to_json())["groups"] == ["followers", "regulars", "skimmers", "listeners"]


def test_a_sweep_has_a_record_for_each_set_of_weights(data):
    sweep = {"click": {"click": 0.9, "finish": 0.1}, "finish": {"click": 0.1, "finish": 0.9}}
    swept = study({"MMoE": mmoe}, data, seeds=1, epochs=1, loss_weights=sweep, progress=False)
    assert set(swept.records) == {("MMoE", "data", "click"), ("MMoE", "data", "finish")}
    first, second = (swept.records["MMoE", "data", name].levels[0].weights for name in sweep)
    np.testing.assert_allclose(first[:, 0], second[:, 0], atol=1e-6)  # the same initial weights
    assert not np.allclose(first[:, 1], second[:, 1], atol=1e-4)


def test_the_other_road_records_the_same(data, found):
    from mtl_helpers.losses import task_losses

    plan = make_plan(data, 2, None)
    models = [found.model("MMoE", run) for run in range(2)]
    trainer = FittedModels(models, plan, task_losses(data), keras.optimizers.Adam(), 100)
    recorder = GateRecorder("MMoE", trainer, plan, choose_gate_rows(data))
    recorder.record(epoch=2)
    scores = {task: [found.gates["MMoE"].scores[task][:, -1]] for task in data.tasks}
    record = join_records(recorder.records(scores, np.array([2, 2]), ablate=True))
    np.testing.assert_allclose(record.levels[0].weights[:, 0], found.gates["MMoE"].levels[0].weights[:, -1], atol=1e-4)
    np.testing.assert_allclose(record.ablation["click"][0], found.gates["MMoE"].ablation["click"][0], atol=1e-4)


def test_a_model_without_gates_records_nothing(data, found):
    from mtl_helpers.losses import task_losses

    plan = make_plan(data, 1, None)
    trainer = FittedModels([found.model("hard")], plan, task_losses(data), keras.optimizers.Adam(), 100)
    recorder = GateRecorder("hard", trainer, plan, choose_gate_rows(data))
    recorder.record(epoch=0)
    assert recorder.records({}, np.array([0]), ablate=True) == []


def test_the_only_expert_of_a_gate_is_not_switched_off(data):
    model = ple(data, levels=1, shared_experts=0, private_experts=1)
    recorder = GateRecorder("alone", SimpleNamespace(model=model), make_plan(data, 1, None), choose_gate_rows(data))
    with pytest.raises(ValueError, match="ablate=True, layer 'level_1' of 'alone': .*the last expert of a gate"):
        recorder.check_ablation()
