"""Makes the two Census-Income files of ``data/`` from the originals.

``MTL_DATA_DIR=... python -m mtl_helpers.datasets.prepare_census_income``, where the folder ``census_income`` of
``MTL_DATA_DIR`` holds ``census-income.data.gz`` and ``census-income.test.gz`` of UCI data set 117
(DOI 10.24432/C5N30T). Their unzipped content must have the known checksums.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from pathlib import Path

import pandas as pd

from mtl_helpers.datasets.census_income import COLUMNS, FILES, NUMERIC_COLUMNS

ORIGINALS = {
    "train": ("census-income.data.gz", "3676a81db7d3528f3f8b9f3c699d0f0aa28db45e6e994fa0b8ed38327539ee86"),
    "test": ("census-income.test.gz", "98402b1ab879573d0a7f38a699a40258080e25e33d3401e7bf9c96d3fa0fab8c"),
}


def read_original(folder: Path, split: str) -> pd.DataFrame:
    """Reads one original file.

    Args:
        folder: Folder of the originals.
        split: ``"train"`` or ``"test"``.

    Returns:
        All 42 columns: categories as text (``NA`` and ``?`` are categories), numbers as int32.

    Raises:
        FileNotFoundError: If the file is not there.
        ValueError: If its content has another checksum.
    """
    name, expected = ORIGINALS[split]
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; put UCI data set 117's {name} into that folder.")
    content = gzip.decompress(path.read_bytes())
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(f"{path}: sha256 of the content is {found}, expected {expected}; get the file anew.")
    table = pd.read_csv(
        io.BytesIO(content), header=None, names=list(COLUMNS), skipinitialspace=True, na_filter=False, dtype=str
    )
    table["income"] = table["income"].str.rstrip(".")
    table["instance_weight"] = table["instance_weight"].astype("float32")
    return table.astype(dict.fromkeys(NUMERIC_COLUMNS, "int32"))


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Writes a table compactly, its texts as categories; the file appears whole or not at all."""
    texts = [column for column in table if column not in NUMERIC_COLUMNS and column != "instance_weight"]
    unfinished = path.with_suffix(".unfinished")
    table.astype(dict.fromkeys(texts, "category")).to_parquet(
        unfinished, compression="zstd", compression_level=19, index=False
    )
    os.replace(unfinished, path)


def main() -> None:
    """Makes both files."""
    folder = Path(os.environ.get("MTL_DATA_DIR", "."), "census_income")
    for split, path in FILES.items():
        table = read_original(folder, split)
        write_parquet(table, path)
        print(f"{path.name}: {len(table):,} rows, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
