"""Trains one model with several processes that add up their gradients after every step.

``train_on_workers`` starts the processes on this computer and joins them by TensorFlow's
``MultiWorkerMirroredStrategy`` exactly as separate machines would be joined: each gets the addresses of all, and its
own place among them, in the environment variable ``TF_CONFIG``. The training loop is written out in ``train``; Keras
3.15's ``fit`` does not run under this strategy, and ``try_fit`` says how it fails.

The worker program is ``distributed_worker.py``. A worker must set up its strategy before it makes its first tensor; so
this module imports TensorFlow inside of functions. TensorFlow's server listens on every network interface and asks for
no password, which cannot be changed: use a network you trust.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
LINES_SHOWN = 6
WORKER = ["-m", "mtl_helpers.distributed_worker"]


@dataclass(frozen=True)
class WorkersRun:
    """What a training by several processes found.

    Attributes:
        losses: The sum of the tasks' losses at every step, over the whole batch.
        step_seconds: Median seconds a step, exchange included, after the first epoch.
        own_seconds: Median seconds of one process's part of a step, without any exchange.
        exchange_seconds: Bytes of a vector -> median seconds until all processes hold the sum of their vectors.
        gradient_bytes: Bytes of gradients that each process sends into the exchange at every step.
        replicas: Processes that took part.
        fit_error: How Keras's own ``fit`` failed under the same strategy; None if it was not tried or did not fail.
    """

    losses: list[float]
    step_seconds: float
    own_seconds: float
    exchange_seconds: dict[int, float]
    gradient_bytes: int
    replicas: int
    fit_error: str | None = None


def train_on_workers(
    builder: Callable[..., Any],
    data: Callable[..., Any],
    *,
    workers: int = 2,
    epochs: int = 3,
    batch_size: int = 512,
    learning_rate: float = 3e-3,
    seed: int = 0,
    try_fit: bool = False,
    timeout: float = 300,
) -> WorkersRun:
    """Trains a model with several processes on this computer, each on its share of every batch.

    Args:
        builder: Function of a module, or a ``functools.partial`` of one, from the data to an uncompiled model.
        data: The same for the data; every worker calls it, so it must give all of them the same.
        workers: How many processes.
        epochs: Passes over the training rows.
        batch_size: Rows in a batch, over all workers together.
        learning_rate: Adam's.
        seed: Seed of the initial weights and of the order of the rows.
        try_fit: Whether to try ``model.fit`` as well, afterwards.
        timeout: Seconds after which the processes are ended.

    Returns:
        Losses and times, as the first worker saw them.

    Raises:
        ValueError: If the batch cannot be shared evenly, or a function cannot be imported by a worker.
        RuntimeError: If a worker fails; holds the last lines it wrote. The others are ended.
        TimeoutError: If they take too long; all are ended.

    Example:
        >>> run = train_on_workers(mmoe, partial(video_log, 20_000))  # doctest: +SKIP
    """
    if workers < 1 or batch_size % workers:
        raise ValueError(f"batch_size={batch_size} cannot be shared evenly by workers={workers}; give a multiple.")
    training = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    job = {"builder": named("builder", builder), "data": named("data", data), "training": training, "fit": try_fit}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        with running(folder, free_addresses(workers)) as processes:
            watch(processes, folder, timeout)
        found = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    found["exchange_seconds"] = {int(size): seconds for size, seconds in found["exchange_seconds"].items()}
    return WorkersRun(**found)


def named(argument: str, function: Callable[..., Any]) -> dict[str, Any]:
    """Says by which name another process can import a function, and with what to call it.

    Args:
        argument: Name of the argument, for the message.
        function: A function of a module, or a partial of one with arguments that JSON can hold.

    Returns:
        ``module``, ``name``, ``args`` and ``keywords``.

    Raises:
        ValueError: If it has no such name, as a lambda or a function of a notebook.

    Example:
        >>> named("data", functools.partial(max, 3))["args"]
        [3]
    """
    inner, args, keywords = function, [], {}
    if isinstance(function, functools.partial):
        inner, args, keywords = function.func, list(function.args), dict(function.keywords)
    module, name = getattr(inner, "__module__", None), getattr(inner, "__qualname__", "")
    if module in (None, "__main__") or not name.isidentifier():
        raise ValueError(f"{argument}={name or inner!r} cannot be imported by a worker; give a function of a module.")
    return {"module": module, "name": name, "args": args, "keywords": keywords}


def imported(call: dict[str, Any]) -> Callable[..., Any]:
    """Imports what ``named`` named."""
    function = getattr(importlib.import_module(call["module"]), call["name"])
    return functools.partial(function, *call["args"], **call["keywords"])


def free_addresses(count: int) -> list[str]:
    """Finds ports of this computer that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [f"{LOOPBACK}:{each.getsockname()[1]}" for each in sockets]
    finally:
        for each in sockets:
            each.close()


@contextmanager
def running(folder: Path, addresses: list[str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Runs the workers; whatever happens, none outlives the ``with`` block."""
    command = [sys.executable, *WORKER, str(folder / "job.json"), str(folder / "result.json")]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for index in range(len(addresses)):
            place = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            environment = {**os.environ, "TF_CONFIG": json.dumps(place), "GRPC_VERBOSITY": "NONE"}
            with open(folder / f"worker_{index}.log", "wb") as log:
                processes.append(
                    subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log)
                )
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def watch(processes: list[subprocess.Popen[bytes]], folder: Path, timeout: float) -> None:
    """Waits until all workers are done; the first that fails is reported."""
    end = time.monotonic() + timeout
    while True:
        codes = [process.poll() for process in processes]
        if any(codes) or None not in codes:
            break
        if time.monotonic() > end:
            raise TimeoutError(f"timeout={timeout:g}: the workers took more seconds than that; all were ended.")
        time.sleep(0.05)
    for index, code in enumerate(codes):
        if code:
            text = (folder / f"worker_{index}.log").read_text(encoding="utf-8", errors="replace")
            lines = [line for line in text.splitlines() if line.strip()][-LINES_SHOWN:]
            raise RuntimeError(f"worker {index} of {len(processes)} failed; its last lines:\n" + "\n".join(lines))


def train(
    strategy: Any, builder: Callable[..., Any], data: Any, epochs: int, batch_size: int, learning_rate: float, seed: int
) -> Iterator[tuple[float, float]]:
    """Trains under any strategy, this process on its share of every batch.

    Args:
        strategy: TensorFlow's; the default one (a single process) will do.
        builder: Function from the data to an uncompiled model.
        data: The data, the same in every process.
        epochs: Passes over the training rows.
        batch_size: Rows in a batch, over all processes together.
        learning_rate: Adam's.
        seed: Seed of the initial weights and of the order of the rows.

    Yields:
        For every step the loss of the whole batch, and seconds.
    """
    import keras

    keras.utils.set_random_seed(seed)
    with strategy.scope():
        model = builder(data)
        optimizer = keras.optimizers.Adam(learning_rate)
        optimizer.build(model.trainable_variables)
    step = make_step(strategy, model, optimizer, data)
    place, count = getattr(strategy.cluster_resolver, "task_id", None) or 0, strategy.num_replicas_in_sync
    for batch in batches(data.train, batch_size, epochs, seed):
        share = data.train.take(batch[place::count])
        start = time.perf_counter()
        loss = float(step(share.inputs, share.labels))
        yield loss, time.perf_counter() - start


def make_step(strategy: Any, model: Any, optimizer: Any, data: Any) -> Callable[..., Any]:
    """Gives the training step: every process differentiates its share, ``apply`` adds up all gradients."""
    import tensorflow as tf

    from mtl_helpers.losses import task_losses

    losses, processes = task_losses(data), strategy.num_replicas_in_sync

    def share(inputs: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
            loss = tf.add_n([losses[task](labels[task], outputs[task]) for task in losses]) / processes
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    @tf.function(reduce_retracing=True, autograph=False)
    def step(inputs: Any, labels: Any) -> Any:
        return strategy.reduce("SUM", strategy.run(share, args=(inputs, labels)), axis=None)

    return step


def batches(rows: Any, batch_size: int, epochs: int, seed: int) -> Iterator[Any]:
    """Gives the rows of every full batch, in an order that depends on the seed alone."""
    import numpy as np

    random = np.random.default_rng(seed)
    for _ in range(epochs):
        order = random.permutation(len(rows))
        yield from (order[start : start + batch_size] for start in range(0, len(order) - batch_size + 1, batch_size))
