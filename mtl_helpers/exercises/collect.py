"""Collects the work of a class: ``python -m mtl_helpers.exercises.collect FOLDER``.

``FOLDER`` holds a folder a learner, each with the notebooks they handed in. Every notebook is run from top to bottom,
so that what counts is what their code does and not what their file says; then a table shows who solved what.
Handed-in code runs with your rights: do it in a container, or on a hub.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from mtl_helpers.exercises.catalogue import chapters, of_chapter
from mtl_helpers.exercises.progress import NAME

CELL_SECONDS = 600


def run(notebook: Path, folder: Path) -> int:
    """Runs a notebook that was handed in; its exercises write the learner's progress.

    Args:
        notebook: The file; it stays as it is.
        folder: Where the progress is kept.

    Returns:
        The number of cells that failed. The others were run all the same.
    """
    import nbformat
    from nbclient import NotebookClient

    content = nbformat.read(notebook, as_version=4)
    client = NotebookClient(content, timeout=CELL_SECONDS, kernel_name="python3", allow_errors=True)
    client.execute(cwd=str(notebook.parent), env={**os.environ, "MTL_PROGRESS_DIR": str(folder.resolve())})
    outputs = [output for cell in content.cells for output in cell.get("outputs", [])]
    return sum(output.output_type == "error" for output in outputs)


def table(folder: Path) -> str:
    """Puts the progress of a class into one table.

    Args:
        folder: Holds a folder a learner, each with a ``progress.json``.

    Returns:
        Lines of values separated by commas: a line a learner, a column an exercise; 1 if solved.

    Raises:
        ValueError: If there is no such file.
    """
    files = sorted(folder.glob(f"*/{NAME}"))
    if not files:
        raise ValueError(f"folder={str(folder)!r} holds no */{NAME}; give the folder with one folder a learner.")
    names = [name for chapter in chapters() for name in of_chapter(chapter)]
    lines = [",".join(["learner", *names])]
    for file in files:
        known = json.loads(file.read_text(encoding="utf-8"))["solved"]
        lines.append(",".join([file.parent.name, *(str(int(name in known)) for name in names)]))
    return "\n".join(lines)


def main(folder: Path) -> None:
    """Runs every notebook handed in, then prints the table."""
    for notebook in sorted(folder.glob("*/*.ipynb")):
        failed = run(notebook, notebook.parent)
        print(f"{notebook.parent.name}: {notebook.name}, {failed} cells failed", file=sys.stderr)
    print(table(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
