"""Finds exercises by chapter and number: each chapter has a module, ``chapter_06``, with its ``EXERCISES``."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from mtl_helpers.exercises.kinds import Exercise


def find(name: str) -> Exercise:
    """Finds an exercise.

    Args:
        name: Chapter and number, for instance ``"06.1"``.

    Returns:
        The exercise, from the module ``mtl_helpers.exercises.chapter_06``.

    Raises:
        ValueError: If there is no such exercise.
    """
    exercises = of_chapter(str(name).partition(".")[0])
    if name not in exercises:
        known = sorted(exercises) or f"chapters {chapters()}, for instance '06.1'"
        raise ValueError(f"name={name!r} is not an exercise; choose from {known}.")
    return exercises[name]


def of_chapter(chapter: str) -> dict[str, Exercise]:
    """Gives the exercises of a chapter, for instance ``"06"``; none if it has none."""
    module = f"mtl_helpers.exercises.chapter_{chapter}"
    try:
        return importlib.import_module(module).EXERCISES
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return {}


def chapters() -> list[str]:
    """Lists the chapters that have exercises."""
    names = [each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)])]
    return sorted(name.removeprefix("chapter_") for name in names if name.startswith("chapter_"))
