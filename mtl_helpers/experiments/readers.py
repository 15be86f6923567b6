"""Many short trainings of chapter 09's reader: every seed and loss weight in a program that is compiled once.

A recurrent network's program takes seconds to compile and a hundredth of a second a step, most of it spent on handing
small operations around. So the loss weights are variables, a run begins by putting weights and optimizer back to where
they were, and two runs go on at the same time, on a program each.

``python -m mtl_helpers.experiments.readers`` trains four times as long as the chapter does, on the corpus it uses: with
three weights of the tags' loss and for either task alone, with the positions in the encoder and in the relation's path
only, scored three times on the way. The result is ``data/results/readers.json``.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from queue import SimpleQueue
from typing import Any

import keras
import numpy as np
import pandas as pd

from mtl_helpers.datasets import relation_corpus
from mtl_helpers.datasets.base import MultiTaskData, require_known
from mtl_helpers.memory import on_one_device, release
from mtl_helpers.metrics_text import relation_f1, span_f1
from mtl_helpers.models import ner_relation, read_text, text_batches, text_losses
from mtl_helpers.recording import record, recorded
from mtl_helpers.seeds import course_seed
from mtl_helpers.study.progress import progress_bar

Weights = list[np.ndarray]
Score = tuple[int, str, float]  # epoch, task, F1
AT_ONCE = 2
NAME = "readers"
WEIGHTS = (0.3, 1.0, 3.0)
SETTINGS: dict[str, Any] = {
    "corpus": {"rows": 2500, "difficulty": 0.7, "length": 24},
    "training": {"sentences": 400, "epochs": [12, 24, 48], "batch_size": 40, "learning_rate": 1e-2},
    "model": {"embedding_dim": 32, "feature_dim": 8, "lstm_units": 32, "hidden_units": 32, "dropout": 0.2},
    "seeds": 5,
}


@dataclass(frozen=True)
class ReaderRuns:
    """What ``train_readers`` found.

    Attributes:
        frame: A row a score: model, seed, epoch, task, value (strict entity F1, or macro F1 of the relations).
        weights: Model and seed -> trained weights.
        build: Gives an untrained model of the same shape.
    """

    frame: pd.DataFrame
    weights: dict[tuple[str, int], Weights]
    build: Callable[[], keras.Model]

    def scores(self, task: str) -> pd.DataFrame:
        """Gives a task's F1 after the last epoch, in points, ``[seeds, models]``."""
        rows = self.frame[(self.frame["task"] == task) & (self.frame["epoch"] == self.frame["epoch"].max())]
        return 100 * rows.pivot(index="seed", columns="model", values="value")[list(rows["model"].unique())]

    def model(self, name: str, seed: int) -> keras.Model:
        """Gives one trained model."""
        model = self.build()
        model.set_weights(self.weights[name, seed])
        return model


def train_readers(
    data: MultiTaskData,
    models: Mapping[str, Mapping[str, float]],
    seeds: Sequence[int],
    *,
    sentences: int,
    epochs: int | Sequence[int],
    batch_size: int = 40,
    learning_rate: float = 1e-2,
    progress: bool = True,
    **options: Any,
) -> ReaderRuns:
    """Trains ``ner_relation`` with several loss weights from several seeds.

    A seed decides which training sentences are used, the initial weights, the batches and the dropout: for one seed all
    models have the same. A task of weight 0 leaves no trace in the encoder, so that model has learned the other alone.

    Args:
        data: Text data with a relation and tags.
        models: Model name -> task -> weight of its loss.
        seeds: The seeds.
        sentences: Training sentences a run sees.
        epochs: Passes over them; several numbers: the passes after which it is scored, in rising order.
        batch_size: Sentences in a batch.
        learning_rate: Adam's, constant.
        progress: Whether to show a progress bar.
        **options: Of ``ner_relation``.

    Returns:
        The test scores and the weights at the end. A task of weight 0 gets no score.

    Raises:
        ValueError: If there are fewer training sentences than asked for, or a task is unknown.

    Example:
        >>> alone = {"relation": 1.0, "entity": 0.0}
        >>> runs = train_readers(data, {"relation only": alone}, [0], sentences=400, epochs=30)  # doctest: +SKIP
    """
    if not 0 < sentences <= len(data.train):
        raise ValueError(f"sentences={sentences}: give 1 to {len(data.train)}, the training sentences there are.")
    for name, weights in models.items():
        require_known(f"models[{name!r}]", weights, data.tasks)

    def build() -> keras.Model:
        return ner_relation(data, **options)

    starts = {}
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        starts[seed] = build().get_weights()
    free: SimpleQueue[Program] = SimpleQueue()
    for _ in range(AT_ONCE):
        free.put(Program(data, build(), learning_rate, batch_size, sentences))
    stops = [epochs] if isinstance(epochs, int) else list(epochs)

    def run(job: tuple[str, int]) -> tuple[str, int, list[Score], Weights]:
        program = free.get()
        try:
            scores = list(program.train(models[job[0]], job[1], starts[job[1]], stops))
            return (*job, scores, program.model.get_weights())
        finally:
            free.put(program)
            release()

    jobs = [(name, seed) for seed in seeds for name in models]
    rows, kept = [], {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for name, seed, scores, weights in _shown(pool.map(run, jobs), len(jobs), progress):
            rows += [(name, seed, *score) for score in scores]
            kept[name, seed] = weights
    return ReaderRuns(pd.DataFrame(rows, columns=["model", "seed", "epoch", "task", "value"]), kept, build)


class Program:
    """One compiled model, trained again and again.

    Args:
        data: The data.
        model: The model.
        learning_rate: Adam's.
        batch_size: Sentences in a batch.
        sentences: How many a run sees.
    """

    def __init__(
        self,
        data: MultiTaskData,
        model: keras.Model,
        learning_rate: float,
        batch_size: int,
        sentences: int,
    ) -> None:
        self.data, self.model = data, model
        self.batch_size, self.sentences = batch_size, sentences
        self.loss_weights = {
            task: keras.Variable(1.0, trainable=False, name=f"weight_of_{task}") for task in data.tasks
        }
        optimizer = on_one_device(keras.optimizers.Adam(learning_rate))
        model.compile(optimizer, loss=text_losses(data), loss_weights=self.loss_weights)
        model.optimizer.build(model.trainable_variables)
        self.fresh = [each.numpy() for each in model.optimizer.variables]
        weights = {id(each) for each in model.weights}
        self.dropout = [each for each in model.variables if id(each) not in weights and each.shape == (2,)]

    def train(self, weights: Mapping[str, float], seed: int, start: Weights, stops: Sequence[int]) -> Iterator[Score]:
        """Trains from given weights; gives, after each stop, the test F1 of the tasks that have a weight."""
        self.model.set_weights(start)
        for variable, value in zip(self.model.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)
        for number, state in enumerate(self.dropout):
            state.assign(np.array([seed, number], state.dtype))
        for task, variable in self.loss_weights.items():
            variable.assign(weights.get(task, 0.0))
        chosen = np.random.default_rng(seed).permutation(len(self.data.train))[: self.sentences]
        rows = self.data.train.take(chosen)
        for part, (before, stop) in enumerate(pairwise([0, *stops])):
            batches = text_batches(rows, self.batch_size, seed=seed + 10_000 * part).repeat(stop - before)
            self.model.fit(batches, epochs=1, verbose=0, shuffle=False)
            scores = f1_scores(self.model, self.data)
            yield from ((stop, task, value) for task, value in scores.items() if weights.get(task, 0.0) > 0)


def f1_scores(model: keras.Model, data: MultiTaskData) -> dict[str, float]:
    """Scores a model on the test split: strict F1 for tags, macro F1 (direction ignored) for relations."""
    read, rows = read_text(model, data, data.test), data.test
    scores = {}
    for name, task in data.tasks.items():
        found = (rows.labels[name], read[name], task.classes)
        tags = task.kind == "tags"
        scores[name] = span_f1(*found, rows.weights[name]) if tags else relation_f1(*found, direction=False)
    return scores


def _shown(results: Iterator[Any], count: int, progress: bool) -> Iterator[Any]:
    """Passes results on and moves a progress bar."""
    bar = progress_bar(count, "runs", progress)
    for result in results:
        yield result
        bar.update()
    bar.close()


def sweep(positions: str, progress: bool = True) -> list[dict[str, Any]]:
    """Trains at all weights of the tags' loss, and each task alone, on the corpus.

    Args:
        positions: ``"encoder"`` or ``"head"`` (see ``ner_relation``).
        progress: Whether to show a progress bar.

    Returns:
        A row a score: positions, model, weight (of the tags' loss; 0 for a task alone), seed, epoch, task, value.
    """
    models = {f"joint, {weight:g}": {"relation": 1.0, "entity": weight} for weight in WEIGHTS}
    models["relation only"] = {"relation": 1.0, "entity": 0.0}
    models["tagging only"] = {"relation": 0.0, "entity": 1.0}
    seeds = [course_seed(offset) for offset in range(SETTINGS["seeds"])]
    options = {**SETTINGS["training"], **SETTINGS["model"], "positions": positions, "progress": progress}
    frame = train_readers(relation_corpus(**SETTINGS["corpus"]), models, seeds, **options).frame
    frame["weight"] = frame["model"].map(lambda name: models[name]["entity"] if name.startswith("joint") else 0.0)
    return frame.assign(positions=positions, value=frame["value"].round(4)).to_dict(orient="records")


def main() -> None:
    """Records the sweep for every place of the positions that is not recorded yet."""
    try:
        content = recorded(NAME)
        found = content["results"] if content["settings"] == SETTINGS else []
    except FileNotFoundError:
        found = []
    for place in ("head", "encoder"):
        if place not in {row["positions"] for row in found}:
            found += sweep(place)
            record(NAME, f"python -m mtl_helpers.experiments.{NAME}", found, SETTINGS)


if __name__ == "__main__":
    main()
