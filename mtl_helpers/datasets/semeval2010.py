"""SemEval-2010 Task 8: the relation between two marked nouns of a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from mtl_helpers.datasets.base import MultiTaskData
from mtl_helpers.datasets.fetch import fetch
from mtl_helpers.datasets.sentence import Sentence, Span
from mtl_helpers.datasets.text import text_data
from mtl_helpers.seeds import random_numbers

NAMES = (
    "Cause-Effect",
    "Component-Whole",
    "Content-Container",
    "Entity-Destination",
    "Entity-Origin",
    "Instrument-Agency",
    "Member-Collection",
    "Message-Topic",
    "Product-Producer",
)
RELATIONS = ("Other", *(f"{name}({order})" for name in NAMES for order in ("e1,e2", "e2,e1")))
WORD = re.compile(r"</?e[12]>|[A-Za-z]+(?='s\b)|'s\b|\w+(?:[.,]\d+)*|[^\w\s]")


def semeval2010_task8(
    *,
    rows: int | None = None,
    validation: int = 800,
    length: int = 60,
    features: tuple[str, ...] = ("tokens",),
    minimum_count: int = 2,
    seed: int | None = None,
) -> MultiTaskData:
    """Loads SemEval-2010 Task 8: 8,000 training and 2,717 test sentences, ten relations, nine of them with a direction.

    The two nouns are the entities (tags O, B-Nominal, I-Nominal); the relation has 19 classes: ``"Other"`` and nine
    relations in either direction. The files come from ``MTL_DATA_DIR``, else the cache, else a download.

    Args:
        rows: How many of the remaining training sentences to keep; None for all. The vocabulary comes from these alone.
        validation: How many of the training sentences to set aside, drawn at random (the file's last sentences hold
            few of the relations); 0 for none.
        length: Tokens in a row; longer sentences are cut around the nouns and counted in ``notes``.
        features: Inputs to make of each word: ``"tokens"`` and any of ``"shape"``, ``"prefix"``, ``"suffix"``.
        minimum_count: Words seen less often in training count as unknown.
        seed: Shuffles the training sentences. None: the course's first seed.

    Returns:
        The data, with the tasks ``"relation"`` and ``"entity"``.

    Raises:
        ValueError: If a file is not in the format, naming the line, or ``validation`` or ``rows`` do not fit.

    References:
        I. Hendrickx et al.: SemEval-2010 Task 8, ACL 2010, https://aclanthology.org/S10-1006. CC BY 3.0.

    Example:
        >>> data = semeval2010_task8()  # doctest: +SKIP
        >>> len(data.train), len(data.validation), len(data.test)  # doctest: +SKIP
        (7200, 800, 2717)
    """
    folder = fetch("semeval2010_task8")
    train = read_semeval(folder / "TRAIN_FILE.TXT")
    test = read_semeval(folder / "TEST_FILE_FULL.TXT")
    if not 0 <= validation < len(train):
        raise ValueError(f"validation={validation} of {len(train)} training sentences; give 0 to {len(train) - 1}.")
    if rows is not None and not 0 < rows <= len(train) - validation:
        raise ValueError(f"rows={rows} of {len(train) - validation} training sentences; give at least 1 and no more.")
    order = random_numbers(seed).permutation(len(train))
    kept = len(train) - validation
    return text_data(
        "SemEval-2010 Task 8",
        {
            "train": [train[at] for at in order[:kept][:rows]],
            "validation": [train[at] for at in order[kept:]],
            "test": test,
        },
        RELATIONS,
        ("Nominal",),
        length=length,
        features=features,
        minimum_count=minimum_count,
    )


def read_semeval(path: Path) -> list[Sentence]:
    """Reads a file of four-line blocks: number and quoted sentence, relation, comment, empty line.

    Args:
        path: The file.

    Returns:
        Its sentences, the two marked nouns as the pair.

    Raises:
        ValueError: Naming the file and line of what does not fit.
    """
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    sentences = []
    for start in range(0, len(lines), 4):
        block = [*lines[start : start + 4], "", ""][:4]
        text = re.fullmatch(r'\d+\t"(.*)"\s*', block[0])
        if not text:
            raise ValueError(f'{path.name}, line {start + 1}: {block[0][:40]!r} is not: number, tab, "sentence".')
        relation = block[1].strip()
        if relation not in RELATIONS:
            raise ValueError(f"{path.name}, line {start + 2}: unknown relation {relation[:40]!r}; known: {RELATIONS}.")
        if not block[2].startswith("Comment:") or block[3].strip():
            raise ValueError(f"{path.name}, line {start + 3}: expected a line 'Comment:…' and an empty one after it.")
        try:
            sentences.append(_sentence(text[1], relation))
        except ValueError as error:
            raise ValueError(f"{path.name}, line {start + 1}: {error}") from None
    return sentences


def _sentence(text: str, relation: str) -> Sentence:
    """Splits a sentence into words and finds its two nouns."""
    words: list[str] = []
    marks: dict[str, int] = {}
    for piece in WORD.findall(text):
        if re.fullmatch(r"</?e[12]>", piece):
            marks[piece] = len(words)
        else:
            words.append(piece)
    spans = []
    for noun in ("e1", "e2"):
        start, stop = marks.get(f"<{noun}>", 0), marks.get(f"</{noun}>", 0)
        if stop <= start:
            raise ValueError(f"the sentence has no words between <{noun}> and </{noun}>.")
        spans.append(Span(start, stop, "Nominal"))
    if spans[0].stop > spans[1].start:
        raise ValueError("<e1>…</e1> has to end before <e2> begins.")
    return Sentence(tuple(words), tuple(spans), (0, 1), relation)


def without_direction(relations: tuple[str, ...], labels: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Merges the two directions of each relation.

    Args:
        relations: Names such as ``"Cause-Effect(e1,e2)"``.
        labels: int, any shape: positions in ``relations``.

    Returns:
        The merged names in order of appearance, and the labels as positions in them.

    Example:
        >>> without_direction(("Other", "Kill(e1,e2)", "Kill(e2,e1)"), np.array([2, 0, 1]))
        (('Other', 'Kill'), array([1, 0, 1]))
    """
    names = tuple(dict.fromkeys(relation.partition("(")[0] for relation in relations))
    merged = np.array([names.index(relation.partition("(")[0]) for relation in relations])
    return names, merged[labels]
