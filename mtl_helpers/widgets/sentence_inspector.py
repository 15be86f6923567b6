"""The sentence inspector: type a sentence and see the entities and the relation a model finds, and how surely."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mtl_helpers.datasets.base import MultiTaskData
from mtl_helpers.datasets.sentence import Sentence, Span
from mtl_helpers.datasets.text import encode
from mtl_helpers.metrics import entities
from mtl_helpers.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, YELLOW
from mtl_helpers.plots.text import sentence_picture
from mtl_helpers.widgets.base import CourseWidget, bundle, styles
from mtl_helpers.widgets.labels import label

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILLION, SKY, YELLOW)
MOST_WORDS = 60
MOST_SPANS = 6  # 30 ordered pairs
WORD = re.compile(r"\w+(?:[-'’.]\w+)*|[^\w\s]")


class SentenceInspector(CourseWidget):
    """Reads typed sentences with a ``ner_relation`` model: tags, entities, relation, and the field's own doubts.

    The tags are read without a pair of entities, as a typed sentence comes without one; then every ordered pair of the
    entities found is asked for its relation. So the model should not have the positions among its encoder's inputs
    (``positions="head"``): a model that was always told where to look cannot be asked where to look.

    Args:
        model: A trained ``ner_relation`` model with a conditional random field (``tagger="crf"``).
        data: The data it was trained on, for its vocabularies, tags and relations.
        examples: Sentences to choose from; the first is shown at once. They work without a kernel, too.

    Raises:
        ValueError: If there is no example or an example is empty, or the data lacks one of the two tasks.

    Example:
        >>> inspector = SentenceInspector(model, data, ["Dr Kalo Miru works for the firm Tavo ."])  # doctest: +SKIP
        >>> inspector.inspect("Dr Kalo Miru lives in Sano .")["spans"]  # doctest: +SKIP
        [[1, 3, 'Person'], [5, 6, 'Place']]
    """

    _esm = bundle("base.js", "sentence_inspector.js")
    _css = styles("base.css", "sentence_inspector.css")
    title = "Sentence inspector"

    def __init__(
        self, model: Callable[[Mapping[str, Any]], Mapping[str, Any]], data: MultiTaskData, examples: Sequence[str]
    ) -> None:
        kinds = {task.kind: name for name, task in data.tasks.items()}
        if not {"multiclass", "tags"} <= set(kinds):
            raise ValueError(f"data.tasks={list(data.tasks)}: give data with a relation and with tags.")
        if not examples:
            raise ValueError("examples=[] is empty; give at least one sentence to begin with.")
        self.model, self.vocabularies = model, data.vocabularies
        self.tag_task, self.relation_task = kinds["tags"], kinds["multiclass"]
        self.tags, self.relations = (data.tasks[task].classes for task in (self.tag_task, self.relation_task))
        self.kinds = tuple(dict.fromkeys(tag.partition("-")[2] for tag in self.tags if tag != "O"))
        self.examples = [self.inspect(text) for text in examples]
        super().__init__(self._content(), {"inspect": lambda content, _: self.inspect(str(content.get("text", "")))})

    def inspect(self, text: str) -> dict[str, Any]:
        """Reads a sentence.

        Args:
            text: The sentence; words and marks are told apart, capitals do not count. At most 60 words are read.

        Returns:
            ``words``; ``unknown`` (whether each was not seen in training); ``tags`` (number of the tag each has in the
            best sequence); ``marginals`` ``[words, tags]``; ``spans`` (start, stop, kind); ``pairs`` (first and second
            entity and the probability of each relation); ``best`` (number of the most certain pair, -1 if there is
            none); ``note``.

        Raises:
            ValueError: If there is no word, or the model has no conditional random field.
        """
        from mtl_helpers.layers import decode_tags, tag_marginals  # here: showing a saved widget needs no TensorFlow

        found = WORD.findall(text)
        words = tuple(found[:MOST_WORDS])
        if not words:
            raise ValueError(label("the sentence is empty; type at least one word."))
        inputs = encode([Sentence(words)], self.vocabularies, len(words))
        tables = self.model(inputs)[self.tag_task]
        if len(tables.shape) != 4:
            raise ValueError("the model has no conditional random field; build it with tagger='crf'.")
        tags = [int(tag) for tag in np.asarray(decode_tags(tables))[0]]
        spans = [Span(*each) for each in entities([self.tags[tag] for tag in tags])]
        pairs = self._pairs(words, spans[:MOST_SPANS])
        surest = [max(pair["probabilities"]) for pair in pairs]
        notes = []
        if len(found) > MOST_WORDS:
            notes.append(label("Only the first {read} of {all} words are read.", read=MOST_WORDS, all=len(found)))
        if len(spans) > MOST_SPANS:
            notes.append(label("Relations are asked of the first {count} entities.", count=MOST_SPANS))
        return {
            "text": text,
            "words": list(words),
            "unknown": [bool(number == 1) for number in inputs["tokens"][0]],
            "tags": tags,
            "marginals": np.round(np.asarray(tag_marginals(tables), float)[0], 4).tolist(),
            "spans": [list(span) for span in spans],
            "pairs": pairs,
            "best": int(np.argmax(surest)) if pairs else -1,
            "note": " ".join(notes),
        }

    def _pairs(self, words: tuple[str, ...], spans: Sequence[Span]) -> list[dict[str, Any]]:
        """Asks for the relation of every ordered pair of entities, in one batch."""
        orders = [(i, j) for i in range(len(spans)) for j in range(len(spans)) if i != j]
        if not orders:
            return []
        asked = [Sentence(words, tuple(spans), order) for order in orders]
        outputs = self.model(encode(asked, self.vocabularies, len(words)))[self.relation_task]
        chances = np.round(np.asarray(outputs, float), 4).tolist()
        return [{"first": i, "second": j, "probabilities": row} for (i, j), row in zip(orders, chances, strict=True)]

    def transitions(self) -> dict[str, list]:
        """Gives the field's learned scores: tag after tag, tag at the start, tag at the end; empty if not found."""
        fields = [layer for layer in getattr(self.model, "layers", ()) if hasattr(layer, "transitions")]
        if not fields:
            return {}
        names = ("transitions", "start", "end")
        return {name: np.round(np.asarray(getattr(fields[0], name), float), 2).tolist() for name in names}

    def picture(self) -> Figure:
        """Draws the first example."""
        shown = self.examples[0]
        best = shown["pairs"][shown["best"]] if shown["pairs"] else None
        colours = dict(zip(self.kinds, COLOURS * len(self.kinds), strict=False))
        return sentence_picture(shown, self.tags, self.relations, best, colours)

    def describe(self) -> str:
        """Says what is found in the first example."""
        shown = self.examples[0]
        found = ", ".join(f"{' '.join(shown['words'][start:stop])} ({kind})" for start, stop, kind in shown["spans"])
        said = f"Entities in “{' '.join(shown['words'])}”: {found or 'none'}."
        if not shown["pairs"]:
            return f"{said} Fewer than two, so no relation is asked for."
        pair = shown["pairs"][shown["best"]]
        top = int(np.argmax(pair["probabilities"]))
        names = [" ".join(shown["words"][slice(*shown["spans"][pair[side]][:2])]) for side in ("first", "second")]
        chance = 100 * pair["probabilities"][top]
        return f"{said} Relation of {names[0]} to {names[1]}: {self.relations[top]}, {chance:.0f} %."

    def _content(self) -> dict[str, Any]:
        return {
            "tags": list(self.tags),
            "tagKinds": [self.kinds.index(tag.partition("-")[2]) if tag != "O" else -1 for tag in self.tags],
            "kinds": list(self.kinds),
            "relations": list(self.relations),
            "colours": [*(COLOURS * len(self.kinds))[: len(self.kinds)], BLACK],
            "field": self.transitions(),
            "examples": self.examples,
        }
