"""Measures how fast the course's own code is, side by side with what it replaces.

Two ways of doing a thing are timed in turn, A B A B,
in one process, so that a machine that slows down slows both: their ratio is what carries over to another machine.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

import itertools
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from mtl_helpers import memory
from mtl_helpers.datasets import census_income, relation_corpus, task_pair, video_log
from mtl_helpers.datasets.base import MultiTaskData
from mtl_helpers.layers import ConditionalRandomField, decode_tags, pair_sum
from mtl_helpers.losses import task_losses
from mtl_helpers.models import hard_sharing, mmoe, ner_relation, ple, text_losses
from mtl_helpers.models.parts import features, make_inputs, towers
from mtl_helpers.seeds import course_seed

ROUNDS = 5
STEPS = 20  # training steps in a timed call, so that Python between them does not count


def seconds(action: Callable[[], Any]) -> float:
    """Times one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def rounds_in_turn(ways: Sequence[Callable[[], Any]], calls: int) -> np.ndarray:
    """Times ways in turn, after a round that is not counted.

    Args:
        ways: What is timed.
        calls: Calls of each in a round.

    Returns:
        Milliseconds a call, ``[ROUNDS, ways]``.
    """
    rounds = [[seconds(lambda: [way() for _ in range(calls)]) for way in ways] for _ in range(ROUNDS + 1)]  # noqa: B023
    return 1e3 * np.array(rounds[1:]) / calls


def in_turn(first: Callable[[], Any], second: Callable[[], Any], calls: int = 20) -> dict[str, float]:
    """Times two ways in turn.

    Args:
        first: The way asked about.
        second: What it replaces.
        calls: Calls a round.

    Returns:
        Median milliseconds a call of each, and the median of the rounds' ratios second / first.
    """
    mine, other = rounds_in_turn([first, second], calls).T
    return {
        "ms": round(float(np.median(mine)), 3),
        "replaced ms": round(float(np.median(other)), 3),
        "times faster": round(float(np.median(other / mine)), 2),
    }


def bench_study() -> pd.DataFrame:
    """Times a study of eight seeds against ``model.fit``, for MMoE on Census-Income."""
    data, seeds, epochs, batch_size = census_income(rows=40_000), 8, 10, 512

    def fit() -> list[float]:
        keras.utils.set_random_seed(course_seed())
        model = mmoe(data)
        model.compile(keras.optimizers.Adam(3e-3), loss=task_losses(data))
        return [
            seconds(lambda: model.fit(data.train.inputs, data.train.labels, batch_size=batch_size, verbose=0))
            for _ in range(epochs)
        ]

    def stacked() -> list[float]:
        from mtl_helpers.study.plan import make_plan
        from mtl_helpers.study.stacked import StackedModel

        plan, models = make_plan(data, seeds, None), []
        for run in plan.runs:
            keras.utils.set_random_seed(run.seed)
            models.append(mmoe(data))
        start = time.perf_counter()
        trainer = StackedModel(models, plan, task_losses(data), keras.optimizers.Adam(3e-3), batch_size)
        times = [seconds(partial(trainer.train_epoch, epoch)) for epoch in range(1, epochs + 1)]
        times[0] = time.perf_counter() - start - sum(times[1:])  # tracing and compiling count with the first epoch
        return times

    rows = []
    for _ in range(3):
        alone, together = np.array(fit()), np.array(stacked()) / seeds
        rows.append(
            {
                "fit, s an epoch and seed": float(np.median(alone[1:])),
                "study, s an epoch and seed": float(np.median(together[1:])),
                "times faster once compiled": float(np.median(alone[1:]) / np.median(together[1:])),
                f"times faster over {epochs} epochs, compiling included": float(alone.sum() / together.sum()),
                "study's first epoch, all seeds, s": float(together[0] * seeds),
            }
        )
    return pd.DataFrame(rows).median().round(3).to_frame("value").rename_axis("MMoE, Census-Income").reset_index()


def tutorial_mixture(x: tf.Tensor, experts: list[tf.Tensor]) -> tf.Tensor:
    """Mixes experts by a gate as most tutorials write it: ``[batch, units]``."""
    gate = keras.layers.Dense(len(experts), activation="softmax", use_bias=False)(x)
    return keras.ops.sum(keras.ops.expand_dims(gate, -1) * keras.ops.stack(experts, axis=1), axis=1)


def tutorial_model(data: MultiTaskData, shared: int, private: int, levels: int) -> keras.Model:
    """Builds MMoE (no private experts, one level) or PLE with a ``Dense`` layer an expert, made in a loop."""
    inputs = make_inputs(data)
    streams = [features(data, inputs, 4)] * (len(data.tasks) + 1)
    for level in range(levels):
        counts = [*[private] * len(data.tasks), shared]
        experts = [
            [keras.layers.Dense(16, activation="relu")(stream) for _ in range(count)]
            for stream, count in zip(streams, counts, strict=True)
        ]
        seen = [own + experts[-1] for own in experts[:-1]]
        if level < levels - 1:
            seen.append([*itertools.chain(*experts)])
        streams = [tutorial_mixture(stream, each) for stream, each in zip(streams, seen, strict=False)]
    return keras.Model(inputs, towers(data, inputs, streams[: len(data.tasks)], (), None))


def training_steps(model: keras.Model, data: MultiTaskData, batch_size: int, jit_compile: bool) -> Callable[[], Any]:
    """Gives a call that does ``STEPS`` training steps, Adam included, as ``fit(steps_per_execution=STEPS)`` does."""
    model.compile("adam", task_losses(data), jit_compile=jit_compile, steps_per_execution=STEPS)
    rows = data.train.take(slice(0, batch_size))
    batches = iter(tf.data.Dataset.from_tensors((rows.inputs, rows.labels)).repeat())
    model.make_train_function()
    return lambda: model.train_function(batches)


def bench_experts() -> pd.DataFrame:
    """Times training steps of MMoE and PLE against a loop over ``Dense`` experts, at the MMoE paper's sizes.

    100 inputs, experts of 16 units, two tasks, heads right on the mixtures, for towers would cost both ways the same. A
    step does much besides: it fetches rows, computes heads and losses, runs Adam. A network with one hidden layer of 16
    units instead of all experts and gates shows how much; ``experts alone`` is the ratio after it is taken off both.
    Both ways do the same products, and the larger the batch, the more of the time is theirs: so Keras's default of 32
    rows, and 256. On a machine without a GPU Keras trains in graph mode unless it is asked for XLA: so both.
    """
    data, rows = task_pair(rows=1000), []
    for experts, batch_size, jit_compile in itertools.product((4, 8, 16, 32), (32, 256), (False, True)):
        shared, private = experts // 2, experts // 4
        pairs = {
            "MMoE": (mmoe(data, experts=experts, tower_units=()), tutorial_model(data, experts, 0, 1)),
            "PLE": (
                ple(data, shared_experts=shared, private_experts=private, tower_units=()),
                tutorial_model(data, shared, private, 2),
            ),
        }
        for name, pair in pairs.items():
            models = (*pair, hard_sharing(data, hidden_units=(16,), tower_units=()))
            steps = [training_steps(model, data, batch_size, jit_compile) for model in models]
            ours, theirs, rest = rounds_in_turn(steps, calls=10).T / STEPS
            medians = np.median([ours, theirs, rest], axis=1).round(3).tolist()
            times_faster = np.median([theirs / ours, (theirs - rest) / (ours - rest)], axis=1).round(2).tolist()
            row = {
                "model": name,
                "experts": experts,
                "batch": batch_size,
                "compiled": "XLA" if jit_compile else "graph",
            }
            row |= dict(zip(("ms", "replaced ms", "neither ms"), medians, strict=True))
            rows.append(row | dict(zip(("times faster", "experts alone, times faster"), times_faster, strict=True)))
        memory.release()
    return pd.DataFrame(rows)


def bench_factorization() -> pd.DataFrame:
    """Times the O(nd) form of the factorization machine's pair sum against the sum over all pairs."""

    def all_pairs(vectors: tf.Tensor) -> tf.Tensor:
        products = tf.matmul(vectors, vectors, transpose_b=True)
        return (tf.reduce_sum(products, axis=(1, 2)) - tf.reduce_sum(tf.linalg.diag_part(products), axis=1)) / 2

    rows = []
    for count in (8, 16, 32, 64, 128, 256, 512):
        vectors = tf.random.normal((2048, count, 16), seed=count)
        ways = [tf.function(way).get_concrete_function(vectors) for way in (pair_sum, all_pairs)]
        calls = [partial(way, vectors) for way in ways]
        rows.append({"n": count, **in_turn(calls[0], calls[1], calls=3)})
    return pd.DataFrame(rows)


def bench_data() -> pd.DataFrame:
    """Times the generated worlds at 100,000 rows."""
    worlds = {
        "task_pair": lambda: task_pair(0.5, 100_000),
        "video_log": lambda: video_log(100_000, ("click", "finish", "like", "watch_ratio"), ids=True),
        "census_income": census_income,
    }
    rows = [{"data": name, "seconds": round(min(seconds(make) for _ in range(3)), 3)} for name, make in worlds.items()]
    return pd.DataFrame(rows)


def bench_crf() -> pd.DataFrame:
    """Times a training step of chapter 09's reader with and without the CRF, and the decoding of 1,000 sentences."""
    data, rng = relation_corpus(1000, length=40), np.random.default_rng(course_seed())
    most = {name: int(values.max()) for name, values in data.train.inputs.items()}
    rows = []
    for batch in (32, 128):
        inputs = {name: rng.integers(1, high, (batch, 40)).astype("int32") for name, high in most.items()}
        labels = {name: values[:batch] for name, values in data.train.labels.items()}
        steps = []
        for tagger in ("crf", "softmax"):
            model = ner_relation(data, tagger=tagger)
            model.compile("adam", loss=text_losses(data, tagger))
            steps.append(partial(model.train_on_batch, inputs, labels))
        timed = in_turn(steps[1], steps[0], calls=10)
        names = {"ms": "without CRF, ms", "replaced ms": "with CRF, ms", "times faster": "times slower with CRF"}
        what = f"step, {batch} sentences of 40 tokens"
        rows.append({"what": what, **{new: timed[old] for old, new in names.items()}})
    tables = ConditionalRandomField(11)(rng.normal(size=(1000, 40, 11)).astype("float32"))
    decode = tf.function(decode_tags)
    decode(tables)
    times = [seconds(lambda: decode(tables).numpy()) for _ in range(ROUNDS)]
    median = round(1e3 * float(np.median(times)), 1)
    rows.append({"what": "decoding 1,000 sentences of 40 tokens", "with CRF, ms": median})
    return pd.DataFrame(rows).astype(object).where(lambda found: found.notna(), None)


def bench_sharing() -> pd.DataFrame:
    """Times the sharing lab's button: 8 seeds of 4 models on a setting, the first time and when settings change."""
    from mtl_helpers.study.retrain import Retrainer, Setting, four_models

    retrainer = Retrainer(four_models(), seeds=8)
    settings = [
        Setting(1.0, 200),
        Setting(-1.0, 50),
        Setting(0.0, 2000, 3.0),
        Setting(0.5, 500, 0.0),
        Setting(0.9, 100),
    ]
    taken = [seconds(partial(retrainer.train, [setting])) for setting in settings]
    names = ["first training", *(f"p = {each.correlation}, {each.rows} rows" for each in settings[1:])]
    return pd.DataFrame({"training": names, "seconds": np.round(taken, 2)})
