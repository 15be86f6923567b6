"""Many short trainings of chapter 09's reader: every seed and loss weight in a program that is compiled once.

A recurrent network's program takes seconds to compile and a hundredth of a second a step, most of it spent on handing
small operations around. So the loss weights are variables, and a run begins by putting weights and optimizer back to
where they were.

``python -m mtl_helpers.experiments.readers`` compares readers on the corpus of the chapter: joint and each task alone,
the positions in the relation's path or in the encoder, three weights of the tags' loss. Every model is trained with the
same learning rates and scored on the validation sentences after the same numbers of epochs. For each model, task and
number of epochs the best rate there is chosen, and only then are these runs scored on the test sentences, once. The
result is ``data/results/readers.json``.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import pandas as pd

from mtl_helpers.datasets import relation_corpus
from mtl_helpers.datasets.base import MultiTaskData, require_known
from mtl_helpers.memory import on_one_device
from mtl_helpers.metrics import relation_f1, span_f1
from mtl_helpers.models import ner_relation, read_text, text_batches, text_losses
from mtl_helpers.recording import record, recorded
from mtl_helpers.seeds import course_seed
from mtl_helpers.study.progress import progress_bar

Weights = list[np.ndarray]
NAME = "readers"
JOINT = {"joint": {"relation": 1.0, "entity": 1.0}}
ALONE = {"relation only": {"relation": 1.0, "entity": 0.0}, "tagging only": {"relation": 0.0, "entity": 1.0}}
MODELS: dict[str, dict[str, dict[str, float]]] = {
    "head": {
        **JOINT,
        "joint, tags 0.3": {"relation": 1.0, "entity": 0.3},
        "joint, tags 3": {"relation": 1.0, "entity": 3.0},
        **ALONE,
    },
    # Tagging alone with the positions in its encoder has next to nothing to learn: they are the tags.
    "encoder": {**JOINT, "relation only": ALONE["relation only"]},
}
SETTINGS: dict[str, Any] = {
    "corpus": {"rows": 2500, "difficulty": 0.7, "length": 24},
    "training": {"sentences": 400, "epochs": [12, 24, 48], "batch_size": 40},
    "learning_rates": [0.005, 0.01, 0.02],
    "model": {"embedding_dim": 32, "feature_dim": 8, "lstm_units": 32, "tower_units": [32], "dropout": 0.2},
    "seeds": 5,
}


@dataclass(frozen=True)
class ReaderRuns:
    """What ``train_readers`` found.

    Attributes:
        frame: A row a score: model, seed, epoch, task, value (strict entity F1, or macro F1 of the relations).
        weights: Model, seed and epoch -> the weights then.
        reader: The model that all runs used.
    """

    frame: pd.DataFrame
    weights: dict[tuple[str, int, int], Weights]
    reader: keras.Model

    def scores(self, task: str) -> pd.DataFrame:
        """Gives a task's F1 after the last epoch, in points, ``[seeds, models]``."""
        rows = self.frame[(self.frame["task"] == task) & (self.frame["epoch"] == self.frame["epoch"].max())]
        return 100 * rows.pivot(index="seed", columns="model", values="value")[list(rows["model"].unique())]

    def model(self, name: str, seed: int, epoch: int) -> keras.Model:
        """Puts a run's weights into ``reader``, which it gives back: the next call changes it."""
        self.reader.set_weights(self.weights[name, seed, epoch])
        return self.reader


def train_readers(
    data: MultiTaskData,
    models: Mapping[str, Mapping[str, float]],
    seeds: Sequence[int],
    *,
    sentences: int,
    epochs: int | Sequence[int],
    batch_size: int = 40,
    learning_rate: float = 1e-2,
    split: str = "test",
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
        split: Which sentences score it: ``"validation"`` to choose settings, ``"test"`` to report.
        progress: Whether to show a progress bar.
        **options: Of ``ner_relation``.

    Returns:
        The scores, and the weights at each of them. A task of weight 0 gets no score.

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
    stops = [epochs] if isinstance(epochs, int) else list(epochs)
    starts = {}
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        starts[seed] = ner_relation(data, **options).get_weights()
    program = Program(data, ner_relation(data, **options), learning_rate, batch_size, sentences)
    rows, kept = [], {}
    jobs = [(name, seed) for seed in seeds for name in models]
    bar = progress_bar(len(jobs), "runs", progress)
    for name, seed in jobs:
        for epoch in program.train(models[name], seed, starts[seed], stops):
            kept[name, seed, epoch] = program.model.get_weights()
            scores = f1_scores(program.model, data, split)
            rows += [(name, seed, epoch, task, value) for task, value in scores.items() if models[name].get(task)]
        bar.update()
    bar.close()
    return ReaderRuns(pd.DataFrame(rows, columns=["model", "seed", "epoch", "task", "value"]), kept, program.model)


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

    def train(self, weights: Mapping[str, float], seed: int, start: Weights, stops: Sequence[int]) -> Iterator[int]:
        """Trains from given weights and halts after each of the stops, which it gives, so that others can look."""
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
            yield stop


def f1_scores(model: keras.Model, data: MultiTaskData, split: str = "test") -> dict[str, float]:
    """Scores a model on a split: strict F1 for tags, macro F1 (direction ignored) for relations."""
    rows = getattr(data, split)
    read = read_text(model, data, rows, batch_size=512)
    scores = {}
    for name, task in data.tasks.items():
        found = (rows.labels[name], read[name], task.classes)
        tags = task.kind == "tags"
        scores[name] = span_f1(*found, rows.weights[name]) if tags else relation_f1(*found, direction=False)
    return scores


def compare(positions: str, progress: bool = True) -> list[dict[str, Any]]:
    """Trains the models of one place of the positions, chooses learning rates on validation, scores the chosen on test.

    Args:
        positions: ``"head"`` or ``"encoder"`` (see ``ner_relation``).
        progress: Whether to show progress bars.

    Returns:
        A row a score: positions, model, weight (of the tags' loss), learning_rate, seed, epoch, task, split, value.
    """
    data, models = relation_corpus(**SETTINGS["corpus"]), MODELS[positions]
    seeds = [course_seed(offset) for offset in range(SETTINGS["seeds"])]
    options = {**SETTINGS["training"], **SETTINGS["model"], "positions": positions, "progress": progress}
    runs, rows = {}, []
    for rate in SETTINGS["learning_rates"]:
        runs[rate] = train_readers(data, models, seeds, learning_rate=rate, split="validation", **options)
        keras.utils.clear_session()
        rows += runs[rate].frame.assign(learning_rate=rate, split="validation").to_dict(orient="records")
    for (name, epoch, task), rate in best_rates(pd.DataFrame(rows)).items():
        for seed in seeds:
            value = f1_scores(runs[rate].model(name, seed, epoch), data)[task]
            one = {"model": name, "seed": seed, "epoch": epoch, "task": task, "value": value}
            rows.append({**one, "learning_rate": rate, "split": "test"})
    common = [{"positions": positions, **row, "weight": models[row["model"]]["entity"]} for row in rows]
    return [{**row, "value": round(row["value"], 4)} for row in common]


def best_rates(frame: pd.DataFrame) -> dict[tuple[str, int, str], float]:
    """Chooses, for each model, number of epochs and task, the learning rate with the highest mean on validation.

    Args:
        frame: Rows with model, epoch, task, split, learning_rate and value.

    Returns:
        (model, epoch, task) -> learning rate. Test scores have no say.

    Example:
        >>> row = {"model": "joint", "epoch": 12, "task": "relation", "split": "validation"}
        >>> best_rates(pd.DataFrame([{**row, "learning_rate": rate, "value": 1 - rate} for rate in (0.1, 0.2)]))
        {('joint', 12, 'relation'): 0.1}
    """
    validation = frame[frame["split"] == "validation"]
    means = validation.groupby(["model", "epoch", "task", "learning_rate"], sort=False)["value"].mean()
    best = means.groupby(["model", "epoch", "task"], sort=False).idxmax()
    return {key[:3]: key[3] for key in best}


def chosen_runs(frame: pd.DataFrame) -> pd.DataFrame:
    """Gives the test scores of every model and task after the number of epochs that did best on validation.

    Args:
        frame: The recorded rows.

    Returns:
        Its test rows of the chosen learning rates and numbers of epochs, a row a seed.

    Example:
        >>> chosen_runs(pd.DataFrame(recorded("readers")["results"]))["split"].unique().tolist()
        ['test']
    """
    keys = ["positions", "model", "task", "epoch", "learning_rate"]
    means = frame[frame["split"] == "validation"].groupby(keys, sort=False)["value"].mean()
    best = means.groupby(keys[:3], sort=False).idxmax()
    return frame[frame["split"] == "test"].set_index(keys).sort_index().loc[list(best)].reset_index()


def main() -> None:
    """Records the comparison for every place of the positions that is not recorded yet."""
    try:
        content = recorded(NAME)
        found = content["results"] if content["settings"] == SETTINGS else []
    except FileNotFoundError:
        found = []
    for place in MODELS:
        if place not in {row["positions"] for row in found}:
            found += compare(place)
            record(NAME, f"python -m mtl_helpers.experiments.{NAME}", found, SETTINGS)


if __name__ == "__main__":
    main()
