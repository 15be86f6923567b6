from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest

from mtl_helpers.layers import SoftSharingPenalty
from mtl_helpers.models import hard_sharing, single_task
from mtl_helpers.study import retrain
from mtl_helpers.study.retrain import TIGHT, Material, Retrainer, Setting, draw_pair, pull_together, shuffled

TWO = {"single-task": partial(single_task, **TIGHT), "soft sharing": partial(pull_together, **TIGHT)}


@pytest.fixture(scope="module")
def retrainer() -> Retrainer:
    return Retrainer(TWO, seeds=2, steps=100)


def test_a_setting_that_changes_is_trained_without_tracing_again(retrainer, monkeypatch) -> None:
    first = retrainer.train([Setting(1.0, 200)])
    monkeypatch.setattr(retrain, "traced", lambda *_, **__: pytest.fail("traced again"))
    shares = []
    second = retrainer.train([Setting(-0.5, 50, penalty=1.0)], lambda share, text: shares.append((share, text)))
    again = retrainer.train([Setting(1.0, 200)])
    np.testing.assert_allclose(again["value"], first["value"], rtol=1e-4)
    assert not np.allclose(second["value"], first["value"])
    assert [share for share, _ in shares] == sorted(share for share, _ in shares)
    assert shares[-1] == (1.0, "")
    assert {text for _, text in shares[:-1]} == {"single-task", "soft sharing"}


def test_a_run_equals_the_same_model_trained_by_keras(retrainer) -> None:
    frame = retrainer.train([Setting(0.5, 200)])
    keras.utils.set_random_seed(retrainer.seeds[1])
    data = draw_pair(0.5, retrainer.seeds[1])
    model = single_task(data, **TIGHT)
    model.compile(keras.optimizers.Adam(retrain.LEARNING_RATE), loss="mse")
    order = shuffled(200, retrainer.seeds[1], 100)
    validation, test = [], []
    for piece in np.split(order, retrain.READINGS):
        for batch in piece:
            rows = data.train.take(batch)
            model.train_on_batch(rows.inputs, {task: label[:, None] for task, label in rows.labels.items()})
        for split, found in ((data.validation, validation), (data.test, test)):
            answers = model(split.inputs)
            found.append([np.mean((answers[t].numpy()[:, 0] - split.labels[t]) ** 2) for t in data.tasks])
    best = np.argmin(validation, axis=0)
    wanted = [test[best[0]][0], test[best[1]][1]]
    own = frame[(frame["model"] == "single-task") & (frame["seed"] == retrainer.seeds[1])]
    np.testing.assert_allclose(own["value"], wanted, rtol=1e-3)
    assert own["reachable"].between(0.4, 0.6).all()


def test_the_penalty_belongs_to_the_run() -> None:
    settings = [Setting(-1.0, 200, 0.0), Setting(-1.0, 200, 30.0)]
    frame = Retrainer(TWO, seeds=2, settings=2, steps=200).train(settings)
    error = frame.groupby(["model", "penalty"])["value"].mean()
    assert error["single-task", 0.0] == pytest.approx(error["single-task", 30.0], rel=1e-3)
    assert error["soft sharing", 30.0] > error["soft sharing", 0.0] + 0.05  # one network for opposite tasks


def test_batches_name_the_first_rows_only_and_all_of_them() -> None:
    order = shuffled(rows=120, seed=3, steps=12)
    assert order.shape == (12, retrain.BATCH)
    counts = np.bincount(order.ravel(), minlength=120)
    assert len(counts) == 120
    assert (counts == 5).all()  # 600 places for 120 rows
    material = Material([Setting(0.0, 50), Setting(0.0, 100), Setting(1.0, 50)], seeds=[0, 1], steps=10)
    assert material.source.tolist() == [0, 1, 0, 1, 2, 3]
    own = material.order - 100 * material.source[:, None]
    assert (own.min(axis=(0, 2)) >= 0).all()
    assert (own.max(axis=(0, 2)) < [50, 50, 100, 100, 50, 50]).all()


def test_pull_together_pulls_every_layer() -> None:
    model = pull_together(draw_pair(0.0, 0), hidden_units=(2,), tower_units=(3,))
    pull = SoftSharingPenalty(1.0)
    wanted = sum(float(pull(weight)) for weight in model.trainable_variables)
    assert float(sum(model.losses)) == pytest.approx(wanted)
    assert len(model.trainable_variables) == 6
    assert hard_sharing(draw_pair(0.0, 0)).losses == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Setting(1.5, 200), "correlation=1.5 is not a cosine"),
        (lambda: Setting(0.0, 49), "rows=49: give 50"),
        (lambda: Setting(0.0, 2001), "to 2000 rows"),
        (lambda: Setting(0.0, 200, -1.0), "penalty=-1.0 would push"),
        (lambda: Setting(0.0, 200, float("nan")), "penalty=nan"),
        (lambda: Retrainer({}), "0 models"),
        (lambda: Retrainer(TWO, seeds=0), "seeds=0"),
        (lambda: Retrainer(TWO, steps=95), "steps=95 is no multiple of 10"),
        (lambda: Retrainer(TWO).train([]), "0 settings for a Retrainer of 1"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(make, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
