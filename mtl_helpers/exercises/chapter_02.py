"""Exercises of chapter 02, hard and soft sharing."""

from __future__ import annotations

import numpy as np

from mtl_helpers.exercises.kinds import Case, Coding, Exercise, Open, Prediction

EXERCISES: dict[str, Exercise] = {
    "02.1": Coding(
        "Two weights and a pull",
        [
            Case((1.0, -1.0, 0.25, "l2"), [0.5, -0.5]),
            Case((1.0, -1.0, 0.25, "l1"), [0.75, -0.75]),
            Case((1.0, 0.8, 0.25, "l1"), [0.9, 0.9]),
            Case((0.0, 2.0, 0.25, "l1"), [0.25, 1.75]),
            Case((0.2, 1.0, 0.0, "l2"), [0.2, 1.0]),
            Case((0.0, 2.0, 2.0, "l2"), [8 / 9, 10 / 9]),
        ],
        hint="The mean of the two stays (a + b) / 2. Only their difference a - b shrinks: by a factor for L2, by a "
        "fixed amount, and never beyond 0, for L1.",
        reason="L2: the difference becomes (a - b) / (1 + 4 s). L1: sign(a - b) * max(|a - b| - 2 s, 0). So L2 never "
        "makes two weights equal, and L1 makes close ones exactly equal and moves far ones by a fixed amount.",
    ),
    "02.2": Coding(
        "A cross-stitch",
        [
            Case((np.eye(2), np.array([[4.0, 1.0], [8.0, 3.0]])), [[4.0, 1.0], [8.0, 3.0]]),
            Case((np.array([[0.75, 0.25], [0.25, 0.75]]), np.array([[4.0], [8.0]])), [[5.0], [7.0]]),
            Case((np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([[2.0, 3.0], [5.0, 7.0]])), [[2.0, 3.0], [-2.0, -3.0]]),
        ],
        hint="Row k of the matrix says how much task k takes of each task's activations: a matrix product.",
        reason="alpha @ h. The last case is a task that lives on the other's activations, with the sign turned.",
    ),
    "02.3": Prediction(
        "Opposite tasks",
        {
            "a": "At p = -1 hard sharing hurts: the tasks want the opposite.",
            "b": "At p = -1 hard sharing does nothing, for good or bad.",
            "c": "At p = -1 hard sharing helps about as much as at p = 1.",
        },
        right="c",
        hint="The hidden layer has to find a direction. Does a direction have a sign that the tower could not turn?",
        reason="Both tasks look along the same line. The shared layer finds the line from twice the labels, and a "
        "tower turns the sign with a single weight. Opposite is related; unrelated is what hurts.",
    ),
    "02.4": Prediction(
        "Pulled together from bottom to top",
        {
            "a": "At p = -1 a strong pull through the whole network helps like hard sharing.",
            "b": "At p = -1 a strong pull through the whole network hurts.",
            "c": "At p = -1 a strong pull through the whole network changes nothing.",
        },
        right="b",
        hint="If the two networks must be alike in every layer, what is the difference of their answers?",
        reason="A strong pull leaves one network for both tasks, output included, and the two tasks want answers that "
        "differ in sign. Where only the hidden layer is pulled, each tower is free to turn the sign.",
    ),
    "02.5": Open(
        "Would you share?",
        [
            "says which layers would be shared and which not, or where a penalty would pull",
            "says how relatedness would be judged: the same inputs matter, not the labels' correlation alone",
            "names the rows of each task; scarce rows speak for sharing",
            "names a single-task baseline, seeds and an interval as what decides",
        ],
        words=30,
        hint="Two tasks, their rows, what they look at in the inputs, and the experiment that would settle it.",
    ),
}
