from __future__ import annotations

import numpy as np
import pandas as pd

from mtl_helpers import plots
from mtl_helpers.plots.objectives import RANKING_COLOURS, WAY_COLOURS


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_outcome_lines_draw_the_mean_of_each_ranking_over_the_seeds() -> None:
    rows = [
        (ranking, str(x), seed, 0.2 * seed + 0.1 * x)
        for ranking in ("clicks", "random")
        for x in (0, 1)
        for seed in (0, 1)
    ]
    frame = pd.DataFrame(rows, columns=["ranking", "knob", "seed", "finish"]).assign(click=0.5)
    first, second = plots.outcome_lines(frame, "knob", "clickbait", ["click", "finish"], "the top").axes
    line = second.get_lines()[0]
    np.testing.assert_allclose(line.get_ydata(), [0.1, 0.2])
    assert line.get_color() == RANKING_COLOURS["clicks"]
    assert texts(second) == ["clicks", "random"]
    assert (first.get_xlabel(), first.get_ylabel()) == ("clickbait", "share of the top")


def test_ways_by_goal_tells_fresh_from_stale() -> None:
    rows = [("2 trees", "goal A", True, 0, 70.0), ("2 trees", "goal A", True, 1, 72.0)]
    rows += [("2 trees", "goal B", False, seed, 60.0) for seed in (0, 1)]
    frame = pd.DataFrame(rows, columns=["way", "goal", "fresh", "seed", "value"])
    left, right = plots.ways_by_goal(frame, "NDCG").axes
    faces = [[line.get_markerfacecolor() for line in panel.get_lines()] for panel in (left, right)]
    assert WAY_COLOURS["2"] in faces[0]
    assert "white" not in faces[0]
    assert "white" in faces[1]
    assert [label.get_text() for label in left.get_yticklabels()] == ["2 trees"]


def test_seconds_are_on_a_logarithmic_axis_with_their_number_beside() -> None:
    frame = pd.DataFrame({"way": ["2 trees", "4 multi-task"], "seconds": [1.25, 0.0002]})
    panel = plots.seconds_to_change(frame).axes[0]
    assert panel.get_xscale() == "log"
    assert texts(panel) == ["1.2 s", "200 µs"]


def test_fusion_lines_mark_the_items_in_both_planes() -> None:
    left, right = plots.fusion_lines((0.5, 0.5), (1, 1), {"loud": (0.9, 0.05)}).axes
    assert texts(left) == texts(right) == ["loud"]
    assert left.get_title().startswith("sum")
    assert right.get_title().startswith("product")


def test_fronts_draw_a_curve_for_what_can_move_and_a_dot_for_what_is_trained() -> None:
    curve = pd.DataFrame({"x": [40.0, 45.0, 50.0], "y": [20.0, 18.0, 10.0], "name": ["0", "", "1"]})
    dots = pd.DataFrame({"way": ["2 trees"] * 2, "x": [42.0, 41.0], "y": [12.0, 13.0], "name": ["A", "B"]})
    panel = plots.fronts({"4 multi-task": curve}, dots, "clicks", "payments").axes[0]
    assert texts(panel) == ["0", "1", "A", "B"]
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["4 multi-task", "2 trees"]
    np.testing.assert_allclose(panel.get_lines()[0].get_ydata(), [20, 18, 10])
