"""Shows HTML where there is a notebook, and text where there is none."""

from __future__ import annotations

import sys


def show(plain: str, html: str) -> None:
    """Shows HTML in a notebook, and plain text elsewhere."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    if shell is not None:
        from IPython.display import display

        display({"text/html": html, "text/plain": plain}, raw=True)
    else:
        print(plain)
