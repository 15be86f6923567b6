from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from mtl_helpers.exercises import Prediction, catalogue, check, collect, forget_progress, judge, progress, session
from mtl_helpers.exercises.progress import keep, progress_file, solved

GUESS = Prediction("Guess", {"a": "up", "b": "down"}, "b", hint="HINT", reason="REASON")


@pytest.fixture(autouse=True)
def mine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of one's own, a chapter 77 with two exercises, and no memory of earlier answers."""
    known = catalogue.of_chapter
    trial = {"77.1": GUESS, "77.2": GUESS}
    for module in (catalogue, session):
        monkeypatch.setattr(module, "of_chapter", lambda chapter: trial if chapter == "77" else known(chapter))
    monkeypatch.setenv("MTL_PROGRESS_DIR", str(tmp_path / "mine"))
    monkeypatch.delenv("MTL_STRICT", raising=False)
    session._failures.clear()
    session._states.clear()
    return tmp_path / "mine"


def test_what_is_solved_is_kept_with_its_attempts(mine: Path) -> None:
    judge("77.1", ...)
    judge("77.1", "a")
    assert not mine.exists()  # nothing solved, nothing written
    judge("77.1", "b")
    assert (solved()["77.1"]["state"], solved()["77.1"]["attempts"]) == ("right", 1)
    judge("77.2", "b")
    assert list(solved()) == ["77.1", "77.2"]
    assert [each.name for each in mine.iterdir()] == ["progress.json"]


def test_a_later_wrong_answer_takes_nothing_away() -> None:
    judge("77.1", "b")
    before = solved()
    judge("77.1", "a")
    judge("77.1", "b")
    assert solved() == before


KERNEL = """
import sys
from mtl_helpers.exercises.progress import keep
for i in range(20):
    keep(f"{sys.argv[1]}.{i}", "right", 0)
"""


def test_two_kernels_do_not_lose_each_others_work(mine: Path) -> None:
    kernels = [subprocess.Popen([sys.executable, "-c", KERNEL, chapter]) for chapter in ("06", "07")]
    assert [kernel.wait(60) for kernel in kernels] == [0, 0]
    assert len(solved()) == 40
    assert [each.name for each in mine.iterdir()] == ["progress.json"]


def test_a_kernel_that_was_killed_while_writing_holds_nobody_up(mine: Path) -> None:
    mine.mkdir()
    (mine / "progress.lock").touch()
    keep("06.1", "right", 0)
    keep("06.2", "right", 0)
    assert list(solved()) == ["06.1", "06.2"]


def test_it_is_shown_and_can_be_forgotten(mine: Path, capsys) -> None:
    progress()
    assert "Nothing is kept yet." in capsys.readouterr().out
    keep("06.1", "right", 0)
    progress()
    said = capsys.readouterr().out
    assert "06 ●○○○○ 1 of 5 solved, left: 06.2" in said
    assert f"Kept in {mine / 'progress.json'}; forget_progress() deletes it." in said
    forget_progress()
    assert not (mine / "progress.json").exists()
    forget_progress()  # what is not there cannot be missed
    assert solved() == {}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"solved": 3}', '{"solved": {"06.1": 3}}', "\udcff"])
def test_a_broken_file_counts_as_none_and_is_replaced(mine: Path, content: str) -> None:
    mine.mkdir()
    (mine / "progress.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert solved() == {}
    keep("06.2", "right", 0)
    assert set(solved()) == {"06.2"}


def test_a_folder_that_cannot_be_written_to_stops_nothing(mine: Path, capsys) -> None:
    mine.write_text("a file where the folder should be")
    check("77.1", "b")
    assert "Right" in capsys.readouterr().out
    assert solved() == {}


@pytest.mark.parametrize(("name", "value"), [("MTL_STRICT", "1"), ("PYTEST_VERSION", "9")])
def test_tests_are_no_learners(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.delenv("MTL_PROGRESS_DIR")
    monkeypatch.delenv("PYTEST_VERSION", raising=False)
    monkeypatch.setenv(name, value)
    assert progress_file() is None
    judge("77.1", "b")
    forget_progress()
    assert solved() == {}


def test_a_learner_has_a_file_in_the_data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MTL_PROGRESS_DIR")
    monkeypatch.delenv("PYTEST_VERSION", raising=False)
    file = progress_file()
    assert file is not None
    assert file.parts[-2:] == ("mtl-course", "progress.json")
    assert not file.is_relative_to(Path(session.__file__).parents[2])  # never in the course's folder


HANDED_IN = {
    "ada": ["import os\nfrom mtl_helpers.exercises import check", "1 / 0", 'check("06.2", "b")'],
    "ben": ["from mtl_helpers.exercises import check", 'mine = "b"', 'check("06.2", mine)', 'check("07.2", mine)'],
}


def test_a_class_is_collected_by_running_what_was_handed_in(tmp_path: Path, capsys) -> None:
    for learner, cells in HANDED_IN.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
        (tmp_path / "class" / learner).mkdir(parents=True)
        nbformat.write(notebook, tmp_path / "class" / learner / "06.ipynb")
    (tmp_path / "class" / "ada" / "progress.json").write_text('{"solved": {"06.1": {}}}', "utf8")  # a try
    (tmp_path / "class" / "Li, Na").mkdir()
    (tmp_path / "class" / "Li, Na" / "06.ipynb").write_text("not a notebook", "utf8")
    collect.main(tmp_path / "class")
    told = capsys.readouterr()
    rows = {row.pop("learner"): row for row in csv.DictReader(told.out.splitlines())}
    ones = {learner: {name for name, value in row.items() if value == "1"} for learner, row in rows.items()}
    assert ones == {"Li, Na": set(), "ada": {"06.2", "solved"}, "ben": {"06.2", "07.2"}}
    assert rows["ben"]["solved"] == "2"
    assert "ada: 06.ipynb, 1 solved, 0 cells failed" in told.err  # her 1 / 0 has nothing to do with an exercise
    assert "Li, Na: 06.ipynb cannot be run" in told.err
    with pytest.raises(ValueError, match="holds no"):
        collect.main(tmp_path)
