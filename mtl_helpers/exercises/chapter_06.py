"""Exercises of chapter 06, MMoE and its gates."""

from __future__ import annotations

import math

from mtl_helpers.exercises.kinds import Case, Coding, Exercise, Open, Prediction

EXERCISES: dict[str, Exercise] = {
    "06.1": Coding(
        "Mix three experts",
        [
            Case(([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]], [0.0, 0.0, math.log(2)]), [1.75, 2.0]),
            Case(([[1.0], [5.0]], [0.0, 0.0]), [3.0]),
            Case(([[1.0], [4.0]], [1000.0, 1000.0 - math.log(2)]), [2.0]),
            Case(([[1.0], [2.0], [3.0], [4.0]], [0.0, 0.0, 0.0, 1000.0]), [4.0]),
            Case(([[1.0], [5.0]], [-1000.0, -1000.0]), [3.0]),
        ],
        hint="First turn the logits into weights that sum to 1 (a softmax), then add up weight times expert output.",
        reason="weights = exp(logits - max(logits)), divided by their sum; the mixture is weights @ expert_outputs. "
        "Without subtracting the maximum, exp(1000) overflows; cut off, logits lose their difference.",
    ),
    "06.2": Prediction(
        "One gate for two tasks",
        {
            "a": "One gate is worse than MMoE at every correlation.",
            "b": "One gate equals MMoE at correlations 1 and -1 and is worse in between.",
            "c": "One gate equals MMoE everywhere: both have the same experts.",
        },
        right="b",
        hint="With a single gate both towers get the same numbers. For which tasks is that enough?",
        reason="At 1 and -1 both labels depend on one and the same direction of the inputs, so one mixture serves both "
        "towers (a tower can flip the sign). In between, two directions are wanted; a mixture of width 1 carries one.",
    ),
    "06.3": Prediction(
        "Keeping experts alive",
        {
            "a": "Gate dropout of 30 %.",
            "b": "The load-balancing penalty.",
            "c": "Neither: an expert that falls behind gets no gradient, and nothing can help it.",
        },
        right="b",
        hint="One of the two acts on the loads themselves, the other only on what is left when an expert is away.",
        reason="The penalty looks at the loads themselves: from the first step on it takes weight from the experts "
        "that have most, before the others starve. Dropout makes a gate keep a second choice, and one is enough.",
    ),
    "06.4": Coding(
        "Count dead experts",
        [
            Case(([0.25, 0.25, 0.25, 0.25],), 0),
            Case(([0.995, 0.004, 0.001, 0.0],), 3),
            Case(([0.5, 0.49, 0.01, 0.0],), 1),
            Case(([0.4, 0.4, 0.192, 0.008],), 1),
        ],
        hint="The limit is 1 % of all weight, not of the largest load, and a load of exactly 1 % is not below it.",
        reason="int(np.sum(np.asarray(load) < 0.01)): an expert is called dead here when it carries less "
        "than 1 % of the gates' weight.",
    ),
    "06.5": Open(
        "Gates for a product of your own",
        [
            "names two tasks and says why they might disagree",
            "names the groups of users or items for which you would look at the gates",
            "says which number would make you stay with a shared bottom",
            "says how you would notice a collapse in production",
        ],
        words=30,
        hint="Three sentences: which tasks, which groups, which number decides.",
    ),
}
