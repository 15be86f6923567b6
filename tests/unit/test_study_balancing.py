from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

import keras
import numpy as np
import pytest

from mtl_helpers.balancing import DynamicWeightAverage, GradNorm, PCGrad, UncertaintyWeighting, balanced
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

    epochs, size = 3, 50
    found = study({"model": builder}, DATA, seeds=[3, 4], epochs=epochs, batch_size=size, progress=False)
    for run, seed in enumerate((3, 4)):
        keras.utils.set_random_seed(seed)
        model = builder(DATA)
        model.compile(keras.optimizers.Adam(3e-3), loss=task_losses(DATA), jit_compile=False)
        callbacks = []
        for epoch in range(1, epochs + 1):
            rows = DATA.train.take(batches(len(DATA.train), size, seed, epoch).ravel())
            model.fit(rows.inputs, rows.labels, batch_size=size, shuffle=False, verbose=0, callbacks=callbacks)
        for ours, theirs in zip(model.get_weights(), found.model("model", run).get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-3)
