from __future__ import annotations

import base64
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mtl_helpers.plots.sharing import (
    error_by_rows,
    penalty_curves,
    sharing_effects,
    sharing_grid,
    sharing_schemes,
)
from mtl_helpers.widgets import SharingLab
from mtl_helpers.widgets.sharing_lab import CORRELATIONS, PENALTIES, ROWS

SETTINGS = [(p, rows, 0.1) for p in (1.0, 0.0, -1.0) for rows in (100, 200)]


def made_up(settings=SETTINGS, seeds: int = 8) -> pd.DataFrame:
    """Results as a Retrainer would give them: hard sharing helps by .1 at cosine 1 and -1 and hurts by .2 at 0."""
    random, rows = np.random.default_rng(0), []
    for p, count, penalty in settings:
        for seed in range(seeds):
            for task in ("task_1", "task_2"):
                base = 0.7 + 0.02 * random.normal()
                gain = {"single-task": 0, "hard sharing": -0.1 if abs(p) == 1 else 0.2, "cross-stitch": 0.0}
                for model, change in gain.items():
                    jitter = 0.01 * random.normal() if model != "single-task" else 0
                    rows.append((model, p, count, penalty, seed, task, base + change + jitter, 0.5))
    columns = ["model", "correlation", "rows", "penalty", "seed", "task", "value", "reachable"]
    return pd.DataFrame(rows, columns=columns)


def ask(lab: SharingLab, **content: float) -> list[dict]:
    sent: list[dict] = []
    lab.send = sent.append
    lab._answer(None, {"request": 1, "kind": "train", **content}, None)
    return sent


def test_effects_are_paired_differences_with_a_verdict() -> None:
    frame = made_up()
    effects = sharing_effects(frame).set_index(["model", "correlation", "rows", "task"])
    hard = effects.loc[("hard sharing", 1.0, 200, "task_1")]
    own = frame[(frame["correlation"] == 1) & (frame["rows"] == 200) & (frame["task"] == "task_1")]
    wide = own.pivot(index="seed", columns="model", values="value")
    assert hard["difference"] == pytest.approx((wide["hard sharing"] - wide["single-task"]).mean())
    assert hard["low"] < hard["difference"] < hard["high"] < 0
    assert hard["verdict"] == "helps"
    assert effects.loc[("hard sharing", 0.0, 200, "both tasks"), "verdict"] == "hurts"
    assert set(effects.index.get_level_values("task")) == {"task_1", "task_2", "both tasks"}
    with pytest.raises(ValueError, match="baseline='MMoE' is not in the frame"):
        sharing_effects(frame, "MMoE")


def test_the_grid_colours_what_is_decided_and_only_that() -> None:
    figure = sharing_grid(sharing_effects(made_up()))
    hard = figure.axes[0]
    numbers = {text.get_position(): text for text in hard.texts}
    assert numbers[0, 0].get_text() == "−0.10"
    assert numbers[0, 1].get_text() == "+0.20"
    assert numbers[0, 1].get_fontweight() == "bold"
    red, _, blue = np.array([patch.get_facecolor() for patch in hard.patches])[2, :3]  # p = 0 hurts: more red
    assert red > blue
    red, _, blue = np.array([patch.get_facecolor() for patch in hard.patches])[0, :3]  # p = 1 helps: more blue
    assert blue > red


def test_curves_show_the_means_and_the_best_reachable_error() -> None:
    frame = made_up()
    panel = error_by_rows(frame, [1.0]).axes[0]
    mean = frame[(frame["correlation"] == 1) & (frame["model"] == "hard sharing")].groupby("rows")["value"].mean()
    np.testing.assert_allclose(panel.lines[1].get_ydata(), mean)
    assert panel.lines[-1].get_ydata()[0] == 0.5
    strengths = [(p, 200, s) for p in (-1.0, 1.0) for s in (0.1, 1.0)]
    panels = penalty_curves(sharing_effects(made_up(strengths)), {-1.0: -0.1, 1.0: -0.1}).axes
    assert [panel.get_title() for panel in panels] == ["p = −1", "p = +1"]
    assert len(sharing_schemes().axes) == 4


def test_the_lab_holds_what_was_recorded() -> None:
    frame = made_up()
    lab = SharingLab(frame, start=(0.0, 200, 0.1))
    assert lab.live
    assert len(lab.data["recorded"]) == len(SETTINGS)
    cell = next(each for each in lab.data["recorded"] if (each["correlation"], each["rows"]) == (0.0, 200))
    hard = cell["tasks"][1]["models"][lab.data["models"].index("hard sharing")]
    rows = frame[(frame["correlation"] == 0) & (frame["rows"] == 200) & (frame["task"] == "task_2")]
    values = rows.loc[rows["model"] == "hard sharing", "value"]
    np.testing.assert_allclose(hard["values"], values, atol=1e-4)
    assert hard["mean"][1] < hard["mean"][0] < hard["mean"][2]
    assert hard["verdict"] == "hurts"
    assert cell["tasks"][0]["best"] == 0.5
    assert "verdict" not in cell["tasks"][0]["models"][lab.data["baseline"]]


def test_training_asks_for_the_setting_and_reports_progress() -> None:
    asked = []

    def train(correlation, rows, penalty, progress):
        asked.append((correlation, rows, penalty))
        progress(0.5, "training hard sharing")
        return made_up([(correlation, rows, penalty)])

    lab = SharingLab(made_up(), train=train)
    for p, rows, penalty in ((CORRELATIONS[0], ROWS[0], PENALTIES[0]), (CORRELATIONS[-1], ROWS[-1], PENALTIES[-1])):
        progress, answer = ask(lab, correlation=p, rows=rows, penalty=penalty)
        assert asked[-1] == (p, rows, penalty)
        assert progress == {"request": 1, "progress": 0.5, "text": "training hard sharing"}
        found = answer["answer"]
        assert (found["correlation"], found["rows"], found["penalty"], found["seeds"]) == (p, rows, penalty, 8)
        assert found["seconds"] >= 0


def test_an_error_reaches_the_browser_as_one_line() -> None:
    def train(*_):
        raise RuntimeError("no\nluck")

    lab = SharingLab(made_up(), train=train)
    assert ask(lab, correlation=0, rows=100, penalty=0)[-1] == {"request": 1, "error": "RuntimeError: no"}


def test_the_lists_of_the_sliders_hold_their_ends() -> None:
    assert (CORRELATIONS[0], CORRELATIONS[10], CORRELATIONS[-1]) == (-1, 0, 1)
    assert sorted(ROWS) == ROWS
    assert PENALTIES[0] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recorded": made_up().drop(columns="reachable")}, r"recorded lacks \['reachable'\]"),
        ({"recorded": made_up().head(0)}, "recorded lacks rows"),
        ({"start": (0.3, 200, 0.1)}, r"start=\(0.3, 200, 0.1\) was not recorded"),
        ({"recorded": made_up().query("model != 'single-task'")}, "add 'single-task'"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        SharingLab(**{"recorded": made_up(), **change})
    assert "\n" not in str(caught.value)


def test_where_nothing_moves_there_is_a_picture_with_words(tmp_path: Path) -> None:
    lab = SharingLab(made_up(), start=(-1.0, 200, 0.1))
    data, metadata = lab._repr_mimebundle_()
    assert Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).width > 800
    assert metadata["image/png"]["alt"] == data["text/plain"]
    assert "At cosine -1, 200 training rows and penalty 0.1" in data["text/plain"]
    assert "hard sharing helps task 1 (-0.09)" in data["text/plain"]
    assert lab.save_html(tmp_path / "lab.html").stat().st_size < 200_000


def test_showing_the_lab_needs_no_tensorflow() -> None:
    code = "import sys, mtl_helpers.widgets.sharing_lab; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
