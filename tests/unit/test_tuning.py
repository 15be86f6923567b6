from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest

from mtl_helpers.datasets import MultiTaskData, video_log
from mtl_helpers.metrics import auc
from mtl_helpers.models import hard_sharing, logistic_regression
from mtl_helpers.study import Recipe, TunedStudy, study, tuned_study
from mtl_helpers.study.tuning import programs, schedule_factors

SEEDS, EPOCHS, BATCH = 2, 2, 50
SMALL = partial(hard_sharing, hidden_units=(4,), tower_units=())


@pytest.fixture(scope="module")
def data() -> MultiTaskData:
    return video_log(rows=500, seed=1)


@pytest.fixture(scope="module")
def steps(data: MultiTaskData) -> int:
    return EPOCHS * (len(data.train) // BATCH)


@pytest.fixture(scope="module")
def found(data: MultiTaskData, steps: int) -> TunedStudy:
    recipes = {
        "plain": Recipe(SMALL),
        "annealed": Recipe(SMALL, keras.optimizers.schedules.CosineDecay(1.0, steps)),
        "plain again": Recipe(SMALL),
    }
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "progress": False}
    return tuned_study(recipes, data, [0.001, 0.02], seeds=SEEDS, **settings)


@pytest.mark.parametrize("name", ["plain", "annealed"])
def test_a_tuned_run_is_the_run_a_study_makes_at_that_rate(
    found: TunedStudy, data: MultiTaskData, steps: int, name: str
) -> None:
    rate = found.learning_rates[name]
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps) if name == "annealed" else rate
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "gates": False, "jit_compile": False, "progress": False}
    alone = study({name: SMALL}, data, SEEDS, optimizer=keras.optimizers.Adam(schedule), **settings)
    for tuned, single in zip(found.weights[name], alone.weights[name], strict=True):
        np.testing.assert_allclose(tuned, single, rtol=1e-3, atol=1e-5)
    assert found.parameters[name] == alone.parameters[name]


def test_every_recipe_starts_anew(found: TunedStudy) -> None:
    for first, again in zip(found.weights["plain"], found.weights["plain again"], strict=True):
        np.testing.assert_array_equal(first, again)


def test_validation_chooses_and_only_the_chosen_meets_the_test_rows(found: TunedStudy, data: MultiTaskData) -> None:
    means = found.tuning.groupby(["model", "learning_rate"])["value"].mean()
    for name, rate in found.learning_rates.items():
        assert rate == means[name].idxmax()
        chosen = found.tuning[(found.tuning["model"] == name) & (found.tuning["learning_rate"] == rate)]
        kept = found.scores("validation")
        np.testing.assert_allclose(sorted(kept[kept["model"] == name]["value"]), sorted(chosen["value"]))
    assert len(found.tuning) == 3 * 2 * SEEDS * len(data.tasks)
    assert len(found.scores("test")) == 3 * SEEDS * len(data.tasks)


def test_predictions_are_those_that_were_scored(found: TunedStudy, data: MultiTaskData) -> None:
    scores = found.scores("test").set_index(["model", "task", "seed"])["value"]
    for task, predicted in found.predictions["annealed"].items():
        assert predicted.shape == (SEEDS, len(data.test))
        for seed, each in zip(range(SEEDS), predicted, strict=True):
            run = found.plan.runs[seed].seed
            assert auc(data.test.labels[task], each) == pytest.approx(scores["annealed", task, run], abs=1e-6)
    assert set(found.compare("annealed", "plain")["task"]) == set(data.tasks)


def test_recipes_share_a_program_when_model_and_losses_are_the_same() -> None:
    focal = {"click": keras.losses.BinaryFocalCrossentropy()}
    recipes = {"a": Recipe(SMALL), "b": Recipe(SMALL, losses=focal), "c": Recipe(SMALL), "d": Recipe(hard_sharing)}
    assert [list(group) for group in programs(recipes)] == [["a", "c"], ["b"], ["d"]]


def test_schedules_become_factors() -> None:
    np.testing.assert_array_equal(schedule_factors(None, 3), [1, 1, 1])
    halves = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1.0, 0.5])
    np.testing.assert_array_equal(schedule_factors(halves, 4), [1, 1, 0.5, 0.5])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipes": {}}, "give at least one of each"),
        ({"learning_rates": [0.0]}, "rates above 0"),
        ({"recipes": {"plain": logistic_regression}}, "give a Recipe for each name"),
        ({"data": {"a": None, "b": None}}, "give one data set"),
        ({"epochs": 0}, "epochs=0 is not a whole number"),
    ],
)
def test_what_cannot_be_tuned_is_refused_in_one_line(data: MultiTaskData, change: dict, message: str) -> None:
    arguments = {"recipes": {"plain": Recipe(logistic_regression)}, "data": data, "learning_rates": [0.01], **change}
    with pytest.raises(ValueError, match=message):
        tuned_study(**arguments, progress=False)
