"""``study``: trains several models over many seeds and writes down everything a comparison needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path

import keras
from tqdm import tqdm

from mtl_helpers.datasets.base import require_known
from mtl_helpers.losses import task_losses
from mtl_helpers.study.gate_recorder import choose_gate_rows
from mtl_helpers.study.jobs import Job, Key, Result, compute, join
from mtl_helpers.study.keeping import Kept
from mtl_helpers.study.plan import DataSource, LossWeights, check_counts, make_plan
from mtl_helpers.study.progress import progress_bar
from mtl_helpers.study.results import Study
from mtl_helpers.study.spreading import check_executor, spread
from mtl_helpers.study.stacked import check_optimizer
from mtl_helpers.study.training import Builder, Settings


def study(
    builders: Mapping[str, Builder],
    data: DataSource | Mapping[str | float, DataSource],
    seeds: int | Sequence[int] = 10,
    *,
    epochs: int = 10,
    batch_size: int = 512,
    optimizer: keras.optimizers.Optimizer | None = None,
    losses: Mapping[str, keras.losses.Loss] | None = None,
    loss_weights: LossWeights | Mapping[str, LossWeights] | None = None,
    early_stopping: int | None = None,
    gates: bool = True,
    ablate: bool = False,
    jit_compile: bool | None = None,
    progress: bool = True,
    executor: Executor | None = None,
    folder: Path | str | None = None,
) -> Study:
    """Trains every model from every seed and compares like with like.

    For one seed, all models see the same data in the same batches. All seeds of a model are trained in one compiled
    program (see ``stacked.py``), which costs about as much as one ``model.fit``; a model that cannot be is trained with
    ``fit``, and the study says so.

    Args:
        builders: Model name -> function from the data to an uncompiled ``keras.Model`` with one named output a task.
        data: A data set; a function of the seed that draws one; or several of either, by label.
        seeds: How many seeds, counted from the course's seed (``MTL_SEED``); or the seeds themselves.
        epochs: Passes over the training rows (at most, with early stopping).
        batch_size: Rows in a batch.
        optimizer: A Keras optimizer that acts element by element, schedules included; Adam(3e-3) if None.
        losses: Task -> loss, for tasks whose usual loss is not wanted.
        loss_weights: Task -> weight; or label -> such weights, a sweep trained at once; 1 each if None.
        early_stopping: Epochs without a lower validation loss after which a run's best weights count; None for never.
        gates: Whether to record the gates of models that have them, after every epoch.
        ablate: Whether to measure, after training, each task's validation score with each expert switched off.
        jit_compile: Whether XLA compiles the training. It takes a second or two and some 40 MB a model that are not
            given back, and makes large trainings up to three times faster; None decides by the size of the training.
        progress: Whether to show a progress bar.
        executor: Where to train, if not here: a ``concurrent.futures.Executor``, for instance a ``ProcessPoolExecutor``
            with the start method ``"spawn"`` or Dask's ``client.get_executor()``. It gets a job for each model and
            seed; builders, losses and rows are sent to it. The results are those of a study here up to rounding, some
            1e-5: a program for one run may add its numbers up in another order than a program for many.
        folder: Where every result is kept as soon as it is there. The same call reads what is kept and trains only
            what is missing: a study that was stopped loses the model in training (all its seeds where they are trained
            together, one seed on an executor or where they are not), no more.

    Returns:
        The results.

    Raises:
        ValueError: If an argument does not fit the data, or the folder holds results of other settings; the message
            names the argument and the mend.
        RuntimeError: If the executor gave no result for a model and seed, after all others are done.

    Example:
        >>> from mtl_helpers.datasets import task_pair
        >>> from mtl_helpers.models import hard_sharing, mmoe
        >>> found = study({"hard sharing": hard_sharing, "MMoE": mmoe}, task_pair(rows=2000), seeds=8)  # doctest: +SKIP
    """
    if not isinstance(builders, Mapping) or not builders:
        raise ValueError(f"builders={builders!r} names no model; give at least one, for instance {{'MMoE': mmoe}}.")
    check_counts(epochs=epochs, batch_size=batch_size, early_stopping=1 if early_stopping is None else early_stopping)
    optimizer = optimizer or keras.optimizers.Adam(3e-3)
    check_optimizer(optimizer)
    if executor is not None:
        check_executor(executor, dict(builders))
    plan = make_plan(data, seeds, loss_weights)
    own = dict(losses or {})
    if own:
        require_known("losses", own, plan.data.tasks)
    rows = choose_gate_rows(plan.data) if gates else None
    settings = Settings(
        task_losses(plan.data, **own), optimizer, epochs, batch_size, jit_compile, early_stopping, rows, ablate
    )
    jobs = [Job(name, builder, plan, settings) for name, builder in builders.items()]
    results = train_all(jobs, executor, folder, progress)
    return join(results, builders, plan)


def train_all(
    jobs: Sequence[Job], executor: Executor | None, folder: Path | str | None, progress: bool
) -> dict[Key, Result]:
    """Trains every model from every seed, here or on an executor, unless it is kept already.

    Args:
        jobs: A job a model, all seeds.
        executor: Where to train; None for here.
        folder: Where results are kept; None to keep none.
        progress: Whether to show a progress bar.

    Returns:
        (model, seed) -> result.
    """
    said: set[str] = set()

    def say(text: str) -> None:
        if text not in said:
            said.add(text)
            tqdm.write(text)

    def keep(result: Result) -> None:
        if result.key in results:
            return
        if kept:
            kept.write(result)
        results[result.key] = result
        for note in result.notes:
            say(note)

    kept = Kept(folder, jobs) if folder is not None else None
    results = kept.read(say) if kept else {}
    missing = [
        job.only(seeds)
        for job in jobs
        if (seeds := [seed for seed in job.plan.seeds if (job.name, seed) not in results])
    ]
    steps = sum(len(job.plan.seeds) * (job.settings.epochs if executor is None else 1) for job in missing)
    what = f"{len(jobs)} models × {len(jobs[0].plan.runs)} runs"
    with progress_bar(steps, what, progress) as bar:
        if executor is not None:
            single = [job.only([seed]) for job in missing for seed in job.plan.seeds]
            advice = "all others are kept, and the same call trains only what is missing"
            spread(single, executor, keep, bar.update, advice if kept else "give a folder to keep all others")
            return results
        for job in missing:
            bar.set_postfix_str(job.name)
            for result in compute(job, say, bar.update):
                keep(result)
    return results
