"""Exercises of chapter 10, beyond one machine."""

from __future__ import annotations

import numpy as np

from mtl_helpers.exercises.kinds import Case, Coding, Exercise, Open, Prediction

EXERCISES: dict[str, Exercise] = {
    "10.1": Prediction(
        "A thousand times the vocabulary",
        {
            "a": "Nothing: a batch of 512 rows touches the same number of vectors as before.",
            "b": "A little: looking up in a longer table takes longer.",
            "c": "It takes many times as long.",
        },
        right="c",
        hint="The look-up is cheap. What does Adam do to the vectors that are not in the batch?",
        reason="Adam keeps two running means for every weight and moves all of them at every step, also those whose "
        "gradient is zero today. Keras makes a whole table of mostly zeros of the few gradients. SGD does not.",
    ),
    "10.2": Coding(
        "Bytes of a training",
        [
            Case((1_000, 2, 0, 0), 16_000),
            Case((1_000, 0, 10, 80), 8_800),
            Case((62_986, 2, 1_000_000, 88), 89_007_776),
        ],
        hint="A weight, its gradient and its slots take 4 bytes each; a row takes its own bytes.",
        reason="4 * parameters * (1 + 1 + slots) + rows * row_bytes: the weights, a gradient for each, the optimizer's "
        "slots (2 for Adam, 0 for SGD), and the rows. Activations and libraries come on top.",
    ),
    "10.3": Prediction(
        "Two processes on two cores",
        {
            "a": "About half as long: each process does half of the batch.",
            "b": "As long as one process: they share the same two cores.",
            "c": "Longer than one process.",
        },
        right="c",
        hint="One process uses both cores already. And what must happen after each step that did not before?",
        reason="The arithmetic was spread over both cores before. Now each step waits for an exchange, too, and a "
        "small step is mostly fixed costs, which halving the rows does not halve.",
    ),
    "10.4": Coding(
        "The loss of unequal shares",
        [
            Case((np.array([2.0, 4.0]), np.array([2, 2])), 3.0),
            Case((np.array([2.0, 6.0]), np.array([3, 1])), 3.0),
            Case((np.array([0.7, 0.0]), np.array([512, 0])), 0.7),
            Case((np.array([0.5, 1.0, 2.0]), np.array([10, 20, 70])), 1.65),
        ],
        hint="Turn each mean back into a sum before you add.",
        reason="np.dot(means, counts) / np.sum(counts). The mean of the means is right only if every process has as "
        "many labelled rows as the others; with missing labels, processes must exchange sums and counts.",
    ),
    "10.5": Open(
        "Ten machines",
        [
            "asks what is short: memory, time of one training, or time of many trainings",
            "names a measurement on one machine, and what it extrapolates to",
            "says which of the two ways of spreading fits: one model over machines, or many trainings over machines",
            "names what the machines cost that one does not: exchange, failures, waiting for the slowest, people",
        ],
        words=30,
        hint="What is short? What does one machine measure? Which way of spreading answers that?",
    ),
}
