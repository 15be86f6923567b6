"""Rows to learn from: generated worlds whose truth is known, and real data whose checksum is."""

from mtl_helpers.datasets.base import Categorical, MultiTaskData, Numeric, Rows, Task, Tokens
from mtl_helpers.datasets.census_income import census_income, read_census_income
from mtl_helpers.datasets.task_pair import RECIPES, label_correlation, task_pair
from mtl_helpers.datasets.video_log import video_log

__all__ = [
    "RECIPES",
    "Categorical",
    "MultiTaskData",
    "Numeric",
    "Rows",
    "Task",
    "Tokens",
    "census_income",
    "label_correlation",
    "read_census_income",
    "task_pair",
    "video_log",
]
