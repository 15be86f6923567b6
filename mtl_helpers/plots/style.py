"""How every figure of the course looks: colours that mean the same everywhere, and letters that can be projected."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from scipy.optimize import isotonic_regression

# Okabe and Ito (2008), "Color Universal Design": told apart with every common kind of colour vision.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
BROWN = "#7A4B00"  # a darker orange: hard sharing again, with a wider layer
GREY = "#767676"  # for what is neither model nor task: best reachable scores, zero lines

MODEL_COLOURS: dict[str, str] = {
    "single-task": BLACK,
    "shared-bottom": ORANGE,
    "shared-bottom, 4 units": BROWN,
    "hard sharing": ORANGE,
    "soft sharing": SKY,
    "cross-stitch": PURPLE,
    "one gate": GREEN,
    "MMoE": BLUE,
    "CGC": PURPLE,
    "PLE": VERMILLION,
    "logistic regression": GREY,
    "factorization machine": GREEN,
    "DeepFM": SKY,
    "two-tower": ORANGE,
    "ESMM": VERMILLION,
    "relation only": BLACK,
    "tags only": GREY,
    "joint": BLUE,
    "equal weights": ORANGE,
    "uncertainty": SKY,
    "dynamic average": GREEN,
    "GradNorm": PURPLE,
    "PCGrad": VERMILLION,
    "tuned static": BLUE,
}

TASK_COLOURS: dict[str, str] = {
    "click": BLUE,
    "finish": VERMILLION,
    "like": PURPLE,
    "watch_ratio": GREEN,
    "pay": ORANGE,
    "visit": BLUE,
    "conversion": ORANGE,
    "spend": GREEN,
    "liked": PURPLE,
    "tagged": ORANGE,
    "rating": GREEN,
    "income": BLUE,
    "never_married": VERMILLION,
    "education": GREEN,
    "task_1": BLUE,
    "task_2": VERMILLION,
    "relation": BLUE,
    "entity": ORANGE,
    "shared": GREY,
}

COURSE_STYLE: Any = {
    "font.size": 13,
    "axes.titlesize": 14,
    "axes.labelsize": 13,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "legend.fontsize": 12,
    "figure.titlesize": 15,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=[BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE, BLACK, YELLOW]),
    "lines.linewidth": 2.0,
    "figure.facecolor": "white",
    "svg.hashsalt": "course",
}
DOTS_PER_INCH = 96
HALO = (withStroke(linewidth=3, foreground="white"),)  # keeps letters apart from the lines below them


def use_course_style() -> None:
    """Makes figures drawn by hand look like the course's own.

    Example:
        >>> use_course_style()
        >>> matplotlib.rcParams["font.size"]
        13.0
    """
    matplotlib.rcParams.update(COURSE_STYLE)


def styled(plot: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorates a function that draws a figure: it draws in the course's style, whatever the settings are.

    A column, name or position that is not there is a ``ValueError`` that names the figure.
    """

    @functools.wraps(plot)
    def drawn(*args: Any, **kwargs: Any) -> Figure:
        try:
            with matplotlib.rc_context(COURSE_STYLE):
                return plot(*args, **kwargs)
        except (KeyError, IndexError) as error:
            raise ValueError(
                f"{plot.__name__}: {error} is not in what it was given; see help({plot.__name__})."
            ) from error

    return drawn


def colour_of(name: str, colours: dict[str, str]) -> str:
    """Finds a name's colour, or that of the longest known name it contains; grey if there is none.

    Args:
        name: The name.
        colours: Known name -> its colour.

    Returns:
        The colour, as ``#RRGGBB``.

    Example:
        >>> colour_of("MMoE, gate dropout", MODEL_COLOURS) == MODEL_COLOURS["MMoE"]
        True
    """
    known = [each for each in colours if each.lower() in name.lower()]
    return colours[max(known, key=len)] if known else GREY


def model_colour(name: str) -> str:
    """Gives a model's colour, the same in every figure.

    Args:
        name: The model's name; a variant has the colour of the model it names.

    Returns:
        The colour, as ``#RRGGBB``.

    Example:
        >>> model_colour("MMoE") == model_colour("MMoE, gate dropout")
        True
    """
    return colour_of(name, MODEL_COLOURS)


def task_colour(name: str) -> str:
    """Gives a task's colour, the same in every figure.

    Args:
        name: The task's name.

    Returns:
        The colour, as ``#RRGGBB``.

    Example:
        >>> task_colour("never_married") == task_colour("never married") == VERMILLION
        True
    """
    return colour_of(name.replace(" ", "_"), TASK_COLOURS)


def in_words(name: str) -> str:
    """Writes a name as people do: ``never_married`` is "never married"."""
    return name.replace("_", " ")


def signed(value: float, digits: int) -> str:
    """Writes a difference with its sign, a true minus, as the axes have it; what rounds to 0 has no minus.

    Args:
        value: The difference.
        digits: Digits after the point.

    Example:
        >>> signed(-0.04, 1), signed(-0.5, 1)
        ('+0.0', '−0.5')
    """
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1, **settings: Any) -> tuple[Figure, Any]:
    """Opens an empty figure that no global list keeps, so that nothing has to be closed.

    Args:
        width: In inches; a notebook shows about 10.
        height: In inches.
        rows: Rows of axes.
        columns: Columns of axes.
        **settings: Passed to ``Figure.subplots``.

    Returns:
        The figure, and an array ``[rows, columns]`` of axes.

    Raises:
        ValueError: If there is no row or column: nothing to draw.

    Example:
        >>> figure, axes = new_figure(6, 3, columns=2)
        >>> axes.shape
        (1, 2)
    """
    if rows < 1 or columns < 1:
        raise ValueError(f"rows={rows}, columns={columns}: there is nothing to draw; give data with at least one row.")
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **settings)


def label_lines(axes: Axes, ends: list[tuple[float, str, str]], gap: float = 0.07) -> None:
    """Writes names at the right ends of lines, moved apart where they would overlap, and never below the axis.

    Args:
        axes: Where the lines are, with their final limits.
        ends: For each line its last y, its name and its colour.
        gap: Least distance of two names, as a share of the height.
    """
    ends = sorted(ends)
    low, high = axes.get_ylim()
    steps = np.arange(len(ends)) * gap * (high - low)
    # Least squared displacement under a least distance is isotonic regression of the places less their steps.
    places = np.maximum(isotonic_regression(np.array([y for y, _, _ in ends]) - steps).x, low) + steps
    for place, (_, name, colour) in zip(places, ends, strict=True):
        where = ("axes fraction", "data")
        axes.annotate(name, (1.02, place), xycoords=where, va="center", color=colour, fontweight="bold", clip_on=False)


def show(figure: Figure, alt: str) -> None:
    """Shows a figure in a notebook, with words for those who cannot see it.

    Args:
        figure: The figure.
        alt: What it shows and what is to be noticed, in a sentence or two.

    Raises:
        ValueError: If there are no words.

    Example:
        >>> figure, _ = new_figure(4, 3)
        >>> show(figure, alt="An empty pair of axes.")
        An empty pair of axes.
    """
    if not alt.strip():
        raise ValueError(f"alt={alt!r} says nothing; describe what the figure shows.")
    from IPython import get_ipython

    if get_ipython() is None:
        print(alt)
        return
    from IPython.display import display

    png = base64.b64encode(to_png(figure)).decode("ascii")
    display({"image/png": png, "text/plain": alt}, metadata={"image/png": {"alt": alt}}, raw=True)


def to_png(figure: Figure) -> bytes:
    """Draws a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()
