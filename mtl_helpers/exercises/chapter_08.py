"""Exercises of chapter 08, balancing losses."""

from __future__ import annotations

from mtl_helpers.exercises.kinds import Case, Coding, Exercise, Open, Prediction

EXERCISES: dict[str, Exercise] = {
    "08.1": Coding(
        "Which points are dominated",
        [
            Case(([[0.3, 0.6], [0.4, 0.4], [0.6, 0.3]],), [False, False, False]),
            Case(([[0.3, 0.6], [0.4, 0.6], [0.6, 0.3]],), [False, True, False]),
            Case(([[0.5, 0.5], [0.5, 0.5]],), [False, False]),
            Case(([[0.5, 0.5], [0.4, 0.4], [0.3, 0.3]],), [True, True, False]),
            Case(([[0.4, 0.4, 0.2], [0.4, 0.4, 0.1], [0.5, 0.3, 0.3]],), [True, False, False]),
        ],
        hint="Point j beats point i if it is nowhere larger and somewhere smaller. Do equal points beat each other?",
        reason="For each point ask whether any other has (other <= point).all() and (other < point).any(). Without the "
        "second condition a point would dominate its own twin.",
    ),
    "08.2": Prediction(
        "The label in percent",
        {
            "a": "Only the watch ratio's own score changes: its numbers are 100 times as large.",
            "b": "Click gets worse, although nothing about click has changed.",
            "c": "Nothing changes: Adam divides every gradient by its own size.",
        },
        right="b",
        hint="By which factor does a squared error grow, and whose gradients share the sum that Adam then divides?",
        reason="The squared error grows by 10,000, and so does its gradient. Adam divides the sum of both tasks' "
        "gradients, and in that sum click is a rounding error: the shared layer works for the watch ratio alone.",
    ),
    "08.3": Coding(
        "One step of dynamic weight average",
        [
            Case(([1.0, 1.0], [1.0, 0.5], 2.0), [1.1243530, 0.8756470]),
            Case(([2.0, 200.0], [1.0, 100.0], 2.0), [1.0, 1.0]),
            Case(([1.0, 1.0, 1.0], [1.0, 1.0, 0.0], 1.0), [1.2669564, 1.2669564, 0.4660872]),
            Case(([1.0, 1.0], [0.5, 1.0], 1000.0), [0.99975, 1.00025]),
        ],
        hint="Ratio of now to before, divided by the temperature; softmax; times the number of tasks.",
        reason="r = now / before; e = np.exp(r / temperature); len(r) * e / e.sum(). The ratio has no unit: the second "
        "case has one loss a hundred times the other, and the weights stay 1.",
    ),
    "08.4": Coding(
        "Project a gradient",
        [
            Case(([1.0, 0.0], [-1.0, 1.0]), [0.5, 0.5]),
            Case(([-1.0, 1.0], [1.0, 0.0]), [0.0, 1.0]),
            Case(([1.0, 0.0], [1.0, 1.0]), [1.0, 0.0]),
            Case(([2.0, 0.0], [-3.0, 0.0]), [0.0, 0.0]),
            Case(([1.0, 2.0], [0.0, 0.0]), [1.0, 2.0]),
        ],
        hint="Nothing happens unless the inner product is negative. Then subtract own·other / other·other times other.",
        reason="product = own @ other; own if product >= 0, else own - product / (other @ other) * other. With a zero "
        "gradient the product is 0, so the division never happens.",
    ),
    "08.5": Prediction(
        "The same unrelated tasks in a wide layer",
        {
            "a": "The cosine is more negative than in the narrow layer: more weights, more to fight about.",
            "b": "The cosine is closer to 0 than in the narrow layer.",
            "c": "The cosine is the same: it belongs to the tasks.",
        },
        right="b",
        hint="In a layer of 32 units, must two tasks that need different directions use the same units?",
        reason="With room, each task finds units of its own, and gradients on different weights have inner product 0. "
        "The conflict belongs to the pair and the layer together: the tasks are strangers in both cases, but only in "
        "the narrow layer must they share a seat.",
    ),
    "08.6": Open(
        "A balancer for a product of your own",
        [
            "names the tasks, their losses and the units of the labels",
            "says what you do about units before any balancer",
            "says which task may lose, and how much of it is acceptable",
            "names a baseline of tuned static weights with the same number of trials",
            "asks for seeds and an interval for every task",
        ],
        words=40,
        hint="Five sentences: tasks and units, who may lose how much, what you compare with, and how you will be sure.",
    ),
}
