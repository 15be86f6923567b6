"""Makes the README's picture of the gate explorer from the recorded gates: ``python docs/make_pictures.py``."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from mtl_helpers.gates import GateRecord
from mtl_helpers.recording import recorded
from mtl_helpers.widgets import GateExplorer

PICTURE = Path(__file__).parent / "gate_explorer.png"


def main() -> None:
    """Opens the explorer's self-contained page in Chromium and takes a picture of what it draws."""
    browser = next((path for path in map(shutil.which, ("chromium", "google-chrome", "chrome")) if path), None)
    if browser is None:
        sys.exit("No Chromium or Chrome found; install one to take the picture.")
    explorer = GateExplorer(GateRecord.from_json(json.dumps(recorded("census_gates")["results"])))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder, "explorer.html")
        explorer.save_html(page_file)
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1280, "height": 540}, device_scale_factor=1.25)
        page.goto(page_file.as_uri())
        page.wait_for_timeout(1000)
        page.screenshot(path=PICTURE)
        chromium.close()
    print(PICTURE.name)


if __name__ == "__main__":
    main()
