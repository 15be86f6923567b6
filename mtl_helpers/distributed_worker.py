"""The program of one of the processes that ``train_on_workers`` starts: ``python -m mtl_helpers.distributed_worker``.

It is given a file with the job and one for the result. The strategy has to be there before the first tensor, so the
imports that make one stand inside of functions.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from mtl_helpers.distributed import WorkersRun, imported, train

VECTORS = (10_000, 100_000, 1_000_000, 10_000_000)  # bytes of the vectors whose exchange is timed


def work(job_file: str, result_file: str) -> None:
    """Does a worker's job: trains, times the parts of a step; the first worker writes down what it saw."""
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()  # before the first tensor, and so before the other imports
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    builder, data, training = imported(job["builder"]), imported(job["data"])(), job["training"]
    steps = list(train(strategy, builder, data, **training))
    alone = {**training, "epochs": 2, "batch_size": training["batch_size"] // strategy.num_replicas_in_sync}
    own = list(train(tf.distribute.get_strategy(), builder, data, **alone))
    found = WorkersRun(
        losses=[loss for loss, _ in steps],
        step_seconds=median(seconds for _, seconds in steps[len(steps) // training["epochs"] :] or steps),
        own_seconds=median(seconds for _, seconds in own[len(own) // 2 :]),
        exchange_seconds={size: exchange_seconds(strategy, size) for size in VECTORS},
        gradient_bytes=4 * builder(data).count_params(),
        replicas=strategy.num_replicas_in_sync,
        fit_error=how_fit_fails(strategy, builder, data, training["batch_size"]) if job["fit"] else None,
    )
    if strategy.cluster_resolver.task_id == 0:
        Path(result_file).write_text(json.dumps(asdict(found)), encoding="utf-8")


def exchange_seconds(strategy: Any, size: int, times: int = 15) -> float:
    """Gives the median seconds in which all processes add up a vector of so many bytes."""
    import tensorflow as tf

    vector = tf.zeros(size // 4)

    @tf.function(autograph=False)
    def add() -> Any:
        return strategy.run(lambda: tf.distribute.get_replica_context().all_reduce("SUM", vector))

    def once() -> float:
        start = time.perf_counter()
        add()
        return time.perf_counter() - start

    once()
    return median(once() for _ in range(times))


def how_fit_fails(strategy: Any, builder: Callable[..., Any], data: Any, batch_size: int) -> str | None:
    """Tries Keras's own ``fit``; gives the kind of its error and how its message begins, None if it works."""
    import tensorflow as tf

    from mtl_helpers.losses import task_losses

    rows = tf.data.Dataset.from_tensor_slices((data.train.inputs, data.train.labels)).batch(batch_size, True)
    with strategy.scope():
        model = builder(data)
        model.compile("adam", loss=task_losses(data))
    try:
        model.fit(rows, verbose=0, shuffle=False)
    except Exception as error:
        return f"{type(error).__name__}: {re.split('[({:]', str(error))[0].strip()}"
    return None


def end_with_parent() -> None:
    """Ends this process when the one that started it is gone: then nobody holds the other end of its input."""
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    work(*sys.argv[1:])
