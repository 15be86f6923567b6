"""What a hand can move: gate explorer, fusion and focal desk, sentence inspector, sharing lab. No TensorFlow needed."""

from mtl_helpers.widgets.base import CourseWidget
from mtl_helpers.widgets.focal_desk import FocalDesk
from mtl_helpers.widgets.fusion_desk import FusionDesk
from mtl_helpers.widgets.gate_explorer import GateExplorer
from mtl_helpers.widgets.sentence_inspector import SentenceInspector
from mtl_helpers.widgets.sharing_lab import SharingLab

__all__ = ["CourseWidget", "FocalDesk", "FusionDesk", "GateExplorer", "SentenceInspector", "SharingLab"]
