from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtl_helpers import plots
from mtl_helpers.plots.costs import short_number


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_a_cost_is_drawn_with_every_repeat_and_a_line_that_foretells_the_largest():
    costs = [2.0, 2.2, 11.0, 11.5, 303.0, 310.0]
    points = pd.DataFrame({"axis": "rows", "value": [10, 10, 100, 100, 1000, 1000], "cost": costs})
    panel = plots.cost_lines(points, {"rows": (1.0, 0.1)}, {"training rows": ["rows"]}, "milliseconds").axes[0]
    fitted, foretold, repeats, least = panel.get_lines()
    for line in (fitted, foretold):
        np.testing.assert_allclose(line.get_ydata(), 1 + 0.1 * line.get_xdata())
    assert fitted.get_xdata()[-1] == pytest.approx(100)
    assert list(repeats.get_ydata()) == costs
    assert list(least.get_ydata()) == [2.0, 11.0, 303.0]
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
    assert texts(panel) == ["×3.0"]


def test_two_lines_of_a_panel_are_named():
    points = pd.DataFrame({"axis": ["v, Adam"] * 2 + ["v, SGD"] * 2, "value": [1, 9] * 2, "cost": [1.0, 9, 1, 1.9]})
    fits = {"v, Adam": (0.0, 1.0), "v, SGD": (1.0, 0.1)}
    panel = plots.cost_lines(points, fits, {"vocabulary": list(fits)}, "ms").axes[0]
    assert texts(panel) == ["Adam\n×1.0", "SGD\n×1.0"]


def test_an_exchange_stands_beside_what_wires_need_at_least():
    panel = plots.exchange_lines({1000: 0.001, 10_000: 0.004}, 5000, 0.002, {"slow": 1e6}).axes[0]
    measured, wire, own, marked = panel.get_lines()
    assert list(measured.get_ydata()) == [1.0, 4.0]
    np.testing.assert_allclose(wire.get_ydata(), [1.0, 10.0])
    assert set(own.get_ydata()) == {2.0}
    assert set(marked.get_xdata()) == {5000}


def test_losses_of_several_lie_where_they_are():
    one, several = plots.same_losses([3.0, 2.0, 1.0], [3.5, 2.0, 1.0], processes=4).axes[0].get_lines()
    assert list(one.get_ydata()) == [3.0, 2.0, 1.0]
    assert list(several.get_ydata()) == [3.5]
    assert several.get_label() == "4 processes"


def test_memory_of_started_processes_is_stacked_on_the_kernel():
    table = pd.DataFrame({"chapter": ["09", "10"], "kernel_bytes": [1e9, 1e9], "all_bytes": [1e9, 3e9]})
    panel = plots.memory_bars(table).axes[0]
    tops = [bar.get_y() + bar.get_height() for bar in panel.patches]
    assert tops == pytest.approx([1.0, 1.0, 1.0, 3.0])
    assert {"1 GB", "1.2 GB"} <= set(texts(panel))


@pytest.mark.parametrize(("value", "said"), [(0.03, "0.03"), (20, "20"), (5000, "5k"), (1e6, "1M")])
def test_numbers_are_short(value: float, said: str):
    assert short_number(value) == said
