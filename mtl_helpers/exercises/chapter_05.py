"""Exercises of chapter 05, from FM to DeepFM."""

from __future__ import annotations

import math

import numpy as np

from mtl_helpers.exercises.kinds import Case, Coding, Exercise, Open, Prediction

EXERCISES: dict[str, Exercise] = {
    "05.1": Coding(
        "All pairs without visiting the pairs",
        [
            Case((np.array([[1.0, 2.0], [3.0, 1.0], [0.0, 2.0]]),), 11.0),
            Case((np.eye(2),), 0.0),
            Case((np.array([[5.0, -2.0]]),), 0.0),
            Case((np.ones((4, 1)),), 6.0),
        ],
        hint="For each column: the sum, squared, minus the sum of the squares. Add the columns up and take half.",
        reason="0.5 * (vectors.sum(axis=0) ** 2 - (vectors**2).sum(axis=0)).sum(). A "
        "single vector has no pair, and indeed its square minus its square is 0.",
    ),
    "05.2": Prediction(
        "Pairs that never met",
        {
            "a": "The factorization machine falls to chance: nobody told it about these pairs.",
            "b": "The weights a pair fall to what logistic regression does; the factorization machine stays far above.",
            "c": "Both stay above logistic regression: both know the reader and the topic.",
        },
        right="b",
        hint="Which training rows move the weight of a pair? And which move a reader's vector?",
        reason="A weight of its own is moved only by rows of its own pair; without any it stays at 0 and only the "
        "linear part is left. A reader's vector is learned from all the reader's rows, a topic's from all of the "
        "topic's: their product is there for every pair.",
    ),
    "05.3": Coding(
        "The focal loss of a row",
        [
            Case((0.9, 1, 2.0), -0.01 * math.log(0.9)),
            Case((0.9, 0, 2.0), -0.81 * math.log(0.1)),
            Case((0.2, 0, 0.0), -math.log(0.8)),
            Case((0.5, 1, 1.0), 0.5 * math.log(2.0)),
        ],
        hint="First p_t: the probability given to what happened, p for label 1 and 1 - p for label 0.",
        reason="p_t = p if label == 1 else 1 - p; loss = -((1 - p_t) ** gamma) * log(p_t). With gamma 0 the factor is "
        "1: cross-entropy.",
    ),
    "05.4": Prediction(
        "What the focal loss does to a trained model",
        {
            "a": "The ranking (AUC) hardly changes; the probabilities move towards one half.",
            "b": "The ranking improves clearly on the rare label; the probabilities stay as they are.",
            "c": "Both suffer.",
        },
        right="a",
        hint="Look at the figure above: is the curve of gamma = 2 rising everywhere? Is it on the diagonal?",
        reason="The prediction of least focal loss rises with the true probability, so the order of the rows, which is "
        "all that AUC sees, is the same. But it lies nearer to one half than the truth, for rare labels far above it.",
    ),
    "05.5": Open(
        "Focal loss for a price",
        [
            "says that the bid or expected value multiplies the probability itself, not its rank",
            "says that focal loss makes rare events look likelier than they are",
            "offers a mend: plain cross-entropy, or the inverse mapping, or calibration on validation rows",
            "says which number to look at: calibration error beside AUC, on rows not trained on",
        ],
        words=25,
        hint="What is the probability used for after training: an order, or a sum of money?",
    ),
}
