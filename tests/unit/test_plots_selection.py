from __future__ import annotations

import numpy as np
import pandas as pd

from mtl_helpers import plots
from mtl_helpers.plots.style import GREEN


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_a_trade_off_joins_a_models_settings_and_leaves_out_labels_that_would_collide() -> None:
    frame = pd.DataFrame(
        {
            "model": ["two-tower"] * 3 + ["trees, weighted"],
            "label": ["w = 0", "w = 9", "w = 10", "v = 1"],
            "click": [0.4, 0.3001, 0.3, 0.5],
            "pay": [0.1, 0.2, 0.2001, 0.1],
        }
    )
    panel = plots.trade_off(frame).axes[0]
    network, trees = panel.get_lines()
    np.testing.assert_allclose(network.get_xdata(), [0.4, 0.3001, 0.3])
    assert network.get_color() == plots.MODEL_COLOURS["two-tower"]
    assert trees.get_color() == GREEN
    assert texts(panel) == ["w = 0", "w = 9", "two-tower", "v = 1", "trees, weighted"]


def test_conversion_is_shown_for_both_groups_with_their_means() -> None:
    rates, clicked = np.array([0.1, 0.2, 0.5, 0.9]), np.array([0, 0, 1, 1])
    panel = plots.conversion_by_click(rates, clicked).axes[0]
    assert texts(panel) == ["unclicked: mean 0.150", "clicked: mean 0.700"]
    np.testing.assert_allclose([line.get_xdata()[0] for line in panel.get_lines()], [0.15, 0.7])
    assert [sum(stairs.get_data().values) for stairs in panel.patches] == [1, 1]


def test_errors_show_every_seed_and_the_mean_and_are_filled_if_decided() -> None:
    errors = pd.DataFrame({"clicks only": [7.0, 7.2, 6.8], "ESMM": [3.0, -3.0, 0.3]})
    panel = plots.bias_bars(errors, "points").axes[0]
    assert texts(panel) == ["+7.0", "+0.1"]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["clicks only", "ESMM"]
    means = [line for line in panel.get_lines() if line.get_marker() == "D"]
    colours = plots.MODEL_COLOURS
    assert [line.get_markerfacecolor() for line in means] == [colours["single-task"], "white"]


def test_calibration_has_the_diagonal_and_a_line_a_way() -> None:
    curves = pd.DataFrame({"way": ["ESMM"] * 2, "predicted": [0.1, 0.3], "true": [0.05, 0.15]})
    panel = plots.calibration_of_conversion(curves).axes[0]
    diagonal, line = panel.get_lines()
    np.testing.assert_allclose(diagonal.get_xdata(), diagonal.get_ydata())
    np.testing.assert_allclose(line.get_ydata(), [0.05, 0.15])
    assert "ESMM" in texts(panel)
