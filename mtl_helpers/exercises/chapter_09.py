"""Exercises of chapter 09, entities and relations together."""

from __future__ import annotations

import math

import numpy as np

from mtl_helpers.exercises.kinds import Case, Coding, Exercise, Open, Prediction

EXERCISES: dict[str, Exercise] = {
    "09.1": Coding(
        "Spans from tags",
        [
            Case((["O", "B", "I", "O"],), [[1, 3]]),
            Case((["B", "B", "I"],), [[0, 1], [1, 3]]),
            Case((["O", "O"],), []),
            Case((["B", "I", "I", "O", "B"],), [[0, 3], [4, 5]]),
            Case((["O", "I", "O"],), [[1, 2]]),
            Case((["B", "O", "I"],), [[0, 1], [2, 3]]),
            Case((["I", "I", "B"],), [[0, 2], [2, 3]]),
        ],
        hint="B begins a span. I makes the last span longer if that one ends just before it; else it begins one.",
        reason="for at, tag in enumerate(tags): if tag is I and spans and spans[-1][1] == at, then spans[-1][1] = "
        "at + 1; else, if tag is not O, append [at, at + 1]. CoNLL's scorer reads a stray I as a beginning, too.",
    ),
    "09.2": Prediction(
        "Tags without reading",
        {
            "a": "Nothing: without words there are no names.",
            "b": "Some of the entities, by luck of the place in the sentence.",
            "c": "Where both entities of the pair begin and end, every time.",
        },
        right="c",
        hint="Which distance do the words inside the first entity have to the first entity?",
        reason="A word of the entity has distance 0, no other word has. So the inputs say where both entities are; the "
        "network must read words only for the type, and for entities that are not in the pair.",
    ),
    "09.3": Coding(
        "A step of the forward algorithm",
        [
            Case((np.zeros(2), np.zeros((2, 2)), np.array([0.0, 1.0])), [math.log(2), math.log(2) + 1]),
            Case((np.array([1.0, 2.0]), np.array([[0.0, -1.0], [0.5, 0.0]]), np.zeros(2)), [2.701413, 2.126928]),
            Case((np.array([1000.0, 0.0]), np.zeros((2, 2)), np.array([1.0, 0.0])), [1001.0, 1000.0]),
        ],
        hint="For each new tag: its score plus the log of the sum, over the tags before, of exp(sum + transition).",
        reason="np.logaddexp.reduce(np.asarray(sums)[:, None] + np.asarray(transitions), axis=0) + np.asarray(scores). "
        "Row i of transitions is the tag before, so the sum runs over axis 0; logaddexp does not overflow at 1000.",
    ),
    "09.4": Open(
        "Two tasks or one in your product",
        [
            "says which of the two outputs the product needs, and whether the positions are known when it is used",
            "says how many labelled sentences there are, and what the other task's labels cost",
            "names the comparison: alone against joint, same inputs, same tuning, several seeds, an interval",
            "considers a pretrained encoder before a second task",
        ],
        words=40,
        hint="What is known when it is used, how much is labelled, what would you compare?",
    ),
}
