"""The examples of CONTRIBUTING.md run, and keep the rules it states."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import jupytext
import pytest

from mtl_helpers.lecture import slides_of
from mtl_helpers.notebooks import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = {text.splitlines()[0].removeprefix("# "): text for text in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)}
CHAPTER = "notebooks/src/11_around_the_bottleneck.py"


@pytest.fixture(scope="module", autouse=True)
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """The data set and the model of the page, as modules of the package."""
    folder = tmp_path_factory.mktemp("added")
    made = {}
    for name, text in FILES.items():
        if name.startswith("mtl_helpers/"):
            full = name.removesuffix(".py").replace("/", ".")
            path = folder / Path(name).name
            path.write_text(text, encoding="utf-8")
            spec = importlib.util.spec_from_file_location(full, path)
            made[full] = sys.modules[full] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(made[full])
    yield made
    for full in made:
        del sys.modules[full]


def test_the_page_has_a_data_set_a_model_and_a_chapter() -> None:
    folders = [name.partition("/")[0] for name in FILES]
    assert folders == ["mtl_helpers", "tests", "mtl_helpers", "notebooks", "mtl_helpers", "notebooks"]


def test_the_data_sets_test_passes() -> None:
    names: dict = {}
    exec(FILES["tests/unit/test_datasets_newsletter.py"], names)
    for name in list(names):
        if name.startswith("test_"):
            names[name]()


def test_the_model_gives_an_output_a_task_by_name(modules: dict) -> None:
    data = modules["mtl_helpers.datasets.newsletter"].newsletter(rows=100)
    model = modules["mtl_helpers.models.skipping"].skip_sharing(data, hidden_units=(4,))
    assert list(model(data.test.inputs)) == ["open", "leave"]


@pytest.mark.parametrize("seed", ["0", "100"])
def test_the_chapter_runs_and_its_claim_holds(seed: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("MTL_STRICT", "1")
    monkeypatch.setenv("MTL_SEED", seed)
    notebook = jupytext.reads(FILES[CHAPTER], fmt="py:percent")
    names: dict = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(cell.source, names)
    assert "Claim holds" in capsys.readouterr().out


def test_the_chapters_solutions_are_right(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("MTL_STRICT", "1")
    exec(FILES["notebooks/src/solutions/11_around_the_bottleneck.py"], {})
    told = capsys.readouterr().out
    assert (told.count("Right"), told.count("Written")) == (2, 1)


def test_the_chapter_has_the_frame_and_slides() -> None:
    from tests.notebooks.test_frame import CLOSING, OPENING

    notebook = jupytext.reads(FILES[CHAPTER], fmt="py:percent")
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    assert [each for each in headings if each in OPENING + CLOSING] == OPENING + CLOSING
    slides = slides_of(notebook)
    assert [slide.heading for slide in slides][1] == "Guess, then run"
    assert ["Ask the room" in note for note in slides[1].notes] == [False, True]  # the answer to 11.1 comes before
    assert '<details lang="zh">' in notebook.cells[0].source or "zh" in notebook.cells[1].source


def test_every_file_and_target_the_page_names_is_there() -> None:
    added = {Path(name).name for name in FILES}
    for name in re.findall(r"`((?:mtl_helpers|tests|notebooks|data)/[\w/.]+\.\w+)`", TEXT):
        if not re.search(r"NAME|NN|11_", name) and Path(name).name not in added:
            assert (ROOT / name).exists(), name
    makefile = (ROOT / "Makefile").read_text("utf8")
    for target in set(re.findall(r"\bmake (\w+)", TEXT)):
        if target not in ("up",):
            assert f"\n{target}:" in makefile, target
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in re.findall(r"^## (.+)$", TEXT, re.M)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= anchors


def test_the_teaching_plan_names_exercises_and_chapters_that_exist() -> None:
    from mtl_helpers.exercises import find
    from mtl_helpers.exercises.catalogue import chapters

    text = (ROOT / "notebooks" / "TEACHING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b(0\d\.\d)\b", text))
    assert len(named) > 15
    for name in named:
        if name[:2] in chapters():
            find(name)
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert (ROOT / "notebooks" / target).exists(), target
    for module in re.findall(r"-m (mtl_helpers[\w.]+)", text):
        assert importlib.util.find_spec(module), module
