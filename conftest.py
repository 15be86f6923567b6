"""What the examples in the docstrings may use without importing it."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(autouse=True)
def public_names(request: pytest.FixtureRequest) -> None:
    """Gives every example NumPy as ``np``, Keras, and the public names of data sets, layers, models and the rest."""
    if isinstance(request.node, pytest.DoctestItem):
        names: dict[str, Any] = request.getfixturevalue("doctest_namespace")
        names.update(np=np, pd=pd)
        for module in ("datasets", "layers", "models", "losses", "metrics", "gates", "study", "balancing"):
            found = importlib.import_module(f"mtl_helpers.{module}")
            names.update({name: getattr(found, name) for name in getattr(found, "__all__", vars(found))})
        names["keras"] = importlib.import_module("keras")
