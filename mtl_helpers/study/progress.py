"""A tqdm progress bar that leaves one line behind, in a notebook as in a terminal."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


class DisplayedLine:
    """A text stream whose latest line is one updated output of a notebook cell."""

    def __init__(self) -> None:
        from IPython.display import display

        self._shown = ""
        self._handle = display({"text/plain": ""}, raw=True, display_id=True)

    def write(self, text: str) -> None:
        """Shows the last line of the text, if it says something new."""
        line = text.strip("\r\n ")
        if line and line != self._shown:
            self._shown = line
            self._handle.update({"text/plain": line}, raw=True)

    def flush(self) -> None:
        """Does nothing: every line is shown at once."""


def in_notebook() -> bool:
    """Says whether the code runs in a Jupyter kernel."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return type(shell).__name__ == "ZMQInteractiveShell"


def progress_bar(total: int, what: str, shown: bool = True) -> Any:
    """Opens a tqdm bar.

    Args:
        total: Steps until it is full.
        what: Text in front of it.
        shown: False gives a bar that draws nothing.

    Returns:
        The bar; ``update()`` moves it, ``close()`` ends it.

    Example:
        >>> bar = progress_bar(total=2, what="training", shown=False)
        >>> bar.update() and None
        >>> bar.close()
    """
    stream = DisplayedLine() if shown and in_notebook() else sys.stderr
    return tqdm(total=total, desc=what, disable=not shown, file=stream, ncols=90, mininterval=0.2, ascii=" ━")
