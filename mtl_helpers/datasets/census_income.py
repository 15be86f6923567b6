"""Census-Income (KDD): the benchmark of the MMoE paper, shipped with the course."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mtl_helpers.datasets.base import MultiTaskData, Rows, Task, require_known
from mtl_helpers.datasets.encoding import encode_splits
from mtl_helpers.memory import release
from mtl_helpers.seeds import random_numbers

FOLDER = Path(__file__).resolve().parents[2] / "data"
FILES = {split: FOLDER / f"census_income_{split}.parquet" for split in ("train", "test")}
ROWS = {"train": 199_523, "test": 99_762}
COLUMNS = (
    "age",
    "class_of_worker",
    "detailed_industry",
    "detailed_occupation",
    "education",
    "wage_per_hour",
    "enrolled_last_week",
    "marital_status",
    "major_industry",
    "major_occupation",
    "race",
    "hispanic_origin",
    "sex",
    "union_member",
    "unemployment_reason",
    "employment_status",
    "capital_gains",
    "capital_losses",
    "dividends",
    "tax_filer_status",
    "previous_region",
    "previous_state",
    "household_and_family_status",
    "household_summary",
    "instance_weight",
    "migration_msa",
    "migration_region",
    "migration_within_region",
    "same_house_one_year_ago",
    "migration_sunbelt",
    "employer_size",
    "family_members_under_18",
    "father_birth_country",
    "mother_birth_country",
    "own_birth_country",
    "citizenship",
    "own_business",
    "veterans_questionnaire",
    "veterans_benefits",
    "weeks_worked",
    "year",
    "income",
)
NUMERIC_COLUMNS = (
    "age", "wage_per_hour", "capital_gains", "capital_losses", "dividends", "employer_size", "weeks_worked"
)  # fmt: skip
SKEWED_COLUMNS = ("wage_per_hour", "capital_gains", "capital_losses", "dividends")
COLLEGE = (
    "Associates degree-academic program", "Associates degree-occup /vocational", "Bachelors degree(BA AB BS)",
    "Masters degree(MA MS MEng MEd MSW MBA)", "Prof school degree (MD DDS DVM LLB JD)", "Doctorate degree(PhD EdD)",
)  # fmt: skip
SOURCE_COLUMN = {"income": "income", "never_married": "marital_status", "education": "education"}
# What gives a label away: the three columns that labels are made of. The weight says how many people a row stands for.
NEVER_INPUTS = (*SOURCE_COLUMN.values(), "instance_weight")
AGES = (25, 40, 60)
GROUPS = tuple(f"{sex}, {ages}" for sex in ("women", "men") for ages in ("under 25", "25–39", "40–59", "60 and over"))


def read_census_income(split: str) -> pd.DataFrame:
    """Reads the shipped table as it is, all 42 columns.

    Args:
        split: ``"train"`` or ``"test"``, as the donors split it.

    Returns:
        Texts as categories, numbers as int32.

    Raises:
        FileNotFoundError: If the file is not there.
        ValueError: If it cannot be read or is not whole.

    Example:
        >>> len(read_census_income("test"))
        99762
    """
    path = FILES[split]
    mend = "restore it with: git checkout data, or make it anew (see data/README.md)."
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is not in the folder data; {mend}")
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} cannot be read ({type(error).__name__}); {mend}") from error
    if len(table) != ROWS[split]:
        raise ValueError(f"{path.name} has {len(table):,} rows instead of {ROWS[split]:,}; {mend}")
    return table


def census_income(
    tasks: Sequence[str] = ("income", "never_married"), rows: int | None = None, seed: int | None = None
) -> MultiTaskData:
    """Gives Census-Income as two binary tasks a person.

    As in the MMoE paper (Ma et al. 2018, section 6.3), education and marital status are never inputs; nor are the
    income and the sampling weight, which leaves 38 of the 42 columns (the paper counts 40). The donors' test file is
    halved at random into validation and test.

    Args:
        tasks: Two or more of ``"income"`` (more than 50,000 dollars: 6.2 %), ``"never_married"`` (43.3 %) and
            ``"education"`` (an associate degree or higher).
        rows: How many training rows, drawn at random; all 199,523 if None.
        seed: Seed of that draw and of the halving; the course's if None.

    Returns:
        Inputs ``"categorical"`` and ``"numeric"``; segments of sex and age as groups.

    Raises:
        ValueError: If a task is unknown, ``rows`` is out of range, or the shipped file is damaged.

    Example:
        >>> census_income(rows=10_000).describe()["rows"].tolist()
        [10000, 10000, 49881, 49881, 49881, 49881]
    """
    names = require_known("tasks", tasks, SOURCE_COLUMN)
    if rows is not None and not 1 <= rows <= ROWS["train"]:
        raise ValueError(f"rows={rows}: choose from 1 to {ROWS['train']}, or None for all.")
    random = random_numbers(seed)
    train = read_census_income("train")
    if rows is not None:
        train = train.iloc[np.sort(random.permutation(len(train))[:rows])]
    rest = read_census_income("test")
    order = random.permutation(len(rest))
    halves = np.sort(order[: len(rest) // 2]), np.sort(order[len(rest) // 2 :])
    splits = {"train": train, "validation": rest.iloc[halves[0]], "test": rest.iloc[halves[1]]}
    inputs = [column for column in COLUMNS if column not in NEVER_INPUTS]
    kinds, arrays, words = encode_splits(
        {split: unskewed(table) for split, table in splits.items()},
        categorical=[column for column in inputs if column not in NUMERIC_COLUMNS],
        numeric=[column for column in inputs if column in NUMERIC_COLUMNS],
    )
    rows_of = {
        split: Rows(arrays[split], {task: label(table, task) for task in names}, groups=group(table))
        for split, table in splits.items()
    }
    del train, rest, splits
    release()  # the text columns were five times the size of what is kept
    return MultiTaskData(
        name="Census-Income",
        tasks={task: Task("binary") for task in names},
        inputs=kinds,
        train=rows_of["train"],
        validation=rows_of["validation"],
        test=rows_of["test"],
        groups=GROUPS,
        vocabularies=words,
    )


def label(table: pd.DataFrame, task: str) -> np.ndarray:
    """Gives a task's labels, float32 ``[rows]``."""
    column = table[SOURCE_COLUMN[task]]
    positive = {"income": ["50000+"], "never_married": ["Never married"], "education": list(COLLEGE)}[task]
    return column.isin(positive).to_numpy(np.float32)


def unskewed(table: pd.DataFrame) -> pd.DataFrame:
    """Gives the table with its skewed numeric columns (mostly 0, a few large) as log(1 + x)."""
    return table.assign(**{column: np.log1p(table[column].astype("float32")) for column in SKEWED_COLUMNS})


def group(table: pd.DataFrame) -> np.ndarray:
    """Gives each person's segment, a position in ``GROUPS``; int32 ``[rows]``."""
    men = (table["sex"] == "Male").to_numpy()
    return (men * (len(AGES) + 1) + np.digitize(table["age"], AGES)).astype(np.int32)
