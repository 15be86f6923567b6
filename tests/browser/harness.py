"""What the browser tests stand on: a browser, a JupyterLab of their own, stored pictures, an accessibility check."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
from PIL import Image
from playwright.sync_api import Page, Playwright

HERE = Path(__file__).resolve().parent
SCREENSHOTS, FAILURES = HERE / "screenshots", HERE / "failures"
NOTEBOOKS = HERE.parent.parent / "notebooks"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MAC_CHROME = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
]
UNIMPORTANT = ("favicon", "Failed to load resource", "[Violation]", "service worker")


def system_browser() -> str | None:
    """Finds the Chromium or Chrome that is installed on this computer."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or (str(MAC_CHROME) if MAC_CHROME.exists() else None)


def find_browser(playwright: Playwright) -> str | None:
    """Finds a Chromium: the system's, or Playwright's own."""
    own = Path(playwright.chromium.executable_path)
    return system_browser() or (str(own) if own.exists() else None)


def listen(page: Page) -> list[str]:
    """Collects what a page reports as an error."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"uncaught: {error}"))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    return errors


def important(errors: list[str]) -> list[str]:
    """Leaves out what the host page itself complains of."""
    return [each for each in errors if not any(word in each for word in UNIMPORTANT)]


def assert_looks_like(name: str, png: bytes) -> None:
    """Compares a screenshot with the stored one; ``MTL_NEW_SCREENSHOTS=1`` stores it instead.

    Fonts and smoothing differ between computers, so both are made small first: what is compared is where ink is.
    """
    stored = SCREENSHOTS / f"{name}.png"
    if os.environ.get("MTL_NEW_SCREENSHOTS") == "1":
        stored.write_bytes(png)
        return
    FAILURES.mkdir(exist_ok=True)
    new = FAILURES / f"{name}.png"
    new.write_bytes(png)
    assert stored.exists(), f"no stored picture {stored.name}; look at {new} and store it with MTL_NEW_SCREENSHOTS=1"
    small = [np.asarray(Image.open(each).convert("RGB").resize((240, 180)), float) for each in (stored, new)]
    with Image.open(stored) as one, Image.open(new) as other:
        sizes = one.size, other.size
    assert np.allclose(*sizes, rtol=0.06), f"{name}: {sizes[1]} pixels, stored {sizes[0]}; look at {new}"
    difference = np.abs(small[0] - small[1]).mean()
    assert difference < 5, f"{name} differs by {difference:.1f} of 255 from the stored picture; look at {new}"
    new.unlink()


def accessibility_problems(page: Page, root: str = ".mtl-widget") -> list[str]:
    """Checks names, roles, references and contrast of every element of a widget; gives the problems in words."""
    return page.evaluate((HERE / "accessibility.js").read_text(encoding="utf-8"), root)


# Cells that failed leave those below them without a number, so a failure ends the waiting too.
RUN = """() => {
  const { content, sessionContext } = jupyterapp.shell.currentWidget;
  const cells = content.model.toJSON().cells.filter((cell) => cell.cell_type === 'code' && cell.source.length);
  const failed = cells.some((cell) => cell.outputs.some((output) => output.output_type === 'error'));
  return sessionContext.session.kernel.status === 'idle' && (failed || cells.every((cell) => cell.execution_count));
}"""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab.

    Attributes:
        url: Where it listens, on this computer only.
        token: What it asks for.
        folder: Its notebooks, which are copies.
    """

    url: str
    token: str
    folder: Path

    def open(self, page: Page, name: str) -> None:
        """Opens a notebook and waits until its kernel can work."""
        page.goto(f"{self.url}/lab/workspaces/{secrets.token_hex(4)}/tree/{name}?token={self.token}")
        page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )

    def run_notebook(self, page: Page, name: str, timeout: float = 240) -> None:
        """Opens a notebook, runs all its cells and waits until they are done.

        Args:
            page: A page of the browser.
            name: The notebook's name in ``folder``.
            timeout: Most seconds it may run.

        Raises:
            AssertionError: If a cell fails.
        """
        self.open(page, name)
        page.evaluate("() => void jupyterapp.commands.execute('notebook:run-all-cells')")
        self.wait_until_run(page, name, timeout)

    def wait_until_run(self, page: Page, name: str, timeout: float = 240) -> None:
        """Waits until every cell of the open notebook has run and the kernel is idle.

        Raises:
            AssertionError: If a cell fails.
        """
        # Asked at every frame, as Playwright would, the browser takes a tenth of the kernel's processor.
        page.wait_for_function(RUN, timeout=timeout * 1000, polling=500)
        failed = [output for cell in self.cells(page) for output in cell["outputs"] if output["output_type"] == "error"]
        assert not failed, f"{name}: {failed[0]['ename']}: {failed[0]['evalue']}"

    def cells(self, page: Page) -> list[dict]:
        """Gives the open notebook's code cells with their outputs, as a saved file would hold them."""
        found = page.evaluate("() => jupyterapp.shell.currentWidget.content.model.toJSON().cells")
        return [cell for cell in found if cell["cell_type"] == "code"]

    def add_notebook(self, name: str, cells: list[str]) -> None:
        """Writes a notebook of code cells."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(text, id=f"c{i}") for i, text in enumerate(cells)]
        )
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)


def copy_notebooks(folder: Path) -> None:
    """Copies the course's notebooks without their outputs, and without the text files they are paired with."""
    folder.mkdir(parents=True)
    for path in NOTEBOOKS.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata.pop("jupytext", None)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, folder / path.name)


SETTINGS = {
    "apputils-extension/themes": {"theme": "JupyterLab Light"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    "notebook-extension/tracker": {"windowingMode": "none"},
    "docmanager-extension/plugin": {"autosave": False},
}


@contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """Starts a JupyterLab on loopback, with a token and settings of its own, and ends it.

    Args:
        folder: An empty folder for its notebooks and settings.
    """
    notebooks, settings = folder / "notebooks", folder / "settings"
    copy_notebooks(notebooks)
    for name, content in SETTINGS.items():
        path = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    own = {f"JUPYTER_{each}_DIR": str(folder / each.lower()) for each in ("CONFIG", "DATA", "RUNTIME")}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(settings), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={notebooks}"]
    command += [f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True"]
    command += ["--LabApp.extension_manager=readonly"]
    with (folder / "lab.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **own}, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/api?token={token}", process, folder / "lab.log")
            yield Lab(f"http://127.0.0.1:{port}", token, notebooks)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Waits until a server answers.

    Raises:
        RuntimeError: If it ends or is silent, with the end of its log.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text(encoding='utf-8')[-2000:]}")
