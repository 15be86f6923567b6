"""Every chapter keeps the frame: it opens and closes alike, in small cells, nothing red and nothing heavy."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median

import nbformat
import pytest

from mtl_helpers import widgets
from mtl_helpers.notebooks import KERNEL, ROOT, pairs, read_source
from mtl_helpers.widgets.base import STATE

NOTEBOOKS = list(pairs().values())
CHAPTERS = [path for path in NOTEBOOKS if path.parent.name == "notebooks" and not path.stem.startswith("00")]
SOLUTIONS = [path for path in NOTEBOOKS if path.parent.name == "solutions"]
MOST_BYTES, MOST_LINES = 1_500_000, 25
OPENING = ["What you will be able to do", "What you need first", "Minutes"]
CLOSING = ["What we measured", "When not to use it", "Questions people ask", "Exercises", "References", "Next"]


def read(path: Path):
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def prose(path: Path) -> str:
    return "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT / "notebooks").as_posix()


@pytest.mark.parametrize("source", pairs(), ids=lambda path: path.stem)
def test_the_notebook_is_its_source_run(source: Path) -> None:
    notebook, text = read(pairs()[source]), read_source(source)
    assert [(cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells] == [
        (cell.cell_type, cell.source, cell.metadata) for cell in text.cells
    ], f"run: make notebooks NOTEBOOKS={source.stem}"
    assert notebook.metadata.kernelspec == KERNEL
    assert "widgets" not in notebook.metadata


def test_every_notebook_has_a_source() -> None:
    stored = {path for path in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts}
    assert stored == set(NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_cells_are_small_and_were_run_in_order(path: Path) -> None:
    cells = code_cells(path)
    lines = [len([line for line in cell.source.splitlines() if line.strip()]) for cell in cells]
    assert max(lines) <= MOST_LINES, f"cell of {max(lines)} lines"
    if path in CHAPTERS:
        assert 3 <= median(lines) <= 8, f"median cell of {median(lines)} lines"
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not any("nbval-skip" in cell.metadata.get("tags", []) or "NBVAL_SKIP" in cell.source for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_stored_outputs_are_clean_and_light(path: Path) -> None:
    assert path.stat().st_size <= MOST_BYTES
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            assert "widget-view" not in str(output.get("data", {}).keys())
            if "image/png" in output.get("data", {}):
                alt = output.metadata.get("image/png", {}).get("alt", "")
                assert len(alt.split()) >= 8, f"a figure says only {alt!r} to those who cannot see it"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_no_claim_fails_and_no_path_of_a_computer_is_stored(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "Claim does not hold" not in text
    assert not re.search(r"/(home|Users|root)/|C:\\\\Users|site-packages", text)


@pytest.mark.parametrize("path", CHAPTERS, ids=name_of)
def test_a_chapter_opens_and_closes_as_all_do(path: Path) -> None:
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    wanted = OPENING + CLOSING
    found = [next((i for i, heading in enumerate(headings) if heading.startswith(each)), -1) for each in wanted]
    assert -1 not in found, f"missing: {[each for each, i in zip(wanted, found, strict=True) if i < 0]}"
    assert found == sorted(found), f"order: {headings}"


@pytest.mark.parametrize("path", CHAPTERS, ids=name_of)
def test_a_chapter_has_claims_and_exercises_with_solutions(path: Path) -> None:
    code = "\n".join(cell.source for cell in code_cells(path))
    exercises = set(re.findall(r'check\("([\d.]+)"', code))
    assert "claim(" in code
    assert len(exercises) >= 3
    worked = [each for each in SOLUTIONS if each.stem == path.stem]
    assert worked, "no worked solutions"
    solved = "\n".join(cell.source for cell in code_cells(worked[0]))
    assert set(re.findall(r'check\("([\d.]+)"', solved)) == exercises


@pytest.mark.parametrize("path", SOLUTIONS, ids=name_of)
def test_worked_solutions_are_right(path: Path) -> None:
    text = "".join(str(cell.outputs) for cell in code_cells(path))
    checks = sum(cell.source.count('check("') for cell in code_cells(path))
    assert text.count("<b>✅ Right") + text.count("<b>📝 Written") == checks


@pytest.mark.parametrize("path", CHAPTERS, ids=name_of)
def test_every_widget_is_stored_so_that_slides_and_site_bring_it_to_life(path: Path) -> None:
    cells = code_cells(path)
    shown = {name for name in widgets.__all__ for cell in cells if re.search(rf"^(\w+ = )?{name}\(", cell.source, re.M)}
    outputs = [output.get("data", {}) for cell in cells for output in cell.outputs]
    assert shown <= {data[STATE]["widget"] for data in outputs if STATE in data}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", prose(path)):
        if not target.startswith(("http", "mailto:")):
            assert (path.parent / target).exists(), f"{target} does not exist"
