"""Numbers by which models are judged: scores of predictions, and what gates, loss weights and chance do to them."""

from mtl_helpers.metrics.behaviour import dead_experts, expert_load, gate_entropy, seesaw_swing
from mtl_helpers.metrics.calibration import calibration_curve, expected_calibration_error
from mtl_helpers.metrics.focal import focal_loss, unfocus
from mtl_helpers.metrics.intervals import Interval, half_width, paired_interval
from mtl_helpers.metrics.scores import (
    Score,
    accuracy,
    auc,
    log_loss,
    mean_squared_error,
    ndcg,
    task_metric,
    weighted_mean,
)
from mtl_helpers.metrics.text import entities, relation_f1, relation_table, span_f1, span_table

__all__ = [
    "Interval",
    "Score",
    "accuracy",
    "auc",
    "calibration_curve",
    "dead_experts",
    "entities",
    "expected_calibration_error",
    "expert_load",
    "focal_loss",
    "gate_entropy",
    "half_width",
    "log_loss",
    "mean_squared_error",
    "ndcg",
    "paired_interval",
    "relation_f1",
    "relation_table",
    "seesaw_swing",
    "span_f1",
    "span_table",
    "task_metric",
    "unfocus",
    "weighted_mean",
]
