"""How the losses of several tasks become one step: weights that move, and gradients that are projected."""

import mtl_helpers.quiet  # noqa: F401  (TensorFlow first, without its log noise)

from mtl_helpers.balancing.base import Balancer, StaticWeights, gram, task_gradients
from mtl_helpers.balancing.by_gradients import ConflictMeter, GradNorm, PCGrad, gradient_cosine
from mtl_helpers.balancing.by_losses import DynamicWeightAverage, UncertaintyWeighting
from mtl_helpers.balancing.model import BalancedModel, balanced
from mtl_helpers.balancing.units import rescale_label, standardise_label

__all__ = [
    "BalancedModel",
    "Balancer",
    "ConflictMeter",
    "DynamicWeightAverage",
    "GradNorm",
    "PCGrad",
    "StaticWeights",
    "UncertaintyWeighting",
    "balanced",
    "gradient_cosine",
    "gram",
    "rescale_label",
    "standardise_label",
    "task_gradients",
]
