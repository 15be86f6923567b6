from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.metrics import focal_loss, unfocus
from mtl_helpers.widgets import FocalDesk

GAMMAS = st.floats(0, 5)
CHANCES = st.floats(0.02, 0.98)


@given(CHANCES, st.booleans())
def test_without_gamma_it_is_cross_entropy(p: float, happened: bool) -> None:
    assert focal_loss(p, happened, 0) == pytest.approx(-np.log(p if happened else 1 - p))
    assert unfocus(p, 0) == pytest.approx(p)


@given(CHANCES, GAMMAS, st.booleans())
def test_the_loss_only_shrinks_and_sees_both_labels_alike(p: float, gamma: float, happened: bool) -> None:
    assert 0 <= focal_loss(p, happened, gamma) <= focal_loss(p, happened, 0)
    assert focal_loss(p, happened, gamma) == pytest.approx(focal_loss(1 - p, not happened, gamma))


@settings(max_examples=30)
@given(CHANCES, GAMMAS)
def test_no_other_prediction_has_a_smaller_expected_loss(p: float, gamma: float) -> None:
    true = unfocus(p, gamma)

    def expected(prediction: np.ndarray | float) -> np.ndarray:
        return true * focal_loss(prediction, True, gamma) + (1 - true) * focal_loss(prediction, False, gamma)

    assert expected(p) <= expected(np.linspace(0.001, 0.999, 500)).min() + 1e-9


@given(GAMMAS)
def test_what_is_meant_keeps_the_order_and_mirrors_at_one_half(gamma: float) -> None:
    where = np.linspace(0.02, 0.98, 49)
    true = unfocus(where, gamma)
    assert (np.diff(true) > 0).all()
    np.testing.assert_allclose(true + true[::-1], 1)
    assert (np.abs(true - 0.5) >= np.abs(where - 0.5) - 1e-9).all()  # predictions are too timid


@pytest.mark.parametrize(("gamma", "p"), [(-1, 0.5), (6, 0.5), (2, 0.0), (2, 1.0)])
def test_what_no_slider_reaches_is_refused(gamma: float, p: float) -> None:
    with pytest.raises(ValueError, match="give gamma from 0 to 5, p from"):
        FocalDesk(gamma, p)


def test_where_nothing_moves_there_is_a_picture_with_words() -> None:
    desk = FocalDesk(gamma=2, p=0.9)
    assert desk.describe() == "Predicted 0.90: loss 0.0011 (γ = 2), 0.1054 by cross-entropy; 0.90 means 0.997."
    loss, answer = desk.picture().axes
    dots = [panel.get_lines()[-1].get_xydata()[0] for panel in (loss, answer)]
    np.testing.assert_allclose(dots, [[0.9, focal_loss(0.9, True, 2)], [unfocus(0.9, 2), 0.9]])
    assert "loss 2.3026" in FocalDesk(0, 0.9, happened=False).describe()
