"""A cluster of Dask worker processes on this computer, to see what a study does when one of them is lost."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Client

PAUSE = 0.1  # seconds between two looks at the cluster


@contextmanager
def local_cluster(workers: int = 2) -> Iterator[Client]:
    """Starts Dask worker processes of one thread each, reachable from this computer alone; stops them at the end.

    Args:
        workers: Number of processes. Each takes some 0.8 GB once it has imported TensorFlow.

    Yields:
        Dask's client; ``client.get_executor()`` is what ``study(executor=...)`` takes.

    Raises:
        ImportError: If Dask is not installed.

    Example:
        >>> with local_cluster() as client:  # doctest: +SKIP
        ...     found = study({"MMoE": mmoe}, data, executor=client.get_executor())
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError("Dask is not installed; run in the course's folder: pip install -e '.[cluster]'") from error
    settings = {
        "host": "127.0.0.1",
        "dashboard_address": "127.0.0.1:0",
        "memory_limit": 0,
        "silence_logs": logging.CRITICAL,
    }
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, **settings) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def losing_a_worker(client: Client) -> Iterator[list[int]]:
    """Kills one worker in the midst of the work done in a ``with`` block, as a power cut would.

    It waits until some job has been finished, then kills the process that is busy with another one.

    Args:
        client: Client of a cluster on this computer.

    Yields:
        The process ids killed: empty first, one in the end.

    Example:
        >>> with local_cluster() as client, losing_a_worker(client) as killed:  # doctest: +SKIP
        ...     found = study({"MMoE": mmoe}, data, executor=client.get_executor())
    """
    killed: list[int] = []
    over = threading.Event()
    processes = client.run(os.getpid)

    def watch() -> None:
        most = 0
        while not over.wait(PAUSE):
            busy = {worker: len(jobs) for worker, jobs in client.processing().items() if jobs}
            left = sum(busy.values())
            most = max(most, left)
            if 0 < left < most:
                killed.append(processes[max(busy, key=lambda worker: busy[worker])])
                os.kill(killed[0], getattr(signal, "SIGKILL", signal.SIGTERM))
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield killed
    finally:
        over.set()
        watcher.join()
