"""What a hand can move: gate explorer, fusion desk, sentence inspector. They are anywidgets and need no TensorFlow."""

from mtl_helpers.widgets.base import CourseWidget
from mtl_helpers.widgets.fusion_desk import FusionDesk
from mtl_helpers.widgets.gate_explorer import GateExplorer
from mtl_helpers.widgets.sentence_inspector import SentenceInspector
from mtl_helpers.widgets.sharing_lab import SharingLab

__all__ = ["CourseWidget", "FusionDesk", "GateExplorer", "SentenceInspector", "SharingLab"]
