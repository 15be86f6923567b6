"""Measures what each chapter asks of a hub: ``python -m mtl_helpers.bench.hub [NN ...]``, part of ``make bench``.

Every notebook is run alone, in a fresh kernel: seconds until the kernel has run the first cell that imports something,
seconds for all of it, the kernel's peak memory, and that of the kernel together with the processes it starts. Kept in
``data/results/hub.json``, chapter by chapter: what is not measured now stays as it was.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from mtl_helpers.notebooks import CELL_SECONDS, KERNEL, PEAK_MEMORY, ROOT, pairs, read_source
from mtl_helpers.recording import record, recorded

NAME = "hub"
PAUSE = 0.2  # seconds between two looks at the memory


def family_memory(process: psutil.Process) -> int:
    """Adds up what a process and those it started hold, in bytes; pages that they share count for each."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    return total


@contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """Looks at the memory of a process and its children again and again; the list holds the most seen."""
    most, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(PAUSE):
            try:
                most[0] = max(most[0], family_memory(psutil.Process(pid)))
            except psutil.Error:
                return

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield most
    finally:
        done.set()
        watcher.join()


def measure(source: Path, folder: Path) -> dict[str, Any]:
    """Runs one chapter from its source in a fresh kernel; stores no notebook.

    Args:
        source: The py:percent file.
        folder: The kernel's working folder.

    Returns:
        Chapter, seconds to start and to run, bytes of the kernel and of all processes.
    """
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell

    notebook = read_source(source)
    cells = [(number, cell) for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    importing = [number for number, cell in cells if "import " in cell.source and "mtl_helpers" in cell.source]
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name=KERNEL["name"],
        extra_arguments=["--log-level=40"],
        resources={"metadata": {"path": str(folder)}},
    )
    notebook.cells.append(new_code_cell("import os"))
    notebook.cells.append(new_code_cell("os.getpid()"))
    notebook.cells.append(new_code_cell(PEAK_MEMORY))
    begin = time.monotonic()
    with client.setup_kernel(env={**os.environ, "MTL_STRICT": "1"}):
        last = len(notebook.cells)
        for number in (last - 3, last - 2):
            client.execute_cell(notebook.cells[number], number)
        pid = int(notebook.cells[last - 2].outputs[0]["data"]["text/plain"])
        with watched(pid) as most:
            for number, cell in cells:
                client.execute_cell(cell, number)
                if number in importing:
                    started = time.monotonic() - begin
                    importing = []
            seconds = time.monotonic() - begin
        client.execute_cell(notebook.cells[last - 1], last - 1)
    kernel = int(notebook.cells[last - 1].outputs[0]["data"]["text/plain"])
    return {
        "chapter": source.stem[:2],
        "start_seconds": round(started, 1),
        "run_seconds": round(seconds, 1),
        "kernel_bytes": kernel,
        "all_bytes": max(kernel, most[0]),
    }


def main() -> None:
    """Measures the chapters named on the command line, or all, and merges them into the record."""
    try:
        found = {row["chapter"]: row for row in recorded(NAME)["results"]}
    except FileNotFoundError:
        found = {}
    for source, notebook in pairs(ROOT).items():
        chapter = source.stem[:2]
        if notebook.parent.name != "notebooks" or (sys.argv[1:] and chapter not in sys.argv[1:]):
            continue
        found[chapter] = measure(source, notebook.parent)
        record(NAME, "python -m mtl_helpers.bench.hub", [found[each] for each in sorted(found)])
        print(found[chapter], flush=True)


if __name__ == "__main__":
    main()
