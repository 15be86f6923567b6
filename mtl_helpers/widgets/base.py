"""What every widget of the course has: numbers sent small, a file that works by itself, a picture, and a way to ask."""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from matplotlib.figure import Figure

from mtl_helpers.plots.style import to_png
from mtl_helpers.recording import write_text
from mtl_helpers.widgets.labels import chosen_words

FOLDER = Path(__file__).parent
LARGEST_STEP = 30_000  # so that a difference of two steps, its sign in the lowest bit, fits in two bytes
IMPORT = re.compile(r'^import [^;]*? from "\./[a-z_]+\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
Progress = Callable[[float, str], None]
STATE = "application/vnd.mtl-helpers.widget+json"  # in a stored notebook: what the widget needs to come alive again


def bundle(*names: str) -> str:
    """Joins modules that import each other into the single module a widget may have.

    Args:
        *names: Files of this folder, each after those it imports from.

    Returns:
        Their text without the imports, and with no export but the default one.
    """
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in names]
    return "\n".join(EXPORT.sub("", IMPORT.sub("", text)) for text in texts)


def styles(*names: str) -> str:
    """Joins style sheets of this folder."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


def pack(values: np.ndarray, step: float | None = None) -> dict[str, Any]:
    """Makes numbers small enough for a notebook: rounded to steps, differences along the last axis, deflated.

    Args:
        values: Finite numbers; put the axis along which they change least last.
        step: What to round to, at least 1/30,000 of the range; that share of the range if None.

    Returns:
        What ``unpack`` of ``base.js`` reads, as JSON can hold it.

    Raises:
        ValueError: If a number is not finite, or the step is too small for the range.

    Example:
        >>> pack(np.array([[0.5, 0.501, 0.499]]), step=0.001)["shape"]
        [1, 3]
    """
    values = np.asarray(values, np.float64)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    step = step or (high - low) / LARGEST_STEP or 1.0
    if not 0 <= high - low <= 1.01 * LARGEST_STEP * step:
        raise ValueError(f"values run from {low:g} to {high:g} in steps of {step:g}; give finite ones, a larger step.")
    low = np.floor(low / step) * step
    whole = np.rint((values - low) / step).astype(np.int64)
    steps = np.diff(whole, axis=-1, prepend=0)
    signed = (np.abs(steps) * 2 - (steps < 0)).astype("<u2").ravel()  # 0, -1, 1, -2, 2 -> 0, 1, 2, 3, 4
    halves = (signed & 255).astype("u1").tobytes() + (signed >> 8).astype("u1").tobytes()
    text = base64.b64encode(zlib.compress(halves, 9)).decode("ascii")
    return {"shape": list(values.shape), "low": low, "step": step, "bytes": text}


class CourseWidget(anywidget.AnyWidget):
    """Base of the course's widgets; not used by itself.

    A subclass gives ``_esm`` and ``_css`` (by ``bundle`` and ``styles``), fills ``data``, and says in ``picture`` and
    ``describe`` what to show where nothing can move. If it can compute on request, it gives ``answers``.

    Attributes:
        data: What the browser needs, as JSON can hold it.
        live: Whether a kernel answers requests.
        answers: Kind of request -> function of (content, progress) that gives the answer as a dict. It may call
            ``progress(share, text)`` while it works; what it raises is shown as one line.
    """

    data = traitlets.Dict().tag(sync=True)
    live = traitlets.Bool(False).tag(sync=True)

    title = "Widget"

    def __init__(self, data: dict[str, Any], answers: dict[str, Callable[..., dict[str, Any]]] | None = None) -> None:
        self.answers = answers or {}
        words = chosen_words()
        super().__init__(data={**data, "words": words} if words else data, live=bool(self.answers))
        self.on_msg(self._answer)

    def picture(self) -> Figure:
        """Draws what is shown where nothing can move."""
        raise NotImplementedError

    def describe(self) -> str:
        """Says in a sentence or two what the picture shows."""
        raise NotImplementedError

    def save_html(self, path: Path | str) -> Path:
        """Writes the widget as one file that needs neither network nor kernel.

        Args:
            path: The file; it changes as a whole or not at all.

        Returns:
            The path.

        Example:
            >>> explorer.save_html("gates.html")  # doctest: +SKIP
        """
        # Inside <script>, "<" could begin "</script>" or "<!--"; as \u003c it cannot, and means the same.
        state = json.dumps({"data": self.data, "live": False}, separators=(",", ":")).replace("<", "\\u003c")
        if "</script" in self._esm or "</style" in self._css:
            raise ValueError(f"{type(self).__name__}'s code or style closes its own tag; write it another way.")
        module = str(self._esm).replace("export default ", "const widget = ", 1)
        page = (FOLDER / "page.html").read_text(encoding="utf-8")
        parts = {"TITLE": html.escape(self.title), "STYLE": str(self._css), "STATE": state, "MODULE": module}
        return write_text(path, re.sub("%%([A-Z]+)%%", lambda found: parts[found[1]], page))

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Gives the live view, a picture for where there is none, and what the static site makes it alive with."""
        found = super()._repr_mimebundle_(**kwargs)
        data, metadata = found if isinstance(found, tuple) else (found or {}, {})
        alt = self.describe()
        png = base64.b64encode(to_png(self.picture())).decode("ascii")
        data[STATE] = {"widget": type(self).__name__, "data": self.data}
        return {**data, "image/png": png, "text/plain": alt}, {**metadata, "image/png": {"alt": alt}}

    def _answer(self, _: Any, content: dict[str, Any], buffers: Any) -> None:
        """Answers a request of the browser: ``{"request": number, "kind": ..., ...}``."""
        number, kind = content.get("request"), content.get("kind", "")

        def progress(share: float, text: str = "") -> None:
            self.send({"request": number, "progress": float(share), "text": text})

        try:
            if kind not in self.answers:
                raise ValueError(f"kind={kind!r} is not a request; there are {sorted(self.answers)}.")
            self.send({"request": number, "answer": self.answers[kind](content, progress)})
        except Exception as error:  # the browser shows it: nobody sees what a callback prints
            self.send({"request": number, "error": f"{type(error).__name__}: {error}".splitlines()[0]})
