"""What the starter of worker processes does when something is wrong; that two train as one, chapter 10 claims."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

from mtl_helpers import distributed
from mtl_helpers.datasets import video_log
from mtl_helpers.distributed import batches, free_addresses, imported, named, running, train, train_on_workers, watch
from mtl_helpers.models import mmoe


def worker(monkeypatch, program: str) -> None:
    """Has ``running`` start a small program instead of a training."""
    monkeypatch.setattr(distributed, "WORKER", ["-c", program])


def test_a_function_is_named_so_that_another_process_finds_it():
    call = named("data", partial(video_log, 100, seed=3))
    assert call["args"] == [100]
    assert call["keywords"] == {"seed": 3}
    assert len(imported(call)().train) == 60
    with pytest.raises(ValueError, match=r"builder=.*<lambda>.* cannot be imported by a worker"):
        named("builder", lambda data: None)


def test_a_batch_must_be_shared_evenly():
    with pytest.raises(ValueError, match=r"batch_size=100 cannot be shared evenly by workers=3"):
        train_on_workers(mmoe, video_log, workers=3, batch_size=100)


def test_a_worker_that_fails_is_quoted_and_the_others_end(monkeypatch, tmp_path: Path):
    program = "import os, time\nif '\"index\": 1' in os.environ['TF_CONFIG']: raise OSError('no room')\ntime.sleep(60)"
    worker(monkeypatch, program)
    with pytest.raises(RuntimeError, match=r"(?s)worker 1 of 2 failed.*OSError: no room"):  # noqa: SIM117
        with running(tmp_path, free_addresses(2)) as processes:
            watch(processes, tmp_path, timeout=30)
    assert not any(psutil.pid_exists(process.pid) for process in processes)


def test_workers_that_hang_are_ended(monkeypatch, tmp_path: Path):
    worker(monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(TimeoutError, match=r"timeout=0\.2"):  # noqa: SIM117
        with running(tmp_path, free_addresses(2)) as processes:
            watch(processes, tmp_path, timeout=0.2)
    assert not any(psutil.pid_exists(process.pid) for process in processes)


def test_a_worker_ends_when_the_one_that_started_it_is_gone(tmp_path: Path):
    import subprocess

    program = "import threading, time; from mtl_helpers.distributed_worker import end_with_parent as end\n"
    program += "threading.Thread(target=end, daemon=True).start(); print('up', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.read(2) == b"up"
        process.stdin.close()
        assert process.wait(timeout=30) == 1


def test_every_row_is_in_one_batch_an_epoch_in_an_order_of_the_seed():
    rows = video_log(200, seed=0).train  # 120
    found = list(batches(rows, 40, epochs=2, seed=5))
    assert sorted(np.concatenate(found[:3])) == list(range(120))
    assert not np.array_equal(found[0], found[3])
    assert np.array_equal(found, list(batches(rows, 40, epochs=2, seed=5)))


def test_in_one_process_the_loop_trains_as_fit_does():
    import keras
    import tensorflow as tf

    from mtl_helpers.losses import task_losses
    from mtl_helpers.memory import on_one_device

    data, builder = video_log(500, seed=0), partial(mmoe, experts=2, expert_units=(4,))
    found = [loss for loss, _ in train(tf.distribute.get_strategy(), builder, data, 1, 50, 1e-2, seed=0)]
    keras.utils.set_random_seed(0)
    model = builder(data)
    model.compile(on_one_device(keras.optimizers.Adam(1e-2)), loss=task_losses(data))
    rows = data.train.take(np.concatenate(list(batches(data.train, 50, 1, seed=0))))
    history = model.fit(rows.inputs, rows.labels, batch_size=50, shuffle=False, verbose=0).history
    assert np.mean(found) == pytest.approx(history["loss"][0], abs=1e-5)
