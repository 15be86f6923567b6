"""What the project adds to nbval: a limit on memory, silence on the error stream, and a table at the end.

Used as ``python -m pytest -p tests.notebooks.plugin --nbval-lax --nbval-current-env notebooks tests/notebooks``.
"""

from __future__ import annotations

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from mtl_helpers.notebooks import PEAK_MEMORY

MOST_MEMORY = 1.2e9  # bytes
PROPERTY = "notebook peak memory"


class PeakMemory(pytest.Item):
    """After a notebook's last cell: the most memory its kernel took."""

    def runtest(self) -> None:
        kernel = self.parent.kernel
        assert kernel and kernel.is_alive(), "the kernel died; see the cells above"  # noqa: PT018
        asked = kernel.kc.execute("", user_expressions={"peak": PEAK_MEMORY}, store_history=False)
        while (reply := kernel.get_message("shell", timeout=60))["parent_header"].get("msg_id") != asked:
            pass
        peak = int(reply["content"]["user_expressions"]["peak"]["data"]["text/plain"])
        self.user_properties.append((PROPERTY, peak))
        assert peak < MOST_MEMORY, f"the kernel took {peak / 1e6:.0f} MB, more than {MOST_MEMORY / 1e6:.0f} MB"


def pytest_collection(session):
    """Keeps nbval from measuring coverage in every kernel: it is a question to the unit tests."""
    session.config.option.cov_source = None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Adds the memory test to the cells of every notebook."""
    report = yield
    if isinstance(collector, IPyNbFile) and report.passed:
        report.result.append(PeakMemory.from_parent(collector, name="peak memory"))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fails a cell that writes to the error stream: a reader would see a red block."""
    result = yield
    if isinstance(item, IPyNbCell):
        red = [output["text"] for output in item.test_outputs or [] if output.get("name") == "stderr"]
        assert not red, f"cell {item.cell_num} writes to the error stream: {red}"
    return result


def pytest_terminal_summary(terminalreporter):
    """Writes seconds and memory of every notebook."""
    seconds: dict[str, float] = {}
    memory: dict[str, int] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            name = getattr(report, "nodeid", "").partition("::")[0]
            if name.endswith(".ipynb") and hasattr(report, "duration"):
                seconds[name] = seconds.get(name, 0) + report.duration
                memory.update({name: peak for key, peak in report.user_properties if key == PROPERTY})  # noqa: B035
    if seconds:
        terminalreporter.section("notebooks")
    for name in sorted(seconds):
        terminalreporter.write_line(f"{name}: {seconds[name]:.0f} s, {memory.get(name, 0) / 1e6:.0f} MB at most")
