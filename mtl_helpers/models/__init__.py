"""One builder per architecture: data in, a ``keras.Model`` with one named output a task out."""

import mtl_helpers.quiet  # noqa: F401  (TensorFlow first, without its log noise)
from mtl_helpers.models.experts import cgc, mmoe, one_gate, ple
from mtl_helpers.models.sharing import cross_stitch, hard_sharing, single_task, soft_sharing

__all__ = ["cgc", "cross_stitch", "hard_sharing", "mmoe", "one_gate", "ple", "single_task", "soft_sharing"]
