"""Rows to learn from: generated worlds whose truth is known, and real data whose checksum is."""

from mtl_helpers.datasets.base import Categorical, MultiTaskData, Numeric, Rows, Task, Tokens, TokenVectors
from mtl_helpers.datasets.census_income import census_income, read_census_income
from mtl_helpers.datasets.conll04 import conll04
from mtl_helpers.datasets.hillstrom import hillstrom
from mtl_helpers.datasets.leakage import check_leakage, single_column_scores
from mtl_helpers.datasets.mechanisms import (
    environment,
    hidden_features,
    many_inputs,
    random_labels,
    repeated_question,
    shuffled_helpers,
)
from mtl_helpers.datasets.movielens import movielens_small
from mtl_helpers.datasets.relation_corpus import relation_corpus
from mtl_helpers.datasets.semeval2010 import semeval2010_task8, without_direction
from mtl_helpers.datasets.sentence import Sentence, Span
from mtl_helpers.datasets.shop_log import ITEM_FEATURES, USER_FEATURES, shop_log
from mtl_helpers.datasets.streaming import stream_shards, write_shards
from mtl_helpers.datasets.task_pair import RECIPES, label_correlation, task_pair
from mtl_helpers.datasets.text import encode, text_data, with_token_vectors, words_of
from mtl_helpers.datasets.video_log import video_log

__all__ = [
    "ITEM_FEATURES",
    "RECIPES",
    "USER_FEATURES",
    "Categorical",
    "MultiTaskData",
    "Numeric",
    "Rows",
    "Sentence",
    "Span",
    "Task",
    "TokenVectors",
    "Tokens",
    "census_income",
    "check_leakage",
    "conll04",
    "encode",
    "environment",
    "hidden_features",
    "hillstrom",
    "label_correlation",
    "many_inputs",
    "movielens_small",
    "random_labels",
    "read_census_income",
    "relation_corpus",
    "repeated_question",
    "semeval2010_task8",
    "shop_log",
    "shuffled_helpers",
    "single_column_scores",
    "stream_shards",
    "task_pair",
    "text_data",
    "video_log",
    "with_token_vectors",
    "without_direction",
    "words_of",
    "write_shards",
]
