from __future__ import annotations

import importlib

import numpy as np
import pytest

from mtl_helpers.exercises import Coding, Open, Prediction, catalogue, check, find, judge, session, summary
from mtl_helpers.exercises.kinds import Case, agrees
from mtl_helpers.notebooks import ROOT

DOUBLE = Coding("Double", [Case((2,), 4), Case((np.array([1.0, 2.0]),), [2.0, 4.0])], hint="HINT", reason="REASON")
GUESS = Prediction("Guess", {"a": "up", "b": "down"}, "b", hint="HINT", reason="REASON")
ESSAY = Open("Essay", ["names a cause"], words=3, hint="HINT")
CHAPTERS = sorted(path.stem[-2:] for path in (ROOT / "mtl_helpers" / "exercises").glob("chapter_*.py"))


@pytest.fixture(autouse=True)
def trial_chapter(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """A chapter 77 with one exercise of each kind, and no memory of earlier answers."""
    monkeypatch.setenv("MTL_PROGRESS_DIR", str(tmp_path))
    known = catalogue.of_chapter
    mine = {"77.1": DOUBLE, "77.2": GUESS, "77.3": ESSAY}
    for module in (catalogue, session):
        monkeypatch.setattr(module, "of_chapter", lambda chapter: mine if chapter == "77" else known(chapter))
    monkeypatch.delenv("MTL_STRICT", raising=False)
    session._failures.clear()
    session._states.clear()


@pytest.mark.parametrize("name", ["77.1", "77.2", "77.3"])
@pytest.mark.parametrize("answer", [..., None, "  "])
def test_no_answer_is_said_and_stops_nothing(name: str, answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTL_STRICT", "1")
    check(name, answer)
    assert judge(name, answer).state == "unanswered"


def test_a_function_left_empty_is_unanswered() -> None:
    assert judge("77.1", lambda x: ...).state == "unanswered"
    assert judge("77.1", lambda x: None).finding == "f(2) returns nothing yet."


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [("77.1", lambda x: x + 2, lambda x: x + x), ("77.2", "a", "b"), ("77.2", "A ", " B"), ("77.2", "a)", "(b)")],
)
def test_first_a_hint_then_the_reason_and_a_right_answer_gets_it_too(name: str, wrong: object, right: object) -> None:
    assert judge(name, wrong).help == "HINT"
    assert judge(name, wrong).help == "REASON"
    verdict = judge(name, right)
    assert (verdict.state, verdict.help) == ("right", "REASON")


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (lambda x: x * 3, "f(2) should give 4, but gave 6."),
        (lambda x: 4, "f([1.0, 2.0]) should give [2.0, 4.0], but gave 4."),
        (lambda x: "4", "f(2) should give 4, but gave '4'."),
        (lambda x: 1 / 0, "f(2) raised ZeroDivisionError: division by zero"),
        (lambda: 4, "f(2) raised TypeError"),
        (4, "A function is wanted, but this is 4."),
    ],
)
def test_what_is_off_is_said(answer: object, finding: str) -> None:
    assert judge("77.1", answer).finding.startswith(finding)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (lambda a, b: sum(x * y for x, y in zip(a, b, strict=True)), "right"),
        (lambda a, b: (a @ b).sum(), "right"),
        (lambda a, b: (a * a).sum(), "wrong"),
    ],
)
def test_a_function_may_be_written_for_lists_or_for_arrays(answer: object, state: str) -> None:
    assert Coding("Product", [Case(([1.0, 2.0], [3.0, 4.0]), 11.0)], "HINT", "REASON").judge(answer, 0).state == state


def test_the_first_error_is_told_and_booleans_stay_booleans() -> None:
    exercise = Coding("Less", [Case(([1, 2],), [True, False])], "HINT", "REASON")
    assert exercise.judge(lambda x: x < 2, 0).state == "right"
    assert exercise.judge(lambda x: np.asarray(x) < 1, 0).finding.endswith("but gave [False, False].")
    assert (
        "'<' not supported between instances of 'list' and 'int'" in exercise.judge(lambda x: x < 2 and x[9], 0).finding
    )


@pytest.mark.parametrize(
    ("given", "expected", "same"),
    [
        (("a", "b"), ["a", "b"], True),
        (np.array(["a", "b"]), ["a", "b"], True),
        ({"a", "b"}, ["a", "b"], False),
        (np.zeros((0, 2)), [], True),
        ([[0, 1], [1]], [[0, 1], [1, 3]], False),
        ([(0, 1), (1, 3)], [[0, 1], [1, 3]], True),
    ],
)
def test_the_form_of_an_answer_is_not_held_against_it(given: object, expected: object, same: bool) -> None:
    assert agrees(given, expected) is same


def test_a_swing_out_and_back_is_a_swing() -> None:
    ends = judge("07.1", lambda s: abs((s[0][0] - s[0][1]) - (s[-1][0] - s[-1][1])) / 2)
    assert ends.state == "wrong"


def test_a_function_cannot_spoil_the_cases() -> None:
    def doubling_in_place(x):
        x *= 2
        return x

    assert judge("77.1", doubling_in_place).state == "right"
    assert judge("77.1", doubling_in_place).state == "right"


def test_an_unknown_choice_lists_the_choices() -> None:
    assert judge("77.2", "z").help == "Choose from a, b."


def test_an_open_answer_is_noted_with_its_checklist() -> None:
    assert judge("77.3", "too short").help == "HINT"
    verdict = judge("77.3", "because the data is scarce")
    assert (verdict.state, verdict.checklist) == ("written", ("names a cause",))


def test_strict_makes_a_wrong_answer_an_error(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    check("77.2", "a")
    monkeypatch.setenv("MTL_STRICT", "1")
    with pytest.raises(AssertionError, match="not what happens"):
        check("77.2", "a")
    check("77.2", "b")
    assert "✅ Right · 77.2 Guess" in capsys.readouterr().out


def test_what_a_learner_typed_is_escaped() -> None:
    html = session.to_html("t", judge("77.2", "<script>alert(1)</script>"))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_summary_tells_how_far_one_is(capsys) -> None:
    check("77.2", "b")
    summary("77")
    assert "77.1 Double ✏️ Open\n77.2 Guess ✅ Right\n" in capsys.readouterr().out


def test_an_unknown_exercise_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'77.9' is not an exercise; choose from \['77.1'"):
        find("77.9")
    with pytest.raises(ValueError, match=r"'98\.1' is not an exercise; choose from chapters \['01'"):
        find("98.1")
    with pytest.raises(ValueError, match="chapter='6' has no exercises; choose from"):
        summary("6")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_has_all_three_kinds_and_fails_a_planted_answer(chapter: str) -> None:
    exercises = importlib.import_module(f"mtl_helpers.exercises.chapter_{chapter}").EXERCISES
    assert {type(each) for each in exercises.values()} == {Coding, Prediction, Open}
    for name, exercise in exercises.items():
        assert name.startswith(f"{chapter}.")
        planted = {Coding: lambda *_: 12345, Prediction: "none of them", Open: "hm"}[type(exercise)]
        assert judge(name, planted).state == "wrong"
        if isinstance(exercise, Prediction):
            wrong = [letter for letter in exercise.choices if letter != exercise.right]
            assert len(wrong) == len(exercise.choices) - 1 >= 1
            assert {judge(name, letter).state for letter in wrong} == {"wrong"}
