from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_helpers import plots
from mtl_helpers.metrics import focal_loss, unfocus


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


@given(st.floats(-3, 3), st.floats(0.01, 100))
def test_the_exponent_of_a_power_law_is_found(exponent: float, factor: float) -> None:
    sizes = np.array([2, 5, 17, 100])
    assert plots.growth_exponent(sizes, factor * sizes**exponent) == pytest.approx(exponent, abs=1e-6)


def test_growth_names_each_way_with_its_exponent() -> None:
    times = pd.DataFrame({"pairs": [1.0, 4.0, 16.0], "vectors": [1.0, 2.0, 4.0]}, index=[8, 16, 32])
    panel = plots.growth(times).axes[0]
    assert texts(panel) == ["pairs\n∝ n$^{2.0}$", "vectors\n∝ n$^{1.0}$"]
    np.testing.assert_allclose(panel.get_lines()[1].get_ydata(), times["pairs"])
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")


def test_maps_show_the_probabilities_and_a_dot_at_every_pair_held_out() -> None:
    maps = {"truth": np.array([[0.1, 0.9], [0.2, 0.3]]), "guess": np.full((2, 2), 0.5)}
    first, second, *_ = plots.pair_maps(maps, np.array([[False, True], [False, False]])).axes
    np.testing.assert_array_equal(first.images[0].get_array(), maps["truth"])
    np.testing.assert_array_equal(first.get_lines()[0].get_xydata(), [[1, 0]])
    assert (first.images[0].get_clim(), second.get_title()) == ((0, 1), "guess")


def test_loss_curves_are_the_formula_and_mark_the_point_asked_for() -> None:
    panel = plots.focal_loss_curves((0, 2), at=(2, 0.9)).axes[0]
    plain, focal, dot = panel.get_lines()
    np.testing.assert_allclose(plain.get_ydata(), -np.log(plain.get_xdata()))
    np.testing.assert_allclose(focal.get_ydata(), focal_loss(focal.get_xdata(), True, 2))
    np.testing.assert_allclose(dot.get_xydata(), [[0.9, focal_loss(0.9, True, 2)]])
    assert texts(panel) == ["γ = 0, cross-entropy", "γ = 2", "p = 0.9: 0.001"]


def test_answers_lie_on_the_diagonal_without_gamma_and_nearer_one_half_with_it() -> None:
    plain, focal = plots.focal_answers((0, 2)).axes[0].get_lines()
    np.testing.assert_allclose(plain.get_xdata(), plain.get_ydata())
    np.testing.assert_allclose(focal.get_xdata(), unfocus(focal.get_ydata(), 2))


def test_schedules_are_drawn_over_all_steps() -> None:
    constant, falling = plots.schedule_shapes({"constant": None, "falling": lambda step: 1 - step / 10}, steps=10).axes
    assert (constant.get_lines()[0].get_ydata() == 1).all()
    np.testing.assert_allclose(falling.get_lines()[0].get_xydata()[[0, -1]], [[0, 1], [9, 0.1]])


def test_a_sweep_takes_the_seeds_apart_and_rings_the_best_rate() -> None:
    rows = [
        (name, rate, seed, 0.8 + 0.05 * seed - loss)
        for name, losses in {"constant": (0.0, 0.02), "cosine": (0.01, 0.0)}.items()
        for rate, loss in zip((0.01, 0.1), losses, strict=True)
        for seed in (0, 1)
    ]
    tuning = pd.DataFrame(rows, columns=["model", "learning_rate", "seed", "value"])
    panel = plots.rate_sweep(tuning).axes[0]
    line, ring, other, other_ring = panel.get_lines()
    np.testing.assert_allclose(line.get_xydata(), [[0.01, 0], [0.1, -2]], atol=1e-9)
    np.testing.assert_allclose(other.get_ydata(), [-1, 0], atol=1e-9)
    assert (ring.get_xdata()[0], other_ring.get_xdata()[0]) == (0.01, 0.1)
    assert texts(panel) == ["constant", "cosine"]


def test_calibration_has_a_panel_a_task_and_a_line_a_model() -> None:
    line = pd.DataFrame({"predicted": [0.1, 0.5], "observed": [0.2, 0.4]})
    panels = plots.calibration_lines({"income": {"plain": line, "focal": line}, "married": {"plain": line}}).axes
    assert [panel.get_title() for panel in panels] == ["income", "married"]
    assert [len(panel.get_lines()) for panel in panels] == [3, 2]  # the diagonal, and the models
    np.testing.assert_allclose(panels[0].get_lines()[1].get_ydata(), line["observed"])
    assert [text.get_text() for text in panels[0].get_legend().get_texts()] == ["plain", "focal"]
