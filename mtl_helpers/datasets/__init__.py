"""Rows to learn from: generated worlds whose truth is known, and real data whose checksum is."""

from mtl_helpers.datasets.base import Categorical, MultiTaskData, Numeric, Rows, Task, Tokens

__all__ = ["Categorical", "MultiTaskData", "Numeric", "Rows", "Task", "Tokens"]
