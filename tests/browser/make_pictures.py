"""Makes the README's pictures of the gate explorer.

``python -m tests.browser.make_pictures data/results/census_gates.json``. The file holds one gate record, a list of
them, or an object name -> record (each as ``GateRecord.to_json`` writes it); what ``mtl_helpers.recording.record``
wrote works too. Two stills (light, dark) and a moving picture over the epochs are taken in Chromium of the page that
``save_html`` writes.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from mtl_helpers.gates import GateRecord
from mtl_helpers.widgets import GateExplorer
from tests.browser.harness import BROWSER_OPTIONS, find_browser

SIZE = {"width": 1200, "height": 300}  # pictures are as tall as the page
COLOURS = 96  # of the moving picture; fewer make it smaller


def read(path: Path) -> dict[str, GateRecord]:
    """Reads gate records from a file.

    Raises:
        ValueError: If there is none in it.
    """
    found: Any = json.loads(path.read_text(encoding="utf-8"))
    found = found.get("results", found) if isinstance(found, dict) else found
    found = [found] if isinstance(found, dict) and "levels" in found else found
    named = found if isinstance(found, dict) else {each["model"]: each for each in found}
    if not named:
        raise ValueError(f"{path} holds no gate record; write one with GateRecord.to_json.")
    texts = {name: each if isinstance(each, str) else json.dumps(each) for name, each in named.items()}
    return {name: GateRecord.from_json(text) for name, text in texts.items()}


def take(explorer: GateExplorer, folder: Path) -> list[Path]:
    """Takes the pictures.

    Args:
        explorer: What to take them of.
        folder: Where ``gate_explorer.png``, ``gate_explorer_dark.png`` and ``gate_explorer.gif`` go.

    Returns:
        Their paths.

    Raises:
        RuntimeError: If there is no browser.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"gate_explorer{ending}" for ending in (".png", "_dark.png", ".gif")]
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        page_file = explorer.save_html(Path(temporary) / "explorer.html")
        browser_path = find_browser(playwright)
        if browser_path is None:
            raise RuntimeError("no Chromium or Chrome found; install one to take pictures.")
        browser = playwright.chromium.launch(executable_path=browser_path, args=BROWSER_OPTIONS)
        for path, scheme in zip(paths, ("light", "dark"), strict=False):
            page = browser.new_page(viewport=SIZE, color_scheme=scheme, reduced_motion="reduce")
            page.goto(page_file.as_uri())
            page.wait_for_selector(".mtl-card")
            write(path, page.screenshot(full_page=True))
            if scheme == "light":
                write(paths[2], moving(page))
        browser.close()
    return paths


def moving(page: Page) -> bytes:
    """Moves through the epochs and gives the frames as an animated GIF, which rests on the last."""
    slider = page.get_by_role("slider", name="Epoch")
    frames = []
    for epoch in range(int(slider.get_attribute("max")) + 1):
        slider.fill(str(epoch))
        slider.blur()
        picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
        frames.append(picture.resize((picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.LANCZOS))
    # One palette for all frames, that of the last and richest, or colours would flicker.
    palette = frames[-1].quantize(COLOURS, dither=Image.Dither.NONE)
    flat = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    out = io.BytesIO()
    waits = [250] * (len(flat) - 1) + [3000]
    flat[0].save(out, "GIF", save_all=True, append_images=flat[1:], duration=waits, loop=0, optimize=True)
    return out.getvalue()


def write(path: Path, content: bytes) -> None:
    """Writes a whole file or nothing."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


def main() -> None:
    """Reads the command line and takes the pictures."""
    parser = argparse.ArgumentParser(description="Takes the README's pictures of the gate explorer.")
    parser.add_argument("record", type=Path, help="file with the gate records")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs"), help="where the pictures go")
    parser.add_argument("--models", nargs="+", help="names of the models to show, in order; all if not given")
    parser.add_argument("--group", type=int, default=0, help="position of the segment")
    arguments = parser.parse_args()
    explorer = GateExplorer(read(arguments.record), arguments.models, group=arguments.group)
    for path in take(explorer, arguments.folder):
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
