"""What a hand can move: the gate explorer and the fusion desk. They are anywidgets and need no TensorFlow."""

from mtl_helpers.widgets.base import CourseWidget
from mtl_helpers.widgets.fusion_desk import FusionDesk
from mtl_helpers.widgets.gate_explorer import GateExplorer

__all__ = ["CourseWidget", "FusionDesk", "GateExplorer"]
