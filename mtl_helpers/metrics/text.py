"""How well entities and relations are found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

Entity = tuple[int, int, str]
TOTAL = "all"


def entities(tags: Sequence[str]) -> list[Entity]:
    """Reads the entities off BIO tags; an I- tag that continues nothing begins an entity, as in CoNLL's own scorer.

    Args:
        tags: The tags of one sentence.

    Returns:
        First token, the token after the last, and type of each entity.

    Raises:
        ValueError: If a tag is neither ``"O"`` nor one of ``"B-"`` or ``"I-"`` and a type.

    Example:
        >>> entities(["B-Loc", "I-Loc", "O", "I-Org", "B-Org"])
        [(0, 2, 'Loc'), (3, 4, 'Org'), (4, 5, 'Org')]
    """
    found: list[Entity] = []
    for at, tag in enumerate(tags):
        part, _, kind = tag.partition("-")
        if tag != "O" and (part not in ("B", "I") or not kind):
            raise ValueError(f"tags[{at}]={tag!r} is not 'O', 'B-...' or 'I-...'; other schemes are not read.")
        if part == "I" and found and found[-1][1] == at and found[-1][2] == kind:
            found[-1] = (found[-1][0], at + 1, kind)
        elif part != "O":
            found.append((at, at + 1, kind))
    return found


def span_table(
    labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str], weights: np.ndarray | None = None
) -> pd.DataFrame:
    """Scores entities strictly: one is right if its first token, its last token and its type are.

    Args:
        labels: True tags, int ``[sentences, length]``.
        predicted: Predicted tags, int ``[sentences, length]``.
        classes: Names of the tags (``data.tasks["entity"].classes``).
        weights: ``[sentences, length]``, 0 at padding and in sentences that do not count. None: all count.

    Returns:
        A row a type and one of all (``"all"``): precision, recall, f1, and the numbers of true, predicted and right.

    Raises:
        ValueError: If labels and predictions are not tag numbers of one shape, or a tag's name is not a BIO tag.

    Example:
        >>> float(span_table(np.array([[1, 2, 0]]), np.array([[1, 0, 0]]), ("O", "B-Loc", "I-Loc")).loc["all", "f1"])
        0.0
    """
    labels, predicted = class_numbers(labels, predicted, classes)
    kept = np.ones(labels.shape, bool) if weights is None else np.asarray(weights) > 0
    names = np.array(classes)
    kinds = list(dict.fromkeys(name.partition("-")[2] for name in classes if name != "O"))
    counts = pd.DataFrame(0, index=kinds, columns=["true", "predicted", "right"])
    for row, keep in enumerate(kept):
        truth = entities(names[labels[row][keep]])
        guess = entities(names[predicted[row][keep]])
        for column, found in (("true", truth), ("predicted", guess), ("right", set(truth) & set(guess))):
            for _, _, kind in found:
                counts.loc[kind, column] += 1
    counts.loc[TOTAL] = counts.sum()
    return _with_f1(counts)


def span_f1(
    labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str], weights: np.ndarray | None = None
) -> float:
    """Gives the strict F1 over all entities (see ``span_table``).

    Args:
        labels: True tags, int ``[sentences, length]``.
        predicted: Predicted tags, int ``[sentences, length]``.
        classes: Names of the tags.
        weights: ``[sentences, length]``, 0 at padding and in sentences that do not count. None: all count.

    Returns:
        A number from 0 to 1; 0 if there is neither an entity nor a prediction of one.

    Raises:
        ValueError: As ``span_table`` does.

    Example:
        >>> tags = ("O", "B-Place", "I-Place")
        >>> span_f1(np.array([[0, 1, 2], [1, 0, 0]]), np.array([[0, 1, 2], [0, 0, 0]]), tags)
        0.6666666666666666
    """
    return float(span_table(labels, predicted, classes, weights).loc[TOTAL, "f1"])


def relation_table(
    labels: np.ndarray,
    predicted: np.ndarray,
    classes: Sequence[str],
    *,
    direction: bool = True,
    without: Iterable[str] = ("Other", "None"),
) -> pd.DataFrame:
    """Scores each relation as SemEval-2010 Task 8's scorer does.

    The two directions of a relation are one row. With ``direction``, a prediction of the right relation in the wrong
    direction is both a false prediction and a miss: the task's official score. Without, it is right.

    Args:
        labels: True classes, int ``[rows]``.
        predicted: Predicted classes, int ``[rows]``.
        classes: Names of the classes; a direction stands in brackets at the end, as in ``"Cause-Effect(e1,e2)"``.
        direction: Whether the direction has to be right.
        without: Classes that get no row: predicting them is no find, only a miss of what was there.

    Returns:
        A row a relation and one of all (``"all"``, whose f1 is the micro F1): precision, recall, f1, counts.

    Raises:
        ValueError: If labels and predictions are not class numbers of one shape, or no class is a relation.

    Example:
        >>> classes = ("Other", "Kill(e1,e2)", "Kill(e2,e1)")
        >>> float(relation_table(np.array([1]), np.array([2]), classes, direction=False).loc["Kill", "f1"])
        1.0
    """
    labels, predicted = class_numbers(labels, predicted, classes)
    skipped = {without} if isinstance(without, str) else set(without)
    bases = np.array([name.partition("(")[0] for name in classes])
    truth, guess = bases[labels], bases[predicted]
    right = labels == predicted if direction else truth == guess
    names = [name for name in dict.fromkeys(bases) if name not in skipped]
    if not names:
        raise ValueError(f"classes={tuple(classes)} hold no relation but those left out, {sorted(skipped)}.")
    counts = pd.DataFrame(
        {
            "true": [int((truth == name).sum()) for name in names],
            "predicted": [int((guess == name).sum()) for name in names],
            "right": [int(((truth == name) & right).sum()) for name in names],
        },
        index=names,
    )
    counts.loc[TOTAL] = counts.sum()
    return _with_f1(counts)


def relation_f1(
    labels: np.ndarray,
    predicted: np.ndarray,
    classes: Sequence[str],
    *,
    direction: bool = True,
    average: str = "macro",
    without: Iterable[str] = ("Other", "None"),
) -> float:
    """Gives the mean F1 over the relations (``"macro"``, SemEval's) or the F1 of all finds together (``"micro"``).

    Args:
        labels: True classes, int ``[rows]``.
        predicted: Predicted classes, int ``[rows]``.
        classes: Names of the classes.
        direction: Whether the direction has to be right.
        average: ``"macro"`` or ``"micro"``.
        without: Classes that are no relation.

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: If ``average`` is neither, or labels and predictions are not class numbers of one shape.

    Example:
        >>> relation_f1(np.array([0, 1]), np.array([0, 1]), ("Other", "Kill"))
        1.0
    """
    if average not in ("macro", "micro"):
        raise ValueError(f"average={average!r}; choose 'macro' or 'micro'.")
    f1 = relation_table(labels, predicted, classes, direction=direction, without=without)["f1"]
    return float(f1[TOTAL] if average == "micro" else f1.drop(TOTAL).mean())


def class_numbers(labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Gives labels and predictions as arrays, after checking that they are numbers of classes.

    Raises:
        ValueError: If their shapes differ, or one is not a number from 0 to the number of classes less 1.
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if labels.shape != predicted.shape:
        raise ValueError(f"labels={labels.shape}, predicted={predicted.shape}: give one prediction a label, its class.")
    for name, values in (("labels", labels), ("predicted", predicted)):
        if values.size and (values.dtype.kind not in "iu" or not 0 <= values.min() <= values.max() < len(classes)):
            raise ValueError(f"{name}: {values.dtype} up to {values.max()}; give class numbers below {len(classes)}.")
    return labels, predicted


def _with_f1(counts: pd.DataFrame) -> pd.DataFrame:
    """Puts precision, recall and F1 before the counts; 0 where nothing was predicted or there."""
    scores = pd.DataFrame(
        {
            "precision": counts["right"] / counts["predicted"].clip(lower=1),
            "recall": counts["right"] / counts["true"].clip(lower=1),
            "f1": 2 * counts["right"] / (counts["true"] + counts["predicted"]).clip(lower=1),
        }
    )
    return pd.concat([scores, counts], axis=1)
