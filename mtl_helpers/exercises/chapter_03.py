"""Exercises of chapter 03, why sharing helps."""

from __future__ import annotations

import math

import numpy as np

from mtl_helpers.exercises.kinds import Case, Coding, Exercise, Open, Prediction

FOUR = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])  # all signs of two rows

EXERCISES: dict[str, Exercise] = {
    "03.1": Coding(
        "What averaging leaves of the noise",
        [
            Case((1.5, 8, 0.0), 1.5 / math.sqrt(8)),
            Case((1.5, 8, 1.0), 1.5),
            Case((2.0, 4, 0.5), math.sqrt(2.5)),
            Case((3.0, 1, 0.3), 3.0),
        ],
        hint="The formula gives a variance; a standard deviation is wanted.",
        reason="sigma * math.sqrt(correlation + (1 - correlation) / tasks). Only the noise that is a task's own is "
        "divided by the number of tasks.",
    ),
    "03.2": Coding(
        "Rademacher complexity of a finite set",
        [
            Case((np.array([[1, 1], [-1, -1]]), FOUR), 0.5),
            Case((FOUR, FOUR), 1.0),
            Case((np.array([[1, 1, 1]]), np.array([[1, 1, 1], [-1, -1, -1]])), 0.0),
            Case((np.array([[0.5, 0.5], [0.0, 0.0]]), np.array([[1, 1], [-1, -1]])), 0.25),
        ],
        hint="Agreement of every model with every draw is one matrix product, divided by the number of rows. What "
        "comes first, the maximum over models or the mean over draws?",
        reason="agreement = signs @ predictions.T / rows; agreement.max(axis=1).mean(). The maximum comes first: for "
        "each draw the set may send its best model.",
    ),
    "03.3": Prediction(
        "Helpers that know nothing, and the gap",
        {
            "a": "Shuffled helpers widen the gap between training and test error.",
            "b": "They narrow it.",
            "c": "They leave it as it is: they know nothing about the main task.",
        },
        right="b",
        hint="The gap has two ends. What happens to the training error when seven other tasks want the same 32 units?",
        reason="They keep the shared units busy, so less of the main task's noise is learned by heart: the training "
        "error rises and the gap shrinks. That is restraint, not knowledge, and weight decay gives it more cheaply.",
    ),
    "03.4": Open(
        "A helper for a product of your own",
        [
            "names a main task and a helper whose labels exist in training",
            "says by which of the five reasons the helper should help",
            "says what the control arm keeps and what it lacks",
            "says which baseline is regularised, so that restraint alone does not count as help",
            "says which result would make you give the helper up",
        ],
        words=40,
        hint="Four sentences: the tasks, the reason, the control arm, the result that would prove you wrong.",
    ),
}
