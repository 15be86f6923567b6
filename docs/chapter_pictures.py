"""Takes the README's small pictures from the notebooks' stored figures: ``python docs/chapter_pictures.py``."""

from __future__ import annotations

import base64
import io
import json
import sys
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).resolve().parent
WIDTH, HEIGHT, COLOURS = 400, 250, 64
# Which of a chapter's figures, counted from 0, says most about it.
FIGURES = {"00": 1, "01": 0, "02": 1, "03": 6, "04": 2, "05": 2, "06": 7, "07": 1, "08": 0, "09": 0, "10": 3}


def figures(notebook: Path) -> list[bytes]:
    """Gives the PNG pictures stored in a notebook, in order."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    data = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return [base64.b64decode("".join(each["image/png"])) for each in data if "image/png" in each]


def main() -> None:
    """Writes ``docs/chapter_NN.png`` for every chapter, on white, all of one size."""
    for notebook in sorted((DOCS.parent / "notebooks").glob("*.ipynb")):
        number = notebook.name[:2]
        found = figures(notebook)
        if FIGURES[number] >= len(found):
            sys.exit(f"{notebook.name} has {len(found)} figures; mend FIGURES[{number!r}] = {FIGURES[number]}.")
        picture = Image.open(io.BytesIO(found[FIGURES[number]])).convert("RGB")
        picture.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        page = Image.new("RGB", (WIDTH, HEIGHT), "white")
        page.paste(picture, ((WIDTH - picture.width) // 2, (HEIGHT - picture.height) // 2))
        page.quantize(COLOURS).save(DOCS / f"chapter_{number}.png", optimize=True)


if __name__ == "__main__":
    main()
