"""The focal desk: what the focal loss makes of one row, and what a prediction trained with it means."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from mtl_helpers.metrics import focal_loss, unfocus
from mtl_helpers.plots.style import BLACK, BLUE, GREY, VERMILLION, new_figure, styled
from mtl_helpers.widgets.base import CourseWidget, bundle, styles
from mtl_helpers.widgets.labels import label

MOST_GAMMA = 5.0
LEAST, MOST = 0.01, 0.99  # predictions a slider reaches


class FocalDesk(CourseWidget):
    """Moves gamma and a predicted probability, and shows the row's loss and what the prediction means.

    Args:
        gamma: Exponent to begin with, from 0 to 5.
        p: Predicted probability to begin with, from .01 to .99.
        happened: Whether the row's label is 1.

    Raises:
        ValueError: If gamma or p is out of range.

    Example:
        >>> FocalDesk(gamma=2, p=0.9).describe()
        'Predicted 0.90: loss 0.0011 (γ = 2), 0.1054 by cross-entropy; 0.90 means 0.997.'
    """

    _esm = bundle("base.js", "focal_desk.js")
    _css = styles("base.css", "focal_desk.css")
    title = "Focal desk"

    def __init__(self, gamma: float = 2.0, p: float = 0.9, happened: bool = True) -> None:
        if not 0 <= gamma <= MOST_GAMMA or not LEAST <= p <= MOST:
            raise ValueError(f"gamma={gamma}, p={p}: give gamma from 0 to {MOST_GAMMA:g}, p from {LEAST} to {MOST}.")
        self.gamma, self.p, self.happened = float(gamma), float(p), bool(happened)
        ends = {"mostGamma": MOST_GAMMA, "least": LEAST, "most": MOST, "colours": [BLUE, VERMILLION]}
        super().__init__({"gamma": self.gamma, "p": self.p, "happened": self.happened, **ends})

    @styled
    def picture(self) -> Figure:
        """Draws both charts as they begin."""
        figure, axes = new_figure(10, 4.2, columns=2)
        where = np.linspace(LEAST, MOST, 200)
        loss, answer = axes[0]
        for gamma, colour, line in ((0, GREY, "--"), (self.gamma, BLUE, "-")):
            loss.plot(where, focal_loss(where, self.happened, gamma), color=colour, linestyle=line)
            answer.plot(unfocus(where, gamma), where, color=colour, linestyle=line)
        loss.plot(
            self.p, focal_loss(self.p, self.happened, self.gamma), "o", color=VERMILLION, markersize=10, clip_on=False
        )
        answer.plot(unfocus(self.p, self.gamma), self.p, "o", color=VERMILLION, markersize=10, clip_on=False)
        for panel, (x, y) in ((loss, (0.5, 3.7)), (answer, (0.3, 0.92))):
            panel.annotate(label("focal loss, γ = {gamma}", gamma=f"{self.gamma:g}"), (x, y), color=BLUE)
            panel.annotate(label("cross-entropy"), (x, y - (0.45 if panel is loss else 0.08)), color=BLACK)
        loss.set(xlabel=label("predicted probability"), ylabel=label("loss of the row"), xlim=(0, 1), ylim=(0, 5))
        answer.set(xlabel=label("true probability"), ylabel=label("predicted probability"), xlim=(0, 1), ylim=(0, 1))
        return figure

    def describe(self) -> str:
        """Says what the two charts show as they begin."""
        values = {
            "p": f"{self.p:.2f}",
            "loss": f"{focal_loss(self.p, self.happened, self.gamma):.4f}",
            "gamma": f"{self.gamma:g}",
            "plain": f"{focal_loss(self.p, self.happened, 0):.4f}",
            "meant": f"{unfocus(self.p, self.gamma):.3f}",
        }
        return label("Predicted {p}: loss {loss} (γ = {gamma}), {plain} by cross-entropy; {p} means {meant}.", **values)
