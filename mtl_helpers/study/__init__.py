"""Train several models over many seeds at once, and compare them honestly."""

import mtl_helpers.quiet  # noqa: F401  (TensorFlow, without its log noise)

from mtl_helpers.study.claims import claim
from mtl_helpers.study.plan import batches
from mtl_helpers.study.results import Study
from mtl_helpers.study.run import study
from mtl_helpers.study.tuning import Recipe, TunedStudy, skill, tuned_study

__all__ = ["Recipe", "Study", "TunedStudy", "batches", "claim", "skill", "study", "tuned_study"]
