"""The widgets in Chinese: ``MTL_LANG=zh`` leaves no English label behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mtl_helpers.widgets import FocalDesk, GateExplorer, SharingLab
from mtl_helpers.widgets.labels import CHINESE
from tests.browser.harness import accessibility_problems
from tests.browser.records import mmoe_and_ple, video_desk
from tests.browser.sentences import known_inspector
from tests.browser.test_sharing_lab import recorded

pytestmark = pytest.mark.browser
SEEN = """root => [...root.querySelectorAll('label, legend, th, text, button, option, p, [aria-label]')]
  .flatMap(e => [e.childElementCount ? '' : e.textContent, e.getAttribute('aria-label') ?? ''])"""


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTL_LANG", "zh")


def english_left(page: Page) -> set[str]:
    seen = page.locator(".mtl-widget").evaluate(SEEN)
    words = {text for text in CHINESE if re.fullmatch(r"[^{]*[a-z][^{]*", text)}
    whole = words - {"shared"}  # a gate's own name, like a task's
    return {text for text in seen if text.strip() in whole or re.search(r"listens most|in the first|seed \d", text)}


def test_the_explorer_speaks_chinese(open_file: Callable[..., Page], tmp_path: Path) -> None:
    page = open_file(GateExplorer(mmoe_and_ple()).save_html(tmp_path / "gates.html"))
    expect(page.locator(".mtl-widget")).to_have_attribute("lang", "zh")
    page.get_by_label("关闭专家").first.select_option(label="expert 3")
    expect(page.locator(".mtl-effect").first).to_contain_text("AUC 百分点")
    assert english_left(page) == set()
    assert accessibility_problems(page) == []


def test_the_desk_speaks_chinese(open_file: Callable[..., Page], tmp_path: Path) -> None:
    page = open_file(video_desk().save_html(tmp_path / "desk.html"))
    page.get_by_role("button", name="设为参照").click()
    expect(page.locator(".mtl-words")).to_contain_text("前 10 个的 click")
    assert english_left(page) == set()
    assert accessibility_problems(page) == []


def test_the_inspector_speaks_chinese(open_file: Callable[..., Page], tmp_path: Path) -> None:
    page = open_file(known_inspector().save_html(tmp_path / "inspector.html"))
    expect(page.locator(".mtl-words").last).to_contain_text("最优序列")
    expect(page.get_by_label("关系：从")).to_be_visible()
    assert english_left(page) == set()
    assert accessibility_problems(page) == []


def test_the_lab_speaks_chinese(open_file: Callable[..., Page], tmp_path: Path) -> None:
    page = open_file(SharingLab(recorded()).save_html(tmp_path / "lab.html"))
    expect(page.get_by_role("slider", name="余弦 p")).to_be_visible()
    assert english_left(page) == set()
    assert accessibility_problems(page) == []


def test_the_focal_desk_speaks_chinese(open_file: Callable[..., Page], tmp_path: Path) -> None:
    page = open_file(FocalDesk().save_html(tmp_path / "focal.html"))
    expect(page.locator(".mtl-widget")).to_have_attribute("lang", "zh")
    assert english_left(page) == set()
    assert accessibility_problems(page) == []
