from __future__ import annotations

import io

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mtl_helpers import plots
from mtl_helpers.datasets.census_income import SOURCE_COLUMN
from mtl_helpers.datasets.hillstrom import KINDS as HILLSTROM
from mtl_helpers.datasets.movielens import KINDS as MOVIELENS
from mtl_helpers.datasets.shop_log import TASKS
from mtl_helpers.datasets.video_log import KINDS
from mtl_helpers.gates import GateLevel, GateRecord
from mtl_helpers.plots.results import mean_and_half_width
from mtl_helpers.plots.style import GREY, signed, to_png
from mtl_helpers.study.results import COLUMNS

SEEDS, EPOCHS, EXPERTS = 3, 5, 4
GROUPS = ("new users", "old users")


@pytest.fixture
def record() -> GateRecord:
    """Gates that start even and sharpen."""
    logits = np.random.default_rng(0).normal(size=(SEEDS, 1, 2, len(GROUPS), EXPERTS))
    logits = logits * np.arange(EPOCHS)[None, :, None, None, None]
    weights = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    level = GateLevel(("click", "like"), tuple(f"expert {i + 1}" for i in range(EXPERTS)), weights.astype(np.float32))
    scores = {task: np.full((SEEDS, EPOCHS), 0.7, np.float32) for task in level.gates}
    changes = np.random.default_rng(1).normal(size=(2, SEEDS, EXPERTS)).astype(np.float32) / 100
    ablation = {"click": (changes[0],), "like": (changes[1],)}
    names = {"click": "auc", "like": "auc"}
    return GateRecord(
        "MMoE", level.gates, GROUPS, tuple(range(EPOCHS)), (0, 1, 2), (level,), scores, names, ablation=ablation
    )


@pytest.fixture
def scores() -> pd.DataFrame:
    """A study's rows: two models, two tasks, three settings, three seeds, two epochs."""
    rows = [
        (model, setting, "equal", seed, task, split, epoch, metric, start + 0.01 * seed + 0.1 * float(setting) + epoch)
        for model, start in (("MMoE", 0.1), ("shared-bottom", 0.2))
        for setting in ("-1.0", "0.0", "1.0")
        for seed in range(3)
        for task in ("task_1", "task_2")
        for split, metric in (("validation", "mse"), ("validation", "loss"), ("test", "mse"))
        for epoch in ((0, 1) if split == "validation" else (1,))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def panels(figure) -> list:
    return [axes for axes in figure.axes if axes.axison]


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_learning_curves_are_the_means_over_seeds(scores: pd.DataFrame) -> None:
    drawn = plots.learning_curves(scores[scores["data"] == "0.0"])
    assert [axes.get_title() for axes in panels(drawn)] == ["task 1", "task 2"]
    line = panels(drawn)[0].get_lines()[0]
    assert line.get_color() == plots.MODEL_COLOURS["MMoE"]
    np.testing.assert_allclose(line.get_xydata(), [(0, 0.11), (1, 1.11)])
    assert texts(panels(drawn)[0]) == ["MMoE", "shared-bottom"]


def test_learning_curves_name_what_there_is(scores: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"metric='auc'.*\['mse', 'loss'\]"):
        plots.learning_curves(scores, metric="auc")


def test_score_against_reads_labels_as_numbers_and_marks_the_best(scores: pd.DataFrame) -> None:
    rows = scores[(scores["split"] == "test")]
    drawn = plots.score_against(rows, "data", "correlation", best={"task_1": 1.0, "task_2": 1.0})
    first = panels(drawn)[0]
    np.testing.assert_allclose(first.get_lines()[1].get_xydata(), [(-1, 1.11), (0, 1.21), (1, 1.31)])
    assert first.get_lines()[-1].get_ydata()[0] == 1.0
    assert texts(first) == []
    assert set(texts(panels(drawn)[1])) == {"MMoE", "shared-bottom", "best reachable"}
    assert first.get_xlabel() == "correlation"


def test_the_band_is_the_t_interval() -> None:
    values = pd.DataFrame({"x": [0, 0, 0, 1], "value": [1.0, 2.0, 3.0, 5.0]})
    mean, half = mean_and_half_width(values.groupby("x")["value"])
    np.testing.assert_allclose(mean, [2, 5])
    np.testing.assert_allclose(half, [4.302653 / np.sqrt(3), 0], rtol=1e-5)


def test_forest_draws_intervals_and_fills_what_is_decided() -> None:
    table = pd.DataFrame(
        [("MMoE", "click", "auc", 0.01, 0.005, 0.015), ("CGC", "click", "auc", 0.002, -0.001, 0.005)],
        columns=["model", "task", "metric", "difference", "low", "high"],
    )
    axes = panels(plots.forest(table, baseline="single-task", scale=100, unit="points of AUC"))[0]
    interval, middle, open_interval, open_middle, zero = axes.get_lines()
    np.testing.assert_allclose(interval.get_xdata(), [0.5, 1.5])
    np.testing.assert_allclose(open_interval.get_xdata(), [-0.1, 0.5])
    assert middle.get_markerfacecolor() == plots.MODEL_COLOURS["MMoE"]
    assert open_middle.get_markerfacecolor() == "white"
    assert zero.get_xdata()[0] == 0
    assert texts(axes) == ["+1.00", "+0.20"]  # two digits of the widest half, 0.5
    assert axes.get_xlabel() == "points of AUC,\nminus single-task   (better →)"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["MMoE", "CGC"]


def test_heat_map_writes_each_groups_weights(record: GateRecord) -> None:
    drawn = plots.gate_heat_map(record, epoch=3, seed=1)
    weights = record.levels[0].weights[1, 3]
    for i, axes in enumerate(panels(drawn)):
        assert axes.get_title() == GROUPS[i]
        assert texts(axes) == [f"{value:.2f}".removeprefix("0") for value in weights[:, i].ravel()]
        assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3", "4"]


def test_bands_over_epochs_are_the_weights(record: GateRecord) -> None:
    axes = panels(plots.gate_weights_over_epochs(record, group=1, seed=2))[1]
    assert axes.get_title() == "gate of like"
    top = axes.collections[0].get_paths()[0].get_extents().ymax
    assert top == pytest.approx(record.levels[0].weights[2, :, 1, 1, 0].max(), abs=1e-6)
    assert axes.collections[-1].get_paths()[0].get_extents().ymax == pytest.approx(1)


def test_entropy_starts_at_one_and_falls_as_gates_sharpen(record: GateRecord) -> None:
    axes = panels(plots.gate_entropy_over_epochs({"MMoE": record, "again": record}))[0]
    mean = axes.get_lines()[SEEDS].get_ydata()
    assert mean[0] == pytest.approx(1)
    assert (np.diff(mean) < 0).all()
    assert texts(axes) == ["MMoE", "again"]


def test_load_is_the_mean_over_gates_and_groups(record: GateRecord) -> None:
    axes = panels(plots.expert_load_over_epochs(record, seed=1))[0]
    lines = axes.get_lines()
    np.testing.assert_allclose(
        [line.get_ydata() for line in lines[:EXPERTS]], record.levels[0].weights[1].mean(axis=(1, 2)).T
    )
    assert lines[EXPERTS].get_ydata()[0] == 1 / EXPERTS


def test_collapse_bars_are_the_shares() -> None:
    table = pd.DataFrame({"variant": ["plain"] * 4 + ["dropout"] * 4, "collapsed": [True] * 3 + [False] * 5})
    axes = panels(plots.collapse_frequency(table))[0]
    assert [bar.get_width() for bar in axes.patches] == [0.75, 0]
    assert texts(axes) == ["3 of 4", "0 of 4"]


def test_ablation_writes_points_a_task(record: GateRecord) -> None:
    axes = panels(plots.ablation_heat_map(record, seed=2))[0]
    assert record.ablation is not None
    changes = 100 * np.stack([record.ablation[task][0][2] for task in ("click", "like")])
    assert texts(axes) == [signed(value, 1) for value in changes.ravel()]
    assert axes.get_title() == "change in points of AUC"


def test_ablation_needs_a_record_of_it(record: GateRecord) -> None:
    plain = GateRecord(**{**vars(record), "ablation": None})
    with pytest.raises(ValueError, match="ablate=True"):
        plots.ablation_heat_map(plain)


def test_names_at_lines_keep_their_order_and_distance() -> None:
    _, axes = plots.new_figure(4, 3)
    axes[0, 0].set_ylim(0, 1)
    plots.label_lines(axes[0, 0], [(0.5, "b", GREY), (0.49, "a", GREY), (0.9, "c", GREY)], gap=0.1)
    places = {text.get_text(): text.xy[1] for text in axes[0, 0].texts}
    assert places["c"] == pytest.approx(0.9)
    assert places["b"] - places["a"] == pytest.approx(0.1)
    assert places["a"] + places["b"] == pytest.approx(0.99)


def test_no_name_stands_below_the_axis() -> None:
    _, axes = plots.new_figure(4, 3)
    axes[0, 0].set_ylim(0, 1)
    plots.label_lines(axes[0, 0], [(0.03, "b", GREY), (0.02, "a", GREY)], gap=0.1)
    assert [text.xy[1] for text in axes[0, 0].texts] == [0, 0.1]


def test_a_variant_has_its_models_colour_and_a_stranger_is_grey() -> None:
    assert plots.model_colour("MMoE, gate dropout") == plots.MODEL_COLOURS["MMoE"]
    assert plots.model_colour("something else") == GREY
    assert plots.task_colour("something else") == GREY


@pytest.mark.parametrize("tasks", [KINDS, TASKS[:2], HILLSTROM, MOVIELENS, SOURCE_COLUMN])
def test_the_tasks_of_a_data_set_have_colours_of_their_own(tasks) -> None:
    colours = {plots.task_colour(task) for task in tasks}
    assert len(colours) == len(tasks)
    assert GREY not in colours


def test_letters_can_be_read_from_the_last_row(scores: pd.DataFrame) -> None:
    for axes in panels(plots.learning_curves(scores)):
        labels = [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels(), axes.title, axes.xaxis.label]
        assert min(label.get_fontsize() for label in labels) >= 12


def test_what_cannot_be_drawn_is_refused_by_the_figures_name(record: GateRecord, scores: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="gate_heat_map: .*out of bounds.* see help"):
        plots.gate_heat_map(record, epoch=99)
    with pytest.raises(ValueError, match="forest: 'high' is not in what it was given"):
        plots.forest(scores)
    with pytest.raises(ValueError, match="there is nothing to draw"):
        plots.score_against(scores[:0], "seed", "seed")


def test_show_gives_the_picture_its_words(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    figure, _ = plots.new_figure(4, 3)
    with pytest.raises(ValueError, match="alt='  ' says nothing"):
        plots.show(figure, alt="  ")
    plots.show(figure, alt="Nothing to see.")
    assert capsys.readouterr().out == "Nothing to see.\n"
    shown = {}
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr("IPython.display.display", lambda data, **rest: shown.update(data=data, **rest))
    plots.show(figure, alt="Nothing to see.")
    assert shown["metadata"] == {"image/png": {"alt": "Nothing to see."}}
    assert shown["data"]["text/plain"] == "Nothing to see."


def test_png_has_the_figures_size() -> None:
    figure, _ = plots.new_figure(4, 3)
    picture = Image.open(io.BytesIO(to_png(figure)))
    assert picture.size == (384, 288)


def test_course_style_is_for_hand_drawn_figures_too() -> None:
    with matplotlib.rc_context():
        plots.use_course_style()
        assert matplotlib.rcParams["font.size"] >= 12
