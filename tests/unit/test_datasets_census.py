"""Census-Income is whole, is what the originals are, and gives no label away."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtl_helpers.datasets import census_income, read_census_income
from mtl_helpers.datasets.prepare_census_income import NUMERIC_COLUMNS, main, read_original
from mtl_helpers.metrics import auc

ORIGINALS = Path(os.environ.get("MTL_DATA_DIR", "nowhere"), "census_income")


@pytest.fixture(scope="module")
def small():
    return census_income(rows=5000, seed=1)


@pytest.fixture(scope="module")
def tables():
    return {split: read_census_income(split) for split in ("train", "test")}


def test_row_counts_and_label_rates(tables):
    rates = {}
    for split, rows in (("train", 199_523), ("test", 99_762)):
        table = tables[split]
        assert table.shape == (rows, 42)
        rates[split] = {
            "income": (table["income"] == "50000+").mean(),
            "never_married": (table["marital_status"] == "Never married").mean(),
        }
    assert rates["train"]["income"] == pytest.approx(0.062, abs=5e-4)
    assert rates["test"]["income"] == pytest.approx(0.062, abs=5e-4)
    assert rates["train"]["never_married"] == pytest.approx(0.433, abs=5e-4)
    size = sum(path.stat().st_size for path in (Path(__file__).parents[2] / "data").glob("census_income_*.parquet"))
    assert size < 8e6


def test_label_correlations_are_those_of_the_paper(tables):
    both = pd.concat(tables.values())
    income = (both["income"] == "50000+").astype(float)
    single = (both["marital_status"] == "Never married").astype(float)
    assert abs(np.corrcoef(income, single)[0, 1]) == pytest.approx(0.1768, abs=2e-3)


@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="MTL_DATA_DIR has no folder census_income with the originals")
@pytest.mark.parametrize("split", ["train", "test"])
def test_content_is_that_of_the_originals(tables, split):
    original = read_original(ORIGINALS, split)
    shipped = tables[split]
    for column in original:
        left, right = shipped[column], original[column]
        if column not in NUMERIC_COLUMNS and column != "instance_weight":
            left, right = left.astype(str), right.astype(str)
        assert (left.to_numpy() == right.to_numpy()).all(), column


def test_sources_of_labels_are_never_inputs(small):
    columns = set(small.inputs["categorical"].columns) | set(small.inputs["numeric"].columns)
    assert not columns & {"income", "marital_status", "education", "instance_weight"}
    assert len(columns) == 38
    for position in range(len(small.inputs["numeric"].columns)):
        score = auc(small.train.labels["income"], small.train.inputs["numeric"][:, position])
        assert max(score, 1 - score) < 0.95


def test_encoders_know_the_training_rows_only(small):
    numbers = small.train.inputs["numeric"]
    np.testing.assert_allclose(numbers.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(numbers.std(axis=0), 1, atol=1e-3)
    codes, sizes = small.train.inputs["categorical"], small.inputs["categorical"].sizes
    assert codes.min() == 1  # 0 is for what training has not seen
    assert (codes.max(axis=0) == np.array(sizes) - 1).all()
    unseen = (small.test.inputs["categorical"] == 0).sum()
    assert 0 < unseen < 0.001 * small.test.inputs["categorical"].size
    assert (small.test.inputs["categorical"].max(axis=0) < sizes).all()


def test_splits_and_groups(small):
    assert (len(small.train), len(small.validation), len(small.test)) == (5000, 49_881, 49_881)
    again = census_income(rows=5000, seed=1)
    np.testing.assert_array_equal(small.train.inputs["categorical"], again.train.inputs["categorical"])
    other = census_income(rows=5000, seed=2)
    assert not np.array_equal(small.test.labels["income"], other.test.labels["income"])
    assert set(np.unique(small.train.groups)) == set(range(len(small.groups)))
    sex = small.vocabularies["sex"]
    position = small.inputs["categorical"].columns.index("sex")
    women = small.train.inputs["categorical"][:, position] == sex.index("Female")
    assert (np.array([small.groups[group].startswith("women") for group in small.train.groups]) == women).all()


def test_the_education_pair_on_request():
    data = census_income(("education", "never_married"), rows=2000)
    assert list(data.tasks) == ["education", "never_married"]
    assert 0.15 < data.test.labels["education"].mean() < 0.25


def test_bad_requests_and_damaged_files(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"tasks=\['wealth'\]: unknown \['wealth'\].*'income'"):
        census_income(["wealth"])
    with pytest.raises(ValueError, match="rows=0"):
        census_income(rows=0)
    import sys

    module = sys.modules["mtl_helpers.datasets.census_income"]
    whole = module.FILES["test"].read_bytes()
    short = tmp_path / "census_income_test.parquet"
    short.write_bytes(whole[: len(whole) // 2])
    monkeypatch.setitem(module.FILES, "test", short)
    with pytest.raises(ValueError, match="census_income_test.parquet cannot be read .*git checkout data"):
        read_census_income("test")
    read_census_income("train").head(10).to_parquet(short)
    with pytest.raises(ValueError, match="has 10 rows instead of 99,762"):
        read_census_income("test")
    short.unlink()
    with pytest.raises(FileNotFoundError, match="is not in the folder data"):
        read_census_income("test")


def test_originals_are_verified(tmp_path):
    import gzip

    with pytest.raises(FileNotFoundError, match="census-income.data.gz is not there"):
        read_original(tmp_path, "train")
    (tmp_path / "census-income.data.gz").write_bytes(gzip.compress(b"38, Private"))
    with pytest.raises(ValueError, match="sha256 of the content is .* expected 3676a81d"):
        read_original(tmp_path, "train")


@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="MTL_DATA_DIR has no folder census_income with the originals")
def test_the_files_can_be_made_anew(monkeypatch, tmp_path, capsys):
    import sys

    module = sys.modules["mtl_helpers.datasets.prepare_census_income"]
    some = read_original(ORIGINALS, "test").head(3000)  # the whole takes long to press small
    monkeypatch.setattr(module, "read_original", lambda folder, split: some)
    monkeypatch.setattr(module, "FILES", {"test": tmp_path / "made.parquet"})
    main()
    assert "3,000 rows" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [tmp_path / "made.parquet"]
    made, shipped = pd.read_parquet(tmp_path / "made.parquet"), read_census_income("test").head(3000)
    pd.testing.assert_frame_equal(made, shipped, check_categorical=False)
