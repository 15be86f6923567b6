"""The figures of chapter 09 show the numbers they are given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtl_helpers import plots


def test_a_sentence_shows_its_marginals_its_best_tags_and_the_pair() -> None:
    pair = {"first": 0, "second": 1, "probabilities": [0.9, 0.1]}
    shown = {
        "words": ["Ada", "in", "Oslo"],
        "unknown": [False, False, True],
        "tags": [1, 0, 2],
        "marginals": [[0.1, 0.8, 0.1], [1.0, 0.0, 0.0], [0.2, 0.2, 0.6]],
        "spans": [[0, 1, "Person"], [2, 3, "Place"]],
        "pairs": [pair],
    }
    figure = plots.sentence_picture(shown, ("O", "B-Person", "B-Place"), ("lives_in", "left"), pair, {})
    strip, bars = figure.axes
    np.testing.assert_allclose(strip.images[0].get_array(), np.array(shown["marginals"]).T)
    assert [frame.get_y() for frame in strip.patches] == [0.55, -0.45, 1.55]
    assert [label.get_text() for label in strip.get_xticklabels()] == ["Ada", "in", "[Oslo]"]
    assert [bar.get_width() for bar in bars.patches] == [0.9, 0.1]
    assert bars.get_title() == "Ada\n→ Oslo"
    alone = plots.sentence_picture({**shown, "pairs": []}, ("O", "B-Person", "B-Place"), (), None, {})
    assert not alone.axes[1].axison


def test_the_trellis_marks_the_best_path() -> None:
    figure = plots.tag_trellis(np.arange(6.0).reshape(3, 2), np.ones((3, 2)), [1, 0, 1], ["a", "b", "c"], ["O", "B"])
    panel = figure.axes[0]
    thick = max(panel.get_lines(), key=lambda line: line.get_linewidth())
    assert list(thick.get_ydata()) == [1, 0, 1]
    assert "score +5.0\nsum 1.00" in [text.get_text() for text in panel.texts]


@pytest.fixture
def gains() -> pd.DataFrame:
    rows = [
        (line, size, seed, sign + seed)
        for line, sign in (("up", 1), ("down", -1))
        for size in (500, 8000)
        for seed in (0, 1)
    ]
    return pd.DataFrame(rows, columns=["line", "rows", "seed", "gain"])


def test_gains_are_means_over_seeds(gains: pd.DataFrame) -> None:
    panel = plots.gain_against(gains, "rows", "training sentences", claimed=2).axes[0]
    lines = [line for line in panel.get_lines() if list(line.get_xdata()) == [500, 8000]]
    assert [list(line.get_ydata()) for line in lines] == [[1.5, 1.5], [-0.5, -0.5]]
    assert len({line.get_linestyle() for line in lines}) == 2
    assert {"up", "down", "claimed"} <= {text.get_text() for text in panel.texts}
    assert [label.get_text() for label in panel.get_xticklabels()] == ["500", "8,000"]
    single = gains[gains["seed"] == 0]
    assert plots.gain_against(single, "rows", "sentences").axes[0].get_xlabel() == "sentences"


def test_weights_and_bars_show_points() -> None:
    rows = [(weight, seed, "relation", 0.5 + weight / 100) for weight in (0.3, 1.0, 3.0) for seed in (0, 1)]
    sweep = pd.DataFrame(rows, columns=["weight", "seed", "task", "value"])
    panel = plots.weight_sweep(sweep, {"relation": 0.4}).axes[0]
    np.testing.assert_allclose(panel.get_lines()[1].get_ydata(), [50.3, 51, 53])
    assert [label.get_text() for label in panel.get_xticklabels()] == ["0.3", "1", "3"]
    frame = pd.DataFrame(
        {"model": ["joint"] * 2 + ["relation only"] * 2, "seed": [0, 1] * 2, "value": [0.5, 0.7, 0.6, 0.6]}
    )
    panel = plots.score_bars(frame.assign(metric="relation")).axes[0]
    assert [text.get_text() for text in panel.texts] == ["60.0", "60.0"]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["joint", "relation only"]
