"""A short-video site: what its users click, finish and like, with the true probabilities known."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from mtl_helpers.datasets.base import Categorical, MultiTaskData, Numeric, Rows, Task, require_known
from mtl_helpers.datasets.encoding import UNSEEN, Standardiser
from mtl_helpers.datasets.world import centred, sigmoid, standardised
from mtl_helpers.seeds import random_numbers

SEGMENTS = ("followers", "regulars", "skimmers", "listeners")
TOPICS = ("music", "sports", "cooking", "comedy", "news", "games", "travel", "science")
KINDS = {"click": "binary", "finish": "binary", "like": "binary", "watch_ratio": "regression"}
RATES = {"click": 0.4, "finish": 0.4, "like": 0.15}
WATCH_NOISE = 0.1


def video_log(
    rows: int = 10_000,
    tasks: tuple[str, ...] = ("click", "finish"),
    *,
    clickbait: float = 0.5,
    users: int = 500,
    videos: int = 400,
    affinities: int = 12,
    steepness: float = 2.5,
    rates: Mapping[str, float] | None = None,
    missing: Mapping[str, float] | None = None,
    ids: bool = False,
    seed: int | None = None,
) -> MultiTaskData:
    """Draws the log of a short-video site, one row a video shown to a user.

    A row has ``affinities``, numbers that say how a user and a video match, and each of four user segments turns them
    into a wish to click by a function of its own. How the wish to finish relates to it is what the segments differ in:

    - followers and regulars finish what they click, by the same function;
    - skimmers finish the opposite: what earns their click loses the finish;
    - listeners let videos play, and finish by a function that has nothing to do with their clicks.

    So no single way of sharing serves all rows. On top of it the covers promise: ``cover_appeal`` raises clicks and,
    as far as there is ``clickbait``, lowers finishes.

    Args:
        rows: Rows in all; 60 % are for training, 20 % for validation, 20 % for test.
        tasks: Which of ``"click"``, ``"finish"``, ``"like"`` (binary) and ``"watch_ratio"`` (0 to 1, a regression).
        clickbait: How much of a cover's appeal is a broken promise: 0, none; 1, as much as it attracts, it repels.
        users: Number of users; each belongs to a segment.
        videos: Number of videos; each has a topic, a length and a cover.
        affinities: Number of inputs the segments' functions read.
        steepness: Standard deviation of the functions, in logits; the larger, the more of an outcome can be known.
        rates: Task -> share of positive labels; .4, .4 and .15 for click, finish and like unless given.
        missing: Task -> share of labels that are missing, at random.
        ids: Whether the user's and the video's number are inputs, too.
        seed: Seed of everything drawn; the course's if None.

    Returns:
        Inputs ``"categorical"`` (segment, topic and, with ``ids``, user and video) and ``"numeric"`` (affinities,
        cover appeal, length in seconds); the segments as groups; ``truth`` holds true probabilities and means.

    Raises:
        ValueError: If a task is unknown or a number out of range.

    Example:
        >>> log = video_log(rows=5000)
        >>> log.groups
        ('followers', 'regulars', 'skimmers', 'listeners')
    """
    names = require_known("tasks", tasks, KINDS)
    shares = RATES | checked_shares("rates", rates, RATES)
    gone = checked_shares("missing", missing, names)
    if rows < 10 or users < len(SEGMENTS) or videos < len(TOPICS) or affinities < 1:
        raise ValueError(f"rows={rows}, users={users}, videos={videos}, affinities={affinities}: at least 10, 4, 8, 1.")
    if not np.isfinite([clickbait, steepness]).all():
        raise ValueError(f"clickbait={clickbait}, steepness={steepness}: give finite numbers.")
    random = random_numbers(seed)
    user, video = random.integers(users, size=rows), random.integers(videos, size=rows)
    segment, topic = np.arange(users)[user] % len(SEGMENTS), np.arange(videos)[video] % len(TOPICS)
    appeal, seconds = random.normal(size=videos)[video], random.lognormal(3.4, 0.6, size=videos)[video]
    match = random.standard_normal((rows, affinities))
    wish = wishes(match, segment, random) * steepness
    truth, labels = outcomes(wish, appeal, clickbait, shares, random)
    present = {task: (random.random(rows) >= share).astype(np.float32) for task, share in gone.items()}
    for task, kept in present.items():
        labels[task] = np.where(kept, labels[task], np.nan)
    codes = {"segment": (segment, SEGMENTS), "topic": (topic, TOPICS)}
    if ids:
        codes["user"] = user, tuple(f"user {i}" for i in range(users))
        codes["video"] = video, tuple(f"video {i}" for i in range(videos))
    categorical = np.stack([code + 1 for code, _ in codes.values()], axis=1).astype(np.int32)
    numeric = np.column_stack([match, appeal, np.log(seconds)])
    ends = int(0.6 * rows), int(0.8 * rows)
    numeric = Standardiser.fit(numeric[: ends[0]]).encode(numeric)

    def cut(start: int | None, end: int | None) -> Rows:
        def some(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {task: arrays[task][start:end].astype(np.float32) for task in names if task in arrays}

        inputs = {"categorical": categorical[start:end], "numeric": numeric[start:end]}
        return Rows(inputs, some(labels), some(present), some(truth), segment[start:end].astype(np.int32))

    columns = (*(f"affinity_{i + 1}" for i in range(affinities)), "cover_appeal", "log_seconds")
    return MultiTaskData(
        name="video log",
        tasks={task: Task(KINDS[task]) for task in names},  # type: ignore[arg-type]
        inputs={
            "categorical": Categorical(tuple(codes), tuple(len(words) + 1 for _, words in codes.values())),
            "numeric": Numeric(columns),
        },
        train=cut(None, ends[0]),
        validation=cut(*ends),
        test=cut(ends[1], None),
        groups=SEGMENTS,
        vocabularies={column: (UNSEEN, *words) for column, (_, words) in codes.items()},
    )


def checked_shares(argument: str, shares: Mapping[str, float] | None, known: Collection[str]) -> dict[str, float]:
    """Gives shares of rows by task, after checking them.

    Args:
        argument: Name of the argument, for the message.
        shares: Task -> share; none if None.
        known: The tasks that can have one.

    Returns:
        Task -> share.

    Raises:
        ValueError: If a task is unknown, or a share not between 0 and 1.
    """
    given = dict(shares or {})
    if given:
        require_known(argument, given, dict.fromkeys(known))
    for task, share in given.items():
        if not 0 < share < 1:
            raise ValueError(f"{argument}[{task!r}]={share} is not a share between 0 and 1, both excluded.")
    return given


def outcomes(
    wish: np.ndarray, appeal: np.ndarray, clickbait: float, shares: Mapping[str, float], random: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Draws what happens.

    Args:
        wish: Wish to click and to finish, in logits, ``[rows, 2]``.
        appeal: Appeal of the cover, ``[rows]``.
        clickbait: How much of it is a broken promise.
        shares: Task -> share of positive labels.
        random: Source of the labels.

    Returns:
        Task -> true probability or mean ``[rows]``, and task -> label ``[rows]``.
    """
    logits = {"click": wish[:, 0] + 0.7 * appeal, "finish": wish[:, 1] - 0.7 * clickbait * appeal}
    logits["like"] = 0.6 * (logits["click"] + logits["finish"])
    truth = {task: sigmoid(centred(logits[task], shares[task])) for task in RATES}
    truth["watch_ratio"] = sigmoid(logits["finish"])
    labels = {task: (random.random(len(wish)) < truth[task]) * 1.0 for task in RATES}
    labels["watch_ratio"] = truth["watch_ratio"] + WATCH_NOISE * random.normal(size=len(wish))
    return truth, labels


def wishes(match: np.ndarray, segment: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Gives each row's wish to click and to finish.

    Args:
        match: ``[rows, affinities]``.
        segment: Position in ``SEGMENTS``, ``[rows]``.
        random: Source of the segments' functions.

    Returns:
        ``[rows, 2]``, of standard deviation 1 within a segment.
    """
    outcome = np.empty((len(match), 2))
    for number in range(len(SEGMENTS)):
        mine = segment == number
        click, other = (smooth(match[mine], random) for _ in range(2))
        finish = {2: -click, 3: other}.get(number, click)
        outcome[mine] = np.stack([click, finish], axis=1)
    return outcome


def smooth(match: np.ndarray, random: np.random.Generator, bends: int = 4) -> np.ndarray:
    """Computes a random function that bends a few times, of mean 0 and standard deviation 1: ``[rows]``."""
    directions = random.normal(size=(match.shape[1], bends)) / np.sqrt(match.shape[1])
    return standardised(np.tanh(2 * match @ directions) @ random.normal(size=bends))
