"""Fixtures of the browser tests. Without a browser they are skipped, visibly; where ``CI=true`` they fail.

Playwright ends with the last test of this folder: while it runs, no other test of the process could run an event loop.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.browser.harness import (
    BROWSER_OPTIONS,
    Lab,
    find_browser,
    important,
    listen,
    running_lab,
    system_browser,
)


def no_browser(reason: str) -> NoReturn:
    """Skips the tests for want of a browser, or fails them where one is a duty."""
    reason = f"{reason}: install Chromium or Chrome to test the widgets in it"
    pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    try:
        started = sync_playwright().start()
    except Exception as error:  # its driver needs libraries that come with a browser
        if system_browser():
            raise
        no_browser(f"no browser found, and Playwright cannot start ({error})")
    yield started
    started.stop()


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    path = find_browser(playwright)
    if path is None:
        no_browser("no browser found")
    started = playwright.chromium.launch(executable_path=path, args=BROWSER_OPTIONS)
    yield started
    started.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages; at the end of the test none of them may have reported an error."""
    opened, reported = [], []

    def make(**options: object) -> Page:
        options = {"viewport": {"width": 1100, "height": 760}, "reduced_motion": "reduce", **options}
        context = browser.new_context(**options)
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        reported.append(listen(page))
        return page

    yield make
    for context in opened:
        context.close()
    assert not important([error for errors in reported for error in errors])


@pytest.fixture
def open_file(new_page: Callable[..., Page]) -> Callable[..., Page]:
    """Opens a saved widget from the disk, with the network off."""

    def make(path: Path, **options: object) -> Page:
        page = new_page(offline=True, **options)
        page.goto(path.as_uri())
        page.wait_for_selector(".mtl-widget svg")
        return page

    return make


@pytest.fixture(scope="package")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab with copies of the course's notebooks; ``lab.run_notebook(page, name)`` runs one."""
    with running_lab(tmp_path_factory.mktemp("lab")) as started:
        yield started
