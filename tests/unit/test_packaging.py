"""The three lists of dependencies agree, and importing the package is silent."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]


def pinned(lines):
    return dict(line.split("==") for line in lines)


DIRECT = pinned(PROJECT["dependencies"])
FOR_TESTS = pinned(PROJECT["optional-dependencies"]["test"])
FOR_CLUSTER = pinned(PROJECT["optional-dependencies"]["cluster"])
LOCK = (ROOT / "requirements.lock").read_text("utf8")


def test_lock_holds_every_direct_dependency_at_its_pin():
    locked = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", LOCK, re.M):
        locked.setdefault(name, set()).add(version)
    for name, version in {**DIRECT, **FOR_TESTS, **FOR_CLUSTER}.items():
        assert locked.get(name) == {version}, name


def test_lock_has_hashes_and_no_address():
    requirements = re.findall(r"^[\w.-]+==.*?(?=^\S|\Z)", LOCK, re.M | re.S)
    assert len(requirements) > 100
    assert all("--hash=sha256:" in requirement for requirement in requirements)
    assert "://" not in LOCK
    assert "index-url" not in LOCK


def test_environment_names_every_direct_dependency_with_its_use():
    lines = (ROOT / "environment.yml").read_text("utf8").splitlines()
    found = {}
    for line in lines:
        match = re.match(r"\s+- ([\w-]+)==([\w.]+)(\s+#\s*\S.*)?$", line)
        if match:
            assert match[3], f"{match[1]} lacks a comment that says what uses it"
            found[match[1]] = match[2]
    assert found == {**DIRECT, **FOR_CLUSTER, "nbval": FOR_TESTS["nbval"]}
    assert "- -e ." in "\n".join(lines)


def test_keras_pin_excludes_the_versions_that_swapped_outputs():
    major, minor, patch = map(int, DIRECT["keras"].split("."))
    assert (major, minor, patch) >= (3, 15, 1)


def test_python_bounds_agree_with_the_check():
    assert PROJECT["requires-python"] == ">=3.11,<3.14"


@pytest.mark.parametrize("modules", ["mtl_helpers", "mtl_helpers.models, mtl_helpers.study"])
def test_import_is_silent(modules):
    done = subprocess.run([sys.executable, "-W", "error", "-c", f"import {modules}"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_learner_who_only_reads_needs_no_tensorflow():
    code = "import sys, mtl_helpers, mtl_helpers.widgets; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_no_data_file_is_pickled_and_no_lock_or_result_names_this_machine():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert not [name for name in tracked if name.endswith((".pkl", ".pickle", ".joblib"))]
    home = str(ROOT) + os.sep
    for name in tracked:
        path = ROOT / name
        if path.suffix in (".json", ".ipynb", ".lock", ".yml", ".md") and path.is_file():
            assert home not in path.read_text("utf8"), name


def test_recorded_results_are_valid_json():
    for path in (ROOT / "data" / "results").glob("**/*.json"):
        json.loads(path.read_text("utf8"))
