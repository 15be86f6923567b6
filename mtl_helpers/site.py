"""The course as a web site that needs neither network nor kernel: ``python -m mtl_helpers.site [FOLDER]``.

Every chapter and solution with the outputs its notebook stores, formulas as MathML, the gate explorer and its like
alive from what the notebook keeps of them, and the slides. Links inside the site are checked.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any
from urllib.parse import unquote

from mtl_helpers.notebooks import ROOT, pairs
from mtl_helpers.pages import render
from mtl_helpers.recording import write_text

TARGET = ROOT / "build" / "site"
MARK = ".mtl_site"  # in a folder that a build may replace
HEADING = re.compile(r'<h([23]) id="([^"]*)">(.*?)</h\1>', re.DOTALL)
QUESTION = re.compile(r"^\*\*(.+?)\*\*", re.MULTILINE | re.DOTALL)
MINUTES = re.compile(r"^## Minutes\n+(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Chapter:
    """A stored notebook and where it stands in the site.

    Attributes:
        notebook: Its content.
        source: Its file.
        page: Its page's path in the site.
    """

    notebook: Any
    source: Path
    page: str

    @property
    def title(self) -> str:
        """Its first heading."""
        return render.title_of(self.notebook)

    @property
    def prose(self) -> str:
        """All its Markdown."""
        return "\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")


def read_chapters(root: Path = ROOT) -> list[Chapter]:
    """Reads every notebook of the course that is there, chapters first.

    Args:
        root: The project's folder.

    Returns:
        The chapters in order, then the solutions.
    """
    import nbformat

    folder = root / "notebooks"
    stored = [path for path in pairs(root).values() if path.exists()]
    return [
        Chapter(nbformat.read(path, as_version=4), path, path.relative_to(folder).with_suffix(".html").as_posix())
        for path in stored
    ]


def build(target: Path = TARGET, root: Path = ROOT) -> list[str]:
    """Writes the site.

    Args:
        target: Its folder: a new or empty one, or that of an earlier build, which is replaced.
        root: The project's folder.

    Returns:
        What is wrong: links that lead nowhere, formulas that could not be written.

    Raises:
        ValueError: If the folder holds anything else; nothing of yours is deleted.
    """
    from mtl_helpers.lecture import deck

    if target.resolve() != TARGET and target.exists() and not (target / MARK).exists() and any(target.iterdir()):
        raise ValueError(f"target={str(target)!r} holds files that are no site of this course; give an empty folder.")
    chapters = read_chapters(root)
    problems: list[str] = []
    files: dict[str, Path] = {}
    pages: dict[str, str] = {}
    decks = {each.page: f"slides/{each.page}" for each in chapters if "/" not in each.page and is_lecture(each)}
    for each in chapters:
        pages[each.page] = page_of(each, chapters, decks, files, problems)
        if each.page in decks:
            pages[decks[each.page]] = deck(each.notebook, back=f"../{each.page}")
    pages["index.html"] = index_of(chapters, decks)
    problems += broken_links(pages, set(files))
    if target.exists():
        shutil.rmtree(target)
    write_text(target / MARK, "Written by mtl_helpers.site, which replaces this folder.\n")
    for name, text in pages.items():
        write_text(target / name, text)
    for name, path in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target / name)
    return problems


def is_lecture(chapter: Chapter) -> bool:
    """Says whether a notebook has slides."""
    return any(cell.metadata.get("slideshow", {}).get("slide_type") == "slide" for cell in chapter.notebook.cells)


def page_of(
    chapter: Chapter, chapters: list[Chapter], decks: dict[str, str], files: dict[str, Path], problems: list[str]
) -> str:
    """Writes the page of a notebook; adds to ``files`` what it links to and to ``problems`` what is wrong."""
    known = {each.source.resolve(): each.page for each in chapters}
    here = PurePosixPath(chapter.page).parent.as_posix()

    def link(target: str) -> str:
        if re.match(r"[a-z]+:|#", target):
            return target
        path, sharp, place = target.partition("#")
        meant = (chapter.source.parent / unquote(path)).resolve()
        page = known.get(meant)
        if page is None and meant.is_file():
            page = f"files/{meant.name}"
            files[page] = meant
        return relpath(page, here) + sharp + place if page else target

    found: list[str] = []
    body = "\n".join(cells_of(chapter.notebook, link, found))
    problems += [f"{chapter.page}: {each}" for each in found]
    style, scripts = render.widget_parts(body)
    return render.fill(
        "site.html",
        title=escape(chapter.title),
        widgetstyle=style,
        home=relpath("index.html", here),
        links=links_of(chapter, chapters, decks),
        inside=contents_of(body),
        body=body + footer_of(chapter, chapters),
        scripts=scripts or render.plain_script(),
    )


def cells_of(notebook: Any, link: render.Link, problems: list[str]) -> Iterator[str]:
    """Writes the cells of a notebook, one after the other."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = render.markdown(cell.source, link, problems)
            yield f'<section class="cell">{text}</section>'
            continue
        outputs = "".join(render.output(each, link, problems) for each in cell.get("outputs", []))
        wide = " wide" if 'class="widget"' in outputs else ""
        shown = f'<div class="outputs">{outputs}</div>' if outputs else ""
        yield f'<section class="cell{wide}">{render.code(cell.source)}{shown}</section>'


def contents_of(body: str) -> str:
    """Lists a page's headings."""
    lines = [
        f'<li{" class=deep" if level == "3" else ""}><a href="#{name}">{re.sub("<[^>]+>", "", words)}</a></li>'
        for level, name, words in HEADING.findall(body)
    ]
    return f"<ul>{''.join(lines)}</ul>"


def links_of(chapter: Chapter, chapters: list[Chapter], decks: dict[str, str]) -> str:
    """Links a chapter to its slides and solutions, and solutions to their chapter."""
    here = PurePosixPath(chapter.page)
    others = {each.page for each in chapters} | set(decks.values())
    wanted = {f"solutions/{here.name}": "solutions", decks.get(chapter.page, ""): "slides"}
    if here.parent.name:
        wanted = {here.name: "the chapter"}
    folder = here.parent.as_posix()
    return "".join(f'<a href="{relpath(page, folder)}">{word}</a>' for page, word in wanted.items() if page in others)


def footer_of(chapter: Chapter, chapters: list[Chapter]) -> str:
    """Links to the chapters before and after."""
    order = [each for each in chapters if "/" not in each.page]
    if chapter not in order:
        return ""
    at = order.index(chapter)
    before = f'<a href="{order[at - 1].page}">← {escape(order[at - 1].title)}</a>' if at else ""
    after = f'<a href="{order[at + 1].page}">{escape(order[at + 1].title)} →</a>' if at + 1 < len(order) else ""
    return f"<footer><span>{before}</span><span>{after}</span></footer>"


def index_of(chapters: list[Chapter], decks: dict[str, str]) -> str:
    """Writes the first page: a card a chapter, with its question."""
    cards = []
    for each in chapters:
        if "/" in each.page:
            continue
        question, minutes = QUESTION.search(each.prose), MINUTES.search(each.prose)
        asked = render.markdown(question[1]) if question else ""
        links = links_of(each, chapters, decks)
        time = f"{escape(minutes[1])} " if minutes else ""
        cards.append(
            f'<li><h2><a href="{each.page}">{escape(each.title)}</a></h2>{asked}<p class="small">{time}{links}</p></li>'
        )
    body = (
        "<h1>Multi-task learning, by experiment</h1><p>One model, several goals: when sharing helps, when it hurts, "
        "and how one can tell. The pages show what the notebooks computed; the drawings with sliders can be moved here "
        "too. To change the code and to answer the exercises, open the notebooks.</p>"
        f'<ul class="cards">{"".join(cards)}</ul>'
    )
    return render.fill(
        "site.html",
        title="Multi-task learning, by experiment",
        widgetstyle=".frame { display: block; max-width: 60rem; } .small a { margin-right: .8em; }",
        home="index.html",
        links="",
        inside="",
        body=body,
        scripts=render.plain_script(),
    )


def broken_links(pages: dict[str, str], files: set[str]) -> list[str]:
    """Finds links inside the site that lead nowhere.

    Args:
        pages: Path in the site -> HTML.
        files: Paths of the other files.

    Returns:
        A line for each.

    Example:
        >>> broken_links({"a.html": '<a href="b.html">b</a>'}, set())
        ['a.html: a link leads to b.html, which is not there']
    """
    names = {page: set(re.findall(r'\bid="([^"]*)"', text)) for page, text in pages.items()}
    wrong = []
    for page, text in pages.items():
        shown = re.sub(r"<script.*?</script>|<style.*?</style>", "", text, flags=re.DOTALL)
        for target in map(unescape, re.findall(r'<a [^>]*?href="([^"]*)"', shown)):
            if re.match(r"https?:|mailto:", target):
                continue
            path, _, place = unquote(target).partition("#")
            meant = normpath((PurePosixPath(page).parent / path).as_posix()) if path else page
            if meant not in pages and meant not in files:
                wrong.append(f"{page}: a link leads to {target}, which is not there")
            elif place and meant in pages and place not in {unescape(name) for name in names[meant]}:
                wrong.append(f"{page}: a link leads to {target}, but {meant} has no such place")
        for source in re.findall(r'<(?:img|script|link|iframe)[^>]*?(?:src|href)="(?!data:)([^"]*)"', shown):
            wrong.append(f"{page}: shows {source}, which is not part of the page")
    return wrong


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    wrong_ones = build(folder)
    print("\n".join(wrong_ones) or f"open {folder / 'index.html'}")
    sys.exit(bool(wrong_ones))
