"""Judges answers, remembers how often they failed, and shows the verdict in a notebook or in plain Python."""

from __future__ import annotations

import os
from collections import Counter
from html import escape
from typing import Any

from mtl_helpers.exercises.catalogue import chapters, find, of_chapter
from mtl_helpers.exercises.display import show
from mtl_helpers.exercises.kinds import State, Verdict
from mtl_helpers.exercises.progress import keep

MARKS: dict[State, str] = {
    "unanswered": "✏️ Open",
    "right": "✅ Right",
    "wrong": "❌ Not yet",
    "written": "📝 Written",
}
_failures: Counter[str] = Counter()
_states: dict[str, State] = {}


def judge(name: str, answer: Any) -> Verdict:
    """Judges an answer and counts it, without showing anything.

    Args:
        name: Chapter and number, for instance ``"06.1"``.
        answer: The learner's answer: a function, a letter or a text; ``...`` or None if there is none.

    Returns:
        The verdict: a hint with the first wrong answer, the reason with the next.
    """
    verdict = find(name).judge(answer, _failures[name])
    _failures[name] += verdict.state == "wrong"
    _states[name] = verdict.state
    keep(name, verdict.state, _failures[name])
    return verdict


def check(name: str, answer: Any) -> None:
    """Shows what is right or off in an answer.

    An unanswered exercise says so and stops nothing. A wrong answer gets a hint, a second one the reason. With
    ``MTL_STRICT=1``, as the tests set it, a wrong answer is an error: so the worked solutions are known to be right.

    Args:
        name: Chapter and number, for instance ``"06.1"``.
        answer: The learner's answer: a function, a letter or a text; ``...`` or None if there is none.

    Raises:
        AssertionError: If the answer is wrong and ``MTL_STRICT`` is 1.

    Example:
        >>> check("06.1", ...)  # doctest: +ELLIPSIS
        ✏️ Open · 06.1 ... Not answered yet. Replace the ... above and run the cell again.
    """
    verdict = judge(name, answer)
    title = f"{name} {find(name).title}"
    plain = " ".join([f"{MARKS[verdict.state]} · {title}", verdict.finding, verdict.help]).strip()
    points = "".join(f"\n  [ ] {point}" for point in verdict.checklist)
    show(plain + points, to_html(title, verdict))
    if verdict.state == "wrong" and os.environ.get("MTL_STRICT") == "1":
        raise AssertionError(plain)


def summary(chapter: str) -> None:
    """Shows how far one has come with the exercises of a chapter.

    Args:
        chapter: The chapter's number, for instance ``"06"``.

    Raises:
        ValueError: If the chapter has no exercises.

    Example:
        >>> summary("06")  # doctest: +ELLIPSIS
        06.1 ...
    """
    exercises = of_chapter(chapter)
    if not exercises:
        raise ValueError(f"chapter={chapter!r} has no exercises; choose from {chapters()}.")
    lines = {f"{name} {each.title}": MARKS[_states.get(name, "unanswered")] for name, each in exercises.items()}
    rows = "".join(f"<tr><td>{escape(title)}</td><td>{mark}</td></tr>" for title, mark in lines.items())
    show("\n".join(f"{title} {mark}" for title, mark in lines.items()), f"<table>{rows}</table>")


def to_html(title: str, verdict: Verdict) -> str:
    """Writes a verdict as HTML. Everything is escaped, for a finding may quote what a learner typed."""
    points = "".join(f"<li>☐ {escape(point)}</li>" for point in verdict.checklist)
    checklist = f"<ul style='list-style:none'>{points}</ul>" if points else ""
    return (
        f"<p><b>{MARKS[verdict.state]} · {escape(title)}</b><br>{escape(verdict.finding)}</p>"
        f"{f'<p>{escape(verdict.help)}</p>' if verdict.help else ''}{checklist}"
    )
