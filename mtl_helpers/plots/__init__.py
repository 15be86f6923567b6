"""The course's figures: one function a figure, each returns a matplotlib ``Figure`` for ``show(figure, alt="...")``."""

from mtl_helpers.plots.gates import (
    ablation_heat_map,
    collapse_frequency,
    expert_load_over_epochs,
    gate_entropy_over_epochs,
    gate_heat_map,
    gate_weights_over_epochs,
)
from mtl_helpers.plots.mechanisms import arms_against, effects, input_use, train_test_gaps
from mtl_helpers.plots.results import forest, learning_curves, score_against
from mtl_helpers.plots.seesaw import fusion_sweep, seesaw_paths, swing_bars
from mtl_helpers.plots.style import (
    MODEL_COLOURS,
    TASK_COLOURS,
    label_lines,
    model_colour,
    new_figure,
    show,
    styled,
    task_colour,
    use_course_style,
)
from mtl_helpers.plots.text import (
    gain_against_sentences,
    score_bars,
    sentence_picture,
    tag_trellis,
    weight_sweep,
)

__all__ = [
    "MODEL_COLOURS",
    "TASK_COLOURS",
    "ablation_heat_map",
    "arms_against",
    "collapse_frequency",
    "effects",
    "expert_load_over_epochs",
    "forest",
    "fusion_sweep",
    "gain_against_sentences",
    "gate_entropy_over_epochs",
    "gate_heat_map",
    "gate_weights_over_epochs",
    "input_use",
    "label_lines",
    "learning_curves",
    "model_colour",
    "new_figure",
    "score_against",
    "score_bars",
    "seesaw_paths",
    "sentence_picture",
    "show",
    "styled",
    "swing_bars",
    "tag_trellis",
    "task_colour",
    "train_test_gaps",
    "use_course_style",
    "weight_sweep",
]
