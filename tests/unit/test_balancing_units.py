"""A label's unit can be changed and standardised, and recipes are chosen by a score without a unit."""

import numpy as np
import pandas as pd
import pytest

from mtl_helpers.balancing import rescale_label, standardise_label
from mtl_helpers.datasets import video_log
from mtl_helpers.seeds import course_seed
from mtl_helpers.study import skill
from mtl_helpers.study.plan import make_plan

DATA = video_log(500, tasks=("click", "watch_ratio"), seed=course_seed())


def test_another_unit_changes_label_and_truth_and_nothing_else():
    percent = rescale_label(DATA, "watch_ratio", 100)
    for split in ("train", "validation", "test"):
        old, new = getattr(DATA, split), getattr(percent, split)
        np.testing.assert_allclose(new.labels["watch_ratio"], 100 * old.labels["watch_ratio"], rtol=1e-6)
        np.testing.assert_allclose(new.truth["watch_ratio"], 100 * old.truth["watch_ratio"], rtol=1e-6)
        np.testing.assert_array_equal(new.labels["click"], old.labels["click"])
        np.testing.assert_array_equal(new.inputs["numeric"], old.inputs["numeric"])


@pytest.mark.parametrize("factor", [1, 100, -0.01])
def test_standardised_labels_forget_their_unit(factor):
    found = standardise_label(rescale_label(DATA, "watch_ratio", factor, shift=3), "watch_ratio")
    labels = found.train.labels["watch_ratio"]
    assert [labels.mean(), labels.std()] == pytest.approx([0, 1], abs=1e-3)
    wanted = standardise_label(DATA, "watch_ratio").test.labels["watch_ratio"]
    np.testing.assert_allclose(found.test.labels["watch_ratio"], np.sign(factor) * wanted, atol=2e-3)


def test_skill_is_0_for_knowing_nothing_and_1_for_perfect():
    seed = course_seed()
    plan = make_plan(DATA, [seed], None)
    variance = DATA.test.labels["watch_ratio"].var()
    rows = [("click", "auc", 0.5), ("click", "auc", 1.0), ("watch_ratio", "mse", variance), ("watch_ratio", "mse", 0.0)]
    frame = pd.DataFrame([(seed, *row) for row in rows], columns=["seed", "task", "metric", "value"])
    assert skill(frame, plan, "test") == pytest.approx([0, 1, 0, 1], abs=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rescale_label(DATA, "click", 2), "task='click' is not a regression; choose from ['watch_ratio']"),
        (lambda: rescale_label(DATA, "watch_ratio", 0), "factor=0"),
        (lambda: rescale_label(DATA, "watch_ratio", float("nan")), "factor=nan"),
        (lambda: standardise_label(rescale_label(DATA, "watch_ratio", 1e-60), "watch_ratio"), "in every training row"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the message is compared below)
        call()
    assert message in str(error.value)
