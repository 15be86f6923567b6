"""A shop's log: what was shown, clicked and paid for, with the true conversion rate of everything shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mtl_helpers.datasets.base import Arrays, MultiTaskData, Rows, Task, require_known
from mtl_helpers.datasets.encoding import encode_splits, random_splits
from mtl_helpers.datasets.world import centred, sigmoid, standardised
from mtl_helpers.seeds import random_numbers

TASKS = ("click", "pay", "conversion")
USER_FEATURES = ("user_id", "store_id", "search_keyword")
ITEM_FEATURES = ("sku_id", "category_id", "brand_id", "ware_type", "price")
WARE_TYPES = ("own stock", "marketplace", "imported", "second hand")
CATEGORIES, BRANDS, STORES, KEYWORDS = 20, 60, 40, 60


def shop_log(
    rows: int = 20_000,
    tasks: Sequence[str] = ("click", "pay"),
    *,
    selection: float = 1.0,
    click_rate: float = 0.2,
    conversion_rate: float = 0.1,
    users: int = 300,
    skus: int = 300,
    steepness: float = 1.5,
    seed: int | None = None,
) -> MultiTaskData:
    """Draws the log of a shop, one row an item shown in answer to a search: impression, then click, then payment.

    Whether a user clicks depends on whether the item's category is the one searched for, on the brand, and on taste
    (user and item have hidden tastes). Whether a click turns into a payment depends on the same liking, as far as
    there is ``selection``, and on whether the price suits those who search in a store, on the ware type and on the
    user. Hence the clicked rows are not like the rest: with positive ``selection`` they convert more often than the
    unclicked would, and whoever learns from clicks alone has hardly seen the rows that the model is asked about when
    serving (Ma et al. 2018, arXiv:1804.07931). All causes are among the inputs; nothing hidden makes click and
    payment depend on each other.

    Args:
        rows: Rows in all; 60 % are for training, 20 % for validation, 20 % for test.
        tasks: ``"click"``, ``"pay"`` (clicked and paid, known for every row) and ``"conversion"`` (paid once clicked:
            missing where nothing was clicked).
        selection: How much of the liking that earns the click also earns the payment; 0, none; negative: clicks are
            earned by what does not sell.
        click_rate: Share of rows that are clicked.
        conversion_rate: Share that would be paid for if everything were clicked.
        users: Number of users.
        skus: Number of items; each has a category, a brand, a ware type and a price.
        steepness: Standard deviation of the two logits: the larger, the more of an outcome can be known.
        seed: Seed of everything drawn; the course's if None.

    Returns:
        Inputs ``"categorical"`` (user_id, store_id, search_keyword, sku_id, category_id, brand_id, ware_type) and
        ``"numeric"`` (the logarithm of the price); ware types as groups; ``truth`` has ``"click"``, ``"pay"`` (their
        product) and ``"conversion"`` for every row, clicked or not, whichever tasks are asked for.

    Raises:
        ValueError: If a task is unknown or a number out of range.

    Example:
        >>> log = shop_log(rows=10_000)
        >>> clicked = log.train.labels["click"] == 1
        >>> rate = log.train.truth["conversion"]
        >>> bool(rate[clicked].mean() > rate[~clicked].mean())
        True
    """
    names = require_known("tasks", tasks, dict.fromkeys(TASKS))
    for argument, rate in (("click_rate", click_rate), ("conversion_rate", conversion_rate)):
        if not 0 < rate < 1:
            raise ValueError(f"{argument}={rate} is not a share between 0 and 1, both excluded.")
    if rows < 10 or users < 1 or skus < 1:
        raise ValueError(f"rows={rows}, users={users}, skus={skus}: give at least 10, 1 and 1.")
    if not np.isfinite([selection, steepness]).all():
        raise ValueError(f"selection={selection}, steepness={steepness}: give finite numbers.")
    random = random_numbers(seed)
    table, click, conversion = impressions(rows, users, skus, selection, random)
    truth = {
        "click": sigmoid(centred(steepness * click, click_rate)),
        "conversion": sigmoid(centred(steepness * conversion, conversion_rate)),
    }
    truth["pay"] = truth["click"] * truth["conversion"]
    clicked = random.random(rows) < truth["click"]
    paid = clicked & (random.random(rows) < truth["conversion"])
    labels = {"click": clicked, "pay": paid, "conversion": np.where(clicked, paid, np.nan)}
    parts = random_splits(rows, random)
    kinds, inputs, words = encode_splits(
        {split: table.iloc[part] for split, part in parts.items()}, [*USER_FEATURES, *ITEM_FEATURES[:-1]], ["price"]
    )
    groups = table["ware_type"].map(WARE_TYPES.index).to_numpy(np.int32)

    def cut(split: str) -> Rows:
        def some(arrays: Arrays, tasks: Sequence[str]) -> Arrays:
            return {task: arrays[task][parts[split]].astype(np.float32) for task in tasks}

        weights = some({"conversion": clicked}, ["conversion"]) if "conversion" in names else {}
        return Rows(inputs[split], some(labels, names), weights, some(truth, TASKS), groups[parts[split]])

    return MultiTaskData(
        name="shop log",
        tasks={task: Task("binary") for task in names},
        inputs=kinds,
        train=cut("train"),
        validation=cut("validation"),
        test=cut("test"),
        groups=WARE_TYPES,
        vocabularies=words,
    )


def impressions(
    rows: int, users: int, skus: int, selection: float, random: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Draws what was shown to whom.

    Args:
        rows: Number of impressions.
        users: Number of users.
        skus: Number of items.
        selection: Weight of the liking in the conversion.
        random: Source of everything.

    Returns:
        The inputs, one row an impression, and two scores ``[rows]`` of standard deviation 1: for the click and, once
        clicked, for the payment.
    """
    user, sku = random.integers(users, size=rows), random.integers(skus, size=rows)
    category, brand, ware = (random.integers(size, size=skus)[sku] for size in (CATEGORIES, BRANDS, len(WARE_TYPES)))
    store = random.integers(STORES, size=rows)
    # Most searches find what they ask for: keyword k asks for category k % CATEGORIES.
    asked = np.where(random.random(rows) < 0.6, category, random.integers(CATEGORIES, size=rows))
    keyword = asked + CATEGORIES * random.integers(KEYWORDS // CATEGORIES, size=rows)
    price = random.normal(3.0, 0.5, size=CATEGORIES)[category] + random.normal(0, 0.5, size=skus)[sku]
    price += random.normal(0, 0.05, size=rows)  # the price of the day
    taste = random.normal(size=(users, 3))[user]
    offer = random.normal(size=(CATEGORIES, 3))[category] + 0.5 * random.normal(size=(skus, 3))[sku]
    liking = (taste * offer).sum(axis=1)
    wealth = random.normal(size=STORES)[store]  # of those who search in a store
    afford = np.tanh(1.5 * (wealth - standardised(price)))
    quality = random.normal(size=BRANDS)[brand]
    trust = 0.5 * random.normal(size=users)[user] + np.array([1.0, 0.0, -0.3, -0.7])[ware]
    click = standardised(1.0 * (asked == category)) + 0.7 * quality + 0.7 * standardised(liking)
    conversion = selection * standardised(click) + afford + 0.5 * standardised(trust)
    ids = {"user_id": user, "store_id": store, "sku_id": sku, "category_id": category, "brand_id": brand}
    table = pd.DataFrame({name: pd.Categorical(numbers.astype(str)) for name, numbers in ids.items()})
    table["search_keyword"] = pd.Categorical.from_codes(keyword, [f"search {k}" for k in range(KEYWORDS)])
    table["ware_type"] = pd.Categorical.from_codes(ware, list(WARE_TYPES))
    table["price"] = price
    return table, standardised(click), standardised(conversion)
