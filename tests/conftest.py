"""The order of the tests, and which of them coverage follows."""

from collections.abc import Generator

import pytest

FIRST = {"browser", "notebooks", "solutions"}  # folders
# Before Python 3.12 coverage follows every line of TensorFlow too, a third of the time of the files that train most.
# It leaves these out: what they reach, others reach as well, but for two lines in a hundred.
TRAIN_MOST = {
    "test_balancing_model.py",
    "test_contributing.py",
    "test_hillstrom_experiment.py",
    "test_models_everywhere.py",
    "test_ner_experiment.py",
    "test_ner_relation.py",
    "test_readers.py",
    "test_study.py",
    "test_study_balancing.py",
    "test_study_gates.py",
}
LONGEST = {*TRAIN_MOST, "test_crf.py", "test_study_executor.py", "test_style.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser and notebooks come first, then the longest files: no process shall end long before the other."""
    items.sort(key=lambda item: item.path.parent.name not in FIRST and item.path.name not in LONGEST)
    for item in items:
        if item.path.parent.name in FIRST or item.path.name in TRAIN_MOST:
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Coverage leaves out their fixtures too, which train as well."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    coverage = plugin.cov_controller if plugin and item.get_closest_marker("no_cover") else None
    if not coverage:
        return (yield)
    coverage.pause()
    try:
        return (yield)
    finally:
        coverage.resume()
