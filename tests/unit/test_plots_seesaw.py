from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtl_helpers import plots
from mtl_helpers.plots.style import GREY


@pytest.fixture
def scores() -> pd.DataFrame:
    """Two models and a baseline; MMoE gains .01 on click at every weight, and loses .1 on finish at .9."""
    rows = []
    for model, gain in (("single-task", 0.0), ("MMoE", 0.01), ("CGC", 0.0)):
        for weight in ("0.1", "0.5", "0.9"):
            for seed in range(3):
                fall = 0.1 if (model, weight) == ("MMoE", "0.9") else 0.0
                rows.append((model, weight, seed, "click", 0.8 + gain + 0.001 * seed))
                rows.append((model, weight, seed, "finish", 0.7 - fall + 0.002 * seed))
    return pd.DataFrame(rows, columns=["model", "loss_weight", "seed", "task", "value"])


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_a_path_runs_through_the_paired_gains_and_marks_what_lies_outside(scores: pd.DataFrame) -> None:
    first, second = plots.seesaw_paths(scores, "single-task").axes
    assert (first.get_title(), second.get_title()) == ("MMoE", "CGC")
    path = next(line for line in first.get_lines() if len(line.get_xdata()) == 3)
    np.testing.assert_allclose(path.get_xdata(), 1.0)
    np.testing.assert_allclose(path.get_ydata(), [0, 0, -2.88])
    assert "0.9 (−10.0)" in texts(first)
    assert {line.get_marker() for line in first.get_lines()} >= {"o", "v"}
    assert texts(second) == ["0.1", "0.5", "0.9"]
    assert first.get_xlabel().startswith("click")
    assert path.get_color() == plots.MODEL_COLOURS["MMoE"]


def test_paths_want_a_baseline_and_two_tasks(scores: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="baseline='PLE'"):
        plots.seesaw_paths(scores, "PLE")
    with pytest.raises(ValueError, match="tasks two"):
        plots.seesaw_paths(scores[scores["task"] == "click"], "single-task")


def test_swings_show_every_seed_and_the_mean() -> None:
    panel = plots.swing_bars(pd.DataFrame({"MMoE": [1.0, 3.0], "CGC": [0.5, 0.5]})).axes[0]
    assert texts(panel) == ["2.0", "0.5"]
    np.testing.assert_allclose(panel.get_lines()[0].get_xdata(), [1.0, 3.0])
    assert [label.get_text() for label in panel.get_yticklabels()] == ["MMoE", "CGC"]


def test_a_fusion_sweep_draws_each_outcome_and_the_chosen_exponent() -> None:
    frame = pd.DataFrame({"exponent": [0.0, 1.0], "click": [0.9, 0.8], "finish": [0.5, 0.7]})
    panel = plots.fusion_sweep(frame, "exponent", ["click", "finish"], chosen=0.5).axes[0]
    np.testing.assert_allclose(panel.get_lines()[1].get_ydata(), [0.5, 0.7])
    assert panel.get_lines()[2].get_color() == GREY
    assert sorted(texts(panel)) == ["click", "finish"]
