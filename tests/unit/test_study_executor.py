"""A study spread over an executor gives what a study here gives, whatever happens to its workers."""

import pickle
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import keras
import numpy as np
import pandas as pd
import pytest

from mtl_helpers.datasets import video_log
from mtl_helpers.models import hard_sharing, mmoe
from mtl_helpers.study import study

BUILDERS = {
    "MMoE": partial(mmoe, experts=2, expert_units=(4,), tower_units=(4,)),
    "hard": partial(hard_sharing, hidden_units=(4,), tower_units=(4,)),
}


def world(seed):
    return video_log(400, seed=seed)


SETTINGS = dict(data=world, seeds=[3, 5], epochs=6, batch_size=40, early_stopping=1, progress=False,
                optimizer=keras.optimizers.Adam(0.1))  # fmt: skip


class Inline(Executor):
    """Computes at once, here; what goes in and comes out is sent as to another process, and comes back ``times``."""

    def __init__(self, times=1):
        self.times, self.jobs = times, []

    def submit(self, function, job):
        future = Future()
        try:
            job = pickle.loads(pickle.dumps(job))
            self.jobs.append((job.name, *job.plan.seeds))
            for _ in range(self.times):
                result = pickle.loads(pickle.dumps(function(job)))
            future.set_result(result)
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


def test_a_job_for_each_model_and_seed_makes_the_same_study(here):
    executor = Inline()
    assert_same(study(BUILDERS, **SETTINGS, executor=executor), here)
    assert executor.jobs == [("MMoE", 3), ("MMoE", 5), ("hard", 3), ("hard", 5)]
    ends = here.frame.query("split == 'validation'").groupby(["model", "seed"])["epoch"].max()
    assert ends.nunique() > 1  # runs ended at different epochs, and the rows still agree


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
