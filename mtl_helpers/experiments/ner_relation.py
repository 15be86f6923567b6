"""What joint training brings on real text: ``python -m mtl_helpers.experiments.ner_relation``.

SemEval-2010 Task 8, from 500 to 8,000 training sentences: relation and tags, jointly and each alone, the positions of
the two nouns among the encoder's inputs or given to the relation path only. With all sentences, also a relation path
that reads the states at the two nouns; with the fewest and with all, also joint training at the tags' weight 1.
CoNLL04: the same three tasks, positions in the relation path only.

Every finished run is written to ``data/results/ner_relation.json`` at once; started again, the command goes on where it
was stopped. ``--tune`` trains without 800 of SemEval's training sentences and scores on these (CoNLL04: on its
validation split); the settings below were chosen that way, and the test split was scored once.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import keras
from tqdm.auto import tqdm

from mtl_helpers.datasets import MultiTaskData, conll04, semeval2010_task8
from mtl_helpers.memory import release
from mtl_helpers.metrics import relation_f1, span_f1
from mtl_helpers.models import ner_relation, read_text, text_batches, text_losses
from mtl_helpers.recording import record, recorded
from mtl_helpers.seeds import course_seed

NAME = "ner_relation"
TASKS = {"joint": ("relation", "entity"), "relation only": ("relation",), "tagging only": ("entity",)}
EPOCHS = {
    "500": 20,
    "1000": 16,
    "2000": 12,
    "4000": 8,
    "8000": 6,
}
SIZES = [int(rows) for rows in EPOCHS]
SETTINGS: dict[str, dict[str, Any]] = {
    "semeval": {
        "features": ["tokens", "prefix", "suffix"],
        "model": {"embedding_dim": 100, "lstm_units": 96, "tower_units": [128], "dropout": 0.5},
        "learning_rate": 2e-3,
        "batch_size": 32,
        "loss_weights": {"relation": 1.0, "entity": 0.2},
        "epochs": {rows: dict.fromkeys(TASKS, epochs) for rows, epochs in EPOCHS.items()},
    },
    "conll04": {
        "features": ["tokens", "shape", "prefix", "suffix"],
        "model": {"embedding_dim": 100, "lstm_units": 96, "tower_units": [128], "dropout": 0.6},
        "learning_rate": 4e-3,
        "batch_size": 16,
        "loss_weights": {"relation": 1.0, "entity": 1.0},
        "epochs": {"910": {"joint": 8, "relation only": 8, "tagging only": 16}},  # a row a pair, or a row a sentence
    },
}


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        data: ``"semeval"`` or ``"conll04"``.
        model: One of ``TASKS``.
        positions: ``"encoder"`` or ``"head"`` (see ``ner_relation``).
        pooling: ``"max"`` or ``"entities"``.
        rows: Training sentences.
        seed: Of the initial weights, the batches and, on SemEval, the choice of sentences.
        split: ``"test"``, or ``"validation"`` when tuning.
        tag_weight: Of the tags' loss; None: the one in ``SETTINGS``.
    """

    data: str
    model: str
    positions: str
    pooling: str
    rows: int
    seed: int
    split: str = "test"
    tag_weight: float | None = None


def plan(seeds: int, sizes: Sequence[int], data: Sequence[str], split: str = "test") -> list[Run]:
    """Lists the runs, seed by seed, the small ones first.

    Args:
        seeds: How many.
        sizes: Numbers of SemEval training sentences.
        data: ``"semeval"``, ``"conll04"`` or both.
        split: Which split to score.

    Returns:
        The runs in order.
    """
    runs = []
    for seed in map(course_seed, range(seeds)):
        for rows in sizes if "semeval" in data else ():
            chosen = [(model, place, "max") for place in ("encoder", "head") for model in TASKS]
            if rows == max(SIZES):
                chosen += [(model, "encoder", "entities") for model in ("joint", "relation only")]
            runs += [Run("semeval", *each, rows, seed, split) for each in chosen]
            if rows in (min(SIZES), max(SIZES)):
                places = ("encoder", "head")
                runs += [Run("semeval", "joint", place, "max", rows, seed, split, tag_weight=1.0) for place in places]
        if "conll04" in data:
            runs += [Run("conll04", model, "head", "entities", 910, seed, split) for model in TASKS]
    return runs


def load(run: Run) -> MultiTaskData:
    """Gives a run's data: only its tasks, and vocabularies of its own training sentences."""
    features = tuple(SETTINGS[run.data]["features"])
    if run.data == "semeval":
        validation = 800 if run.split == "validation" else 0
        rows = min(run.rows, 8000 - validation)
        data = semeval2010_task8(rows=rows, validation=validation, features=features, seed=run.seed)
    else:
        data = conll04(features=features, pairs="relation" in TASKS[run.model])
    return data.with_tasks(TASKS[run.model])


def train(run: Run, data: MultiTaskData) -> keras.Model:
    """Trains a run's model with a learning rate that falls to 0."""
    settings = SETTINGS[run.data]
    epochs = settings["epochs"][str(run.rows)][run.model]
    keras.utils.set_random_seed(run.seed)
    model = ner_relation(data, positions=run.positions, pooling=run.pooling, **settings["model"])
    steps = epochs * math.ceil(len(data.train) / settings["batch_size"])
    rate = keras.optimizers.schedules.CosineDecay(settings["learning_rate"], steps)
    weights = {task: settings["loss_weights"][task] for task in data.tasks}
    if run.tag_weight is not None:
        weights["entity"] = run.tag_weight
    model.compile(keras.optimizers.Adam(rate), loss=text_losses(data), loss_weights=weights)
    batches = text_batches(data.train, settings["batch_size"], seed=run.seed)
    model.fit(batches, epochs=epochs, verbose=0, shuffle=False)
    return model


def score(model: keras.Model, data: MultiTaskData, split: str) -> dict[str, float]:
    """Scores a trained model on a split: relation F1 in four forms and strict entity F1, of the tasks it has."""
    rows = getattr(data, split)
    read = read_text(model, data, rows)
    scores = {}
    if "relation" in read:
        found = (rows.labels["relation"], read["relation"], data.tasks["relation"].classes)
        for average in ("macro", "micro"):
            scores[f"relation {average} F1"] = relation_f1(*found, direction=False, average=average)
            scores[f"relation {average} F1, with direction"] = relation_f1(*found, average=average)
    if "entity" in read:
        classes, weights = data.tasks["entity"].classes, rows.weights["entity"]
        scores["entity F1"] = span_f1(rows.labels["entity"], read["entity"], classes, weights)
    return {name: round(value, 4) for name, value in scores.items()}


def perform(run: Run) -> dict[str, Any]:
    """Does a run.

    Returns:
        The run, its scores, its model's parameters, the seconds it took, and how many sentences were cut.
    """
    began = time.perf_counter()
    data = load(run)
    model = train(run, data)
    given = {name: value for name, value in asdict(run).items() if value is not None}
    result = {**given, "scores": score(model, data, run.split), "parameters": model.count_params()}
    keras.utils.clear_session()
    del model
    release()
    return {**result, "seconds": round(time.perf_counter() - began, 1), "note": data.notes[-1]}


def finished(name: str) -> list[dict[str, Any]]:
    """Reads the runs recorded so far.

    Raises:
        ValueError: If they were made with other settings.
    """
    try:
        content = recorded(name)
    except FileNotFoundError:
        return []
    if content["settings"] != SETTINGS:
        raise ValueError(f"data/results/{name}.json was made with other settings; move it away to begin anew.")
    return list(content["results"])


def carry_out(runs: Sequence[Run], name: str = NAME) -> Iterator[dict[str, Any]]:
    """Does the runs that are not recorded yet, and records each when it is finished.

    Args:
        runs: The runs wanted.
        name: Of the file in ``data/results/``.

    Yields:
        The results of new runs.
    """
    done = finished(name)
    names = {field.name for field in fields(Run)}
    known = {Run(**{name: value for name, value in result.items() if name in names}) for result in done}
    missing = [run for run in runs if run not in known]
    for run in tqdm(missing, desc=name, unit="run", disable=None):
        done.append(perform(run))
        record(name, f"python -m mtl_helpers.experiments.{NAME}", done, SETTINGS)
        yield done[-1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and carries out the plan."""
    parser = argparse.ArgumentParser(prog=f"python -m mtl_helpers.experiments.{NAME}", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, choices=SIZES)
    parser.add_argument("--data", nargs="+", default=["semeval", "conll04"], choices=["semeval", "conll04"])
    parser.add_argument("--tune", action="store_true", help="score on validation; written to a file of its own")
    given = parser.parse_args(arguments)
    runs = plan(given.seeds, given.sizes, given.data, "validation" if given.tune else "test")
    for result in carry_out(runs, f"{NAME}_tuning" if given.tune else NAME):
        described = ", ".join(f"{name} {value:.3f}" for name, value in result["scores"].items())
        run = ", ".join(str(result[name]) for name in ("data", "model", "positions", "pooling", "rows", "seed"))
        tqdm.write(f"{run}: {described}")


if __name__ == "__main__":
    main()
