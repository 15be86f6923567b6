"""What a learner has solved, kept between sessions in one small file that is theirs to move or delete.

The file is ``progress.json`` in the user's data directory, or in the folder ``MTL_PROGRESS_DIR`` names. The tests and
``make notebooks`` are no learners: under them nothing is kept unless ``MTL_PROGRESS_DIR`` says where.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from mtl_helpers.exercises.catalogue import chapters, of_chapter
from mtl_helpers.exercises.display import show
from mtl_helpers.recording import write_text

NAME = "progress.json"
SOLVED = ("right", "written")


def progress_file() -> Path | None:
    """Says where progress is kept.

    Returns:
        The file, which need not exist yet; None if nothing is kept, as under the tests.

    Example:
        >>> progress_file()  # doctest: +SKIP
        PosixPath('/home/ada/.local/share/mtl_course/progress.json')
    """
    folder = os.environ.get("MTL_PROGRESS_DIR", "")
    if folder:
        return Path(folder).expanduser() / NAME
    if os.environ.get("MTL_STRICT") == "1" or "PYTEST_VERSION" in os.environ:
        return None
    import platformdirs

    return platformdirs.user_data_path("mtl-course", appauthor=False) / NAME


def solved() -> dict[str, dict[str, Any]]:
    """Reads what was solved so far.

    Returns:
        Exercise -> ``{"state": "right" or "written", "attempts": wrong answers before it, "on": date}``; empty if
        nothing is kept, or if the file cannot be read.
    """
    file = progress_file()
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["solved"] if file else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {name: each for name, each in found.items() if isinstance(each, dict)} if isinstance(found, dict) else {}


def keep(name: str, state: str, attempts: int) -> None:
    """Keeps a solved exercise; what was solved before stays as it was.

    A folder that cannot be written to stops nothing: the notebook goes on, only nothing is kept.

    Args:
        name: The exercise, for instance ``"06.1"``.
        state: ``"right"`` or ``"written"``; others are not kept.
        attempts: Wrong answers before it.
    """
    file = progress_file()
    if file is None or state not in SOLVED:
        return
    try:
        with one_at_a_time(file):
            known = solved()
            known.setdefault(name, {"state": state, "attempts": attempts, "on": datetime.now().date().isoformat()})
            content = {"about": "exercises of the multi-task learning course", "solved": dict(sorted(known.items()))}
            write_text(file, json.dumps(content, indent=1) + "\n")
    except OSError:
        return


@contextmanager
def one_at_a_time(file: Path, patience: float = 1.0) -> Iterator[None]:
    """Lets one notebook read and write the file at a time; one that was killed while it did is waited for only once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock, end = file.with_suffix(".lock"), time.monotonic() + patience
    while time.monotonic() < end:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            time.sleep(0.01)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def forget_progress() -> None:
    """Deletes what is kept about you.

    Example:
        >>> forget_progress()  # doctest: +SKIP
    """
    file = progress_file()
    if file is not None:
        file.unlink(missing_ok=True)


def progress() -> None:
    """Shows what you have solved, chapter by chapter.

    Example:
        >>> progress()
        01 ...
    """
    known, rows, lines = solved(), [], []
    for chapter in chapters():
        exercises = of_chapter(chapter)
        done = [name for name in exercises if name in known]
        left = ", ".join(name for name in exercises if name not in known) or "none"
        marks = "●" * len(done) + "○" * (len(exercises) - len(done))
        lines.append(f"{chapter} {marks} {len(done)} of {len(exercises)} solved, left: {left}")
        rows.append(
            f"<tr><td>{chapter}</td><td aria-hidden='true'>{marks}</td><td>{len(done)} of {len(exercises)}</td>"
            f"<td>{left}</td></tr>"
        )
    head = "<tr><th>chapter</th><th></th><th>solved</th><th>left</th></tr>"
    where = place()
    show("\n".join([*lines, where]), f"<table>{head}{''.join(rows)}</table><p>{escape(where)}</p>")


def place() -> str:
    """Says where progress is kept, once there is some."""
    file = progress_file()
    if file is None or not file.exists():
        return "Nothing is kept yet."
    return f"Kept in {file}; forget_progress() deletes it."
