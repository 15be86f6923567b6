"""Runs every check of the project, in order, and stops at none: ``python tests/run.py``.

Style and types, unit tests with coverage, every notebook and solution, and, where a browser is found, the widgets.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-q"]
TWO_AT_A_TIME = ["-n", "2", "--dist"]
FILES = [*TWO_AT_A_TIME, "loadfile"]
NBVAL = ["-p", "tests.notebooks.plugin", "--nbval-lax", "--nbval-current-env"]
STEPS = {
    "style": [sys.executable, "-m", "ruff", "check", "."],
    "format": [sys.executable, "-m", "ruff", "format", "--check", "."],
    "types": [sys.executable, "-m", "mypy"],
    "unit tests": [
        *PYTEST,
        *FILES,
        "--no-loadscope-reorder",  # in the order of tests/unit/conftest.py
        "tests/unit",
        "mtl_helpers",
        "--doctest-modules",
        "--cov",
        "--cov-report=term:skip-covered",
        "--cov-fail-under=95",
    ],
    "notebooks": [*PYTEST, *FILES, *NBVAL, "notebooks", "tests/notebooks"],
    # In the files' own order: the chapters, which take longest, begin at once.
    "browser": [*PYTEST, *TWO_AT_A_TIME, "loadgroup", "--no-loadscope-reorder", "tests/browser"],
}


def main() -> int:
    """Runs the steps named on the command line, or all of them; gives the number that failed."""
    wanted = sys.argv[1:] or list(STEPS)
    environment = {**os.environ, "MTL_STRICT": "1", "PYTHONUTF8": "1"}
    for threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):  # two processes at a time: a core each
        environment.setdefault(threads, "1")
    outcome = {}
    for name in wanted:
        print(f"\n=== {name}", flush=True)
        start = time.monotonic()
        failed = subprocess.run(STEPS[name], cwd=ROOT, env=environment, check=False).returncode
        outcome[name] = f"{'FAILED' if failed else 'passed'} in {time.monotonic() - start:.0f} s"
    print("\n=== summary")
    for name, text in outcome.items():
        print(f"{name:>12}: {text}")
    return sum(text.startswith("FAILED") for text in outcome.values())


if __name__ == "__main__":
    sys.exit(main())
