"""Statements that a notebook makes, checked against its own numbers."""

from __future__ import annotations

import os

import numpy as np

from mtl_helpers.study.progress import in_notebook


def claim(text: str, condition: bool, details: str = "") -> None:
    """States something about the results and shows whether it holds.

    With ``MTL_STRICT=1``, as the tests set it, a claim that does not hold is an error. So a notebook cannot go on
    saying what its numbers no longer say.

    Args:
        text: The statement, as a sentence.
        condition: Whether it holds.
        details: The numbers behind it.

    Raises:
        AssertionError: If the claim does not hold and ``MTL_STRICT`` is 1.
        TypeError: If the condition is a number, which would hold whatever it is, unless it is 0.

    Example:
        >>> claim("Two is more than one.", 2 > 1, "2 against 1")
        Claim holds: Two is more than one. (2 against 1)
    """
    if isinstance(condition, int | float | np.number) and not isinstance(condition, bool):
        raise TypeError(f"condition={condition!r} is a number; compare it with one, for instance difference > 0.")
    holds = bool(condition)
    verdict = "Claim holds" if holds else "Claim does not hold"
    behind = f" ({details})" if details else ""
    if in_notebook():
        from IPython.display import Markdown, display

        display(Markdown(f"{'✅' if holds else '❌'} **{verdict}:** {text}{behind}"))
    else:
        print(f"{verdict}: {text}{behind}")
    if not holds and os.environ.get("MTL_STRICT") == "1":
        raise AssertionError(f"{verdict}: {text}{behind}")
