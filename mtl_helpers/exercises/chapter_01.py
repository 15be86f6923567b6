"""Exercises of chapter 01, many objectives and one model."""

from __future__ import annotations

import numpy as np

from mtl_helpers.exercises.kinds import Case, Coding, Exercise, Open, Prediction

EXERCISES: dict[str, Exercise] = {
    "01.1": Prediction(
        "What the click model notices",
        {
            "a": "The click AUC falls with clickbait.",
            "b": "Nothing happens.",
            "c": "The click AUC rises with clickbait.",
        },
        right="b",
        hint="What does the knob change: who clicks, or what happens after the click?",
        reason="The knob breaks the promise after the click. The labels of the click model are the same labels, so it "
        "learns the same, and its metric says the same.",
    ),
    "01.2": Coding(
        "What a weighted label learns",
        [
            Case((0.5, 0.5, 0.2), 0.5),
            Case((0.5, 0.0, 0.2), 0.1666667),
            Case((0.3, 0.1, 1.0), 0.3),
            Case((0.4, 0.1, 0.0), 0.1428571),
        ],
        hint="A trained classifier gives the share of the weight that is positive: positive weight over all weight.",
        reason="positive = click_weight * (click - pay) + pay; score = positive / (positive + 1 - click). One number "
        "from two rates: neither can be had back from it, and the click weight is inside, out of reach once trained.",
    ),
    "01.3": Coding(
        "The loss of all pairs",
        [
            Case((np.array([1.0, 0.0]), np.array([0.0, 2.0])), 2.1269280),
            Case((np.array([1.0, 0.0]), np.array([2.0, 0.0])), 0.1269280),
            Case((np.array([1.0, 0.2, 0.0]), np.array([0.0, 1.0, 2.0])), 1.5844838),  # not weighted by gain
            Case((np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0])), 0.5032044),
        ],
        hint="For every i and j with gain[i] > gain[j] take log(1 + exp(score[j] - score[i])); then the mean of these.",
        reason="pairs = [(i, j) for i in range(n) for j in range(n) if gain[i] > gain[j]]; only differences of scores "
        "enter, so the scores say which is better and not how likely anything is.",
    ),
    "01.4": Prediction(
        "A constant factor",
        {
            "a": "The sum's ranking stays, the product's changes.",
            "b": "The product's ranking stays, the sum's changes.",
            "c": "Both change.",
        },
        right="b",
        hint="Write both formulas with 3 * pay in place of pay. Where can the 3 be taken out of the whole score?",
        reason="(3 * cvr)^w = 3^w * cvr^w: the same factor for every item, so the order stays. In the sum it is as if "
        "the payment's weight had been tripled.",
    ),
    "01.5": Open(
        "Your own list",
        [
            "names at least two objectives and what each is worth",
            "says which of the four ways, and why not the others",
            "says which formula fuses the scores, and why",
            "names a number that would show if one objective is sold for the other",
        ],
        words=40,
        hint="Objectives, way, formula, and the number you would watch.",
    ),
}
