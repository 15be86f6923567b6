"""Runs the benches named on the command line, or all: ``python -m mtl_helpers.bench [NAME ...]``.

Each table is printed and kept in ``data/results/bench_*.json``. What each chapter asks of a hub is measured by
``python -m mtl_helpers.bench.hub``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pandas as pd

from mtl_helpers.bench import scale, speed
from mtl_helpers.recording import record

BENCHES: dict[str, Callable[[], pd.DataFrame]] = {
    "study": speed.bench_study,
    "experts": speed.bench_experts,
    "factorization": speed.bench_factorization,
    "data": speed.bench_data,
    "crf": speed.bench_crf,
    "sharing": speed.bench_sharing,
    "scale": scale.measure,
}


def main() -> None:
    """Runs the benches."""
    for name in sys.argv[1:] or BENCHES:
        table = BENCHES[name]()
        print(f"\n=== {name}\n{table.to_string(index=False)}", flush=True)
        record(f"bench_{name}", f"python -m mtl_helpers.bench {name}", table.to_dict(orient="records"))


if __name__ == "__main__":
    main()
