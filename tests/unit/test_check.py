"""The environment check finds what is wrong and says how to mend it."""

import importlib.metadata
import subprocess
import sys
from types import SimpleNamespace

import keras
import pytest

from mtl_helpers import check


def test_this_environment_passes():
    done = subprocess.run([sys.executable, "-W", "error", "-m", "mtl_helpers.check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    assert "OK   keras" in done.stdout


def test_missing_and_other_versions_fail_with_a_remedy():
    missing = check.check_package("surely-not-installed", "1.0")
    assert not missing.ok
    assert "pip install" in missing.remedy
    assert not check.check_package("numpy", "0.1").ok
    assert check.check_package("numpy", importlib.metadata.version("numpy")).ok


@pytest.mark.parametrize(
    ("version", "ok"), [((3, 10, 9), False), ((3, 11, 0), True), ((3, 13, 5), True), ((3, 14, 0), False)]
)
def test_python_versions(monkeypatch, version, ok):
    monkeypatch.setattr(check.sys, "version_info", version)
    assert check.check_python().ok == ok


def test_absent_widget_extension_fails():
    finding = check.check_widget_extension("no_such_package", "no-such-extension")
    assert not finding.ok
    assert "pip install" in finding.remedy


def test_little_memory_fails(monkeypatch):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1e6))
    monkeypatch.setattr(psutil, "Process", lambda: SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=2e8)))
    finding = check.check_memory()
    assert not finding.ok
    assert "Close other notebooks" in finding.remedy


def test_swapped_outputs_are_noticed(monkeypatch):
    assert check.check_heads().ok
    honest = keras.Model.evaluate

    def swapped(self, *arguments, **settings):
        found = honest(self, *arguments, **settings)
        found["first_loss"], found["second_loss"] = found["second_loss"], found["first_loss"]
        return found

    monkeypatch.setattr(keras.Model, "evaluate", swapped)
    finding = check.check_heads()
    assert not finding.ok
    assert "first_loss" in finding.detail


def test_an_error_in_a_check_is_a_fail_not_a_crash(monkeypatch):
    def broken():
        raise OSError("no processor")

    monkeypatch.setattr(check, "check_tensorflow", broken)
    report = check.report()
    assert not report.ok
    assert "FAIL TensorFlow: OSError: no processor" in repr(report)
    assert "<b>FAIL</b>" in report._repr_html_()


def test_what_is_found_is_escaped():
    report = check.Report([check.Finding("<script>", False, "<img>", "<b>")])
    assert "<script>" not in report._repr_html_()
    assert "<img>" not in report._repr_html_()
