"""Keras 3 layers of multi-task models, each short enough to read."""

import mtl_helpers.quiet  # noqa: F401  (TensorFlow first, without its log noise)

from mtl_helpers.layers.crf import ConditionalRandomField
from mtl_helpers.layers.customized_gate import CustomizedGateControl
from mtl_helpers.layers.embedding import FeatureEmbedding, SelectColumns
from mtl_helpers.layers.factorization import FactorizationMachine, pair_sum
from mtl_helpers.layers.gating import gate_weights, load_imbalance
from mtl_helpers.layers.mixture import MixtureOfExperts
from mtl_helpers.layers.parallel import ParallelDense, PerCopy
from mtl_helpers.layers.soft_sharing import CrossStitch, SoftSharingPenalty
from mtl_helpers.layers.tag_tables import (
    CRFNegativeLogLikelihood,
    decode_tags,
    tag_log_probability,
    tag_marginals,
    token_mask,
)

__all__ = [
    "CRFNegativeLogLikelihood",
    "ConditionalRandomField",
    "CrossStitch",
    "CustomizedGateControl",
    "FactorizationMachine",
    "FeatureEmbedding",
    "MixtureOfExperts",
    "ParallelDense",
    "PerCopy",
    "SelectColumns",
    "SoftSharingPenalty",
    "decode_tags",
    "gate_weights",
    "load_imbalance",
    "pair_sum",
    "tag_log_probability",
    "tag_marginals",
    "token_mask",
]
