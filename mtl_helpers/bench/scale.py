"""Measures a million rows: ``python -m mtl_helpers.bench scale``, part of ``make bench``.

Each way of training runs in a fresh process, so that its peak memory is its own. Drawing the rows, TensorFlow and
everything else counts in.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import keras
import pandas as pd

from mtl_helpers.datasets import stream_shards, task_pair, write_shards
from mtl_helpers.datasets.base import Rows
from mtl_helpers.losses import task_losses
from mtl_helpers.models import mmoe
from mtl_helpers.notebooks import peak_memory
from mtl_helpers.seeds import course_seed
from mtl_helpers.study import study

ROWS, SHARD, BATCH, SEEDS = 1_000_000, 50_000, 512, 3


def whole_study(rows: int) -> None:
    """Trains MMoE from three seeds for an epoch, all rows in memory; 60 % of them are for training."""
    study({"MMoE": mmoe}, task_pair(0.5, rows), seeds=SEEDS, epochs=1, batch_size=BATCH, progress=False)


def study_of_drawn_rows(rows: int) -> None:
    """The same with as many rows drawn anew for each seed."""
    study(
        {"MMoE": mmoe},
        lambda seed: task_pair(0.5, rows, seed=seed),
        seeds=SEEDS,
        epochs=1,
        batch_size=BATCH,
        progress=False,
    )


def streamed_fit(rows: int) -> None:
    """Writes as many training rows to disk, shard by shard, and trains MMoE on the stream for an epoch."""
    small = task_pair(0.5, SHARD)

    def parts() -> Iterator[Rows]:
        for number in range(-(-rows // SHARD)):
            pair = task_pair(0.5, SHARD, seed=course_seed(number))
            yield from (pair.train, pair.validation, pair.test)

    with tempfile.TemporaryDirectory() as folder:
        write_shards(folder, parts())
        model = mmoe(small)
        model.compile(keras.optimizers.Adam(3e-3), loss=task_losses(small))
        model.fit(stream_shards(folder, BATCH, seed=course_seed()), shuffle=False, epochs=1, verbose=0)


WAYS: dict[str, Callable[[int], None]] = {
    "study": whole_study,
    "study, rows drawn for each seed": study_of_drawn_rows,
    "streamed fit": streamed_fit,
}


def measure() -> pd.DataFrame:
    """Measures every way, with a tenth of the rows and with all of them."""
    found = []
    for way in WAYS:
        for rows in (ROWS // 10, ROWS):
            command = [sys.executable, "-m", "mtl_helpers.bench.scale", way, str(rows)]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
            found.append({"what": way, "rows": rows, **json.loads(ran.stdout.splitlines()[-1])})
    return pd.DataFrame(found)


if __name__ == "__main__":
    start = time.perf_counter()
    WAYS[sys.argv[1]](int(sys.argv[2]))
    print(json.dumps({"seconds": round(time.perf_counter() - start, 1), "peak, GB": round(peak_memory() / 1e9, 2)}))
