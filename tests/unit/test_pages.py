from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_helpers.lecture import deck, slides_of
from mtl_helpers.pages import render
from mtl_helpers.pages.mathml import to_mathml
from mtl_helpers.pages.tex_names import GREEK, OPERATORS
from mtl_helpers.site import MARK, broken_links, build
from mtl_helpers.widgets import FusionDesk
from mtl_helpers.widgets.base import STATE

ENTITY = re.compile(r"<annotation.*?</annotation>")


def shape(tex: str) -> str:
    """A formula's elements without the TeX they carry."""
    return ENTITY.sub("", to_mathml(tex))[len("<math><semantics>") : -len("</semantics></math>")]


@pytest.mark.parametrize(
    ("tex", "wanted"),
    [
        (r"\tfrac14", "<mfrac><mn>1</mn><mn>4</mn></mfrac>"),
        ("x^12", "<msup><mi>x</mi><mn>1</mn></msup><mn>2</mn>"),
        ("0.25", "<mn>0.25</mn>"),
        ("f'_i", "<msubsup><mi>f</mi><mi>i</mi><mo>′</mo></msubsup>"),
        (r"\mathbb{R}^d", "<msup><mi>ℝ</mi><mi>d</mi></msup>"),
        (r"\left( x \right)", '<mo stretchy="true">(</mo><mi>x</mi><mo stretchy="true">)</mo>'),
        (r"\text{two words}", "<mtext>two&#160;words</mtext>"),
        (r"\begin{cases} a & b \\ c & d \end{cases}", "<mtr>"),
        (r"\sqrt[3]{x}", "<mroot><mi>x</mi><mn>3</mn></mroot>"),
        (r"a - b", "<mo>−</mo>"),
        (r"50\,\%", "<mo>%</mo>"),
    ],
)
def test_a_formula_is_written_as_mathml(tex: str, wanted: str) -> None:
    assert wanted in shape(tex)
    ElementTree.fromstring(to_mathml(tex))


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.sampled_from([*(f"\\{name} " for name in [*GREEK, *OPERATORS]), "x", "12", "(", "|", "<", "y"]),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda two: rf"\frac{{{two[0]}}}{{{two[1]}}}"),
            st.tuples(inner, inner).map(lambda two: rf"{{{two[0]}}}_{{{two[1]}}}"),
            inner.map(lambda one: rf"\sqrt{{{one}}}"),
        ),
    )
)
def test_whatever_is_nested_comes_out_well_formed(tex: str) -> None:
    root = ElementTree.fromstring(to_mathml(tex))
    for each in root.iter():
        if each.tag in ("mfrac", "msub", "msup", "munder"):
            assert len(each) == 2


@pytest.mark.parametrize("tex", [r"\unheardof", r"\frac{1}", "{x", r"\left( x", r"\begin{tabular}x\end{tabular}", "x^"])
def test_what_is_unknown_or_unfinished_is_refused_in_one_line(tex: str) -> None:
    with pytest.raises(ValueError, match="formula") as caught:
        to_mathml(tex)
    assert "\n" not in str(caught.value)


def test_prose_with_formulas_links_tables_and_money() -> None:
    problems: list[str] = []
    text = "## A *b*\n\nIt costs 5$ or 6$. Here $x_1$ and\n$$y = \\nope$$\n\n| a |\n|---|\n| $z$ |\n\n"
    text += "[next](07_x.ipynb#A-b)"
    html = render.markdown(text, lambda target: target.replace(".ipynb", ".html"), problems)
    assert '<h2 id="A-b">' in html.replace("A-*b*", "A-b")
    assert "5$ or 6$" in html
    assert html.count("<math>") == 2
    assert "<code>y = \\nope</code>" in html
    assert len(problems) == 1
    assert '<a href="07_x.html#A-b">' in html


def notebook(*cells: object) -> object:
    return nbformat.v4.new_notebook(cells=list(cells))


def prose(text: str, kind: str = "") -> object:
    return nbformat.v4.new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}} if kind else {})


def code(source: str, *outputs: dict, kind: str = "") -> object:
    made = [nbformat.v4.new_output("display_data", data) for data in outputs]
    return nbformat.v4.new_code_cell(source, outputs=made, metadata={"slideshow": {"slide_type": kind}} if kind else {})


CLAIM = {"text/markdown": "✅ **Claim holds:** it does."}
FIGURE = {"image/png": "AAAA"}
TABLE = {"text/html": "<table><tr><td>1</td></tr></table>"}


def kinds(*cells: object) -> list[list[str]]:
    return [[page.kind for page in slide.pages] for slide in slides_of(notebook(*cells))]


def test_a_slide_is_its_text_and_what_follows_it() -> None:
    cells = [
        prose("before, shown nowhere"),
        prose("# Title\n\nwords", "slide"),
        code("plot()", FIGURE),
        prose("an explanation that stays in the notebook"),
        code("claim()", CLAIM),
        code("class Layer:\n    pass"),
        prose("## Next", "slide"),
        code("frame", TABLE, kind=""),
        code("hidden()", FIGURE, kind="skip"),
        prose("ask the room\n\n<details>\n\nthe answer\n\n</details>", "notes"),
        prose("## Not a slide"),
        code("plot()", FIGURE),
    ]
    assert kinds(*cells) == [["figure", "code"], ["table"]]
    first, second = slides_of(notebook(*cells))
    assert "words" in first.pages[0].lead
    assert "Claim holds" in first.pages[0].said[0]
    assert "✓" in first.pages[0].said[0]  # a sign that every computer has
    assert "ask the room" in second.notes[0]
    assert "<details open>" in second.notes[0]
    assert second.heading == "Next"


def test_what_belongs_together_shares_a_page_but_never_a_question_and_its_answer() -> None:
    claims = [code("claim()", CLAIM) for _ in range(4)]
    assert kinds(prose("# T\n\nwhich one?", "slide"), code("plot()", FIGURE, *[CLAIM] * 4)) == [
        ["text", "figure", "said"]
    ]
    assert kinds(prose("# T\n\n" + 50 * "long ", "slide"), code("plot()", FIGURE)) == [["text", "figure"]]
    assert kinds(prose("# T\n\nwhat follows:", "slide"), *claims) == [["text", "said"]]
    assert kinds(prose("# T\n\nwhat follows:", "slide"), code("frames", TABLE, TABLE, CLAIM, TABLE)) == [
        ["table", "table"]
    ]


def test_a_subslide_goes_on_under_its_own_heading() -> None:
    marked = {"# T\n\nx": "slide", "## More\n\ny": "subslide", "why": "notes", "## Z\n\nz": "slide"}
    cells = [prose(text, kind) for text, kind in marked.items()]
    assert [slide.below for slide in slides_of(notebook(*cells))] == [False, True, False]
    text = deck(notebook(*cells))
    found = re.findall(r'<section class="[^"]*" data-slide="(\d)"><h2>(\w+)', text)
    assert found == [("1", "T"), ("1", "More"), ("2", "Z")]
    assert '<template data-slide="1"><p>why' in text


def test_a_prediction_is_asked_and_its_answer_is_for_the_lecturer() -> None:
    slides = slides_of(
        notebook(prose("## S\n\nx", "slide"), code('check("06.2", ...)', TABLE), code('check("06.1", f)', TABLE))
    )
    assert [page.kind for page in slides[0].pages] == ["text", "ask"]
    assert "One gate equals MMoE everywhere" in slides[0].pages[1].content
    assert "06.2: b." in slides[0].notes[0]
    assert "06.2: b." not in slides[0].pages[1].content


def test_a_deck_needs_nothing_from_elsewhere_and_keeps_labels_as_text() -> None:
    hostile = "</script><img src=x onerror=alert(1)>"
    desk = FusionDesk({hostile: [0.5, 0.2], "b": [0.1, 0.6]}, {"b": [1, 0]})
    state = {STATE: {"widget": "FusionDesk", "data": desk.data}, "image/png": "AAAA"}
    text = deck(notebook(prose("# T\n\nx", "slide"), code("desk", state)))
    assert "<img src=x" not in text
    assert 'data-widget="FusionDesk"' in text
    assert text.count('startWidgets("') == 1
    assert not re.search(r'(?:src|href)="(?!data:|#)|@import|url\(', text.replace(json.dumps(desk.data), ""))
    with pytest.raises(ValueError, match="has no slides"):
        deck(notebook(prose("# T")))


def test_the_opening_in_chinese_stands_beside_the_english_one() -> None:
    text = deck(
        notebook(prose('# T\n\nenglish\n\n<details lang="zh">\n<summary>中文</summary>\n\n你好\n\n</details>', "slide"))
    )
    assert re.search(r'<div class="en"><p>english</p>\s*</div><div class="zh" lang="zh">\s*<p>你好</p>', text)


def test_links_that_lead_nowhere_are_found() -> None:
    pages = {
        "a.html": '<h2 id="here">x</h2><a href="#here">1</a><a href="s/b.html#there">2</a><a href="https://x.org">3</a>',
        "s/b.html": '<a href="../a.html#nowhere">1</a><a href="c.html">2</a><a href="../files/x.csv">3</a>'
        '<img src="https://x.org/y.png"><script>const a = \'<a href="no.html">\';</script>',
    }
    assert broken_links(pages, {"files/x.csv"}) == [
        "a.html: a link leads to s/b.html#there, but s/b.html has no such place",
        "s/b.html: a link leads to ../a.html#nowhere, but a.html has no such place",
        "s/b.html: a link leads to c.html, which is not there",
        "s/b.html: shows https://x.org/y.png, which is not part of the page",
    ]


def test_the_site_of_the_course_is_whole(tmp_path: Path) -> None:
    (tmp_path / "left.txt").write_text("from an earlier build")
    with pytest.raises(ValueError, match="holds files that are no site of this course"):
        build(tmp_path)
    (tmp_path / MARK).write_text("as every build leaves it")
    assert build(tmp_path) == []
    assert (tmp_path / MARK).exists()
    assert not (tmp_path / "left.txt").exists()
    index = (tmp_path / "index.html").read_text("utf8")
    assert 'href="00_start_here.html"' in index
    start = (tmp_path / "00_start_here.html").read_text("utf8")
    assert 'data-widget="GateExplorer"' in start
    for page in tmp_path.rglob("*.html"):
        text = page.read_text("utf8")
        assert not re.search(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!data:)', text), page.name
        assert "default-src 'none'" in text
