"""CoNLL04: news sentences with people, places and organisations, and five relations between them."""

from __future__ import annotations

import ast
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from mtl_helpers.datasets.base import MultiTaskData
from mtl_helpers.datasets.fetch import fetch
from mtl_helpers.datasets.sentence import Sentence, Span
from mtl_helpers.datasets.text import tag_names, text_data

KINDS = ("Peop", "Loc", "Org", "Other")
NAMES = ("Kill", "Live_In", "Located_In", "OrgBased_In", "Work_For")
RELATIONS = ("None", *(f"{name}({order})" for name in NAMES for order in ("e1,e2", "e2,e1")))
TAGS = tag_names(KINDS)
FILES = {"train": "train.txt", "validation": "dev.txt", "test": "test.txt"}


class Document(NamedTuple):
    """A sentence as the file has it: words, entities, and (first entity, second entity) -> relation with direction."""

    words: tuple[str, ...]
    spans: tuple[Span, ...]
    relations: dict[tuple[int, int], str]


def conll04(
    *,
    length: int = 120,
    features: tuple[str, ...] = ("tokens", "shape", "prefix", "suffix"),
    minimum_count: int = 2,
    pairs: bool = True,
) -> MultiTaskData:
    """Loads CoNLL04: 910 training, 243 validation and 288 test sentences with typed entities and five relations.

    A row is a sentence and two of its entities; the relation between them is one of five, in either direction, or
    ``"None"``. A sentence's tags count in its first row only, so that the tagging loss has every sentence once. The
    files come from ``MTL_DATA_DIR``, else the cache, else a download.

    Args:
        length: Tokens in a row; longer sentences are cut and counted in ``notes``.
        features: Inputs to make of each word: ``"tokens"`` and any of ``"shape"``, ``"prefix"``, ``"suffix"``.
        minimum_count: Words seen less often in training count as unknown.
        pairs: False gives one row a sentence, for tagging alone: no pair, and no relation label (weight 0).

    Returns:
        The data, with the tasks ``"relation"`` and ``"entity"``.

    Raises:
        ValueError: If a file is not in the format, naming the line.

    References:
        D. Roth, W. Yih: A linear programming formulation for global inference in natural language tasks, CoNLL 2004,
        https://aclanthology.org/W04-2401. The files are in the form of G. Bekoulis et al., arXiv:1804.07847.

    Example:
        >>> data = conll04(pairs=False)  # doctest: +SKIP
        >>> len(data.train), len(data.validation), len(data.test)  # doctest: +SKIP
        (910, 243, 288)
    """
    folder = fetch("conll04")
    documents = {split: read_conll04(folder / file) for split, file in FILES.items()}
    splits = {split: [row for one in documents[split] for row in _rows(one, pairs)] for split in FILES}
    counts = ", ".join(f"{len(documents[split])} {split}" for split in FILES)
    return text_data(
        "CoNLL04",
        splits,
        RELATIONS,
        KINDS,
        length=length,
        features=features,
        minimum_count=minimum_count,
        notes=[f"Sentences: {counts}."],
    )


def _rows(document: Document, pairs: bool) -> list[Sentence]:
    """Makes one row a pair of entities, or a single row where there is none."""
    words, spans, relations = document
    chosen = list(combinations(range(len(spans)), 2)) if pairs else []
    if not chosen:
        return [Sentence(words, spans)]
    return [
        Sentence(words, spans, pair, relations.get(pair, "None"), tagged=first)
        for pair, first in zip(chosen, [True] + [False] * (len(chosen) - 1), strict=True)
    ]


def read_conll04(path: Path) -> list[Document]:
    """Reads sentences that begin with ``#doc`` and have a token a line: number, word, tag, relations, their heads.

    A relation stands at the last token of its first argument and names the last token of its second. An I- tag that
    continues nothing begins an entity. Of two relations between the same entities the first is kept.

    Args:
        path: The file.

    Returns:
        The sentences.

    Raises:
        ValueError: Naming the file and line of what does not fit.
    """
    blocks: list[tuple[int, list[list[str]]]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").rstrip("\n").split("\n"), start=1):
        where = f"{path.name}, line {number}"
        if line.startswith("#doc"):
            blocks.append((number, []))
            continue
        if not blocks:
            raise ValueError(f"{where}: {line[:40]!r} comes before the first '#doc' line; is this a CoNLL04 file?")
        columns = line.split("\t")
        if len(columns) != 5:
            raise ValueError(
                f"{where}: {len(columns)} columns, want 5: number, word, tag, relations, heads (tabs between)."
            )
        if columns[2] not in TAGS:
            raise ValueError(f"{where}: unknown tag {columns[2]!r}; known: {TAGS}.")
        blocks[-1][1].append(columns)
    return [_document(rows, f"{path.name}, line", start) for start, rows in blocks]


def _document(rows: list[list[str]], where: str, start: int) -> Document:
    """Puts the entities and relations of a sentence together."""
    spans: list[Span] = []
    for at, (_, _, tag, _, _) in enumerate(rows):
        part, _, kind = tag.partition("-")
        if part == "I" and spans and spans[-1].stop == at and spans[-1].kind == kind:
            spans[-1] = Span(spans[-1].start, at + 1, kind)
        elif part != "O":
            spans.append(Span(at, at + 1, kind))
    if not spans:
        raise ValueError(f"{where} {start}: the sentence after '#doc' has no entity; take it out.")
    owner = {at: which for which, span in enumerate(spans) for at in range(span.start, span.stop)}
    relations: dict[tuple[int, int], str] = {}
    for at, (_, _, _, names, heads) in enumerate(rows):
        for name, head in _arguments(names, heads, f"{where} {start + 1 + at}"):
            if at not in owner or head not in owner:
                raise ValueError(
                    f"{where} {start + 1 + at}: {name} joins tokens {at} and {head}, of which one is no entity."
                )
            first, second = owner[at], owner[head]
            order = "e1,e2" if first < second else "e2,e1"
            relations.setdefault((min(first, second), max(first, second)), f"{name}({order})")
    return Document(tuple(row[1] for row in rows), tuple(spans), relations)


def _arguments(names: str, heads: str, where: str) -> list[tuple[str, int]]:
    """Reads the two list columns, such as ``['Kill']`` and ``[15]``."""
    try:
        pairs = list(zip(ast.literal_eval(names), map(int, ast.literal_eval(heads)), strict=True))
    except (ValueError, SyntaxError, TypeError):
        raise ValueError(f"{where}: {names[:30]} and {heads[:30]} are not two lists of the same length.") from None
    unknown = [name for name, _ in pairs if name not in (*NAMES, "N")]
    if unknown:
        raise ValueError(f"{where}: unknown relation {unknown[0]!r}; known: {NAMES}.")
    return [(name, head) for name, head in pairs if name != "N"]
