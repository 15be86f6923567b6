"""Runs every check of the project: ``python tests/run.py``; a part of them: ``python tests/run.py -k style``.

Widgets and chapters in a browser, every notebook and solution, unit tests with their coverage, style and types: one
run, for two processes that share all of it are never idle. The longest files come first (``tests/conftest.py``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TWO_AT_A_TIME = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
NOTEBOOKS = ["-p", "tests.notebooks.plugin", "--nbval-lax", "--nbval-current-env", "--ignore=notebooks/src"]
COVERAGE = ["--cov", "--cov-report=term:skip-covered", "--cov-fail-under=95"]
WHERE = ["tests/browser", "notebooks", "tests/notebooks", "tests/unit", "mtl_helpers", "--doctest-modules"]


def main(extra: list[str]) -> int:
    """Runs pytest, with ``extra`` arguments; gives its exit code."""
    environment = {**os.environ, "MTL_STRICT": "1", "PYTHONUTF8": "1"}
    for threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):  # two processes at a time: a core each
        environment.setdefault(threads, "1")
    coverage = COVERAGE if not extra else []  # of a part it would say nothing
    command = [sys.executable, "-m", "pytest", "-q", *TWO_AT_A_TIME, *NOTEBOOKS, *coverage, *WHERE, *extra]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
