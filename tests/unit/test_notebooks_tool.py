from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mtl_helpers import notebooks
from mtl_helpers.notebooks import ROOT, chosen, pairs, peak_memory, read_source, refresh, tidy

TEXT = """# %% [markdown] slideshow={"slide_type": "slide"}
# # Title
# See $x^2$.

# %% tags=["nbval-check-output"]
1 + 1
"""


def with_output(output) -> nbformat.NotebookNode:
    return new_notebook(cells=[new_code_cell("x", outputs=[output])])


def test_sources_and_notebooks_lie_side_by_side(tmp_path: Path) -> None:
    for name in ("06_gates", "solutions/06_gates"):
        source = tmp_path / "notebooks" / "src" / f"{name}.py"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(TEXT)
    names = [target.relative_to(tmp_path).as_posix() for target in pairs(tmp_path).values()]
    assert names == ["notebooks/06_gates.ipynb", "notebooks/solutions/06_gates.ipynb"]


def test_a_source_keeps_slides_and_tags(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text(TEXT)
    notebook = read_source(source)
    assert notebook.cells[0].metadata["slideshow"] == {"slide_type": "slide"}
    assert notebook.cells[1].metadata["tags"] == ["nbval-check-output"]
    assert [cell.id for cell in notebook.cells] == ["cell-000", "cell-001"]
    nbformat.validate(notebook)


def test_a_source_is_run_in_the_notebooks_folder_and_stored(tmp_path: Path) -> None:
    source, target = tmp_path / "a.py", tmp_path / "made" / "a.ipynb"
    source.write_text(f"{TEXT}\n# %%\nimport os\nos.path.basename(os.getcwd()), os.environ['MTL_STRICT']\n")
    _, memory = refresh(source, target)
    stored = nbformat.read(target, as_version=4)
    assert [cell.outputs[0].data["text/plain"] for cell in stored.cells[1:]] == ["2", "('made', '1')"]
    assert memory > 1e6
    assert "execution" not in stored.cells[1].metadata
    assert [path.name for path in target.parent.iterdir()] == ["a.ipynb"]


def test_a_failing_cell_leaves_the_stored_notebook_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "a.py", tmp_path / "a.ipynb"
    source.write_text("# %%\nassert False\n")
    target.write_text("as it was")
    with pytest.raises(Exception, match="AssertionError"):
        refresh(source, target)
    assert target.read_text() == "as it was"


def test_widget_views_are_dropped_and_their_pictures_kept() -> None:
    data = {notebooks.WIDGET_VIEW: {"model_id": "1"}, "text/plain": "a picture"}
    notebook = with_output(new_output("display_data", data=data))
    tidy(notebook)
    assert notebook.cells[0].outputs[0].data == {"text/plain": "a picture"}


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (new_output("stream", name="stderr", text="Warning!"), "writes to the error stream"),
        (new_output("stream", name="stdout", text=f"read {ROOT}/x"), "of this computer"),
        (new_output("display_data", data={"text/html": f"<a href='{sys.prefix}'>"}), "of this computer"),
    ],
)
def test_red_blocks_and_private_folders_are_refused(output, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tidy(with_output(output))


def test_notebooks_are_chosen_by_the_start_of_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {Path("00_start.py"): Path("00_start.ipynb"), Path("06_gates.py"): Path("06_gates.ipynb")}
    monkeypatch.setattr(notebooks, "pairs", lambda: both)
    assert [source.stem for source, _ in chosen(["06"])] == ["06_gates"]
    assert len(list(chosen([]))) == 2


def test_peak_memory_grows_with_what_is_taken() -> None:
    before = peak_memory()
    taken = bytearray(max(300_000_000, 0))
    taken[::4096] = b"x" * len(taken[::4096])
    assert peak_memory() >= before
    assert peak_memory() > 300_000_000
