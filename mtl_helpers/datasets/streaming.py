"""Rows that are larger than memory: written to disk in shards, read as a ``tf.data.Dataset``.

A shard is a file of some ten thousand rows. The reader holds a few shards at a time and mixes their rows, so that its
memory does not grow with their number.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtl_helpers.datasets.base import Rows
from mtl_helpers.recording import write_text, write_whole
from mtl_helpers.seeds import random_numbers

if TYPE_CHECKING:
    import tensorflow as tf

CONTENTS = "shards.json"
PARTS = ("inputs", "labels", "weights")
Columns = dict[str, np.ndarray]


def write_shards(folder: Path | str, parts: Iterable[Rows]) -> int:
    """Writes rows to disk, a shard for each part; nothing but one part is in memory.

    Args:
        folder: A new or empty folder.
        parts: The rows, part by part, for instance from a generator. ``weights`` that some part lacks are 1.

    Returns:
        Number of rows written.

    Raises:
        ValueError: If the folder already holds shards, there are no rows, or the parts differ in their columns.

    Example:
        >>> import tempfile
        >>> from mtl_helpers.datasets import task_pair
        >>> parts = (task_pair(rows=1000, seed=seed).train for seed in range(3))
        >>> write_shards(tempfile.mkdtemp(), parts)
        1800
    """
    folder = Path(folder)
    if (folder / CONTENTS).exists():
        raise ValueError(f"folder={str(folder)!r} already holds shards; name a new folder, or delete this one.")
    sizes: list[int] = []
    kinds: dict[str, tuple] = {}
    for number, rows in enumerate(parts):
        columns = flat(rows)
        found = {name: (str(values.dtype), values.shape[1:]) for name, values in columns.items()}
        kinds = kinds or found
        if found != kinds:
            raise ValueError(f"parts: shard {number} holds {found}, the first {kinds}; make all parts alike.")
        write_whole(folder / shard_name(number), lambda file, columns=columns: np.savez(file, **columns))  # type: ignore
        sizes.append(len(rows))
    if not sum(sizes):
        raise ValueError("parts holds no rows; give at least one part with rows.")
    write_text(folder / CONTENTS, json.dumps({"rows": sizes}))  # last: without it, the folder does not count
    return sum(sizes)


def stream_shards(
    folder: Path | str, batch_size: int = 512, *, seed: int | None = None, together: int = 4
) -> tf.data.Dataset:
    """Reads shards as batches for ``model.fit(..., shuffle=False)``, each row once an epoch.

    Args:
        folder: Where ``write_shards`` wrote.
        batch_size: Rows in a batch; the last one of an epoch may have fewer.
        seed: Seed of the order, another one each epoch; None for the order written.
        together: Shards held in memory at a time, whose rows are mixed. More of them shuffle better.

    Returns:
        Batches (inputs, labels, sample weights), a dict each; the weight of a label that is not missing is 1.

    Raises:
        FileNotFoundError: If the folder holds no complete set of shards.
        ValueError: If ``batch_size`` or ``together`` is below 1, the seed is none, or a shard is damaged (while read).

    Example:
        >>> model.fit(stream_shards("rows", seed=course_seed()), shuffle=False, epochs=3)  # doctest: +SKIP
    """
    folder = Path(folder)
    random_numbers(seed)  # says now, not while training, that a seed is none
    if batch_size < 1 or together < 1:
        raise ValueError(f"batch_size={batch_size}, together={together}: give at least 1 of each.")
    if not (folder / CONTENTS).is_file():
        raise FileNotFoundError(f"folder={str(folder)!r} holds no {CONTENTS}; write the rows with write_shards first.")
    sizes = json.loads((folder / CONTENTS).read_text())["rows"]
    if gone := [shard_name(number) for number in range(len(sizes)) if not (folder / shard_name(number)).is_file()]:
        raise FileNotFoundError(f"folder={str(folder)!r} lacks the shards {gone}; write it anew with write_shards.")
    import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

    import tensorflow as tf

    epochs = count(1)

    def nested(columns: dict) -> tuple[dict, ...]:
        return tuple(
            {name.partition("/")[2]: values for name, values in columns.items() if name.startswith(f"{part}/")}
            for part in PARTS
        )

    def one_epoch() -> Iterator[tuple[dict, ...]]:
        order = None if seed is None else np.random.default_rng([seed, next(epochs)])
        return map(nested, batches_of(folder, len(sizes), batch_size, order, together))

    with np.load(folder / shard_name(0), allow_pickle=False) as first:
        kinds = {name: tf.TensorSpec([None, *first[name].shape[1:]], first[name].dtype) for name in first.files}
    stream = tf.data.Dataset.from_generator(one_epoch, output_signature=nested(kinds))
    return stream.apply(tf.data.experimental.assert_cardinality(-(-sum(sizes) // batch_size))).prefetch(2)


def batches_of(
    folder: Path, shards: int, batch_size: int, order: np.random.Generator | None, together: int
) -> Iterator[Columns]:
    """Reads the batches of one epoch, a few shards at a time."""
    numbers = np.arange(shards) if order is None else order.permutation(shards)
    left: list[Columns] = []  # rows that did not fill a batch wait for the next shards
    for start in range(0, shards, together):
        read = left + [read_shard(folder / shard_name(number)) for number in numbers[start : start + together]]
        pool = {name: np.concatenate([each[name] for each in read]) for name in read[0]}
        del read
        size = len(next(iter(pool.values())))
        places = np.arange(size) if order is None else order.permutation(size)
        full = size if start + together >= shards else size - size % batch_size
        for begin in range(0, full, batch_size):
            chosen = places[begin : min(begin + batch_size, full)]
            yield {name: values[chosen] for name, values in pool.items()}
        left = [{name: values[places[full:]] for name, values in pool.items()}]


def flat(rows: Rows) -> Columns:
    """Gives everything that training reads under one name each, ``"labels/click"``; weights for every task."""
    ones = {task: np.ones(values.shape, np.float32) for task, values in rows.labels.items()}
    whole = replace(rows, weights=ones | rows.weights)
    return {f"{part}/{name}": values for part in PARTS for name, values in getattr(whole, part).items()}


def read_shard(path: Path) -> Columns:
    """Reads one shard.

    Raises:
        ValueError: If the file is damaged, naming it.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({type(error).__name__}); write it anew with write_shards.") from error


def shard_name(number: int) -> str:
    """Names a shard's file."""
    return f"{number:05d}.npz"
