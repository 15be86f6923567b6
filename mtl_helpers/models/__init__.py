"""One builder per architecture: data in, a ``keras.Model`` with one named output a task out."""

import mtl_helpers.quiet  # noqa: F401  (TensorFlow first, without its log noise)

from mtl_helpers.models.entire_space import conversion_model, esmm
from mtl_helpers.models.experts import cgc, mmoe, one_gate, ple
from mtl_helpers.models.factorization import deepfm, factorization_machine, logistic_regression
from mtl_helpers.models.ner_relation import ner_relation, text_losses
from mtl_helpers.models.reading import read_text, text_batches
from mtl_helpers.models.sharing import cross_stitch, hard_sharing, single_task, soft_sharing
from mtl_helpers.models.two_tower import two_tower

__all__ = [
    "cgc",
    "conversion_model",
    "cross_stitch",
    "deepfm",
    "esmm",
    "factorization_machine",
    "hard_sharing",
    "logistic_regression",
    "mmoe",
    "ner_relation",
    "one_gate",
    "ple",
    "read_text",
    "single_task",
    "soft_sharing",
    "text_batches",
    "text_losses",
    "two_tower",
]
