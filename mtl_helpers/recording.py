"""Results that were computed once and are kept: JSON files in ``data/results/`` that say what made them."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

RESULTS = Path(__file__).resolve().parent.parent / "data" / "results"


def write_whole(path: Path | str, write: Callable[[BinaryIO], Any]) -> Path:
    """Writes a whole file or nothing: to a temporary neighbour first, which is then renamed.

    Args:
        path: The file; its folder is made if need be.
        write: Writes its content to an open file.

    Returns:
        The path.

    Example:
        >>> import tempfile
        >>> write_whole(Path(tempfile.mkdtemp()) / "bytes", lambda file: file.write(b"kept")).read_bytes()
        b'kept'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as file:
            write(file)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def write_text(path: Path | str, text: str) -> Path:
    """Writes a whole text file or nothing.

    Args:
        path: The file; its folder is made if need be.
        text: Its content.

    Returns:
        The path.

    Example:
        >>> import tempfile
        >>> write_text(Path(tempfile.mkdtemp()) / "note.txt", "kept").read_text()
        'kept'
    """
    return write_whole(path, lambda file: file.write(text.encode()))


def circumstances() -> dict[str, Any]:
    """Says with what a result was made: versions of what computes, and the number of cores."""
    packages = ("tensorflow", "keras", "numpy")
    versions = {name: importlib.metadata.version(name) for name in packages}
    return {"python": platform.python_version(), **versions, "cores": os.cpu_count()}


def record(name: str, command: str, results: Any, settings: dict[str, Any] | None = None) -> Path:
    """Keeps a result in ``data/results/``.

    Args:
        name: File name without its ending.
        command: The command that makes the result again.
        results: What was found, as anything JSON can hold.
        settings: Seeds and settings it was found with.

    Returns:
        The file written.

    Raises:
        ValueError: If a number is not finite, which JSON has no word for; None says that there is none.
    """
    content = {"command": command, "made with": circumstances(), "settings": settings or {}, "results": results}
    try:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"results of {name!r} hold a number that is not finite; write None for it.") from error
    return write_text(RESULTS / f"{name}.json", text + "\n")


def recorded(name: str) -> dict[str, Any]:
    """Reads a kept result.

    Args:
        name: File name without its ending.

    Returns:
        ``command``, ``made with``, ``settings`` and ``results``.

    Raises:
        FileNotFoundError: If there is no such result; says which there are.
        ValueError: If the file is damaged.
    """
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        known = sorted(each.stem for each in RESULTS.glob("*.json"))
        raise FileNotFoundError(f"name={name!r}: no such recorded result; choose from {known}, or run what makes it.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is damaged ({error}); get it anew, or run what makes it.") from error
