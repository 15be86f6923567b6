"""Sentences with entities and a relation between two of them, as arrays."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from mtl_helpers.datasets.base import (
    SPLITS,
    Arrays,
    InputKind,
    MultiTaskData,
    Rows,
    Task,
    Tokens,
    TokenVectors,
    require_known,
)
from mtl_helpers.datasets.sentence import Sentence, Span, check_sentence

PADDING, UNKNOWN = "[padding]", "[unknown]"
FARTHEST = 30  # distances beyond this many tokens look alike
NO_PAIR = 1  # position number of every token where no two entities are asked about


def normal(word: str) -> str:
    """Lower-cases a word and writes every digit as 0."""
    return re.sub(r"\d", "0", word.lower())


def shape(word: str) -> str:
    """Gives the pattern of capitals, small letters and digits, repeats shortened: ``"McKay-7"`` -> ``"XxXx-d"``."""
    pattern = re.sub(r"\d", "d", re.sub(r"[^\W\d_]", lambda letter: "X" if letter[0].isupper() else "x", word))
    return re.sub(r"(.)\1+", r"\1", pattern)


# Input name -> what of a word it holds. Words of the training split with the same value share a number.
FEATURES: dict[str, Callable[[str], str]] = {
    "tokens": normal,
    "shape": shape,
    "prefix": lambda word: normal(word)[:3],
    "suffix": lambda word: normal(word)[-3:],
}


def tag_names(kinds: Iterable[str]) -> tuple[str, ...]:
    """Gives the BIO tags of entity types: O (outside), then B- (begins) and I- (goes on) of each type."""
    return ("O", *(f"{part}-{kind}" for kind in kinds for part in "BI"))


def text_data(
    name: str,
    splits: Mapping[str, Sequence[Sentence]],
    relations: Sequence[str],
    kinds: Sequence[str],
    *,
    length: int,
    features: Sequence[str] = ("tokens",),
    minimum_count: int = 2,
    notes: Sequence[str] = (),
) -> MultiTaskData:
    """Turns sentences into inputs and labels; vocabularies come from the training split alone.

    Args:
        name: Name of the data set.
        splits: ``"train"``, ``"validation"`` and ``"test"`` -> their sentences.
        relations: Names of the relations, in label order.
        kinds: Entity types, in tag order.
        length: Tokens in a row. A longer sentence is cut to a window around its pair, and counted in ``notes``.
        features: Inputs to make of each word, of ``FEATURES``.
        minimum_count: Words seen less often in training share the number 1, so that the unknown word is learned too.
        notes: What else to note about the data.

    Returns:
        Data with the inputs ``features``, ``"position_1"`` and ``"position_2"`` (distance to either entity of the pair)
        and the tasks ``"relation"`` (one of several classes) and ``"entity"`` (BIO tags, weight 0 at padding).

    Raises:
        ValueError: If a feature, an entity's type or a relation is unknown, an entity lies outside its sentence, or
            ``length`` is not positive.

    Example:
        >>> kill = Sentence(("Oswald", "shot", "Kennedy"), (Span(0, 1, "Peop"), Span(2, 3, "Peop")), (0, 1), "Kill")
        >>> splits = {"train": [kill], "validation": [kill], "test": [kill]}
        >>> data = text_data("one sentence", splits, ("None", "Kill"), ("Peop",), length=4, minimum_count=1)
        >>> data.train.labels["entity"].tolist()
        [[1, 0, 1, 0]]
    """
    features = require_known("features", features, FEATURES)
    if length < 1:
        raise ValueError(f"length={length} leaves no token; give at least 1.")
    for split in require_known("splits", SPLITS, splits):
        for number, sentence in enumerate(splits[split]):
            check_sentence(f"splits[{split!r}][{number}]", sentence, relations, kinds)
    windows = {split: [window(sentence, length) for sentence in splits[split]] for split in SPLITS}
    cut = {split: sum(len(sentence.words) > length for sentence in splits[split]) for split in SPLITS}
    vocabularies = {feature: vocabulary(windows["train"], feature, minimum_count) for feature in features}
    inputs: dict[str, InputKind] = {feature: Tokens(length, len(vocabularies[feature])) for feature in features}
    for position in ("position_1", "position_2"):
        inputs[position] = Tokens(length, 2 * FARTHEST + 3)
    tags = tag_names(kinds)
    tasks = {"relation": Task("multiclass", tuple(relations)), "entity": Task("tags", tags)}
    rows = {split: _rows(windows[split], vocabularies, tasks, length) for split in SPLITS}
    counted = ", ".join(f"{cut[split]} of {len(splits[split]):,} {split}" for split in SPLITS)
    return MultiTaskData(
        name,
        tasks,
        inputs,
        rows["train"],
        rows["validation"],
        rows["test"],
        vocabularies=vocabularies,
        notes=(*notes, f"Sentences cut to {length} tokens: {counted}."),
    )


def window(sentence: Sentence, length: int) -> Sentence:
    """Cuts a long sentence to the ``length`` tokens that hold its pair, starting as early as possible.

    Args:
        sentence: The sentence.
        length: Tokens to keep.

    Returns:
        The sentence with the entities that fit; its pair only if both do.
    """
    if len(sentence.words) <= length:
        return sentence
    last = max((sentence.spans[which].stop for which in sentence.pair), default=0) if sentence.pair else 0
    start = max(0, last - length)
    inside = {
        which: Span(span.start - start, span.stop - start, span.kind)
        for which, span in enumerate(sentence.spans)
        if span.start >= start and span.stop <= start + length
    }
    pair = None
    if sentence.pair and all(which in inside for which in sentence.pair):
        order = list(inside)
        pair = (order.index(sentence.pair[0]), order.index(sentence.pair[1]))
    return replace(sentence, words=sentence.words[start : start + length], spans=tuple(inside.values()), pair=pair)


def vocabulary(sentences: Iterable[Sentence], feature: str, minimum_count: int) -> tuple[str, ...]:
    """Lists the values of a feature by falling frequency, after padding and the unknown one."""
    counts = Counter(FEATURES[feature](word) for sentence in sentences if sentence.tagged for word in sentence.words)
    return (PADDING, UNKNOWN, *(value for value, count in counts.most_common() if count >= minimum_count))


def encode(sentences: Sequence[Sentence], vocabularies: Mapping[str, Sequence[str]], length: int) -> Arrays:
    """Makes a model's inputs of sentences, for instance of one that a reader typed.

    Args:
        sentences: Sentences of at most ``length`` words.
        vocabularies: Input name -> its values in number order (``data.vocabularies``).
        length: Tokens in a row.

    Returns:
        Input name -> int32 ``[sentences, length]``.

    Raises:
        ValueError: If a sentence is longer (``window`` cuts it), or a vocabulary is of no known feature.

    Example:
        >>> encode([Sentence(("A", "cat"))], {"tokens": ("[padding]", "[unknown]", "cat")}, 3)["tokens"]
        array([[1, 2, 0]], dtype=int32)
    """
    require_known("vocabularies", vocabularies, FEATURES)
    if (longest := max((len(sentence.words) for sentence in sentences), default=0)) > length:
        raise ValueError(f"length={length}, but a sentence has {longest} words; cut it with window(sentence, length).")
    arrays = {
        name: np.zeros((len(sentences), length), np.int32) for name in (*vocabularies, "position_1", "position_2")
    }
    for name, values in vocabularies.items():
        numbers = {value: number for number, value in enumerate(values)}
        for row, sentence in enumerate(sentences):
            arrays[name][row, : len(sentence.words)] = [numbers.get(FEATURES[name](word), 1) for word in sentence.words]
    for row, sentence in enumerate(sentences):
        here = np.arange(len(sentence.words))
        for which, name in enumerate(("position_1", "position_2")):
            distance = np.full(len(here), NO_PAIR)
            if sentence.pair:
                span = sentence.spans[sentence.pair[which]]
                apart = here - np.clip(here, span.start, span.stop - 1)
                distance = np.clip(apart, -FARTHEST, FARTHEST) + FARTHEST + 2
            arrays[name][row, : len(here)] = distance
    return arrays


def _rows(
    sentences: Sequence[Sentence], vocabularies: Mapping[str, Sequence[str]], tasks: Mapping[str, Task], length: int
) -> Rows:
    """Makes the rows of a split."""
    number = {name: {value: at for at, value in enumerate(task.classes)} for name, task in tasks.items()}
    tags = np.zeros((len(sentences), length), np.int32)
    tagged = np.zeros((len(sentences), length), np.float32)
    for row, sentence in enumerate(sentences):
        tagged[row, : len(sentence.words)] = sentence.tagged
        for start, stop, kind in sentence.spans:
            tags[row, start:stop] = number["entity"][f"I-{kind}"]
            tags[row, start] = number["entity"][f"B-{kind}"]
    known = np.array([sentence.relation is not None for sentence in sentences], np.float32)
    relation = [number["relation"][sentence.relation] if sentence.relation else 0 for sentence in sentences]
    weights = {"entity": tagged} if known.all() else {"entity": tagged, "relation": known}
    labels = {"relation": np.array(relation, np.int32), "entity": tags}
    return Rows(encode(sentences, vocabularies, length), labels, weights)


def words_of(data: MultiTaskData, tokens: np.ndarray) -> list[str]:
    """Writes a row of the ``"tokens"`` input as words, padding left out.

    Args:
        data: Text data with the input ``"tokens"``.
        tokens: A row of it, int ``[length]``.

    Returns:
        The words as the vocabulary has them: ``"[unknown]"`` for those not seen in training.

    Example:
        >>> from mtl_helpers.datasets import relation_corpus
        >>> data = relation_corpus(50)
        >>> words_of(data, data.train.inputs["tokens"][0])[-1]
        '.'
    """
    return [data.vocabularies["tokens"][number] for number in tokens if number]


def with_token_vectors(data: MultiTaskData, vectors: Mapping[str, np.ndarray]) -> MultiTaskData:
    """Adds vectors computed beforehand, for instance by a pretrained language model, as the input ``"vectors"``.

    Args:
        data: Text data.
        vectors: Split name -> float32 ``[rows, length, dim]``, the vector of each token.

    Returns:
        The data with one more input; vectors at padding are set to zero.

    Raises:
        ValueError: If the data is no text, a split is missing, or its vectors do not fit the rows and their length.

    Example:
        >>> data = relation_corpus(50)
        >>> length = data.inputs["tokens"].length
        >>> splits = ("train", "validation", "test")
        >>> given = {split: np.zeros((len(getattr(data, split)), length, 4)) for split in splits}
        >>> with_token_vectors(data, given).inputs["vectors"].dim
        4
    """
    require_known("inputs", "tokens", data.inputs)
    rows = {}
    for split in SPLITS:
        old = getattr(data, split)
        given = np.asarray(vectors.get(split, ()), np.float32)
        tokens = old.inputs["tokens"]
        if given.shape[:2] != tokens.shape or given.ndim != 3:
            raise ValueError(
                f"vectors[{split!r}] has shape {given.shape}; give {[*tokens.shape, 'dim']}, one vector a token."
            )
        rows[split] = replace(old, inputs={**old.inputs, "vectors": given * (tokens != 0)[:, :, None]})
    length, dim = rows["train"].inputs["vectors"].shape[1:]
    return replace(data, inputs={**data.inputs, "vectors": TokenVectors(length, dim)}, **rows)
