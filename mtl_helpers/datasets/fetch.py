"""Finds the files of a real data set: in ``MTL_DATA_DIR``, in the cache, or by a download that must have a checksum."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pooch

from mtl_helpers.datasets.base import require_known

GITHUB = "https://raw.githubusercontent.com"
COPY_OF_2008 = f"{GITHUB}/carlosquintanillaa/Datasets/86100ca06e114803df9b691b3fe904cc36c350ea"
SEMEVAL = f"{GITHUB}/wilighthasaki/relation_classification/d7516c8bfb9b6ec773e496c481a665b6aac44764/data"
CONLL04 = f"{GITHUB}/bekou/multihead_joint_entity_relation_extraction"


@dataclass(frozen=True)
class Source:
    """Where a data set's files come from and what they must be.

    Attributes:
        what: What it is, for messages.
        files: File name -> the SHA-256 sums it may have. A second sum is another form of the same rows.
        home: Where a person finds the files.
        url: HTTPS address of a zip that holds the files, or of each file by name.
    """

    what: str
    files: Mapping[str, tuple[str, ...]]
    home: str
    url: str | Mapping[str, str]


SOURCES = {
    "hillstrom": Source(
        "MineThatData's e-mail challenge",
        {
            "hillstrom.csv": (
                "573789db3171540ac61fcbb404d3b2bf64aaade0127526208e65a921af970d2f",  # columns renamed and reordered
                "ff9e59285e9dc3f5fa3e0975419e6631ea5bdccd65d818991473d2367e02979c",  # as published in 2008
            )
        },
        "https://blog.minethatdata.com/2008/03/minethatdata-e-mail-analytics-and-data.html",
        {"hillstrom.csv": f"{COPY_OF_2008}/hillstrom.csv"},
    ),
    "ml_latest_small": Source(
        "MovieLens latest-small (2018)",
        {
            "movies.csv": ("5a5f32dd9bb3797b8e728a1b98958789d2b13f294a69fdfbc5727f8a9611aa07",),
            "ratings.csv": ("aa289ca83157595d0df6aea1be6a4ded676ddc4385472e8313a8ed9805352646",),
            "tags.csv": ("92a9f8bb7916dceef6151209845788c3643f794dfa79d1feaec7121b5960399d",),
        },
        "https://grouplens.org/datasets/movielens/latest/",
        "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip",
    ),
    "semeval2010_task8": Source(
        "SemEval-2010 Task 8",
        {
            "TRAIN_FILE.TXT": ("01b7d52b069f4889041e6bb5f5a2131137a90b0c680f897018ab03f64525fe4f",),
            "TEST_FILE_FULL.TXT": ("00ea4896c523484b9e6b7157314a2d1ae8cf10a67b95ae40ba474de4488dc5a9",),
        },
        "https://aclanthology.org/S10-1006 (with Unix line ends)",
        {name: f"{SEMEVAL}/{name}" for name in ("TRAIN_FILE.TXT", "TEST_FILE_FULL.TXT")},
    ),
    "conll04": Source(
        "CoNLL04",
        {
            "train.txt": ("0f560fdaa150133fc4843f72e2a8e707e7f74f06a3a3095d4b9921f8d0ce3614",),
            "dev.txt": ("99e854fd2a7d19247230c3ed8c304f79022380c9d21b58f25e7ffc5fe3884e2d",),
            "test.txt": ("d172819deff771c059c9c6688d67c3ff2bdaa25cf71ec56b1f7e8c6705f96700",),
        },
        "https://github.com/bekou/multihead_joint_entity_relation_extraction",
        {
            "train.txt": f"{CONLL04}/08c59327aa0b3bbac9ee40ef51acc6210c875835/data/dataset/train.txt",
            "dev.txt": f"{CONLL04}/08c59327aa0b3bbac9ee40ef51acc6210c875835/data/dataset/dev.txt",
            "test.txt": f"{CONLL04}/3b603089ea478d54bfba24e021485a513acda007/data/CoNLL04/test.txt",
        },
    ),
}


def fetch(folder: str, source: Source | None = None) -> Path:
    """Gives the folder that holds a data set's files, downloading them once if they are nowhere.

    Looks into ``MTL_DATA_DIR/<folder>``, then into the cache (``pooch.os_cache("mtl_helpers")/<folder>``), and last
    downloads over HTTPS into the cache, with a progress bar. Every file's checksum is verified every time.

    Args:
        folder: The data set's folder, one of ``SOURCES``.
        source: Its files, if it is not one of ``SOURCES``.

    Returns:
        The folder; all files of the source are in it.

    Raises:
        FileNotFoundError: If the files are nowhere and cannot be downloaded, saying where to put them.
        ValueError: If a file has another checksum, naming both; or the folder is none of ``SOURCES``.
    """
    source = source or SOURCES[require_known("folder", folder, SOURCES)[0]]
    cache = Path(pooch.os_cache("mtl_helpers")) / folder
    given = os.environ.get("MTL_DATA_DIR")
    for place in ([Path(given) / folder] if given else []) + [cache]:
        if all((place / name).is_file() for name in source.files):
            verify(place, source, place)
            return place
    download(source, cache)
    return cache


def verify(place: Path, source: Source, wanted: Path) -> None:
    """Checks every file's SHA-256.

    Args:
        place: The folder that holds the files.
        source: What they must be.
        wanted: Where the right files belong, for the message.

    Raises:
        ValueError: If one differs, naming the file, both sums and the fix.
    """
    for name, expected in source.files.items():
        found = hashlib.sha256((place / name).read_bytes()).hexdigest()
        if found not in expected:
            raise ValueError(
                f"{name}: sha256 is {found}, expected {' or '.join(expected)}; "
                f"put the right one from {source.home} into {wanted}."
            )


def download(source: Source, cache: Path) -> None:
    """Downloads the files to a temporary folder, verifies them, and only then moves them into the cache.

    Raises:
        FileNotFoundError: If an address cannot be reached, or a zip lacks a file.
        ValueError: If a file arrives with another checksum.
    """
    cache.parent.mkdir(parents=True, exist_ok=True)
    pooch.get_logger().setLevel("WARNING")
    bar = pooch.HTTPDownloader(progressbar=True, timeout=30)
    with tempfile.TemporaryDirectory(dir=cache.parent) as unfinished:
        place = Path(unfinished)
        try:
            if isinstance(source.url, str):
                unzip(Path(pooch.retrieve(source.url, None, "all.zip", place, downloader=bar)), source)
            else:
                for name, address in source.url.items():
                    pooch.retrieve(address, None, name, place, downloader=bar)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise FileNotFoundError(missing(source, cache, type(error).__name__)) from error
        verify(place, source, cache)
        cache.mkdir(exist_ok=True)
        for name in source.files:
            os.replace(place / name, cache / name)


def unzip(archive: Path, source: Source) -> None:
    """Takes the source's files out of a zip, whatever folder they are in, and puts them beside it."""
    with zipfile.ZipFile(archive) as content:
        members = {Path(member).name: member for member in content.namelist()}
        for name in source.files:
            with content.open(members[name]) as packed, (archive.parent / name).open("wb") as file:
                shutil.copyfileobj(packed, file)


def missing(source: Source, cache: Path, why: str) -> str:
    """Says in one line what is missing and where to put it."""
    return (
        f"{source.what} is not in MTL_DATA_DIR and could not be downloaded ({why}); put {', '.join(source.files)} "
        f"from {source.home} into {cache}, or into {cache.name} of the folder that MTL_DATA_DIR names."
    )
