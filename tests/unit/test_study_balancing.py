from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

from functools import partial

import keras
import numpy as np
import pytest

from mtl_helpers.balancing import ConflictMeter, DynamicWeightAverage, GradNorm, PCGrad, UncertaintyWeighting, balanced
from mtl_helpers.datasets import task_pair
from mtl_helpers.losses import task_losses
from mtl_helpers.models import hard_sharing
from mtl_helpers.study import batches, study

DATA = task_pair(rows=500, inputs=4, seed=0)
BALANCERS = {
    "uncertainty": lambda: UncertaintyWeighting(regressions=["task_1", "task_2"]),
    "dynamic": DynamicWeightAverage,
    "gradnorm": lambda: GradNorm(learning_rate=0.1),
    "pcgrad": lambda: PCGrad(seed=0),
}


@pytest.mark.parametrize("name", BALANCERS)
def test_a_balanced_study_equals_fit(name: str) -> None:
    def builder(data):
        return balanced(hard_sharing(data, hidden_units=(6,), tower_units=(3,)), BALANCERS[name]())

    epochs, size = 3, 100
    found = study({"model": builder}, DATA, seeds=[3, 4], epochs=epochs, batch_size=size, progress=False)
    for run, seed in enumerate((3, 4)):
        keras.utils.set_random_seed(seed)
        model = builder(DATA)
        model.compile(keras.optimizers.Adam(3e-3), loss=task_losses(DATA), run_eagerly=True)
        for epoch in range(1, epochs + 1):
            rows = DATA.train.take(batches(len(DATA.train), size, seed, epoch).ravel())
            model.fit(rows.inputs, rows.labels, batch_size=size, shuffle=False, verbose=0)
        for ours, theirs in zip(model.get_weights(), found.model("model", run).get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_a_study_writes_down_the_weights_and_the_conflicts() -> None:
    builders = {
        "average": lambda data: balanced(hard_sharing(data, hidden_units=(6,)), DynamicWeightAverage()),
        "meter": lambda data: balanced(hard_sharing(data, hidden_units=(6,)), ConflictMeter()),
        "plain": partial(hard_sharing, hidden_units=(6,)),
    }
    found = study(builders, DATA, seeds=2, epochs=3, batch_size=50, progress=False)
    rows = found.frame[found.frame["split"] == "train"].set_index(["model", "metric"])
    weights = rows.loc[("average", "balancer_weights")].pivot(index="seed", columns=["task", "epoch"], values="value")
    np.testing.assert_allclose(weights["task_1"] + weights["task_2"], 2, rtol=1e-5)
    assert (weights["task_1", 1] == 1).all()
    assert (weights["task_1", 3] != 1).all()
    cosine = rows.loc[("meter", "balancer_cosine"), "value"].to_numpy()
    assert (np.abs(cosine) < 1).all()
    assert cosine.std() > 0
    assert rows.loc["plain"].index.unique().tolist() == ["loss"]
    # A meter only looks: it trains as equal weights do.
    scores = found.scores().pivot(index=["task", "seed"], columns="model", values="value")
    np.testing.assert_allclose(scores["meter"], scores["plain"], rtol=1e-4)
    np.testing.assert_allclose(
        found.model("meter").balancer_state["cosine"].numpy(), np.repeat(cosine_of(rows, found.plan.runs[0].seed), 2)
    )


def cosine_of(rows, seed):
    """The last epoch's cosine of one seed, which is one number for two tasks."""
    mine = rows.loc[("meter", "balancer_cosine")]
    values = mine[(mine["seed"] == seed) & (mine["epoch"] == 3)]["value"]
    assert values.nunique() == 1
    return values.iloc[0]
