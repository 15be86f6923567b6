"""A real JupyterLab on loopback, with its token, and a browser to read notebooks in it."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MAC_CHROME = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


def find_browser() -> str:
    """Gives the browser's path; without one, skips the test, or fails it where ``CI=true`` promises one."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None and MAC_CHROME.exists():
        found = str(MAC_CHROME)
    if found is None:
        reason = f"no browser found (looked for {', '.join(BROWSERS)}); install Chromium to run the browser tests"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def free_port() -> int:
    """Gives a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_lab(folder: Path) -> Iterator[str]:
    """Starts JupyterLab over a folder for the duration of a ``with`` block.

    Args:
        folder: Its root; a copy, for JupyterLab saves into it.

    Yields:
        Its address up to ``/lab``, with ``{path}`` where a notebook's path goes.
    """
    port, token = free_port(), secrets.token_hex(16)
    environment = {**os.environ, "JUPYTER_TOKEN": token, "JUPYTER_CONFIG_DIR": str(folder / ".jupyter")}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--port={port}", "--ServerApp.ip=127.0.0.1"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    command += ["--ServerApp.port_retries=0", "--LabApp.news_url=", "--LabApp.check_for_updates_class="]
    command = [part for part in command if not part.startswith("--LabApp")]
    log = (folder / ".lab.log").open("w")
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token={token}", timeout=2)
                break
            except OSError:
                assert server.poll() is None, (folder / ".lab.log").read_text()
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}/lab/tree/{{path}}?token={token}"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
        log.close()
