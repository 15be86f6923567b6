"""The sentence inspector: a saved file without network or kernel, one that is answered, and one in JupyterLab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mtl_helpers.widgets import SentenceInspector
from tests.browser.harness import Lab, accessibility_problems, assert_looks_like
from tests.browser.sentences import EXAMPLES, known_inspector

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)> <b>Ada</b> lives in Oslo </script>"
SILENT, ANSWERED = "on() {}, off() {}, send() {}", "on(_, f) { window.heard = f; }, send(m) { answer(m).then(heard); }"
CELL = """
import sys
sys.path.insert(0, {root!r})
from tests.browser.sentences import known_inspector
known_inspector()
"""


@pytest.fixture(scope="module")
def inspector() -> SentenceInspector:
    return known_inspector()


@pytest.fixture(scope="module")
def saved(inspector: SentenceInspector, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return inspector.save_html(tmp_path_factory.mktemp("inspector") / "inspector.html")


@pytest.fixture
def page(open_file: Callable[..., Page], saved: Path) -> Page:
    return open_file(saved)


@pytest.fixture
def answered(new_page: Callable[..., Page], saved: Path, inspector: SentenceInspector) -> Page:
    """The page with this process in place of a kernel."""
    text = saved.read_text(encoding="utf-8")
    assert SILENT in text
    path = saved.with_name("answered.html")
    path.write_text(text.replace(SILENT, ANSWERED).replace('"live":false', '"live":true'), encoding="utf-8")
    page = new_page(offline=True)
    page.expose_function("answer", lambda message: answer(inspector, message))
    page.goto(path.as_uri())
    page.wait_for_selector(".mtl-widget svg")
    return page


def answer(inspector: SentenceInspector, message: dict) -> dict:
    try:
        return {"request": message["request"], "answer": inspector.inspect(message["text"])}
    except ValueError as error:
        return {"request": message["request"], "error": f"ValueError: {error}"}


def assert_shown(page: Page, read: dict, inspector: SentenceInspector, pair: int | None = None) -> None:
    words = page.locator(".mtl-tags thead th")
    assert [text.rstrip("?").split("? ")[0] for text in words.evaluate_all(FIRST_TEXT)] == read["words"]
    marked = words.evaluate_all("all => all.map(e => e.querySelector('.mtl-unknown') !== null)")
    assert marked == read["unknown"]
    for t, tag in enumerate(inspector.tags):
        row = page.locator(".mtl-tags tbody tr").nth(t)
        expect(row.locator("th")).to_have_text(tag)
        chances = row.locator("td").evaluate_all("all => all.map(e => Number(e.dataset.chance))")
        assert chances == [marginal[t] for marginal in read["marginals"]]
        framed = row.locator("td").evaluate_all("all => all.map(e => e.classList.contains('is-best'))")
        assert framed == [chosen == t for chosen in read["tags"]]
    kinds = page.locator(".mtl-span").evaluate_all("all => all.map(e => e.dataset.kind)")
    assert kinds == [span[2] for span in read["spans"]]
    shown = page.locator(".mtl-relations [data-chance]").evaluate_all("all => all.map(e => Number(e.dataset.chance))")
    chosen = read["best"] if pair is None else pair
    assert shown == (read["pairs"][chosen]["probabilities"] if read["pairs"] else [])


FIRST_TEXT = "all => all.map(e => e.firstChild.textContent)"


def test_the_first_example_is_shown_at_once(page: Page, inspector: SentenceInspector) -> None:
    assert_shown(page, inspector.examples[0], inspector)
    expect(page.locator(".mtl-arcs")).to_have_attribute("aria-label", SUMMARY)
    page.locator(".mtl-field-scores summary").click()
    scores = page.locator(".mtl-transitions tbody tr")
    assert scores.nth(0).locator("td").all_inner_texts() == ["0.0", "1.0", "2.0", "3.0", "4.0", ""]
    assert scores.nth(1).locator("td").all_inner_texts() == ["0.5", "−0.5", "−0.5", "−0.5", "−0.5", "0.0"]


SUMMARY = "Ada, Person; Oslo, Place. Relation of Ada to Oslo: lives_in, 80 %."


def test_the_bars_stand_over_their_words(page: Page) -> None:
    for span, column in ((0, 0), (1, 3)):
        bar = page.locator(".mtl-span").nth(span).bounding_box()
        word = page.locator(".mtl-tags thead th").nth(column).bounding_box()
        assert abs(bar["x"] + bar["width"] / 2 - word["x"] - word["width"] / 2) < 3


def test_without_a_kernel_examples_work_and_typing_does_not(page: Page, inspector: SentenceInspector) -> None:
    expect(page.get_by_label("Sentence", exact=True)).to_be_disabled()
    expect(page.get_by_text("need a running kernel")).to_be_visible()
    page.get_by_label("Example").select_option(index=1)
    assert_shown(page, inspector.examples[1], inspector)
    expect(page.locator(".mtl-unknown")).to_have_count(1)
    page.get_by_label("Example").select_option(index=2)
    assert_shown(page, inspector.examples[2], inspector)
    expect(page.locator(".mtl-relations caption")).to_contain_text("Fewer than two entities")
    expect(page.get_by_label("Swap the two entities")).to_be_disabled()


def test_any_pair_can_be_asked(page: Page, inspector: SentenceInspector) -> None:
    page.get_by_label("Example").select_option(index=1)
    read = inspector.examples[1]
    page.get_by_label("to", exact=True).select_option(label="Oslo")
    number = next(i for i, pair in enumerate(read["pairs"]) if (pair["first"], pair["second"]) == (0, 2))
    assert_shown(page, read, inspector, number)
    page.get_by_label("Swap the two entities").press("Enter")
    back = next(i for i, pair in enumerate(read["pairs"]) if (pair["first"], pair["second"]) == (2, 0))
    assert_shown(page, read, inspector, back)
    page.get_by_label("Relation of", exact=True).select_option(label="Ada")  # now second too: the two change places
    assert_shown(page, read, inspector, number)


def test_a_typed_sentence_is_read_by_keyboard(answered: Page, inspector: SentenceInspector) -> None:
    box = answered.get_by_label("Sentence", exact=True)
    box.fill("Bo met Zorg in Oslo")
    box.press("Enter")
    expect(answered.locator(".mtl-tags thead th").nth(2)).to_contain_text("Zorg")
    assert_shown(answered, inspector.inspect("Bo met Zorg in Oslo"), inspector)
    expect(answered.locator(".mtl-unknown")).to_have_count(1)
    expect(box).to_be_focused()
    box.fill("Ada left")
    box.press("Tab")
    answered.keyboard.press("Space")
    expect(answered.locator(".mtl-tags thead th")).to_have_count(2)


def test_an_empty_sentence_gets_a_line_and_keeps_what_was_shown(answered: Page, inspector: SentenceInspector) -> None:
    answered.get_by_label("Sentence", exact=True).fill("  ")
    answered.get_by_role("button", name="Read").click()
    expect(answered.locator(".mtl-complaint")).to_contain_text("the sentence is empty; type at least one word")
    assert_shown(answered, inspector.examples[0], inspector)


def test_typed_markup_stays_text(answered: Page, inspector: SentenceInspector) -> None:
    answered.get_by_label("Sentence", exact=True).fill(HOSTILE)
    answered.get_by_role("button", name="Read").click()
    expect(answered.locator(".mtl-tags thead th").nth(0)).to_contain_text("<")
    assert answered.locator(".mtl-widget img, .mtl-widget b").count() == 0
    assert_shown(answered, inspector.inspect(HOSTILE), inspector)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(open_file: Callable[..., Page], saved: Path, scheme: str) -> None:
    page = open_file(saved, color_scheme=scheme)
    for example in range(len(EXAMPLES)):
        page.get_by_label("Example").select_option(index=example)
        assert accessibility_problems(page) == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 700)])
def test_it_looks_as_it_did(open_file: Callable[..., Page], saved: Path, scheme: str, width: int) -> None:
    page = open_file(saved, color_scheme=scheme, viewport={"width": width, "height": 720})
    page.get_by_label("Example").select_option(index=1)
    assert_looks_like(f"sentence_inspector_{scheme}", page.locator(".mtl-widget").screenshot())


def test_in_jupyterlab_a_kernel_answers(lab: Lab, new_page: Callable[..., Page], inspector: SentenceInspector) -> None:
    lab.add_notebook("inspector.ipynb", [CELL.format(root=str(Path(__file__).resolve().parents[2]))])
    page = new_page()
    lab.run_notebook(page, "inspector.ipynb")
    page.wait_for_selector(".mtl-inspector svg")
    cells = page.locator(".jp-CodeCell").count()
    box = page.get_by_label("Sentence", exact=True)
    box.fill("")
    box.press_sequentially("Bo added a desk in Oslo")  # a, d: JupyterLab's keys for its cells
    box.press("Enter")
    expect(page.locator(".mtl-tags thead th").nth(1)).to_contain_text("added")
    assert_shown(page, inspector.inspect("Bo added a desk in Oslo"), inspector)
    assert page.locator(".jp-CodeCell").count() == cells
    assert accessibility_problems(page, ".mtl-inspector") == []
