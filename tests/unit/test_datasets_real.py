"""Real data are found where they are, verified, downloaded whole or not at all, and read as they are meant."""

import hashlib
import os
import zipfile
from pathlib import Path

import numpy as np
import pooch
import pytest

from mtl_helpers.datasets import check_leakage, hillstrom, movielens_small
from mtl_helpers.datasets.fetch import SOURCES, Source, fetch
from mtl_helpers.datasets.hillstrom import read_hillstrom
from mtl_helpers.datasets.movielens import GENRES, read_movielens

CONTENT = {"one.txt": b"first\n", "two.txt": b"second\n"}
SUMS = {name: (hashlib.sha256(text).hexdigest(),) for name, text in CONTENT.items()}
TOY = Source("Toy data", SUMS, "https://example.org/toy", {name: f"https://example.org/{name}" for name in CONTENT})


def needs(folder):
    there = (Path(os.environ.get("MTL_DATA_DIR", "absent")) / folder).is_dir()
    return pytest.mark.skipif(not there, reason=f"MTL_DATA_DIR has no folder {folder}")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    monkeypatch.delenv("MTL_DATA_DIR", raising=False)
    return tmp_path / "cache" / "mtl_helpers"


def fill(folder, content=CONTENT):
    folder.mkdir(parents=True)
    for name, text in content.items():
        (folder / name).write_bytes(text)


def served(monkeypatch, pages):
    """Lets ``pages`` (address -> content) stand for the network."""

    def get(address, known_hash, fname, path, downloader):
        if address not in pages:
            raise ConnectionError("offline")
        (Path(path) / fname).write_bytes(pages[address])
        return str(Path(path) / fname)

    monkeypatch.setattr(pooch, "retrieve", get)


def test_the_given_folder_comes_before_the_cache(cache, tmp_path, monkeypatch):
    fill(cache / "toy")
    assert fetch("toy", TOY) == cache / "toy"
    monkeypatch.setenv("MTL_DATA_DIR", str(tmp_path / "mine"))
    assert fetch("toy", TOY) == cache / "toy"
    fill(tmp_path / "mine" / "toy")
    assert fetch("toy", TOY) == tmp_path / "mine" / "toy"


def test_another_checksum_is_refused_naming_both(cache):
    fill(cache / "toy", {**CONTENT, "two.txt": b"other\n"})
    with pytest.raises(ValueError, match="two.txt: sha256 is .* expected .*; put the right one") as raised:
        fetch("toy", TOY)
    assert SUMS["two.txt"][0] in str(raised.value)
    assert str(cache / "toy") in str(raised.value)
    assert hashlib.sha256(b"other\n").hexdigest() in str(raised.value)
    assert "\n" not in str(raised.value)


def test_any_of_the_known_forms_is_taken(cache):
    fill(cache / "toy", {"one.txt": b"another form\n"})
    forms = (*SUMS["one.txt"], hashlib.sha256(b"another form\n").hexdigest())
    assert fetch("toy", Source("Toy data", {"one.txt": forms}, "", "")) == cache / "toy"


def test_absent_and_offline_says_where_to_put_what(cache, monkeypatch):
    served(monkeypatch, {})
    for folder, source in {"toy": TOY, **SOURCES}.items():
        with pytest.raises(FileNotFoundError, match=r"could not be downloaded \(ConnectionError\)") as raised:
            fetch(folder, source)
        for part in (source.what, *source.files, source.home, str(cache / folder)):
            assert part in str(raised.value)
        assert "\n" not in str(raised.value)
        assert not (cache / folder).exists()


def test_files_are_downloaded_once(cache, monkeypatch):
    pages = {f"https://example.org/{name}": text for name, text in CONTENT.items()}
    served(monkeypatch, {**pages, "https://example.org/two.txt": b"half of it"})
    with pytest.raises(ValueError, match="two.txt: sha256 is .*; put the right one") as raised:
        fetch("toy", TOY)
    assert str(cache / "toy") in str(raised.value)
    served(monkeypatch, pages)
    assert (fetch("toy", TOY) / "two.txt").read_bytes() == b"second\n"
    served(monkeypatch, {})
    assert fetch("toy", TOY) == cache / "toy"
    assert [path.name for path in cache.iterdir()] == ["toy"]  # nothing unfinished stays behind


def test_a_zip_is_opened_and_its_files_verified(cache, tmp_path, monkeypatch):
    def packed(content):
        with zipfile.ZipFile(tmp_path / "toy.zip", "w") as archive:
            for name, text in content.items():
                archive.writestr(f"toy-1/{name}", text)
        return (tmp_path / "toy.zip").read_bytes()

    source = Source("Toy data", SUMS, "", "https://example.org/toy.zip")
    served(monkeypatch, {source.url: packed({**CONTENT, "one.txt": b"changed\n"})})
    with pytest.raises(ValueError, match="one.txt: sha256 is"):
        fetch("toy", source)
    assert not (cache / "toy").exists()
    served(monkeypatch, {source.url: packed({"one.txt": b"first\n"})})
    with pytest.raises(FileNotFoundError, match="KeyError"):
        fetch("toy", source)
    served(monkeypatch, {source.url: packed({**CONTENT, "README.txt": b"?"})})
    assert (fetch("toy", source) / "one.txt").read_bytes() == b"first\n"


def test_every_address_is_https_and_every_file_has_one():
    for source in SOURCES.values():
        addresses = {"zip": source.url} if isinstance(source.url, str) else source.url
        assert isinstance(source.url, str) or addresses.keys() == source.files.keys()
        assert all(address.startswith("https://") for address in addresses.values())


@needs("hillstrom")
def test_hillstroms_funnel():
    data = hillstrom(("visit", "conversion", "spend"))
    parts = (data.train, data.validation, data.test)
    labels = {task: np.concatenate([rows.labels[task] for rows in parts]) for task in data.tasks}
    assert len(labels["visit"]) == 64_000
    assert labels["visit"].mean() == pytest.approx(0.147, abs=0.0005)
    assert labels["conversion"].sum() == 578
    assert (labels["conversion"] <= labels["visit"]).all()
    np.testing.assert_array_equal(labels["spend"] > 0, labels["conversion"] == 1)
    assert check_leakage(data.with_tasks(["visit", "conversion"]), repeated=True)["value"].max() < 0.7
    treatment = data.train.inputs["categorical"][:, 0]
    assert data.vocabularies["treatment"][treatment[0]] == data.groups[data.train.groups[0]]
    assert sum(map(len, (lambda few: (few.train, few.validation, few.test))(hillstrom(rows=1000)))) == 1000


def test_hillstrom_is_read_in_either_form(tmp_path):
    published, copied = tmp_path / "published.csv", tmp_path / "copied.csv"
    published.write_text("history,segment,visit,conversion,spend\r\n295,No E-Mail,1,0,0", newline="")
    copied.write_text("history,treatment,conversion,visit,spend\n295.0,No E-Mail,0,1,0.0\n")
    first, second = read_hillstrom(published), read_hillstrom(copied)
    assert first.to_dict("records")[0].items() == second.to_dict("records")[0].items()


@needs("ml_latest_small")
def test_movielens_rates():
    table = read_movielens()
    assert len(table) == 100_836
    assert (table["user"].nunique(), table["film"].nunique()) == (610, 9_724)  # of 9,742 films, 18 have no rating
    assert (table["rating"] >= 4).mean() == pytest.approx(0.482, abs=0.0005)
    assert table["tagged"].mean() == pytest.approx(0.016, abs=0.0005)
    taggers = table.loc[table["tagged"] == 1, "user"].astype(int).value_counts(normalize=True)
    assert (len(taggers), round(taggers.iloc[0], 2)) == (54, 0.70)
    toy_story = table[(table["film"] == 1)].iloc[0]
    assert toy_story["year"] == 1995
    assert {genre for genre in GENRES if toy_story[genre]} == {
        "Adventure", "Animation", "Children", "Comedy", "Fantasy"
    }  # fmt: skip


@needs("ml_latest_small")
def test_movielens_as_tasks():
    data = movielens_small(("liked", "tagged", "rating"), rows=20_000)
    assert [len(rows) for rows in (data.train, data.validation, data.test)] == [12_000, 4_000, 4_000]
    assert data.train.labels["rating"].mean() == pytest.approx(0, abs=1e-5)
    assert data.train.labels["rating"].std() == pytest.approx(1, abs=1e-4)
    liked, rating = data.train.labels["liked"], data.train.labels["rating"]
    assert rating[liked == 1].min() > rating[liked == 0].max()
    film = data.test.inputs["categorical"][:, 1]
    assert (film == 0).any()  # films that no training row shows
    check_leakage(data.with_tasks(["liked", "tagged"]), limit=0.995, repeated=True)


@pytest.mark.parametrize("loader", [hillstrom, movielens_small])
def test_bad_requests_are_refused(loader):
    with pytest.raises(ValueError, match="tasks=.*unknown.*'fame'"):
        loader(("fame",))
    with pytest.raises(ValueError, match="rows=5: choose from"):
        loader(rows=5)
