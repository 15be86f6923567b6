"""Slides from the chapters: ``python -m mtl_helpers.lecture [NUMBER ...]`` writes a file each into ``build/lecture``.

A cell marked as a slide begins one. Its text is the first page of the slide; what the cells after it stored, figures,
tables, widgets and claims, follow page by page, until the next slide or a section without a mark. A short text stands
above the figure it announces, unless it asks the room something. Widgets are alive without a kernel. A ``subslide``
goes on under a heading of its own. Cells marked ``fragment`` are shown too, ``skip`` leaves one out, and ``notes`` are
for the lecturer (key N).
"""

from __future__ import annotations

import json
import os
import re
import sys
import webbrowser
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import Any

from mtl_helpers.exercises import Prediction, find
from mtl_helpers.notebooks import ROOT, pairs
from mtl_helpers.pages import render
from mtl_helpers.pages.slides import Page, Slide
from mtl_helpers.recording import write_text

TARGET = ROOT / "build" / "lecture"
HEADING = re.compile(r"\A#{1,4} (.+)\n*")
CHINESE = re.compile(r"<details lang=.?zh.?>\s*<summary>.*?</summary>(.*?)</details>", re.DOTALL)
EXERCISE = re.compile(r'\b(?:check|summary)\("([\d.]+)"')


def link(target: str) -> str:
    """Leads from slides to slides where the notebook leads to a notebook."""
    return re.sub(r"^(\d\d_\w+)\.ipynb", r"\1.html", target)


def slides_of(notebook: Any) -> list[Slide]:
    """Reads the slides of a stored notebook.

    Args:
        notebook: The notebook, run.

    Returns:
        Its slides, in order; none if no cell is marked.
    """
    slides: list[Slide] = []
    ended = False
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "")
        if kind in ("slide", "subslide"):
            heading = HEADING.match(cell.source) if cell.cell_type == "markdown" else None
            words = render.markdown(heading[1])[3:-5] if heading else slides[-1].heading if slides else ""
            slides.append(Slide(words, below=bool(slides) and (kind == "subslide" or not heading)))
        # A section that is not marked is not shown, and neither is what it holds.
        ended = not kind and (ended or (cell.cell_type == "markdown" and cell.source.startswith("## ")))
        if not slides or ended or kind == "skip":
            continue
        if kind == "notes":
            opened = cell.source.replace("<details>", "<details open>")  # folded for learners only
            slides[-1].notes.append(render.markdown(opened, link))
        elif cell.cell_type == "markdown":
            text = HEADING.sub("", cell.source) if kind in ("slide", "subslide") else cell.source
            if kind and text.strip():
                slides[-1].add("text", render.markdown(text, link))
        else:
            add_code(slides[-1], cell, shown=bool(kind))
    return [each for each in slides if each.pages]


def add_code(slide: Slide, cell: Any, shown: bool) -> None:
    """Adds what a code cell gives to a slide: its code if wanted or if it writes out a model, and its outputs."""
    exercise = EXERCISE.search(cell.source)
    if exercise and not shown:
        add_question(slide, exercise[1])
        return
    if shown or re.search(r"^class \w+", cell.source, re.MULTILINE):
        slide.add("code", render.code(cell.source))
    for output in cell.get("outputs", []):
        html = render.output(output, link)
        kind = kind_of(output, html)
        if kind == "printed" and not shown:
            continue
        if html:
            slide.add("text" if kind == "printed" else kind, html)


def add_question(slide: Slide, name: str) -> None:
    """Adds an exercise that asks for a guess, as a question to the room; its answer goes to the notes."""
    if "." not in name or not isinstance(exercise := find(name), Prediction):
        return
    choices = "".join(f"<li>{escape(each)}</li>" for each in exercise.choices.values())
    slide.add("ask", f'<p class="lead">Before we look: {escape(exercise.title)}</p><ol>{choices}</ol>')
    slide.notes.append(f"<p><b>{escape(name)}: {exercise.right}.</b> {escape(exercise.reason)}</p>")


def kind_of(output: Any, html: str) -> str:
    """Says how an output is laid out."""
    if 'class="widget"' in html:
        return "widget"
    if html.startswith("<figure"):
        return "figure"
    if "<table" in html:
        return "table"
    return "said" if 'class="said"' in html else "printed"


def deck(notebook: Any, back: str = "") -> str:
    """Writes the slides of a notebook as one page that needs nothing else.

    Args:
        notebook: The notebook, run.
        back: Address of the chapter's page, if there is one.

    Returns:
        HTML.

    Raises:
        ValueError: If the notebook has no slides.
    """
    slides = slides_of(notebook)
    title = render.title_of(notebook)
    if not slides:
        raise ValueError(f"{title!r} has no slides; mark cells with slide_type 'slide'.")
    numbers = list(accumulate(int(not slide.below) for slide in slides))
    body = "\n".join(
        page_of(slide, page, number, first=page is slides[0].pages[0])
        for number, slide in zip(numbers, slides, strict=True)
        for page in slide.pages
    )
    for number in sorted(set(numbers)):
        notes = "".join(note for at, slide in zip(numbers, slides, strict=True) if at == number for note in slide.notes)
        body += f'<template data-slide="{number}">{notes or "No notes for this slide."}</template>'
    styles, scripts = render.widget_parts(body)
    read = {name: (render.FOLDER / f"lecture.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
    return render.fill(
        "lecture.html",
        title=escape(title),
        slidestyle=read["css"],
        widgetstyle=styles,
        back=f' · <a href="{back}">the chapter</a>' if back else "",
        body=body,
        scripts=scripts or render.plain_script(),
        deck=read["js"],
    )


def page_of(slide: Slide, page: Page, number: int, first: bool) -> str:
    """Writes one page of a slide."""
    chinese = CHINESE.search(page.content)
    content = page.content
    if chinese:
        content = f'<div class="en">{CHINESE.sub("", content)}</div><div class="zh" lang="zh">{chinese[1]}</div>'
    said = f'<div class="below">{"".join(page.said)}</div>' if page.said else ""
    lead = f'<div class="lead">{page.lead}</div>' if page.lead else ""
    names = f"slide is-{page.kind}{' is-title' if first else ''}"
    inner = f'<div class="content{" has-zh" if chinese else ""}">{lead}{content}{said}</div>'
    return f'<section class="{names}" data-slide="{number}"><h2>{slide.heading}</h2>{inner}</section>'


def chosen(numbers: list[str]) -> dict[str, Path]:
    """Gives name -> stored notebook of the chapters whose name begins with one of the numbers, or of all."""
    stored = [path for path in pairs().values() if path.exists() and path.parent.name == "notebooks"]
    return {path.stem: path for path in stored if not numbers or path.stem.startswith(tuple(numbers))}


def write(numbers: list[str], target: Path = TARGET) -> list[Path]:
    """Writes the decks of chapters.

    Args:
        numbers: Their numbers, such as ``["06"]``; all if there are none.
        target: The folder to write into.

    Returns:
        The files.

    Raises:
        ValueError: If there is no such chapter.
    """
    import nbformat

    found = chosen(numbers)
    if not found:
        raise ValueError(f"numbers={numbers}: no such chapter; choose from {list(chosen([]))}.")
    return [
        write_text(target / f"{name}.html", deck(nbformat.read(path, as_version=4))) for name, path in found.items()
    ]


def lab_settings(folder: Path) -> dict[str, str]:
    """Prepares JupyterLab for a room: larger letters, no news, in settings of its own.

    Args:
        folder: Where the settings are kept; those of the user's own JupyterLab stay as they are.

    Returns:
        Environment variables to start JupyterLab with.
    """
    letters = {"code-font-size": "18px", "content-font-size1": "18px", "ui-font-size1": "15px"}
    wanted = {"themes": {"overrides": letters}, "notification": {"fetchNews": "false", "doNotDisturbMode": True}}
    for name, content in wanted.items():
        path = folder / "@jupyterlab" / "apputils-extension" / f"{name}.jupyterlab-settings"
        if not path.exists():  # or it was changed by hand since
            write_text(path, json.dumps(content))
    return {"JUPYTERLAB_SETTINGS_DIR": str(folder)}


def main(arguments: list[str]) -> None:
    """Writes the decks, opens the first one asked for, and JupyterLab on its chapter."""
    numbers = [each for each in arguments if re.fullmatch(r"\d\d", each)]
    rest = [each for each in arguments if each not in numbers]
    files = write(numbers)
    print("\n".join(f"{path.relative_to(ROOT)}" for path in files))
    if "--slides-only" in rest:
        return
    if "--no-browser" not in rest:
        webbrowser.open(files[0].as_uri())
    os.environ.update(lab_settings(TARGET / "settings"))
    chapter = chosen(numbers)[files[0].stem]
    where = [f"--ServerApp.root_dir={chapter.parent}", f"--LabApp.default_url=/lab/tree/{chapter.name}"]
    command = [sys.executable, "-m", "jupyterlab", *where, *rest]
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
