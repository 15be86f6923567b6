"""Results of a study kept in a folder, so that a study that was stopped goes on where it was.

Each model and seed has two files: ``NAME-SEED.npz`` with the weights, and ``NAME-SEED.json`` with everything else,
written last: only with it does a result count. Both are written whole or not at all. The JSON says how it was made.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mtl_helpers.datasets.base import SPLITS, MultiTaskData
from mtl_helpers.recording import circumstances, write_text, write_whole
from mtl_helpers.study.jobs import Job, Key, Result
from mtl_helpers.study.training import build_run

UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


class Kept:
    """The results of a study in a folder.

    Args:
        folder: The folder; made if need be.
        jobs: All jobs of the study.
    """

    def __init__(self, folder: Path | str, jobs: Sequence[Job]) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        hashes = {id(data): hash_of_data(data) for job in jobs[:1] for data in job.plan.datasets}  # all share one plan
        self._made_with = {(job.name, seed): how for job in jobs for seed, how in made_with(job, hashes)}

    def read(self, say: Callable[[str], Any]) -> dict[Key, Result]:
        """Reads what is there. A file that cannot be read is as good as none, and ``say`` is told.

        Raises:
            ValueError: If a result was made with other settings; says which.
        """
        results = {}
        for key, wanted in self._made_with.items():
            path = self._path(key)
            if not path.exists():
                continue
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
                with path.with_suffix(".npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                    weights = [arrays[name] for name in arrays.files]
                gates = [json.dumps(each) for each in found["gates"]]
                result = Result(*key, found["parameters"], found["table"], gates, weights)
                given = found["made with"]
            except UNREADABLE as error:
                say(
                    f"{path.name} cannot be read ({type(error).__name__}); {key[0]!r}, seed {key[1]}, is trained again."
                )
                continue
            if given != wanted:
                raise ValueError(
                    f"folder={str(self.folder)!r}: {path.name} was made with other settings "
                    f"({'; '.join(list(differences(given, wanted))[:5])}); give another folder, or delete this one."
                )
            results[key] = result
        return results

    def write(self, result: Result) -> None:
        """Writes one result, weights first."""
        path = self._path(result.key)
        write_whole(path.with_suffix(".npz"), lambda file: np.savez(file, *result.weights))
        # JSON has no NaN and no infinity; as text, pandas reads them back.
        values = [value if math.isfinite(value) else str(value) for value in result.table["value"]]
        content = {
            "made with": self._made_with[result.key],
            "parameters": result.parameters,
            "table": result.table | {"value": values},
            "gates": [json.loads(each) for each in result.gates],
        }
        write_text(path, json.dumps(content, ensure_ascii=False, allow_nan=False))

    def _path(self, key: Key) -> Path:
        model, seed = key
        plain = re.sub(r"[^\w.-]+", "_", model)
        if plain != model:
            plain += "_" + hashlib.sha256(model.encode()).hexdigest()[:6]
        return self.folder / f"{plain}-{seed}.json"


def made_with(job: Job, hashes: dict[int, str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Says, for every seed of a job, all that its result depends on; long things by their hash.

    Args:
        job: The job.
        hashes: id of a data set -> its hash.

    Yields:
        The seed, and what its result is made with, as JSON gives it back.
    """
    settings = job.settings
    rows, optimizer = settings.gate_rows, settings.optimizer.get_config()
    del optimizer["name"]  # Keras counts optimizers in their names
    common = {
        "model": hash_of_model(build_run(job.name, job.builder, job.plan, job.plan.runs[0])),
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "early_stopping": settings.early_stopping,
        "gate_rows": None if rows is None else hashlib.sha256(rows.tobytes()).hexdigest(),
        "ablate": settings.ablate,
        "optimizer": {"class": type(settings.optimizer).__name__, **optimizer},
        "losses": {task: keras.losses.serialize(loss) for task, loss in settings.losses.items()},
        "versions": {name: circumstances()[name] for name in ("tensorflow", "keras")},
    }
    for seed in job.plan.seeds:
        runs = [run for run in job.plan.runs if run.seed == seed]
        own = {
            "data": {run.data: hashes[id(job.plan.of_run(run))] for run in runs},
            "loss_weights": {run.loss_weight: run.weights for run in runs},
        }
        yield seed, json.loads(json.dumps(own | common, default=str))


def differences(given: Any, wanted: Any, name: str = "") -> Iterator[str]:
    """Names what differs, with both values where they are short."""
    if isinstance(given, dict) and isinstance(wanted, dict):
        for key in {**wanted, **given}:
            yield from differences(given.get(key), wanted.get(key), f"{name} {key}".strip())
    elif given != wanted:
        short = max(len(str(given)), len(str(wanted))) < 30
        yield f"{name} {given!r}, now {wanted!r}" if short else name


def hash_of_data(data: MultiTaskData) -> str:
    """Hashes all that a training reads of a data set."""
    digest = hashlib.sha256(repr((data.tasks, data.inputs, data.groups)).encode())
    for split in SPLITS:
        rows = getattr(data, split)
        arrays = {"groups": rows.groups} if rows.groups is not None else {}
        for part in (rows.inputs, rows.labels, rows.weights, arrays):
            for name, values in sorted(part.items()):
                digest.update(f"{split} {name} {values.dtype} {values.shape}".encode())
                digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def hash_of_model(model: keras.Model) -> str:
    """Hashes a model's structure, without the numbers that Keras appends to names (``dense_3``)."""
    try:
        structure = model.to_json()
    except (NotImplementedError, TypeError, ValueError):  # a model that Keras cannot write down
        structure = type(model).__name__
    weights = [(each.path, tuple(each.shape)) for each in model.weights]
    return hashlib.sha256(re.sub(r"_\d+\b", "", f"{structure} {weights}").encode()).hexdigest()
