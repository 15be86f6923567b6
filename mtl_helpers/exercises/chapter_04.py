"""Exercises of chapter 04, the two-tower network for click and pay."""

from __future__ import annotations

import math

from mtl_helpers.exercises.kinds import Case, Coding, Exercise, Open, Prediction

EXERCISES: dict[str, Exercise] = {
    "04.1": Coding(
        "A guard for names",
        [
            Case((["click", "pay"], {"click": 1.0, "pay": 1.0}), []),
            Case((["click", "pay"], {"click": 1.0, "crf_output": 1.0}), ["crf_output", "pay"]),
            Case((["click", "pay"], {"pay": 5.0}), ["click"]),
            Case((["click"], {"click": 1.0, "buy": 1.0}), ["buy"]),
        ],
        hint="A name is wrong if it is in one of the two and not in the other; sort what you find.",
        reason="sorted(set(outputs) ^ set(weights)): the names that are in exactly one of the two sets. One line "
        "before compile, and a misspelt weight is an error instead of a secret.",
    ),
    "04.2": Prediction(
        "What clicks say about the others",
        {
            "a": "Too low: who did not click is not in the data, so the model is careful.",
            "b": "Too high: it has only seen rows good enough to be clicked.",
            "c": "Right on average: it sees all that decides about paying.",
        },
        right="b",
        hint="What does a model say about a row of which it cannot tell how it differs from those it has seen?",
        reason="What a network has not worked out it fills with the mean of its training rows, and these are the "
        "clicked ones, which convert more often. With unlimited rows and a perfect network (c) would be right.",
    ),
    "04.3": Coding(
        "The loss of the entire space",
        [
            Case((0.5, 0.5, 0, 0), -math.log(0.5) - math.log(0.75)),
            Case((0.5, 0.5, 1, 0), -math.log(0.5) - math.log(0.75)),
            Case((0.2, 0.5, 1, 1), -math.log(0.2) - math.log(0.1)),
            Case((0.9, 0.1, 0, 0), -math.log(0.1) - math.log(0.91)),
        ],
        hint="Two cross-entropies: the click against pctr, clicked-and-paid against pctr * pcvr. Both, for every row.",
        reason="pay_rate = pctr * pcvr; the loss is the cross-entropy of click with pctr plus that of pay with "
        "pay_rate. pcvr has no loss of its own, and an unclicked row has its share in both terms.",
    ),
    "04.4": Open(
        "Who was never asked",
        [
            "names the selection: which rows have a label, and who or what chose them",
            "says in which direction the model will be off for the others, and why",
            "says what would show it: a random sample, an experiment, a known chance of being selected",
            "says for which decision the error matters, and for which it does not",
        ],
        words=35,
        hint="Four sentences: who has a label, which way the model is off, what would show it, and where it matters.",
    ),
}
