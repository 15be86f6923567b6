"""The script behind the README's pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.records import mmoe_and_ple

pytestmark = pytest.mark.browser


def test_two_stills_and_a_moving_picture_of_every_epoch(browser: Browser, tmp_path: Path) -> None:
    texts = {name: json.loads(record.to_json()) for name, record in mmoe_and_ple(epochs=5).items()}
    (tmp_path / "record.json").write_text(json.dumps({"results": texts}), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "tests.browser.make_pictures",
        str(tmp_path / "record.json"),
        str(tmp_path / "docs"),
    ]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2], capture_output=True)
    light, dark = (Image.open(tmp_path / "docs" / f"gate_explorer{end}.png").convert("L") for end in ("", "_dark"))
    assert light.width == dark.width == 1200
    assert light.resize((1, 1)).getpixel((0, 0)) > 128 > dark.resize((1, 1)).getpixel((0, 0))
    with Image.open(tmp_path / "docs" / "gate_explorer.gif") as moving:
        assert moving.n_frames == 6
