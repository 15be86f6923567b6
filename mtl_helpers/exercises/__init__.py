"""Exercises that check themselves: ``check("06.1", answer)`` in a notebook says what is right and what is off."""

from mtl_helpers.exercises.catalogue import find
from mtl_helpers.exercises.kinds import Coding, Exercise, Open, Prediction, Verdict
from mtl_helpers.exercises.progress import forget_progress, progress
from mtl_helpers.exercises.session import check, judge, summary

__all__ = [
    "Coding",
    "Exercise",
    "Open",
    "Prediction",
    "Verdict",
    "check",
    "find",
    "forget_progress",
    "judge",
    "progress",
    "summary",
]
