"""What stands on one page of a slide: the parts of a slide, put together as far as they fit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# What shares a page. Words that ask the room something stand alone: what follows is the answer.
MOST_SAID, MOST_SAID_LETTERS = 3, 300  # claims under one figure
MOST_ALONE, MOST_ALONE_LETTERS = 5, 560  # claims with a page to themselves
LEAD_LETTERS = 240  # words above the figure or table that they announce
TEXT_LETTERS = 450  # words above claims
MOST_ROWS = 9  # of two tables, one below the other


@dataclass
class Page:
    """One page of a slide.

    Attributes:
        kind: ``text``, ``figure``, ``table``, ``widget``, ``code``, ``ask`` or ``said``; how it is laid out.
        content: Its HTML.
        said: Claims below it.
        lead: Words above it.
    """

    kind: str
    content: str
    said: list[str] = field(default_factory=list)
    lead: str = ""

    def takes_words(self, claim: str) -> bool:
        """Says whether a claim goes below what is here."""
        said = [*self.said, claim]
        alone = self.kind == "said"
        most, most_letters = (MOST_ALONE, MOST_ALONE_LETTERS) if alone else (MOST_SAID, MOST_SAID_LETTERS)
        few = len(said) <= most and sum(letters(each) for each in said) <= most_letters
        return (
            few
            and "<li>" not in claim
            and (alone or self.kind in ("figure", "table", "code") or self.tells(TEXT_LETTERS))
        )

    def takes(self, kind: str, content: str) -> bool:
        """Says whether a figure or a table goes below what is here."""
        fits = kind == "figure" or (kind == "table" and (self.content + content).count("<tr") <= MOST_ROWS)
        return fits and (self.tells(LEAD_LETTERS) or self.kind == kind == "table") and not (self.content and self.said)

    def tells(self, most: int) -> bool:
        """Says whether this is a short text that asks nothing."""
        words = self.content + "".join(self.said)
        told = self.kind == "text" or (self.kind == "said" and "✓" not in words)
        return told and letters(words) <= most and "?" not in words and "<details" not in words


@dataclass
class Slide:
    """A slide: a heading, its pages, and notes for the lecturer as HTML.

    One that is ``below`` goes on from the one before: a subslide, or a marked cell without a heading of its own.
    """

    heading: str
    below: bool = False
    pages: list[Page] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, kind: str, content: str) -> None:
        """Adds a page, or adds to the last: words announce a figure or table, a claim goes below what it is about."""
        last = self.pages[-1] if self.pages else None
        if kind == "said" and last and last.takes_words(content):
            last.said.append(content)
        elif kind == "said":
            self.pages.append(Page("said", "", [content]))
        elif last and last.takes(kind, content) and last.kind == "table":
            last.content += content
        elif last and last.takes(kind, content):
            last.kind, last.lead, last.content, last.said = kind, last.content + "".join(last.said), content, []
        else:
            self.pages.append(Page(kind, content))


def letters(html: str) -> int:
    """Counts the letters that are read."""
    return len(re.sub(r"<[^>]+>", "", html))
