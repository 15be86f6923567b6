"""A study on an executor, or stopped and begun again, gives what a study here gives, whatever happens to workers.

On a Dask cluster that loses a worker too: chapter 10 kills one and claims that no number is lost, doubled or changed.
"""

import importlib
import pickle
import random
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import keras
import numpy as np
import pandas as pd
import pytest

from mtl_helpers.datasets import video_log
from mtl_helpers.models import hard_sharing, mmoe
from mtl_helpers.models.parts import make_inputs
from mtl_helpers.study import jobs, study
from mtl_helpers.study.keeping import Kept
from mtl_helpers.study.plan import make_plan
from mtl_helpers.study.results import COLUMNS
from mtl_helpers.study.spreading import spread
from mtl_helpers.study.training import build_run

BUILDERS = {
    "MMoE": partial(mmoe, experts=2, expert_units=(4,), tower_units=(4,)),
    "hard": partial(hard_sharing, hidden_units=(4,), tower_units=(4,)),
}


def world(seed):
    return video_log(400, seed=seed)


SETTINGS = dict(data=world, seeds=[3, 5], epochs=6, batch_size=40, early_stopping=1, progress=False,
                optimizer=keras.optimizers.Adam(0.1))  # fmt: skip


class Inline(Executor):
    """Computes at once, here; what goes in and comes out is sent as to another process."""

    def __init__(self):
        self.jobs = []

    def submit(self, function, job):
        future = Future()
        try:
            job = pickle.loads(pickle.dumps(job))
            self.jobs.append((job.name, *job.plan.seeds))
            future.set_result(pickle.loads(pickle.dumps(function(job))))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="module")
def here():
    return study(BUILDERS, **SETTINGS)


def assert_same(found, expected):
    names = list(expected.frame.columns.drop("value"))
    pd.testing.assert_frame_equal(found.frame[names], expected.frame[names])
    np.testing.assert_allclose(found.frame["value"], expected.frame["value"], atol=1e-4)
    assert found.parameters == expected.parameters
    assert found.records.keys() == expected.records.keys()
    for cell, record in expected.records.items():
        assert (found.records[cell].seeds, found.records[cell].epochs) == (record.seeds, record.epochs)
        np.testing.assert_allclose(found.records[cell].levels[0].weights, record.levels[0].weights, atol=1e-4)
    for model, weights in expected.weights.items():
        for mine, other in zip(found.weights[model], weights, strict=True):
            np.testing.assert_allclose(mine, other, atol=1e-4)
    pd.testing.assert_frame_equal(found.compare("MMoE", "hard"), expected.compare("MMoE", "hard"), atol=1e-4)


def test_a_job_for_each_model_and_seed_makes_the_same_study(here, monkeypatch):
    def spread_twice(jobs, executor, keep, tick, advice):  # as if each worker had been lost after its job
        spread(jobs, executor, lambda result: [keep(result), keep(result)], tick, advice)

    monkeypatch.setattr("mtl_helpers.study.run.spread", spread_twice)
    executor = Inline()
    assert_same(study(BUILDERS, **SETTINGS, executor=executor), here)
    assert executor.jobs == [("MMoE", 3), ("MMoE", 5), ("hard", 3), ("hard", 5)]
    ends = here.frame.query("split == 'validation'").groupby(["model", "seed"])["epoch"].max()
    assert ends.nunique() > 1  # runs ended at different epochs, and the rows still agree


DEADLY = """
import multiprocessing, os, pathlib, time
from mtl_helpers.models import hard_sharing

def build(folder, others, data):
    if multiprocessing.parent_process() is None:
        return hard_sharing(data, hidden_units=(4,))
    while len(list(pathlib.Path(folder).glob("*.json"))) < others:
        time.sleep(0.05)
    os._exit(1)
"""


@pytest.fixture(scope="module")
def after_a_death(tmp_path_factory):
    """The folder of a study in a process pool, one of whose builders ended its worker; and what the study said."""
    folder, module = tmp_path_factory.mktemp("kept"), tmp_path_factory.mktemp("module")
    (module / "deadly.py").write_text(DEADLY)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(module)
        build = importlib.import_module("deadly").build
        builders = BUILDERS | {"deadly": partial(build, folder, 4)}
        with (
            ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
            pytest.raises(RuntimeError) as caught,
        ):
            study(builders, **SETTINGS, executor=pool, folder=folder)
    return folder, str(caught.value)


def test_a_dead_worker_is_named_and_the_rest_is_kept(after_a_death, here):
    folder, said = after_a_death
    assert "'deadly' seed 3, 'deadly' seed 5 (BrokenProcessPool" in said
    assert "trains only what is missing" in said
    assert "MMoE" not in said
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{model}-{seed}.{ending}" for model in ("MMoE", "hard") for seed in (3, 5) for ending in ("json", "npz")
    ]
    nothing_left = Inline()
    assert_same(study(BUILDERS, **SETTINGS, executor=nothing_left, folder=folder), here)
    assert nothing_left.jobs == []


def interrupted(data):
    """A builder that serves once, to be looked at, and then is cut short as by a kernel that is stopped."""
    interrupted.calls += 1
    if interrupted.calls > 1:
        raise KeyboardInterrupt
    return hard_sharing(data, hidden_units=(4,), tower_units=(4,))


def test_a_stopped_study_goes_on_where_it_was(here, tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(jobs, "train_together", note_and(jobs.train_together, trained))
    interrupted.calls = 0
    with pytest.raises(KeyboardInterrupt):
        study(BUILDERS | {"hard": interrupted}, **SETTINGS, folder=tmp_path)
    assert sorted(path.stem for path in tmp_path.glob("*.json")) == ["MMoE-3", "MMoE-5"]
    (tmp_path / "MMoE-5.json").unlink()  # a seed that was not finished
    del trained[:]
    assert_same(study(BUILDERS, **SETTINGS, folder=tmp_path), here)
    assert trained == [("MMoE", 5), ("hard", 3, 5)]


def test_a_model_that_needs_fit_is_kept_seed_by_seed(tmp_path, capsys):
    built = []

    def recurrent(data):
        built.append(data)
        if len(built) == 4:  # one to be described, one to see that it needs fit, one for each seed
            raise KeyboardInterrupt
        inputs = make_inputs(data)
        hidden = keras.layers.SimpleRNN(2)(keras.layers.Reshape((-1, 1))(inputs["numeric"]))
        return keras.Model(inputs, {task: keras.layers.Dense(1, "sigmoid")(hidden) for task in data.tasks})

    with pytest.raises(KeyboardInterrupt):
        study({"RNN": recurrent}, **SETTINGS | {"epochs": 1}, folder=tmp_path)
    assert "training with model.fit" in capsys.readouterr().out
    assert [path.stem for path in tmp_path.glob("*.json")] == ["RNN-3"]


def note_and(function, noted):
    def call(job, *arguments):
        noted.append((job.name, *job.plan.seeds))
        return function(job, *arguments)

    return call


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 7}, "epochs 6, now 7"),
        ({"batch_size": 41}, "batch_size 40, now 41"),
        ({"optimizer": keras.optimizers.Adam(0.2)}, r"optimizer learning_rate 0\.10*.*, now 0\.2"),
        ({"early_stopping": None}, "early_stopping 1, now None"),
        ({"loss_weights": {"click": 2.0}}, "loss_weights"),
        ({"losses": {"click": keras.losses.BinaryFocalCrossentropy()}}, "losses click"),
        ({"data": lambda seed: video_log(400, seed=seed + 1)}, "data"),
        ({"builders": {"MMoE": partial(mmoe, experts=3, expert_units=(4,), tower_units=(4,))}}, "model"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_results_of_other_settings_are_never_mixed_in(after_a_death, change, message):
    folder, _ = after_a_death
    with pytest.raises(ValueError, match=rf"MMoE-3\.json was made with other settings \({message}.*another folder"):
        study(**{"builders": BUILDERS, **SETTINGS, "folder": folder, **change})


def test_only_the_asked_for_difference_is_named(after_a_death):
    with pytest.raises(ValueError, match=r"other settings \(epochs 6, now 7\);"):
        study(BUILDERS, **SETTINGS | {"epochs": 7}, folder=after_a_death[0])


def test_a_damaged_file_is_trained_again_with_a_word(after_a_death, here, tmp_path, capsys):
    for path in after_a_death[0].iterdir():
        content = path.read_bytes()
        damaged = path.name in ("MMoE-3.npz", "hard-5.json")
        (tmp_path / path.name).write_bytes(content[: len(content) // 2] if damaged else content)
    again = Inline()
    assert_same(study(BUILDERS, **SETTINGS, executor=again, folder=tmp_path), here)
    assert again.jobs == [("MMoE", 3), ("hard", 5)]
    said = capsys.readouterr().out
    assert "MMoE-3.json cannot be read (BadZipFile); 'MMoE', seed 3, is trained again" in said
    assert "hard-5.json cannot be read (JSONDecodeError)" in said


def test_a_run_killed_while_writing_leaves_no_result(after_a_death, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        study({"hard": BUILDERS["hard"]}, **SETTINGS | {"epochs": 1}, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_are_not_finite_survive(tmp_path):
    table = {name: ["x"] for name in COLUMNS} | {"value": [float("nan"), float("-inf"), 1 / 3]}
    kept = Kept(tmp_path, [])
    kept._made_with = {("a/b: ü", 1): {}}
    kept.write(jobs.Result("a/b: ü", 1, 3, table, [], [np.float32([1.5])]))
    (found,) = kept.read(print).values()
    np.testing.assert_array_equal(pd.Series(found.table["value"]).astype(float), table["value"])


def test_what_a_pool_cannot_send_is_refused_with_the_mend():
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(ValueError, match=r"builders\['x'\] cannot be sent .* functools.partial"),
    ):
        study({"x": lambda data: mmoe(data)}, **SETTINGS, executor=pool)
    with (
        ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool,
        pytest.raises(ValueError, match=r"forks its workers.*get_context\('spawn'\)"),
    ):
        study(BUILDERS, **SETTINGS, executor=pool)


def test_initial_weights_stay_whoever_else_draws_random_numbers():
    def disturbed(data):
        random.random()  # as a thread of a Dask worker does at any time
        return BUILDERS["MMoE"](data)

    plan = make_plan(world, [3], None)
    quiet, loud = (build_run("MMoE", each, plan, plan.runs[0]) for each in (BUILDERS["MMoE"], disturbed))
    for mine, other in zip(loud.get_weights(), quiet.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)
