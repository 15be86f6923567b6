"""Says whether this computer can run the course: ``python -m mtl_helpers.check``."""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path

NEEDED_MEMORY = 1.2e9  # bytes; the most a chapter's kernel may take


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        name: What was looked at.
        ok: Whether it is as the course needs it.
        detail: What was found.
        remedy: What to do if it is not.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def check_python() -> Finding:
    """Looks at Python's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", ok, version, "Install Python 3.11, 3.12 or 3.13; some packages have no build for others.")


def pins() -> dict[str, str]:
    """Gives the pinned version of every package the course uses directly, from this package's own metadata."""
    lines = importlib.metadata.requires("mtl-helpers") or []
    found = (re.match(r"([\w.-]+)==([\w.]+)$", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def check_package(name: str, wanted: str) -> Finding:
    """Looks at one package's version."""
    remedy = f'Run: python -m pip install "{name}=={wanted}"'
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", remedy)
    return Finding(name, version == wanted, version, f"{remedy} (the course was tested with {wanted}).")


def check_widget_extension(name: str, folder: str) -> Finding:
    """Looks for a front-end extension among those JupyterLab loads."""
    from jupyter_core.paths import jupyter_path

    remedy = f"Run: python -m pip install --force-reinstall {name}; then restart JupyterLab and reload the page."
    for path in jupyter_path("labextensions"):
        package = Path(path, folder, "package.json")
        if package.is_file():
            version = json.loads(package.read_text(encoding="utf-8"))["version"]
            return Finding(f"JupyterLab extension {folder}", True, version, remedy)
    return Finding(f"JupyterLab extension {folder}", False, "not found: widgets will not be displayed", remedy)


def check_memory() -> Finding:
    """Looks at the memory that is free."""
    import psutil

    free = psutil.virtual_memory().available + psutil.Process().memory_info().rss
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and limit.read_text().strip().isdigit():
        free = min(free, int(limit.read_text()))
    remedy = "Close other notebooks (Kernel > Shut Down All Kernels) or ask for a larger server."
    return Finding("memory", free >= NEEDED_MEMORY, f"{free / 1e9:.1f} GB free", remedy)


def check_tensorflow() -> Finding:
    """Lets TensorFlow compile and compute a product."""
    import mtl_helpers.quiet  # noqa: F401

    import numpy as np
    import tensorflow as tf

    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    product = tf.function(tf.matmul, jit_compile=True)(a, b).numpy()
    ok = np.allclose(product, a @ b)
    detail = "compiles and computes" if ok else f"computed {product.tolist()}"
    return Finding("TensorFlow", ok, detail, "Reinstall TensorFlow; on Macs use the CPU build, not the Metal plug-in.")


def check_heads() -> Finding:
    """Checks that Keras gives each of two outputs its own loss, weight and metric.

    Nothing is trained: the outputs are the constants 1 and 3 and all labels are 0, so the squared errors are 1
    and 9, the absolute ones 1 and 3. Keras 3.5.0 and 3.14.0 mixed outputs up silently (keras issues 20346, 22625).
    """
    import keras
    import numpy as np

    x = keras.Input((1,))
    # Names in reverse alphabetical order: sorting them was how they got mixed up.
    model = keras.Model(x, {"second": keras.layers.Identity()(x) * 0 + 1, "first": keras.layers.Identity()(x) * 0 + 3})
    tasks = ("second", "first")
    model.compile(
        loss=dict.fromkeys(tasks, "mean_squared_error"),
        loss_weights={"second": 1.0, "first": 10.0},
        metrics={task: ["mean_absolute_error"] for task in tasks},
    )
    found = model.evaluate(np.ones((4, 1)), dict.fromkeys(tasks, np.zeros((4, 1))), verbose=0, return_dict=True)
    expected = {
        "loss": 91.0,
        "second_loss": 1.0,
        "first_loss": 9.0,
        "second_mean_absolute_error": 1.0,
        "first_mean_absolute_error": 3.0,
    }
    wrong = {
        name: found.get(name) for name, value in expected.items() if not np.isclose(found.get(name, np.nan), value)
    }
    detail = f"reported wrongly: {wrong}" if wrong else "each output has its own loss, weight and metric"
    return Finding("Keras outputs", not wrong, detail, f'Run: python -m pip install "keras=={pins()["keras"]}"')


def findings() -> Iterator[Finding]:
    """Makes every check, one after the other; one that fails with an error is a FAIL with that error."""
    checks: list[tuple[str, Callable[[], Finding]]] = [("Python", check_python)]
    checks += [(name, partial(check_package, name, pin)) for name, pin in pins().items()]
    for name, folder in (("jupyterlab_widgets", "@jupyter-widgets/jupyterlab-manager"), ("anywidget", "anywidget")):
        checks.append((folder, partial(check_widget_extension, name, folder)))
    checks += [("memory", check_memory), ("TensorFlow", check_tensorflow), ("Keras outputs", check_heads)]
    for name, check in checks:
        try:
            yield check()
        except Exception as error:
            yield Finding(name, False, f"{type(error).__name__}: {error}", "Set the environment up anew: make lab.")


class Report(list[Finding]):
    """The findings, shown as a table in a notebook."""

    @property
    def ok(self) -> bool:
        """Whether everything is as it should be."""
        return all(finding.ok for finding in self)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td><b>{'OK' if each.ok else 'FAIL'}</b></td><td>{escape(each.name)}</td>"
            f"<td>{escape(each.detail)}</td><td>{'' if each.ok else escape(each.remedy)}</td></tr>"
            for each in self
        )
        return f"<table><tr><th></th><th>looked at</th><th>found</th><th>what to do</th></tr>{rows}</table>"

    def __repr__(self) -> str:
        return "\n".join(
            f"{'OK  ' if each.ok else 'FAIL'} {each.name}: {each.detail}" + ("" if each.ok else f"\n     {each.remedy}")
            for each in self
        )


def report() -> Report:
    """Makes every check.

    Returns:
        The findings; a notebook shows them as a table.

    Example:
        >>> report().ok  # doctest: +SKIP
        True
    """
    return Report(findings())


if __name__ == "__main__":
    found = report()
    print(found)
    sys.exit(0 if found.ok else 1)
