"""The fusion desk: several predictions, one ranking, and what users would really have done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mtl_helpers.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    label_lines,
    new_figure,
    styled,
    task_colour,
)
from mtl_helpers.widgets.base import CourseWidget, bundle, pack, styles

COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK)
TOP = 10
DEPTH = 20


class FusionDesk(CourseWidget):
    """Fuses several scores into one ranking, by exponents one moves by hand.

    The usual product is ``pVTR^w1 * pVCR^w2 * ... * f(video length)`` (Tang et al. 2020, DOI 10.1145/3383313.3412236,
    equation 1); a factor such as ``f(length)`` is one more score. The desk can also take the weighted sum.

    Args:
        scores: Name -> predicted score of each item, above 0, ``[items]``.
        outcomes: Name -> what the user would really have done with it, ``[items]``: click 0 or 1 (or its true
            probability), minutes watched.
        items: Names of the items; "item 1" and so on if None.
        requests: Which request each item was a candidate of, ``[items]``; all of one if None. Items are ranked within
            a request, and the curves are means over requests.
        start: Exponents to begin with, one a score; all 1 if None.
        most: Largest exponent of the sliders.

    Raises:
        ValueError: If there is no score or outcome, lengths differ, a number is missing, a score is not above 0, or a
            request has a single item.

    Example:
        >>> desk = FusionDesk(
        ...     {"click": [0.5, 0.2, 0.4], "finish": [0.1, 0.6, 0.3]}, {"click": [1, 0, 0], "finish": [0, 1, 1]}
        ... )
        >>> desk.ranking([1.0, 2.0]).tolist()
        [1, 2, 0]
    """

    _esm = bundle("base.js", "fusion_desk.js")
    _css = styles("base.css", "fusion_desk.css")
    title = "Fusion desk"

    def __init__(
        self,
        scores: Mapping[str, Any],
        outcomes: Mapping[str, Any],
        items: Sequence[str] | None = None,
        requests: Any = None,
        start: Sequence[float] | None = None,
        most: float = 3.0,
    ) -> None:
        self.scores, self.outcomes = read("scores", scores), read("outcomes", outcomes)
        count = len(next(iter(self.scores.values())))
        self.items = tuple(f"item {i + 1}" for i in range(count)) if items is None else tuple(map(str, items))
        found = np.zeros(count, int) if requests is None else np.asarray(requests)
        check_lengths({**self.scores, **self.outcomes, "items": np.array(self.items), "requests": found}, count)
        for name, values in self.scores.items():
            if values.min() <= 0:
                raise ValueError(f"scores[{name!r}] holds {values.min():.3g}; a product needs scores above 0.")
        self.requests = {str(name): np.flatnonzero(found == name) for name in dict.fromkeys(found.tolist())}
        single = [name for name, members in self.requests.items() if len(members) < 2]
        if single:
            raise ValueError(f"requests={single[0]!r} has a single item; ranking needs at least 2.")
        self.start = [1.0] * len(self.scores) if start is None else [float(weight) for weight in start]
        if len(self.start) != len(self.scores) or not all(0 <= weight <= most for weight in self.start):
            raise ValueError(f"start={self.start}: give {len(self.scores)} exponents from 0 to most={most}.")
        super().__init__(self._pack(most))

    def ranking(self, weights: Sequence[float], mode: str = "product", request: int = 0) -> np.ndarray:
        """Ranks the items of a request as the browser does.

        Args:
            weights: One a score.
            mode: ``"product"`` of powers or ``"sum"``.
            request: Position of the request.

        Returns:
            Positions of its items, best first.

        Raises:
            ValueError: If there is not one weight a score, the mode is unknown, or there is no such request.
        """
        if len(weights) != len(self.scores) or mode not in ("product", "sum") or request >= len(self.requests):
            raise ValueError(
                f"weights={list(weights)}, mode={mode!r}, request={request}: give {len(self.scores)} weights, "
                f"'product' or 'sum', and a request below {len(self.requests)}."
            )
        members = list(self.requests.values())[request]
        terms = [np.log(each) if mode == "product" else each for each in self.scores.values()]
        fused = np.sum([weight * term[members] for weight, term in zip(weights, terms, strict=True)], axis=0)
        return members[np.argsort(-fused, kind="stable")]

    def outcome_curves(self, weights: Sequence[float], mode: str = "product") -> dict[str, np.ndarray]:
        """Gives outcome -> its mean among the first k, averaged over requests, for k from 1 to at most 20."""
        rankings = [self.ranking(weights, mode, request) for request in range(len(self.requests))]
        depth = min(DEPTH, *(len(ranking) for ranking in rankings), DEPTH)
        means = np.arange(1, depth + 1)
        return {
            name: np.mean([np.cumsum(values[ranking[:depth]]) / means for ranking in rankings], axis=0)
            for name, values in self.outcomes.items()
        }

    @styled
    def picture(self) -> Figure:
        """Draws the outcome curves at the first exponents."""
        start = dict(zip(self.scores, self.start, strict=True))
        return draw_curves(self.outcome_curves(self.start), self.outcomes, start, self._colours())

    def describe(self) -> str:
        """Says what the first exponents lead to."""
        formula = " · ".join(f"{name}^{weight:g}" for name, weight in zip(self.scores, self.start, strict=True))
        curves = self.outcome_curves(self.start)
        top = min(TOP, len(next(iter(curves.values()))))
        said = ", ".join(f"{name} {curve[top - 1]:.3g}" for name, curve in curves.items())
        return f"Ranked by {formula}, the first {top} items bring on average: {said}."

    def _colours(self) -> dict[str, str]:
        names = list(dict.fromkeys([*self.scores, *self.outcomes]))
        return dict(zip(names, choose_colours(names), strict=True))

    def _pack(self, most: float) -> dict[str, Any]:
        colours = self._colours()
        names = list(colours)
        return {
            "scores": [
                {"name": name, "colour": names.index(name), "most": float(values.max()), "values": pack(values)}
                for name, values in self.scores.items()
            ],
            "outcomes": [
                {"name": name, "colour": names.index(name), "digits": digits(values), "values": pack(values)}
                for name, values in self.outcomes.items()
            ],
            "items": list(self.items),
            "requests": [members.tolist() for members in self.requests.values()],
            "requestNames": list(self.requests),
            "colours": list(colours.values()),
            "start": self.start,
            "most": most,
        }


def read(argument: str, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Reads named numbers.

    Raises:
        ValueError: If there are none, or one is missing.
    """
    if not values:
        raise ValueError(f"{argument}={{}} is empty; give at least one, by name.")
    found = {str(name): np.asarray(each, np.float64).ravel() for name, each in values.items()}
    for name, each in found.items():
        if not np.isfinite(each).all() or not len(each):
            raise ValueError(f"{argument}[{name!r}] holds NaN, infinity or nothing; give a number for each item.")
    return found


def check_lengths(arrays: dict[str, np.ndarray], count: int) -> None:
    """Checks that everything has a value for each item.

    Raises:
        ValueError: If a length is another one.
    """
    lengths = {name: len(values) for name, values in arrays.items()}
    if set(lengths.values()) != {count}:
        raise ValueError(f"lengths differ: {lengths}; give one value for each item.")


def digits(values: np.ndarray) -> int:
    """Digits after the point that tell such numbers apart."""
    return 2 if np.abs(values).max() < 10 else 1


def choose_colours(names: list[str]) -> list[str]:
    """Gives each name its colour in the course, or else one not yet taken, as long as there are any."""
    colours = [task_colour(name) for name in names]
    spare = cycle([colour for colour in COLOURS if colour not in colours] or [GREY])
    return [next(spare) if colour == GREY else colour for colour in colours]


def draw_curves(
    curves: dict[str, np.ndarray], outcomes: dict[str, np.ndarray], start: dict[str, float], colours: dict[str, str]
) -> Figure:
    """Draws the mean outcome among the first k: a panel an outcome, with the mean of all items as a line."""
    figure, axes = new_figure(4.2 * len(curves), 3.4, columns=len(curves))
    for panel, (name, curve) in zip(axes[0], curves.items(), strict=True):
        colour = colours[name]
        panel.plot(np.arange(1, len(curve) + 1), curve, color=colour)
        panel.axhline(outcomes[name].mean(), color=GREY, linewidth=1, linestyle=":")
        panel.set(xlabel="first k of the list", title=f"true {name}", ylim=(0, None))
        label_lines(panel, [(float(curve[-1]), "ranked", colour), (float(outcomes[name].mean()), "chance", GREY)], 0.1)
    axes[0, 0].set_ylabel("mean of these")
    figure.suptitle("score = " + " · ".join(f"{name}^{weight:g}" for name, weight in start.items()), color=GREY)
    return figure
