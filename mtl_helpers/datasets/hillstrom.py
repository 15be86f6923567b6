"""MineThatData's e-mail challenge: a real funnel from visit to conversion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mtl_helpers.datasets.base import MultiTaskData, Rows, Task, require_known
from mtl_helpers.datasets.encoding import encode_splits, random_splits
from mtl_helpers.datasets.fetch import fetch
from mtl_helpers.seeds import random_numbers

KINDS = {"visit": "binary", "conversion": "binary", "spend": "regression"}
CATEGORICAL = ("treatment", "history_segment", "zip_code", "channel", "newbie", "mens", "womens")
NUMERIC = ("recency", "history")
ROWS = 64_000
TREATMENTS = ("Mens E-Mail", "No E-Mail", "Womens E-Mail")


def hillstrom(
    tasks: Sequence[str] = ("visit", "conversion"), *, rows: int | None = None, seed: int | None = None
) -> MultiTaskData:
    """Loads 64,000 customers of a shop, what e-mail they were sent, and whether they visited and bought.

    14.7 % visited its site in the two weeks that followed, .90 % (578 customers) bought, none without a visit: a funnel
    like click and payment, with few payments and eight coarse features beside the e-mail, which was drawn at random.
    The file comes from ``MTL_DATA_DIR``, else the cache, else a download; as published in 2008, or with its columns
    reordered and ``segment`` called ``treatment``.

    Args:
        tasks: ``"visit"``, ``"conversion"`` (bought; binary) and ``"spend"`` (log of 1 + dollars, a regression).
        rows: How many customers, drawn at random; all if None.
        seed: Seed of that draw and of the split into 60, 20 and 20 %; the course's if None.

    Returns:
        Inputs ``"categorical"`` and ``"numeric"``; the e-mails as groups.

    Raises:
        FileNotFoundError: If the file is nowhere and cannot be downloaded.
        ValueError: If it has another checksum, a task is unknown or ``rows`` out of range.

    References:
        K. Hillstrom: The MineThatData E-Mail Analytics And Data Mining Challenge, 2008. Public; no licence is stated.

    Example:
        >>> hillstrom().describe()["rows"].tolist()  # doctest: +SKIP
        [38400, 38400, 12800, 12800, 12800, 12800]
    """
    names = require_known("tasks", tasks, KINDS)
    if rows is not None and not 10 <= rows <= ROWS:
        raise ValueError(f"rows={rows}: choose from 10 to {ROWS}, or None for all.")
    random = random_numbers(seed)
    table = read_hillstrom(fetch("hillstrom") / "hillstrom.csv")
    if rows is not None:
        table = table.iloc[np.sort(random.permutation(ROWS)[:rows])]
    spend, table["history"] = np.log1p(table["spend"]), np.log1p(table["history"])
    labels = {"visit": table["visit"], "conversion": table["conversion"], "spend": spend}
    groups = table["treatment"].map(TREATMENTS.index)
    parts = random_splits(len(table), random)
    kinds, inputs, words = encode_splits(
        {split: table.iloc[part] for split, part in parts.items()}, CATEGORICAL, NUMERIC
    )
    splits = {
        split: Rows(
            inputs[split],
            {task: labels[task].to_numpy(np.float32)[part] for task in names},
            groups=groups.to_numpy(np.int32)[part],
        )
        for split, part in parts.items()
    }
    return MultiTaskData(
        name="Hillstrom",
        tasks={task: Task(KINDS[task]) for task in names},  # type: ignore[arg-type]
        inputs=kinds,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        groups=TREATMENTS,
        vocabularies=words,
    )


def read_hillstrom(path: Path) -> pd.DataFrame:
    """Reads the file in either form.

    Args:
        path: The file.

    Returns:
        Its columns, the e-mail as ``treatment``; texts and flags as they are, money as numbers.
    """
    return pd.read_csv(path).rename(columns={"segment": "treatment"})
