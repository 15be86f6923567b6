"""Turns the cells of a stored notebook into HTML: prose with formulas, code, outputs, and widgets that come alive."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from mtl_helpers.pages.mathml import to_mathml
from mtl_helpers.widgets.base import STATE, CourseWidget
from mtl_helpers.widgets.labels import CHINESE, chosen_words

FOLDER = Path(__file__).parent
ANSI = re.compile(r"\x1b\[[0-9;]*m")
PLAIN_SIGNS = {"✅": "✓", "❌": "✗", "✏️": "✎", "📝": "✎"}  # few computers lack the right-hand ones
Link = Callable[[str], str]


def formula(tex: str, display: bool, problems: list[str] | None = None) -> str:
    """Writes a formula as MathML, or as its TeX if it holds something unknown.

    Args:
        tex: The formula in TeX.
        display: Whether it stands on a line of its own.
        problems: Gets a line for a formula that could not be written.

    Returns:
        HTML.
    """
    try:
        return to_mathml(tex, display)
    except ValueError as error:
        if problems is not None:
            problems.append(str(error))
        return f"<code>{escape(tex)}</code>"


def anchor(heading: str) -> str:
    """Gives the name JupyterLab gives a heading: links to it work in both.

    Example:
        >>> anchor("By hand, once")
        'By-hand,-once'
    """
    return heading.strip().replace(" ", "-")


@lru_cache(maxsize=1)
def _reader() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    # "$5 to $10" is money: a formula neither starts nor ends with a space, nor is followed by a digit.
    reader.use(dollarmath_plugin, allow_space=False, allow_digits=False, double_inline=True)
    return reader


def markdown(text: str, link: Link = str, problems: list[str] | None = None) -> str:
    """Writes Markdown with formulas as HTML.

    Args:
        text: The Markdown.
        link: Gives the target a link leads to here, for the one that is written.
        problems: Gets a line for every formula that could not be written.

    Returns:
        HTML; headings have the anchors that JupyterLab gives them.

    Example:
        >>> markdown("so **well**").strip()
        '<p>so <strong>well</strong></p>'
    """
    reader = _reader()
    tokens = reader.parse(text)
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            words = "".join(child.content for child in tokens[i + 1].children or [])
            token.attrSet("id", anchor(words))
        if token.type.startswith("math_block"):
            token.type, token.content = "html_block", formula(token.content, True, problems)
        for child in token.children or []:
            if child.type == "link_open":
                child.attrSet("href", link(str(child.attrGet("href"))))
            elif child.type.startswith("math"):
                double = child.type != "math_inline"
                child.type, child.content = "html_inline", formula(child.content, double, problems)
    return str(reader.renderer.render(tokens, reader.options, {}))


def code(source: str) -> str:
    """Writes Python with its parts marked by Pygments' short class names."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    marked = highlight(source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True))
    return f'<pre class="code"><code>{marked.rstrip()}</code></pre>'


def output(found: Any, link: Link = str, problems: list[str] | None = None) -> str:
    """Writes one output of a cell, in the richest form that needs no kernel.

    Args:
        found: The output, as a notebook stores it.
        link: As in ``markdown``.
        problems: As in ``markdown``.

    Returns:
        HTML, nothing for an output that shows nothing.
    """
    html = _richest(found, link, problems)
    if 'class="widget"' in html or html.startswith("<figure"):
        return html
    for coloured, plain in PLAIN_SIGNS.items():
        html = html.replace(coloured, f'<span class="sign">{plain}</span>')
    return html


def _richest(found: Any, link: Link, problems: list[str] | None) -> str:
    data = found.get("data", {})
    if STATE in data and data[STATE]["widget"] in widget_classes():
        return widget(data[STATE], picture(found))
    if "text/html" in data:
        return f'<div class="html">{"".join(data["text/html"])}</div>'
    if "text/markdown" in data:
        return f'<div class="said">{markdown("".join(data["text/markdown"]), link, problems)}</div>'
    if "image/png" in data:
        return f"<figure>{picture(found)}</figure>"
    if "image/svg+xml" in data:
        return f"<figure>{''.join(data['image/svg+xml'])}</figure>"
    text = "".join(found.get("text", "") or data.get("text/plain", "") or found.get("traceback", ""))
    return f'<pre class="printed">{escape(ANSI.sub("", text).rstrip())}</pre>' if text.strip() else ""


def picture(found: Any) -> str:
    """Writes an output's picture, with what it says to those who cannot see it."""
    png = "".join(found.get("data", {}).get("image/png", "")).replace("\n", "")
    alt = found.get("metadata", {}).get("image/png", {}).get("alt", "")
    return f'<img src="data:image/png;base64,{png}" alt="{escape(alt)}">' if png else ""


def widget(state: dict[str, Any], still: str) -> str:
    """Writes the place of a widget, what it needs to come alive, and its picture for where no script runs."""
    kept = json.dumps(state["data"], separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<div class="widget" data-widget="{escape(state["widget"])}">'
        f'<script type="application/json">{kept}</script><noscript>{still}</noscript><div class="view"></div></div>'
    )


def widget_classes() -> dict[str, type[CourseWidget]]:
    """Gives name -> class of every widget of the course."""
    import mtl_helpers.widgets  # noqa: F401  (so that all of them are known)

    found: dict[str, type[CourseWidget]] = {}
    waiting = [CourseWidget]
    while waiting:
        for each in waiting.pop().__subclasses__():
            # A live widget has a class of its own, derived from the one meant and of the same name.
            if each.__module__.startswith("mtl_helpers.") and each.__name__ not in found:
                found[each.__name__] = each
                waiting.append(each)
    return found


def widget_parts(body: str) -> tuple[str, str]:
    """Gives styles and scripts of the widgets that a page holds.

    Args:
        body: The page's HTML.

    Returns:
        Style sheets, and the script elements that bring the widgets to life.
    """
    names = sorted(set(re.findall(r'data-widget="(\w+)"', body)))
    if not names:
        return "", ""
    classes = {name: widget_classes()[name] for name in names}
    words = json.dumps(CHINESE, ensure_ascii=False).replace("<", "\\u003c")
    start = (FOLDER / "widgets.js").read_text(encoding="utf-8").replace("%%WORDS%%", words)
    modules = [
        str(each._esm).replace("export default ", "const widget = ", 1) + f'\nstartWidgets("{name}", widget);'
        for name, each in classes.items()
    ]
    scripts = f"<script>{start}</script>" + "".join(f'<script type="module">{each}</script>' for each in modules)
    return "\n".join(dict.fromkeys(str(each._css) for each in classes.values())), scripts


def plain_script() -> str:
    """Gives the script of a page without widgets: what changes the language, and no more."""
    return f"<script>{(FOLDER / 'widgets.js').read_text(encoding='utf-8').replace('%%WORDS%%', '{}')}</script>"


def fill(template: str, **parts: str) -> str:
    """Fills a template of this folder: ``%%NAME%%`` becomes the part of that name.

    The head, with the style sheet and the language (``MTL_LANG``) that all pages share, comes before it.

    Args:
        template: File name.
        **parts: Name, in small letters -> text.

    Returns:
        The page.
    """
    head, style, body = ((FOLDER / name).read_text(encoding="utf-8") for name in ("head.html", "common.css", template))
    parts |= {"style": style, "language": "zh" if chosen_words() else "en"}
    return re.sub("%%([A-Z]+)%%", lambda found: parts[found[1].lower()], head + body)


def title_of(notebook: Any) -> str:
    """Gives a notebook's first heading."""
    for cell in notebook.cells:
        found = re.search(r"^# (.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if found:
            return found[1]
    return "Untitled"
