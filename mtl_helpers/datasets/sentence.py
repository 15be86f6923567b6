"""A sentence with entities and a relation between two of them, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Span(NamedTuple):
    """An entity: the tokens from ``start`` up to, not including, ``stop``, and its type."""

    start: int
    stop: int
    kind: str


@dataclass(frozen=True)
class Sentence:
    """A sentence and what is known about it.

    Attributes:
        words: Its tokens.
        spans: Its entities, in order.
        pair: Which two of the entities the relation is about, as positions in ``spans``; None: about no two.
        relation: Name of the relation; None: not known.
        tagged: Whether the tags count (False for a repeat of a sentence whose tags have been counted before).

    Example:
        >>> spans = Span(0, 1, "Person"), Span(3, 4, "Place")
        >>> fact = Sentence(("Ada", "lives", "in", "Rome"), spans, pair=(0, 1), relation="lives_in")
        >>> fact.words[fact.spans[1].start]
        'Rome'
    """

    words: tuple[str, ...]
    spans: tuple[Span, ...] = ()
    pair: tuple[int, int] | None = None
    relation: str | None = None
    tagged: bool = True


def check_sentence(what: str, sentence: Sentence, relations: Sequence[str], kinds: Sequence[str]) -> None:
    """Refuses a sentence that says what cannot be.

    Args:
        what: Which sentence, for the message.
        sentence: The sentence.
        relations: Names of the relations.
        kinds: Entity types.

    Raises:
        ValueError: If it has no words, an entity is outside it or of an unknown type, its pair is no two of its
            entities, or its relation is unknown.
    """
    words, spans = sentence.words, sentence.spans
    if isinstance(words, str) or not words:
        raise ValueError(f"{what}: words={words!r} is no list of words; split the sentence first.")
    for span in spans:
        if not 0 <= span.start < span.stop <= len(words) or span.kind not in kinds:
            raise ValueError(f"{what}: {span} is not within {len(words)} words, or not one of {tuple(kinds)}.")
    if sentence.pair and not set(sentence.pair) <= set(range(len(spans))):
        raise ValueError(f"{what}: pair={sentence.pair}, but it has {len(spans)} entities; count them from 0.")
    if sentence.relation is not None and sentence.relation not in relations:
        raise ValueError(f"{what}: relation={sentence.relation!r} is unknown; choose from {tuple(relations)}.")
