"""The figures of balancing show the numbers they were given, and the front is the front."""

import itertools

import numpy as np
import pandas as pd
import pytest

from mtl_helpers.plots import (
    cosine_over_epochs,
    dominated,
    pareto_fronts,
    projected_gradients,
    skill_by_unit,
    weights_over_epochs,
)
from mtl_helpers.seeds import course_seed

RANDOM = np.random.default_rng(course_seed())


def test_dominated_is_what_the_definition_says():
    points = RANDOM.integers(0, 4, size=(30, 2)) / 4
    wanted = [any((b <= a).all() and (b != a).any() for b in points) for a in points]
    assert dominated(points).tolist() == wanted
    assert not dominated(points)[points.sum(axis=1).argmin()]
    assert dominated(np.array([[0.5, 0.5], [0.5, 0.5]])).tolist() == [False, False]


def scores():
    cells = itertools.product(["narrow", "wide"], ["agree", "conflict"], ["0.1", "0.5", "0.9"], range(3), ["a", "b"])
    frame = pd.DataFrame(cells, columns=["model", "data", "loss_weight", "seed", "task"])
    return frame.assign(value=RANDOM.random(len(frame)))


def test_a_front_has_a_dot_a_weight_filled_where_nothing_dominates():
    found = scores()
    figure = pareto_fronts(found, {"agree": "one", "conflict": "two"}, single=found[found["model"] == "wide"])
    assert [panel.get_title() for panel in figure.axes] == ["one", "two"]
    mean = found[(found["data"] == "agree") & (found["model"] == "narrow")].pivot_table("value", "loss_weight", "task")
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"][:3]
    drawn = np.array([[line.get_xdata()[0], line.get_ydata()[0]] for line in dots])
    np.testing.assert_allclose(drawn, mean[["a", "b"]].to_numpy())
    assert [line.get_markerfacecolor() == "white" for line in dots] == dominated(drawn).tolist()
    figure.canvas.draw()


def records():
    cells = itertools.product(["narrow", "wide"], ["agree", "conflict"], range(3), ["a", "b"], range(1, 5))
    frame = pd.DataFrame(cells, columns=["model", "data", "seed", "task", "epoch"])
    return frame


def test_weights_are_drawn_relative_to_their_mean():
    frame = records().assign(metric="balancer_weights", value=1.0)
    frame = frame[frame["data"] == "agree"]
    frame.loc[frame["task"] == "a", "value"] = 3.0
    figure = weights_over_epochs(frame, {"a": "click"})
    heights = sorted(line.get_ydata()[0] for line in figure.axes[0].lines)
    assert heights == pytest.approx([0.5, 1.0, 1.5])
    assert {text.get_text() for text in figure.axes[-1].texts} == {"click", "b"}
    with pytest.raises(ValueError, match="balancer_weights"):
        weights_over_epochs(frame.assign(metric="loss"))


def test_cosines_are_drawn_a_row_a_model():
    frame = pd.concat([records().assign(metric=f"balancer_{name}") for name in ("cosine", "conflict")])
    frame = frame.assign(value=RANDOM.random(len(frame)))
    figure = cosine_over_epochs(frame, {"agree": "same", "conflict": "strangers"})
    assert len(figure.axes) == 4
    mean = frame.query("model == 'narrow' and data == 'agree' and metric == 'balancer_cosine' and task == 'a'")
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), mean.groupby("epoch")["value"].mean())
    figure.canvas.draw()


def test_projected_gradients_are_perpendicular_to_the_other():
    figure = projected_gradients([1.0, 0.2], [-1.0, 1.0])
    for panel, other in zip(figure.axes, ([-1.0, 1.0], [1.0, 0.2]), strict=True):
        path = panel.lines[0].get_xydata()  # from the gradient to its projection
        assert path[1] @ np.array(other) == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="do not conflict"):
        projected_gradients([1.0, 0.0], [1.0, 1.0])


def test_skill_by_unit_keeps_the_order_of_units_and_models():
    columns = pd.MultiIndex.from_product([["click", "watch ratio"], ["percent", "share"], ["GradNorm", "single-task"]])
    skill = pd.DataFrame(RANDOM.random((4, 8)), columns=columns)
    figure = skill_by_unit(skill, ["share", "percent"], ["single-task", "GradNorm"])
    panel = figure.axes[1]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["share", "percent"]
    drawn = panel.containers[1].lines[0].get_ydata()
    assert drawn == pytest.approx([skill["watch ratio", unit, "GradNorm"].mean() for unit in ("share", "percent")])
