"""Turns the chapters' text sources into notebooks with real outputs: ``python -m mtl_helpers.notebooks [NAME ...]``.

``notebooks/src/NAME.py`` (jupytext's py:percent form) is what is edited and reviewed. It is run from top to bottom in a
fresh kernel, in the folder of the notebook it becomes, and stored as ``notebooks/NAME.ipynb``.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
CELL_SECONDS = 600
PEAK_MEMORY = "__import__('mtl_helpers.notebooks').notebooks.peak_memory()"  # run in the kernel


def pairs(root: Path = ROOT) -> dict[Path, Path]:
    """Lists the text sources and the notebook each becomes.

    Args:
        root: The project's folder.

    Returns:
        Source -> notebook, in order.

    Example:
        >>> pairs(Path("nowhere"))
        {}
    """
    folder = root / "notebooks" / "src"
    sources = sorted(folder.glob("*.py")) + sorted(folder.glob("solutions/*.py"))
    return {
        source: root / "notebooks" / source.relative_to(folder).parent / f"{source.stem}.ipynb" for source in sources
    }


def read_source(source: Path) -> Any:
    """Reads a text source as a notebook without outputs.

    Args:
        source: The py:percent file.

    Returns:
        The notebook, its cells numbered and its kernel named ``python3``, which every Jupyter has.
    """
    import jupytext

    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
    return notebook


def run(notebook: Any, folder: Path) -> int:
    """Runs all cells in a fresh kernel, so that they hold their outputs.

    Args:
        notebook: The notebook; its cells are changed.
        folder: The kernel's working folder.

    Returns:
        The most memory the kernel took, in bytes.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails; a claim that does not hold is a failure.
    """
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell

    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name=KERNEL["name"],
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=40"],
        resources={"metadata": {"path": str(folder)}},
    )
    environment = {name: value for name, value in os.environ.items() if name != "MTL_SEED"}
    notebook.cells.append(new_code_cell(PEAK_MEMORY))
    with client.setup_kernel(env={**environment, "MTL_STRICT": "1"}):
        for number, cell in enumerate(notebook.cells):
            client.execute_cell(cell, number)
    return int(notebook.cells.pop().outputs[0]["data"]["text/plain"])


def peak_memory() -> int:
    """Gives the most memory this process has taken so far, in bytes.

    Returns:
        The peak of the resident memory.

    Example:
        >>> peak_memory() > 1_000_000
        True
    """
    status = Path("/proc/self/status")
    if status.exists():  # Linux; its getrusage would count the memory of the process that started this one
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        return int(found[1]) * 1024 if found else 0
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def tidy(notebook: Any) -> None:
    """Removes from the outputs what would not work or would differ for another reader.

    A widget's view without its saved state shows an error on hosting sites; its static picture stays.

    Args:
        notebook: The notebook; its cells are changed.

    Raises:
        ValueError: If a cell wrote to the error stream, or its output names a folder of this computer.
    """
    private = {str(ROOT), str(Path.home()), sys.prefix, os.environ.get("MTL_DATA_DIR", "")} - {"", "/"}
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise ValueError(f"cell {number} writes to the error stream: {output['text'][:200]!r}; mend its cause.")
            output.get("data", {}).pop(WIDGET_VIEW, None)
            text = str({kind: data for kind, data in output.get("data", {}).items() if kind != "image/png"})
            named = [folder for folder in private if folder in text + output.get("text", "")]
            if named:
                raise ValueError(f"cell {number} shows the folder {named[0]!r} of this computer; show a name instead.")
        cell.metadata.pop("execution", None)


def refresh(source: Path, target: Path) -> tuple[float, int]:
    """Runs one source and stores the notebook.

    Args:
        source: The py:percent file.
        target: The notebook to write; it changes only if all cells ran.

    Returns:
        Seconds and bytes of memory it took.
    """
    import nbformat

    start = time.monotonic()
    notebook = read_source(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    memory = run(notebook, target.parent)
    tidy(notebook)
    nbformat.validate(notebook)
    partial = target.with_suffix(".partial")
    partial.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
    os.replace(partial, target)
    return time.monotonic() - start, memory


def chosen(names: list[str]) -> Iterator[tuple[Path, Path]]:
    """Chooses the pairs whose name starts with one of the names (``06`` is enough); all if there are none."""
    for source, target in pairs().items():
        if not names or any(source.stem.startswith(name) for name in names):
            yield source, target


if __name__ == "__main__":
    for each, made in chosen(sys.argv[1:]):
        seconds, peak = refresh(each, made)
        size = made.stat().st_size
        print(f"{made.relative_to(ROOT)}: {seconds:.0f} s, {peak / 1e6:.0f} MB at most, {size / 1e3:.0f} kB stored")
