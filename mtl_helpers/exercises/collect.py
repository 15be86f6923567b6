"""Collects the work of a class: ``python -m mtl_helpers.exercises.collect FOLDER > solved.csv``.

``FOLDER`` holds a folder a learner, each with the notebooks they handed in. Their code is run, so that what counts is
what it does and not what a file says; then a table shows who solved what. First only the imports and the cells with a
``check`` are run, which takes seconds; where one of them fails or is wrong, perhaps because it needs something from
another cell, the whole notebook is. Handed-in code runs with your rights: do it in a container, or on a hub.
"""

from __future__ import annotations

import ast
import copy
import csv
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from mtl_helpers.exercises.catalogue import chapters, of_chapter
from mtl_helpers.exercises.progress import NAME
from mtl_helpers.exercises.session import MARKS

CELL_SECONDS = 600


def run(notebook: Path) -> tuple[set[str], int]:
    """Runs a notebook that was handed in; the file stays as it is.

    Args:
        notebook: The file.

    Returns:
        The exercises that are solved, and the number of cells that failed; the others were run all the same.
    """
    import nbformat

    whole = nbformat.read(notebook, as_version=4)
    short = copy.deepcopy(whole)
    codes = [cell for cell in short.cells if cell.cell_type == "code"]
    checks = [cell for cell in codes if "check(" in cell.source]
    short.cells = [nbformat.v4.new_code_cell("\n".join(imports(cell.source) for cell in codes)), *checks]
    found, failed, wrong = judged(short, notebook.parent)
    if failed or wrong:
        found, failed, _ = judged(whole, notebook.parent)
    return found, failed


def imports(source: str) -> str:
    """Gives the import statements of a cell."""
    try:
        lines = ast.parse(source).body
    except SyntaxError:
        return ""
    return "\n".join(ast.unparse(line) for line in lines if isinstance(line, ast.Import | ast.ImportFrom))


def judged(content: Any, folder: Path) -> tuple[set[str], int, int]:
    """Runs a notebook's cells with a progress file of their own; no other one is read.

    Args:
        content: The notebook.
        folder: Where it runs.

    Returns:
        The exercises that are solved, how many cells failed, and how many show a wrong answer.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    quiet = ["--Application.log_level=40"]  # no warning of each kernel
    client = NotebookClient(
        content, timeout=CELL_SECONDS, kernel_name="python3", allow_errors=True, extra_arguments=quiet
    )
    ended = 0
    with tempfile.TemporaryDirectory() as own:
        try:
            client.execute(cwd=str(folder), env={**os.environ, "MTL_PROGRESS_DIR": own})
        except (CellTimeoutError, DeadKernelError):
            ended = 1
        file = Path(own) / NAME
        found = set(json.loads(file.read_text(encoding="utf-8"))["solved"]) if file.exists() else set()
    outputs = [output for cell in content.cells for output in cell.get("outputs", [])]
    failed = sum(output.output_type == "error" for output in outputs)
    return found, ended + failed, sum(MARKS["wrong"] in str(output) for output in outputs)


def table(learners: dict[str, set[str]]) -> str:
    """Puts the progress of a class into one table.

    Args:
        learners: Name -> the exercises they solved.

    Returns:
        Lines of values separated by commas: a line a learner, a column an exercise, 1 if solved; the last one counts.
        Chapters of which nobody solved anything are left out.

    Example:
        >>> print(table({"ada": {"04.1"}}))
        learner,04.1,04.2,04.3,04.4,solved
        ada,1,0,0,0,1
    """
    known = set().union(*learners.values())
    names = [name for chapter in chapters() for name in of_chapter(chapter) if known & set(of_chapter(chapter))]
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["learner", *names, "solved"])
    for learner, found in sorted(learners.items()):
        lines.writerow([learner, *(int(name in found) for name in names), len(found)])
    return text.getvalue().rstrip("\n")


def main(folder: Path) -> None:
    """Runs every notebook handed in, then prints the table.

    Raises:
        ValueError: If there is none.
    """
    learners: dict[str, set[str]] = {}
    for notebook in sorted(folder.glob("*/*.ipynb")):
        name = notebook.parent.name
        try:
            found, failed = run(notebook)
        except Exception as error:  # not a notebook: the others are judged all the same
            print(f"{name}: {notebook.name} cannot be run ({type(error).__name__})", file=sys.stderr)
            found, failed = set(), 0
        else:
            print(f"{name}: {notebook.name}, {len(found)} solved, {failed} cells failed", file=sys.stderr)
        learners[name] = learners.get(name, set()) | found
    if not learners:
        raise ValueError(f"folder={str(folder)!r} holds no */*.ipynb; give the folder with one folder a learner.")
    print(table(learners))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
