"""Jobs of a study on other processes or machines, through any ``concurrent.futures`` executor."""

from __future__ import annotations

import pickle
import sys
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, as_completed
from typing import Any

from mtl_helpers.study.jobs import Job, Result, run_job
from mtl_helpers.study.training import Builder

MEND = "give a function of a module, or functools.partial of one (Dask's executor also takes lambdas)"


def check_executor(executor: Executor, builders: dict[str, Builder]) -> None:
    """Refuses what would hang or fail in a process pool's workers.

    Args:
        executor: The executor.
        builders: Model name -> what the workers are to call.

    Raises:
        ValueError: If it is no executor, the workers are forked, or a builder cannot be sent to them.
    """
    if not hasattr(executor, "submit"):
        raise ValueError(f"executor={executor!r} cannot submit jobs; give an object, such as a ProcessPoolExecutor.")
    if not isinstance(executor, ProcessPoolExecutor):
        return
    context = executor._mp_context
    if context is not None and context.get_start_method() == "fork":
        raise ValueError(
            "executor=ProcessPoolExecutor(...) forks its workers, in which TensorFlow hangs; give it "
            "mp_context=multiprocessing.get_context('spawn')."
        )
    for name, builder in builders.items():
        try:
            sent = pickle.dumps(builder)
        except Exception as error:
            raise ValueError(f"builders[{name!r}] cannot be sent to another process ({error}); {MEND}.") from error
        if b"__main__" in sent and not hasattr(sys.modules["__main__"], "__file__"):
            raise ValueError(f"builders[{name!r}] is defined in this notebook, which workers cannot import; {MEND}.")


def spread(
    jobs: Iterable[Job], executor: Executor, keep: Callable[[Result], Any], tick: Callable[[int], Any], advice: str
) -> None:
    """Has all jobs computed and hands over each result as soon as it is there.

    A job that fails, or whose worker is lost for good, does not stop the others.

    Args:
        jobs: Jobs of one seed each.
        executor: What runs them.
        keep: Called in this process with each result.
        tick: Told of each job that is over.
        advice: What the error message says about the results that are there.

    Raises:
        RuntimeError: After all others are done, if a job gave no result; names model and seed.
    """
    waiting: dict[Future, Job] = {}
    lost: list[tuple[Job, BaseException]] = []
    try:
        for job in jobs:
            try:
                waiting[submit(executor, job)] = job
            except Exception as error:
                lost.append((job, error))
        for future in as_completed(list(waiting)):
            job = waiting.pop(future)
            tick(1)
            try:
                result = future.result()
            except (Exception, CancelledError) as error:
                lost.append((job, error))
            else:
                keep(result)
    finally:
        for future in waiting:
            future.cancel()
    if lost:
        names = ", ".join(f"{job.name!r} seed {job.plan.seeds[0]}" for job, _ in lost)
        first = lost[0][1]
        what = " ".join(f"{type(first).__name__}: {first}".split())
        raise RuntimeError(f"executor gave no result for {names} ({what}); {advice}.") from first


def submit(executor: Executor, job: Job) -> Future:
    """Submits a job, without Dask's advice on large ones: the rows have to travel with it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sending large graph")
        return executor.submit(run_job, job)
