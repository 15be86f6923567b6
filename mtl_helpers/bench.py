"""Measures how fast the course's own code is, side by side with what it replaces: ``make bench``.

Each table is printed and kept in ``data/results/bench_*.json``. Two ways of doing a thing are timed in turn, A B A B,
in one process, so that a machine that slows down slows both: their ratio is what carries over to another machine.
"""

from __future__ import annotations

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from mtl_helpers.datasets import census_income, relation_corpus, task_pair, video_log
from mtl_helpers.layers import ConditionalRandomField, MixtureOfExperts, decode_tags, pair_sum
from mtl_helpers.losses import task_losses
from mtl_helpers.models import mmoe, ner_relation, text_losses
from mtl_helpers.recording import record
from mtl_helpers.seeds import course_seed

ROUNDS = 5


def seconds(action: Callable[[], Any]) -> float:
    """Times one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_turn(first: Callable[[], Any], second: Callable[[], Any], calls: int = 20) -> dict[str, float]:
    """Times two ways in turn, after a call of each that is not counted.

    Args:
        first: The way asked about.
        second: What it replaces.
        calls: Calls a round.

    Returns:
        Median milliseconds a call of each, and the median of the rounds' ratios second / first.
    """

    def one_round(way: Callable[[], Any]) -> float:
        return seconds(lambda: [way() for _ in range(calls)]) / calls

    one_round(first), one_round(second)
    rounds = [[one_round(first), one_round(second)] for _ in range(ROUNDS)]
    mine, other = np.median(np.array(rounds), axis=0)
    ratio = float(np.median([pair[1] / pair[0] for pair in rounds]))
    return {
        "ms": round(1e3 * float(mine), 3),
        "replaced ms": round(1e3 * float(other), 3),
        "times faster": round(ratio, 2),
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


def training_step(model: keras.Model, x: tf.Tensor, target: tf.Tensor, jit_compile: bool) -> Callable[[], Any]:
    """Gives a compiled gradient step of a model with outputs ``[batch, gates, units]``."""

    @tf.function(jit_compile=jit_compile)
    def step() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - target) ** 2)
        return tape.gradient(loss, model.trainable_variables)

    return step


def bench_experts() -> pd.DataFrame:
    """Times experts in one product against a loop over ``Dense`` layers, as tutorials write it."""
    rows = []
    for experts in (4, 8, 16, 32):
        for width in (160, 300):
            inputs = keras.Input((width,))
            mixed = MixtureOfExperts(experts, (16,), gates=("a", "b"))(inputs)[0]
            networks = [keras.layers.Dense(16, activation="relu")(inputs) for _ in range(experts)]
            gates = [keras.layers.Dense(experts, activation="softmax", use_bias=False)(inputs) for _ in range(2)]
            looped = keras.ops.matmul(keras.ops.stack(gates, axis=1), keras.ops.stack(networks, axis=1))
            x, target = tf.random.normal((512, width), seed=1), tf.zeros((512, 2, 16))
            steps = [training_step(keras.Model(inputs, each), x, target, False) for each in (mixed, looped)]
            rows.append({"experts": experts, "inputs": width, **in_turn(steps[0], steps[1])})
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


BENCHES: dict[str, Callable[[], pd.DataFrame]] = {
    "study": bench_study,
    "experts": bench_experts,
    "factorization": bench_factorization,
    "data": bench_data,
    "crf": bench_crf,
    "sharing": bench_sharing,
}


def main() -> None:
    """Runs the benches named on the command line, or all."""
    for name in sys.argv[1:] or BENCHES:
        table = BENCHES[name]()
        print(f"\n=== {name}\n{table.to_string(index=False)}", flush=True)
        record(f"bench_{name}", f"python -m mtl_helpers.bench {name}", table.to_dict(orient="records"))


if __name__ == "__main__":
    main()
