"""What the examples in the docstrings may use without importing it."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(autouse=True)
def public_names(request: pytest.FixtureRequest) -> None:
    """Gives every example ``np``, ``pd``, ``keras``, the package's public names, and an MMoE's gates as ``record``."""
    if isinstance(request.node, pytest.DoctestItem):
        names: dict[str, Any] = request.getfixturevalue("doctest_namespace")
        names.update(np=np, pd=pd)
        for module in ("datasets", "layers", "models", "losses", "metrics", "gates", "study", "balancing"):
            found = importlib.import_module(f"mtl_helpers.{module}")
            names.update({name: getattr(found, name) for name in getattr(found, "__all__", vars(found))})
        names["keras"] = importlib.import_module("keras")
        names["record"] = gate_record(names["GateRecord"], names["GateLevel"])


def gate_record(record: Any, level: Any) -> Any:
    """Makes the record of an MMoE whose gates stay even: 2 seeds, 3 epochs, 2 groups of rows, 4 experts."""
    tasks, experts = ("click", "like"), tuple(f"expert {i + 1}" for i in range(4))
    even = level(tasks, experts, np.full((2, 3, 2, 2, 4), 0.25, np.float32))
    scores = {task: np.full((2, 3), 0.7, np.float32) for task in tasks}
    changes = {task: (np.zeros((2, 4), np.float32),) for task in tasks}
    kinds = dict.fromkeys(tasks, "auc")
    return record("MMoE", tasks, ("new", "old"), (0, 1, 2), (0, 1), (even,), scores, kinds, ablation=changes)
