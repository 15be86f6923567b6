"""What a study computes, piece by piece, and how the pieces become a ``Study``.

Wherever a model is trained (here, in another process, on another machine, yesterday), what comes back is one ``Result``
for each model and seed, of plain data. In this process all seeds of a model are one job, trained in one program; an
executor gets a job for each seed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mtl_helpers.gates import GateRecord, join_records
from mtl_helpers.memory import release
from mtl_helpers.study.evaluate import Evaluator, best_reachable
from mtl_helpers.study.gate_recorder import GateRecorder
from mtl_helpers.study.plan import Plan
from mtl_helpers.study.results import COLUMNS, Study
from mtl_helpers.study.stacked import why_not_stackable
from mtl_helpers.study.training import Builder, Settings, build_run, make_trainer, train

Key = tuple[str, int]


@dataclass(frozen=True)
class Job:
    """One model to be trained from one seed or several.

    Attributes:
        name: The model's name.
        builder: Builds it.
        plan: The runs.
        settings: How to train them.
    """

    name: str
    builder: Builder
    plan: Plan
    settings: Settings

    def only(self, seeds: Collection[int]) -> Job:
        """Gives the job of some of its seeds."""
        return replace(self, plan=self.plan.only(seeds))


@dataclass(frozen=True)
class Result:
    """What came of one model and one seed, on all data sets and loss weights.

    Attributes:
        model: The model's name.
        seed: The seed.
        parameters: Number of trainable weights.
        table: Column -> values of the rows of ``Study.frame``.
        gates: The gates of each run as JSON; nothing for a model without gates.
        weights: The final weights ``[runs, ...]`` each.
        notes: What a reader should be told.
    """

    model: str
    seed: int
    parameters: int
    table: dict[str, list]
    gates: list[str]
    weights: list[np.ndarray]
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """What names it: a model and seed count once, however often they were computed."""
        return self.model, self.seed


def compute(job: Job, say: Callable[[str], Any], tick: Callable[[int], Any]) -> Iterator[Result]:
    """Trains the runs of a job: together if they can be stacked, else seed by seed.

    Args:
        job: What to train.
        say: Told what a reader should know.
        tick: Told how many epochs are done, summed over the seeds.

    Yields:
        A result a seed, as soon as it is finished.
    """
    plan, seeds = job.plan, job.plan.seeds
    if len(seeds) > 1 and why_not_stackable(build_run(job.name, job.builder, plan, plan.runs[0])):
        for seed in seeds:
            yield from compute(job.only([seed]), say, tick)
        return
    yield from train_together(job, say, tick)
    release()


def train_together(job: Job, say: Callable[[str], Any], tick: Callable[[int], Any]) -> list[Result]:
    """Trains all runs of a job side by side; gives a result a seed."""
    name, plan, settings = job.name, job.plan, job.settings
    trainer = make_trainer(name, job.builder, plan, settings, say)
    evaluator = Evaluator(name, trainer, plan, settings.losses)
    recorder = None if settings.gate_rows is None else GateRecorder(name, trainer, plan, settings.gate_rows)
    if recorder and settings.ablate:
        recorder.check_ablation()
    last = train(trainer, evaluator, recorder, settings, lambda epochs: tick(epochs * len(plan.seeds)))
    records = recorder.records(evaluator.scores, last, settings.ablate) if recorder else []
    frame, weights = evaluator.frame(last), trainer.get_weights()
    parameters = int(sum(np.prod(each.shape) for each in trainer.model.trainable_variables))
    results = []
    for seed in plan.seeds:
        mine = np.array([run.seed == seed for run in plan.runs])
        results.append(
            Result(
                model=name,
                seed=seed,
                parameters=parameters,
                table=frame[frame["seed"] == seed][COLUMNS].to_dict("list"),
                gates=[record.to_json(digits=None) for record in records if record.seeds == (seed,)],
                weights=[each[mine] for each in weights],
            )
        )
    return results


def run_job(job: Job) -> Result:
    """Trains a job of one seed, somewhere else: nothing is printed, the notes come back with the result."""
    notes: list[str] = []
    (result,) = compute(job, say=notes.append, tick=lambda epochs: None)
    return replace(result, notes=tuple(notes))


def join(results: Mapping[Key, Result], builders: Mapping[str, Builder], plan: Plan) -> Study:
    """Puts the results of all models and seeds together.

    Args:
        results: (model, seed) -> result.
        builders: Model name -> what builds it, in the study's order.
        plan: All runs.

    Returns:
        The study; the same whoever computed the results, and in whatever order they came.
    """
    frames, parameters, weights, gates = [], {}, {}, {}
    for name in builders:
        own = [results[name, seed] for seed in plan.seeds]
        parameters[name] = own[0].parameters
        frames.append(in_order(pd.concat([pd.DataFrame(each.table) for each in own]), plan))
        places = {seed: [run for run in plan.runs if run.seed == seed] for seed in plan.seeds}
        each_run = [(results[name, run.seed], places[run.seed].index(run)) for run in plan.runs]
        weights[name] = [
            np.stack([result.weights[number][place] for result, place in each_run])
            for number in range(len(own[0].weights))
        ]
        records: dict[tuple[str, str, str], list[GateRecord]] = {}
        for (result, place), run in zip(each_run, plan.runs, strict=True):
            if result.gates:
                record = GateRecord.from_json(result.gates[place])
                records.setdefault((name, run.data, run.loss_weight), []).append(record)
        gates.update({cell: join_records(found) for cell, found in records.items()})
    frame = pd.concat(frames, ignore_index=True).astype({"seed": int, "epoch": int, "value": float})
    return Study(frame, parameters, best_reachable(plan), plan, dict(builders), gates, weights)


def in_order(frame: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Sorts a model's rows as if all runs had been measured together: moment by moment, the test last, run by run."""
    places = {(run.data, run.loss_weight, run.seed): place for place, run in enumerate(plan.runs)}
    run = pd.Series([places[key] for key in zip(frame["data"], frame["loss_weight"], frame["seed"], strict=True)])
    frame = frame.reset_index(drop=True)
    moment = frame["epoch"].where(frame["split"] != "test", frame["epoch"].max() + 1)
    measured = frame.groupby([run, moment]).cumcount()
    return frame.iloc[np.lexsort((run, measured, moment))]
