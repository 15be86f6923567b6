"""What several test files share."""

import gc

import numpy as np
import pytest

from mtl_helpers.datasets.base import Categorical, MultiTaskData, Numeric, Rows, Task


def pytest_collection_finish():
    """Spares the garbage collector what imports and collection made, and most of its rounds.

    Tracing makes objects by the hundred thousand, and a full round walks through all there are, those of TensorFlow and
    of fourteen hundred tests included: a quarter of the time of the files that train.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000)


def tiny_rows(seed, rows):
    random = np.random.default_rng(seed)
    user, item, brand = (random.integers(0, size, rows).astype("int32") for size in (6, 5, 3))
    numeric = random.normal(size=(rows, 2)).astype("float32")
    chance = 1 / (1 + np.exp(-(user - 2.5) / 2 - numeric[:, 0]))
    click = (random.random(rows) < chance).astype("float32")
    pay = click * (random.random(rows) < 0.4).astype("float32")
    watch = (numeric.sum(axis=1) + 0.1 * random.normal(size=rows)).astype("float32")
    inputs = {"categorical": np.stack([user, item, brand], axis=1), "numeric": numeric}
    return Rows(inputs, {"click": click, "pay": pay, "watch": watch})


@pytest.fixture(scope="session")
def tiny_data():
    """A few rows with categories and numbers, and three tasks: click, pay after the click, and a regression."""
    tasks = {"click": Task(), "pay": Task(), "watch": Task("regression")}
    inputs = {
        "categorical": Categorical(("user", "item", "brand"), (6, 5, 3)),
        "numeric": Numeric(("price", "age")),
    }
    return MultiTaskData("tiny", tasks, inputs, tiny_rows(0, 64), tiny_rows(1, 32), tiny_rows(2, 32))
