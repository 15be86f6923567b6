"""The three kinds of exercise: write a function, predict a result before seeing it, argue in words."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

State = Literal["unanswered", "right", "wrong", "written"]


@dataclass(frozen=True)
class Verdict:
    """What is said about an answer.

    Attributes:
        state: ``"unanswered"``, ``"right"``, ``"wrong"``, or ``"written"`` for an open answer that only its writer
            can judge.
        finding: What was found, in one sentence; may quote the learner.
        help: The hint or the reason to show with it.
        checklist: For an open answer, the points to hold it against.
    """

    state: State
    finding: str
    help: str = ""
    checklist: tuple[str, ...] = ()


class Exercise(Protocol):
    """What every kind of exercise offers."""

    @property
    def title(self) -> str:
        """The exercise in a few words."""

    def judge(self, answer: Any, failures: int) -> Verdict:
        """Judges an answer; ``failures`` is the number of wrong answers before it."""


def is_missing(answer: Any) -> bool:
    """Says whether an exercise was left as it came: ``...``, ``None`` or an empty text."""
    return answer is None or answer is ... or (isinstance(answer, str) and not answer.strip())


UNANSWERED = Verdict("unanswered", "Not answered yet.", "Replace the ... above and run the cell again.")


@dataclass(frozen=True)
class Case:
    """One call of the learner's function.

    Attributes:
        arguments: What it is called with.
        expected: What it should return; numbers and arrays are compared to within 1e-4.
    """

    arguments: tuple
    expected: Any

    @property
    def call(self) -> str:
        """The call, as text."""
        return f"f({', '.join(map(shorten, self.arguments))})"

    def of(self, function: Callable[..., Any]) -> Any:
        """Calls a function with lists, or with arrays if it is written for these (``own @ other``)."""
        try:
            return function(*copy.deepcopy(self.arguments))
        except (TypeError, AttributeError) as first:
            try:
                return function(*map(as_array, self.arguments))
            except Exception:
                raise first from None


@dataclass(frozen=True)
class Coding:
    """A function to write, tried on cases.

    Attributes:
        title: The exercise in a few words.
        cases: Calls with known results.
        hint: Shown after the first wrong attempt.
        reason: Shown after the second, and with a right answer.

    Example:
        >>> double = Coding("Double it", [Case((2,), 4)], hint="Add it to itself.", reason="Doubling is adding twice.")
        >>> double.judge(lambda x: x * x * x, failures=0).finding
        'f(2) should give 4, but gave 8.'
    """

    title: str
    cases: Sequence[Case]
    hint: str
    reason: str

    def judge(self, answer: Any, failures: int) -> Verdict:
        """Calls the answer on every case; the first that fails is reported."""
        if is_missing(answer):
            return UNANSWERED
        help_now = self.reason if failures else self.hint
        if not callable(answer):
            return Verdict("wrong", f"A function is wanted, but this is {answer!r}.", help_now)
        for case in self.cases:
            try:
                result = case.of(answer)
            except Exception as error:
                return Verdict("wrong", f"{case.call} raised {type(error).__name__}: {error}", help_now)
            if is_missing(result):
                return Verdict("unanswered", f"{case.call} returns nothing yet.", UNANSWERED.help)
            if not agrees(result, case.expected):
                finding = f"{case.call} should give {shorten(case.expected)}, but gave {shorten(result)}."
                return Verdict("wrong", finding, help_now)
        return Verdict("right", f"All {len(self.cases)} cases agree.", self.reason)


def as_array(value: Any) -> Any:
    """Makes a list of numbers, or of such lists, an array; anything else stays what it is."""
    if not isinstance(value, list):
        return copy.deepcopy(value)
    try:
        array = np.array(value)
    except ValueError:  # rows of different lengths
        return copy.deepcopy(value)
    return array if array.dtype.kind in "fiub" else copy.deepcopy(value)


def agrees(given: Any, expected: Any) -> bool:
    """Compares numbers and arrays to within 1e-4, shapes included, and anything else exactly; a tuple is a list."""
    wanted = np.asarray(expected)
    if wanted.dtype.kind not in "fiub":
        both_lists = isinstance(expected, list) and isinstance(given, (list, tuple, np.ndarray))
        return list(given) == expected if both_lists else bool(given == expected)
    try:
        numbers = np.asarray(given)
    except ValueError:  # rows of different lengths
        return False
    if wanted.size == 0:
        return numbers.size == 0
    if numbers.dtype.kind not in "fiub" or numbers.shape != wanted.shape:
        return False
    return bool(np.allclose(numbers, wanted, rtol=1e-4, atol=1e-4))


def shorten(value: Any) -> str:
    """Writes a value in at most 120 characters; arrays as lists rounded to 4 digits."""
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        value = array.tolist() if array.dtype.kind == "b" else np.round(array.astype(float), 4).tolist()
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


@dataclass(frozen=True)
class Prediction:
    """A question to answer before the run that answers it.

    Attributes:
        title: The exercise in a few words.
        choices: Letter -> what it stands for.
        right: The letter that turns out right.
        hint: Shown after the first wrong guess.
        reason: Why it turns out that way.

    Example:
        >>> coin = Prediction("A coin", {"a": "heads", "b": "tails"}, "a", hint="Look again.", reason="Two heads.")
        >>> coin.judge("b", failures=0).help
        'Look again.'
    """

    title: str
    choices: dict[str, str]
    right: str
    hint: str
    reason: str

    def judge(self, answer: Any, failures: int) -> Verdict:
        """Compares the choice with the right one."""
        if is_missing(answer):
            return UNANSWERED
        letter = str(answer).strip(" ().").lower()
        if letter not in self.choices:
            return Verdict("wrong", f"{answer!r} is none of the choices.", f"Choose from {', '.join(self.choices)}.")
        if letter == self.right:
            return Verdict("right", f"“{self.choices[letter]}” is what happens.", self.reason)
        finding = f"“{self.choices[letter]}” is not what happens. A wrong guess is how one notices a surprise."
        return Verdict("wrong", finding, self.reason if failures else self.hint)


@dataclass(frozen=True)
class Open:
    """A question to answer in words; the writer holds the answer against a checklist.

    Attributes:
        title: The exercise in a few words.
        checklist: What a good answer says.
        words: The fewest words that can say it.
        hint: Shown with an answer that is too short.

    Example:
        >>> essay = Open("Why?", ["names a cause"], words=3, hint="Name a cause.")
        >>> essay.judge("because the data is scarce", failures=0).state
        'written'
    """

    title: str
    checklist: Sequence[str]
    words: int
    hint: str

    def judge(self, answer: Any, failures: int) -> Verdict:
        """Looks whether something was written; whether it is good, the checklist says."""
        if is_missing(answer):
            return UNANSWERED
        count = len(str(answer).split())
        points = tuple(self.checklist)
        if count < self.words:
            short = f"{count} words are too few to say it ({self.words} or more)."
            return Verdict("wrong", short, self.hint, points if failures else ())
        return Verdict("written", f"Noted, {count} words. Hold your answer against these points:", "", points)
