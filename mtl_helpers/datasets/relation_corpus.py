"""A made-up language of facts: people, companies, places, products and events, and ten relations between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_helpers.datasets.base import SPLITS, MultiTaskData
from mtl_helpers.datasets.sentence import Sentence, Span
from mtl_helpers.datasets.text import text_data
from mtl_helpers.seeds import random_numbers

KINDS = ("Person", "Company", "Place", "Product", "Event")

# Relation -> types of its two arguments, then ways to say it. "1" and "2" stand for the arguments. The ways are drawn
# with falling probability, so the last ones are rare and partly unseen in a small training split.
GRAMMAR: dict[str, tuple[tuple[str, str], tuple[str, ...]]] = {
    "works_for": (
        ("Person", "Company"),
        ("1 works for 2", "2 employs 1", "1 was hired by 2", "1 joined the staff of 2", "2 pays the salary of 1"),
    ),
    "founded": (
        ("Person", "Company"),
        ("1 founded 2", "1 set up 2", "2 was started by 1", "1 is the founder of 2", "2 owes its existence to 1"),
    ),
    "lives_in": (
        ("Person", "Place"),
        ("1 lives in 2", "1 moved to 2", "2 is the home of 1", "1 resides in 2", "1 has rented a flat in 2"),
    ),
    "based_in": (
        ("Company", "Place"),
        ("1 is based in 2", "1 has its headquarters in 2", "2 hosts the main office of 1", "1 operates from 2"),
    ),
    "makes": (
        ("Company", "Product"),
        ("1 makes 2", "1 produces 2", "2 is built by 1", "1 ships 2", "2 comes off the assembly lines of 1"),
    ),
    "invented": (
        ("Person", "Product"),
        ("1 invented 2", "1 designed 2", "2 was conceived by 1", "1 is the inventor of 2", "1 holds the patent on 2"),
    ),
    "acquired": (
        ("Company", "Company"),
        ("1 acquired 2", "1 bought 2", "2 was sold to 1", "1 took over 2", "2 became a subsidiary of 1"),
    ),
    "married_to": (
        ("Person", "Person"),
        ("1 is married to 2", "1 is the wife of 2", "1 wed 2", "2 is the husband of 1", "1 exchanged rings with 2"),
    ),
    "held_in": (
        ("Event", "Place"),
        ("1 took place in 2", "1 was held in 2", "2 hosted 1", "1 filled the streets of 2", "2 opened its gates to 1"),
    ),
    "sponsors": (
        ("Company", "Event"),
        ("1 sponsors 2", "1 paid for 2", "2 was funded by 1", "1 is a patron of 2", "2 was on the budget of 1"),
    ),
}
# Ways that say little: only the types of the two entities tell which relation is meant.
VAGUE = ("1 and 2", "1 of 2", "2 with 1", "1 is known for 2", "1 is mentioned with 2", "2 owes much to 1")
VAGUE_RELATIONS = tuple(relation for relation in GRAMMAR if relation != "founded")  # same types as works_for

# Words before a name that give its type away; A is a made-up adjective.
HINTS = {
    "Person": ("Mr", "Mrs", "Dr", "the A engineer", "the A painter", "Professor", "Captain"),
    "Company": ("the firm", "the A company", "the A maker", "the start-up", "the bank"),
    "Place": ("the city of", "the A village of", "the town of", "the port of"),
    "Product": ("the device", "the A model", "the engine", "the gadget"),
    "Event": ("the festival", "the A fair", "the contest", "the congress"),
}
OPENINGS = ("", "yesterday", "as we reported ,", "according to the press ,", "in spring", "it is said that", "by now")
ASIDES = (", seen in D last year ,", ", a friend of D ,", ", unlike D ,", ", often named beside D ,")
ENDINGS = (".", "before D did .", "while D looked on .", ", which surprised D .", "and nobody minded .")
SYLLABLES = [consonant + vowel for consonant in "bdfghklmnprstvz" for vowel in "aeiou"]


def relation_corpus(
    rows: int = 4000, *, difficulty: float = 0.5, names: int = 2000, length: int = 32, seed: int | None = None
) -> MultiTaskData:
    """Writes sentences that state one fact about two entities and mention others beside.

    Names and adjectives are drawn from large pools with falling probability, as in real text, so part of the test
    split's never occur in training. The tagger has to go by the words around a name, and the relation by the words
    between the two and by their types.

    Args:
        rows: Sentences: 60 % for training, 20 % each for validation and test.
        difficulty: From 0 to 1: chance that the wording is vague (then the entities' types decide), that an entity has
            no word before it which tells its type, and that other entities stand around (then the positions decide).
        names: Size of the pool of names of each type, and of adjectives; a larger pool leaves more of them unseen.
        length: Tokens in a row.
        seed: None: the course's first seed.

    Returns:
        Data with the tasks ``"relation"`` (ten classes) and ``"entity"`` (BIO tags of five types).

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> data = relation_corpus(100)
        >>> list(data.tasks), len(data.tasks["relation"].classes), len(data.train)
        (['relation', 'entity'], 10, 60)
    """
    if rows < 10 or names < 2 or not 0 <= difficulty <= 1:
        raise ValueError(
            f"rows={rows}, names={names}, difficulty={difficulty}; give rows >= 10, names >= 2, difficulty 0 to 1."
        )
    writer = Writer(random_numbers(seed), difficulty, names)
    sentences = [writer.sentence() for _ in range(rows)]
    ends = [0, int(0.6 * rows), int(0.8 * rows), rows]
    splits = {split: sentences[ends[at] : ends[at + 1]] for at, split in enumerate(SPLITS)}
    return text_data("relation corpus", splits, tuple(GRAMMAR), KINDS, length=length)


class Writer:
    """Writes the sentences of ``relation_corpus``.

    Args:
        rng: The source of chance.
        difficulty: See ``relation_corpus``.
        names: Names of each type.
    """

    def __init__(self, rng: np.random.Generator, difficulty: float, names: int) -> None:
        self.rng, self.difficulty = rng, difficulty
        self.adjectives = [self._word() + self._any(("ish", "al", "ous", "ic")) for _ in range(names)]
        self.names = {kind: [self._invent(kind) for _ in range(names)] for kind in KINDS}

    def sentence(self) -> Sentence:
        """Writes one sentence."""
        vague = self.rng.random() < 0.6 * self.difficulty
        relation = self._any(VAGUE_RELATIONS if vague else tuple(GRAMMAR))
        kinds, ways = GRAMMAR[relation]
        fact = self._often_first(VAGUE if vague else ways)
        first = "1" if fact.index("1") < fact.index("2") else "2"
        fact = fact.replace(first, f"{first} {self._distractor(ASIDES)}", 1)
        ending = self._distractor(ENDINGS) or "."
        text = f"{self._any(OPENINGS)} {fact} {ending}"
        return self._write(text.split(), dict(zip("12", kinds, strict=True)), relation)

    def _write(self, pieces: Sequence[str], kinds: dict[str, str], relation: str) -> Sentence:
        """Puts entities in for the placeholders 1, 2 and D (an entity of any type)."""
        words: list[str] = []
        spans: list[Span] = []
        which: dict[str, int] = {}
        for piece in pieces:
            if piece not in ("1", "2", "D"):
                words.append(piece)
                continue
            kind = kinds.get(piece) or self._any(KINDS)
            if self.rng.random() >= 0.8 * self.difficulty:
                hint = self._often_first(HINTS[kind]).split()
                words += [self._often_first(self.adjectives) if word == "A" else word for word in hint]
            name = self._often_first(self.names[kind]).split()
            which[piece] = len(spans)
            spans.append(Span(len(words), len(words) + len(name), kind))
            words += name
        return Sentence(tuple(words), tuple(spans), (which["1"], which["2"]), relation)

    def _distractor(self, choices: Sequence[str]) -> str:
        return self._any(choices) if self.rng.random() < self.difficulty else ""

    def _any(self, choices: Sequence[str]) -> str:
        return choices[int(self.rng.integers(len(choices)))]

    def _often_first(self, choices: Sequence[str]) -> str:
        """Draws with a probability that falls along the list: about half of the draws from its first quarter."""
        return choices[int(len(choices) * self.rng.random() ** 2)]

    def _invent(self, kind: str) -> str:
        """Makes up a name; a person has two words, some companies and events as well."""
        name = self._word().capitalize()
        if kind == "Person":
            return f"{name} {self._word().capitalize()}"
        if kind == "Product":
            return f"{name}-{self.rng.integers(1, 10)}"
        tail = {"Company": ("", "Group", "Works"), "Place": ("",), "Event": ("", "Days")}[kind]
        return f"{name} {self._any(tail)}".strip()

    def _word(self) -> str:
        return "".join(self._any(SYLLABLES) for _ in range(self.rng.integers(2, 4)))
