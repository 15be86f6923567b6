"""Exercises of chapter 07, PLE and the seesaw."""

from __future__ import annotations

import math

from mtl_helpers.exercises.kinds import Case, Coding, Exercise, Open, Prediction

EXERCISES: dict[str, Exercise] = {
    "07.1": Coding(
        "The swing of two tasks",
        [
            Case(([[0.80, 0.82], [0.84, 0.81], [0.83, 0.77]],), 0.04),
            Case(([[0.7, 0.7], [0.8, 0.8]],), 0.0),
            Case(([[0.9, 0.5], [0.6, 0.6], [0.5, 0.9]],), 0.4),
            Case(([[0.8, 0.8], [0.9, 0.7], [0.8, 0.8]],), 0.1),
        ],
        hint="First the difference of the two tasks at every loss weight, then how far it travels, then half of that.",
        reason="scores = np.asarray(scores); np.ptp(scores[:, 0] - scores[:, 1]) / 2. Where both tasks gain together "
        "the difference stands still: that is no seesaw. It may travel out and back, so the ends alone do not tell.",
    ),
    "07.2": Prediction(
        "The task out of favour",
        {
            "a": "Hard sharing suffers most: it shares everything.",
            "b": "The model with one gate suffers most.",
            "c": "CGC suffers most: it has the fewest shared experts.",
        },
        right="b",
        hint="A tower can still pick what it needs from a wide shared layer. In which model can it not?",
        reason="With one gate both towers get the same few numbers, mixed as the heavy task likes it. A tower behind a "
        "wide shared layer still finds its own directions in it, and private experts belong to their task throughout.",
    ),
    "07.3": Coding(
        "A gate that may not use everything",
        [
            Case(([0.0, 0.0, 5.0], [True, True, False]), [0.5, 0.5, 0.0]),
            Case(([0.0, math.log(3), 9.0], [True, True, False]), [0.25, 0.75, 0.0]),
            Case(([1.0, 2.0], [False, True]), [0.0, 1.0]),
            Case(([1000.0, 0.0], [True, True]), [1.0, 0.0]),
            Case(([0.0, 1000.0], [True, False]), [1.0, 0.0]),
            Case(([-1000.0, 0.0], [True, False]), [1.0, 0.0]),
        ],
        hint="Put -infinity (or -1e9) in place of a logit that is not allowed, then take the softmax.",
        reason="Masked before the softmax, the allowed weights share the whole 1. Masked after it, the weight of the "
        "foreign experts would be missing from the sum: 0.003 + 0.003 + 0 in the first case. Dividing by that sum "
        "mends it on paper; where a forbidden logit is large, as in the last two cases, it is 0 / 0. "
        "Nor is -100 far enough down for a mask: an allowed logit may lie lower.",
    ),
    "07.4": Open(
        "Before PLE goes live",
        [
            "asks what happened to the first task",
            "asks for seeds and an interval of the paired difference",
            "asks whether the loss weights of both models were chosen with the same effort",
            "asks for a single-task baseline and the parameter counts",
        ],
        words=25,
        hint="Three questions: about the other task, about chance, about a fair comparison.",
    ),
}
