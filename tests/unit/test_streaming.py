"""Streamed rows are the rows written: each once an epoch, shuffled by the seed, a few shards in memory at a time."""

import json

import keras
import numpy as np
import pytest

from mtl_helpers.datasets import stream_shards, streaming, write_shards
from mtl_helpers.datasets.base import Rows
from mtl_helpers.losses import task_losses
from mtl_helpers.models import hard_sharing


def numbered(start, rows):
    """Rows that tell their number in every column; every third lacks the label ``pay``."""
    number = np.arange(start, start + rows)
    pay = np.where(number % 3, number, np.nan).astype("float32")
    inputs = {
        "numeric": np.stack([number, -number], 1).astype("float32"),
        "categorical": number[:, None].astype("int32"),
    }
    weights = {"pay": (number % 3 > 0).astype("float32")}
    return Rows(inputs, {"click": number.astype("float32"), "pay": pay}, weights)


@pytest.fixture
def folder(tmp_path):
    sizes = [7, 5, 6, 4, 1]
    parts = (numbered(start, size) for start, size in zip(np.cumsum([0, *sizes]), sizes, strict=False))
    assert write_shards(tmp_path / "rows", parts) == 23
    return tmp_path / "rows"


def epoch(stream):
    """The rows' numbers in the order streamed, after checking that every column tells the same one."""
    numbers = []
    for inputs, labels, weights in stream.as_numpy_iterator():
        number = inputs["categorical"][:, 0]
        assert 1 <= len(number) <= 4
        np.testing.assert_array_equal(inputs["numeric"], np.stack([number, -number], 1))
        np.testing.assert_array_equal(labels["click"], number)
        np.testing.assert_array_equal(labels["pay"], np.where(number % 3, number, np.nan))
        np.testing.assert_array_equal(weights["pay"], number % 3 > 0)
        np.testing.assert_array_equal(weights["click"], 1)
        numbers += list(number)
    return numbers


def test_every_row_comes_once_an_epoch_in_an_order_of_its_own(folder):
    stream = stream_shards(folder, batch_size=4, seed=1, together=2)
    first, second = epoch(stream), epoch(stream)
    assert sorted(first) == sorted(second) == list(range(23))
    assert first != second
    assert first != sorted(first)
    again = stream_shards(folder, batch_size=4, seed=1, together=2)
    assert [epoch(again), epoch(again)] == [first, second]
    assert epoch(stream_shards(folder, batch_size=4, seed=2, together=2)) != first
    assert epoch(stream_shards(folder, batch_size=4, together=2)) == list(range(23))
    assert len(stream) == 6  # batches an epoch, which Keras shows


def test_no_more_shards_are_read_than_are_mixed(folder, monkeypatch):
    read = []
    monkeypatch.setattr(
        streaming, "read_shard", lambda path, read_shard=streaming.read_shard: read.append(path) or read_shard(path)
    )
    batches = streaming.batches_of(folder, 5, 4, np.random.default_rng(0), together=2)
    next(batches)
    assert len(read) == 2
    list(batches)
    assert len(read) == 5


def test_a_model_fits_the_stream_as_it_fits_the_arrays(tiny_data, tmp_path):
    write_shards(tmp_path, [tiny_data.train.take(slice(start, start + 16)) for start in range(0, 64, 16)])
    histories = []
    for source in ("stream", "arrays"):
        keras.utils.set_random_seed(3)
        model = hard_sharing(tiny_data, hidden_units=(4,))
        model.compile(keras.optimizers.SGD(0.1), loss=task_losses(tiny_data))
        arrays = (tiny_data.train.inputs, tiny_data.train.labels)
        given = {"x": stream_shards(tmp_path, 16)} if source == "stream" else {"x": arrays[0], "y": arrays[1]}
        size = {} if source == "stream" else {"batch_size": 16}
        histories.append(model.fit(**given, **size, epochs=2, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-5)


def test_what_is_not_whole_is_not_read_and_nothing_is_overwritten(folder, tmp_path):
    def breaks_off():
        yield numbered(0, 5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shards(tmp_path / "half", breaks_off())
    with pytest.raises(FileNotFoundError, match=r"holds no shards\.json; write the rows with write_shards first"):
        stream_shards(tmp_path / "half")
    assert write_shards(tmp_path / "half", [numbered(0, 3)]) == 3
    assert sorted(epoch(stream_shards(tmp_path / "half", 4, seed=0))) == [0, 1, 2]
    with pytest.raises(ValueError, match="already holds shards"):
        write_shards(folder, [numbered(0, 5)])
    with pytest.raises(ValueError, match="no rows"):
        write_shards(tmp_path / "none", [])
    other = numbered(0, 5)
    other.labels["extra"] = other.labels["click"]
    with pytest.raises(ValueError, match="shard 1 holds .*extra.*make all parts alike"):
        write_shards(tmp_path / "mixed", [numbered(0, 5), other])
    assert json.loads((folder / "shards.json").read_text()) == {"rows": [7, 5, 6, 4, 1]}
