"""MovieLens latest-small: what 610 people thought of films."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mtl_helpers.datasets.base import MultiTaskData, Rows, Task, require_known
from mtl_helpers.datasets.encoding import encode_splits, random_splits
from mtl_helpers.datasets.fetch import fetch
from mtl_helpers.seeds import random_numbers

KINDS = {"liked": "binary", "tagged": "binary", "rating": "regression"}
ROWS = 100_836
GENRES = (
    "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Film-Noir",
    "Horror", "IMAX", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
DECADES = (1970, 1980, 1990, 2000, 2010)
GROUPS = ("before 1970", "1970s", "1980s", "1990s", "2000s", "2010s")


def movielens_small(
    tasks: Sequence[str] = ("liked", "tagged"), *, rows: int | None = None, seed: int | None = None
) -> MultiTaskData:
    """Loads 100,836 ratings of 9,742 films by 610 users.

    Tagging is rare (1.6 %) and the habit of 54 users, 70 % of it that of a single one, so the user's number says much
    about it. The files come from ``MTL_DATA_DIR``, else the cache, else a download from GroupLens.

    Args:
        tasks: ``"liked"`` (4 stars or more: 48.2 %), ``"tagged"`` (the user also put a tag on the film) and
            ``"rating"`` (stars, scaled to mean 0 and standard deviation 1 over the training rows).
        rows: How many ratings, drawn at random; all if None.
        seed: Seed of that draw and of the split into 60, 20 and 20 %; the course's if None.

    Returns:
        Inputs ``"categorical"`` (user, film) and ``"numeric"`` (year of the film, a column a genre); the film's decade
        as groups.

    Raises:
        FileNotFoundError: If the files are nowhere and cannot be downloaded.
        ValueError: If one has another checksum, a task is unknown or ``rows`` out of range.

    References:
        F. M. Harper, J. A. Konstan: The MovieLens datasets, TiiS 5(4), 2015, DOI 10.1145/2827872. For research; may be
        passed on under the same terms.

    Example:
        >>> movielens_small(rows=1000).groups[-1]  # doctest: +SKIP
        '2010s'
    """
    names = require_known("tasks", tasks, KINDS)
    if rows is not None and not 10 <= rows <= ROWS:
        raise ValueError(f"rows={rows}: choose from 10 to {ROWS}, or None for all.")
    random = random_numbers(seed)
    table = read_movielens()
    if rows is not None:
        table = table.iloc[np.sort(random.permutation(ROWS)[:rows])]
    parts = random_splits(len(table), random)
    kinds, inputs, words = encode_splits(
        {split: table.iloc[part] for split, part in parts.items()}, ("user", "film"), ("year", *GENRES)
    )
    stars = table["rating"].iloc[parts["train"]]
    labels = {
        "liked": table["rating"] >= 4,
        "tagged": table["tagged"],
        "rating": (table["rating"] - stars.mean()) / stars.std(ddof=0),
    }
    groups = np.digitize(table["year"], DECADES).astype(np.int32)
    splits = {
        split: Rows(
            inputs[split],
            {task: labels[task].to_numpy(np.float32)[part] for task in names},
            groups=groups[part],
        )
        for split, part in parts.items()
    }
    return MultiTaskData(
        name="MovieLens latest-small",
        tasks={task: Task(KINDS[task]) for task in names},  # type: ignore[arg-type]
        inputs=kinds,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        groups=GROUPS,
        vocabularies=words,
    )


def read_movielens() -> pd.DataFrame:
    """Joins the ratings with their films and tags.

    Returns:
        Columns ``user`` and ``film`` (numbers as categories), ``rating`` (stars), ``tagged``, ``year`` (the median
        year where a title has none) and a column of 0 and 1 a genre.
    """
    folder = fetch("ml_latest_small")
    ratings, films, tags = (pd.read_csv(folder / f"{name}.csv") for name in ("ratings", "movies", "tags"))
    films["year"] = films["title"].str.extract(r"\((\d{4})\)\s*$")[0].astype(float)
    films["year"] = films["year"].fillna(films["year"].median())
    for genre in GENRES:
        films[genre] = [float(genre in genres.split("|")) for genres in films["genres"]]
    pair = ["userId", "movieId"]
    tagged = pd.MultiIndex.from_frame(ratings[pair]).isin(pd.MultiIndex.from_frame(tags[pair]))
    table = ratings[pair].merge(films[["movieId", "year", *GENRES]], on="movieId", how="left", validate="many_to_one")
    return table.assign(
        user=table["userId"].astype("category"),
        film=table["movieId"].astype("category"),
        rating=ratings["rating"],
        tagged=tagged,
    )
