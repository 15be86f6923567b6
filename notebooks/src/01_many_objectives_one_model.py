# %% [markdown] slideshow={"slide_type": "slide"}
# # 01 · Many objectives, one model
#
# **A site that shows what gets clicked: what does it get?**
#
# Clicks, and covers made to be clicked. Users who came for something else leave; the click model never notices. So every site that
# recommends, advertises or searches ends up with several targets at once. In this chapter we see why, learn four ways to serve several
# objectives with one list, run all four on the same log, and find out which of them can change its mind in a millisecond.
#
# <details lang="zh">
# <summary>中文</summary>
#
# **一个网站只展示容易被点击的内容，它会得到什么？**
#
# 得到点击，也得到为骗点击而做的封面。冲着别的东西来的用户离开了，点击模型却毫无察觉。所以每个做推荐、广告或搜索的网站，最终都会有好几个目标。
# 本章先看清为什么，再学习用一个列表服务多个目标的四种方法，在同一份日志上全部跑一遍，看看哪些方法能在一毫秒内改变主意。
#
# </details>

# %% [markdown]
# ## What you will be able to do
#
# - show, with numbers, what training on clicks alone does to everything else;
# - tell multi-task learning from transfer, multi-label and multi-class learning, and write each in Keras;
# - serve several objectives in four ways: fused models, sample weights, preference pairs, multi-task learning;
# - say what a sample weight can never express, and prove it in two lines;
# - choose between a sum and a product of scores.
#
# ## What you need first
#
# Binary classification, a dense layer in Keras, AUC (the chance that a positive row outranks a negative one).
#
# ## Minutes
#
# 45 to read, 1 to run.

# %%
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from mtl_helpers import plots
from mtl_helpers.exercises import check, summary
from mtl_helpers.recording import recorded
from mtl_helpers.study import claim, study

# %%
import keras
from keras import layers

from mtl_helpers.datasets import shop_log, video_log
from mtl_helpers.metrics import auc, ndcg, paired_interval
from mtl_helpers.models import hard_sharing, single_task
from mtl_helpers.objectives import PairwiseLoss, boosted_trees, lists_by, one_label, tree_scores
from mtl_helpers.widgets import FusionDesk

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Why one target is not enough
#
# | | what one model is trained for | what the business also wants | what goes wrong |
# |---|---|---|---|
# | **video, news** | click (点击) | finish, like, follow, comment, come back tomorrow | clickbait (标题党): covers that promise what the content does not hold |
# | **shop** | click | stay, add to cart, favourite, buy, buy again | items to look at rather than items to own |
# | **advertising** | click | install, register, buy: the advertiser pays per action (CPA) | loud creatives win, good offers are never shown |
# | **search** | click on a result | the user has found it, and stops searching | attractive titles, useless pages |
#
# Then train for the last step alone, from impression (曝光) straight to conversion (转化)? It is rare, impressions times click-through rate times
# conversion rate: most of what the log knows, who clicked what, would be thrown away. And a site is judged by more than its models' targets:
# by coverage, diversity, novelty and surprise, by how quickly it reacts, by robustness and trust. Several objectives are the normal case, and the
# real question is how to serve them together.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Clickbait, measured
#
# `video_log` draws the log of a short-video site and knows the true probabilities. Every cover has an *appeal* that raises clicks. The knob
# `clickbait` says how much of it is a broken promise: at 0 an appealing cover does no harm, at 1 it repels viewers from finishing as much
# as it attracted their click, at 3 three times as much.
#
# We train two networks, one for clicks and one for finishes, in eight worlds for each position of the knob.

# %%
knobs = (0.0, 1.0, 2.0, 3.0)
sites = {str(knob): partial(video_log, 8000, clickbait=knob) for knob in knobs}
sites = {knob: (lambda seed, draw=draw: draw(seed=seed)) for knob, draw in sites.items()}
settings = {"batch_size": 128, "optimizer": keras.optimizers.Adam(5e-3)}
bait = study({"alone": partial(single_task, hidden_units=(32,))}, sites, seeds=8, epochs=5, **settings)

# %% [markdown]
# Now we rank each world's test rows, show the top tenth, and ask the truth what users would have done: by predicted clicks, by predicted
# finishes, by the product of both, and at random.
#
# **Exercise 01.1, before you run it.** As clickbait grows from 0 to 3, what happens to the click model's AUC? a) It falls: bait confuses it.
# b) Nothing. c) It rises: bait is easy to predict.

# %%
guess = ...
check("01.1", guess)


# %%
def predictions(found, model, data=None):
    """Test predictions of every seed: a list of {task: [rows]}."""
    runs = [i for i, run in enumerate(found.plan.runs) if data in (None, run.data)]
    inputs = [found.plan.of_run(found.plan.runs[i]).test.inputs for i in runs]
    return [
        {task: p.numpy()[:, 0].astype(float) for task, p in found.model(model, i)(x).items()}
        for i, x in zip(runs, inputs, strict=True)
    ]


# %%
def shown(scores, rows, share=0.1):
    """True outcome of the best-scored rows."""
    top = np.argsort(-scores)[: int(share * len(rows))]
    return {task: values[top].mean() for task, values in rows.truth.items()}


seen = []
for run, p in zip(bait.plan.runs, predictions(bait, "alone"), strict=True):
    rows, world = bait.plan.of_run(run).test, {"clickbait": run.data, "seed": run.seed}
    by = {"clicks": p["click"], "finishes": p["finish"], "product": p["click"] * p["finish"]}
    seen += [{"ranking": name, **world, **shown(score, rows)} for name, score in by.items()]
    seen.append({"ranking": "random", **world, **shown(p["click"], rows, share=1)})
seen = pd.DataFrame(seen)

# %%
plots.show(
    plots.outcome_lines(seen, "clickbait", "clickbait", ["click", "finish"], "the top tenth"),
    alt="True share of clicks and of finishes in the top tenth against clickbait from 0 to 3. Ranked by clicks, clicks stay near .9 while "
    "finishes fall towards the level of a random list; ranked by the product both stay near .8.",
)

# %%
clicks = bait.scores().query("task == 'click'").pivot(index="seed", columns="data", values="value")
spread = float((clicks.max(axis=1) - clicks.min(axis=1)).max())
claim("The click model's AUC does not move with clickbait.", spread < 0.005, f"by at most {spread:.4f} in any world")

# %% [markdown]
# Of course not: the clicks are the same clicks. That is the trap. On the dashboard of a click team nothing changes while the site rots.


# %%
def difference(one, other):
    """Mean paired difference over seeds, as an interval and as text."""
    interval = paired_interval(np.asarray(one) - np.asarray(other))
    return interval, f"{interval.mean:+.1f} points, {interval.low:+.1f} to {interval.high:+.1f}, {interval.n} seeds"


finish = 100 * seen.pivot(index="seed", columns=["clickbait", "ranking"], values="finish")
click = 100 * seen.pivot(index="seed", columns=["clickbait", "ranking"], values="click")
lost, details = difference(finish["3.0"]["clicks"], finish["0.0"]["clicks"])
claim("Ranked by clicks, the shown videos are finished less as clickbait grows.", lost.high < 0, details)
bait_cost = details

# %%
more, details = difference(finish["1.0"]["product"], finish["1.0"]["clicks"])
claim("At clickbait 1, ranking by the product shows videos that are finished more often.", more.low > 0, details)
fewer, paid = difference(click["1.0"]["product"], click["1.0"]["clicks"])
balance = paired_interval(
    finish["1.0"]["product"] - finish["1.0"]["clicks"] + click["1.0"]["product"] - click["1.0"]["clicks"]
)
claim("It costs clicks, but fewer than it gains in finishes.", balance.low > 0 > fewer.high, paid)
product_gain = f"finishes {details}; clicks {paid}"

# %% [markdown]
# Read the left panel first: giving up a few clicks is the whole price. And mind the knob at 0. Even without bait, ranking by clicks leaves
# most finishes lying about, because what makes people click is not what makes them stay: one of the four user segments, the skimmers,
# finishes the opposite of what it clicks.

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask the room: who has a number on their dashboard that cannot fall when the product gets worse? Let two people name theirs before going on.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What multi-task learning is
#
# **Multi-task learning** (多任务学习): several related tasks are learned together on a shared representation (共享表示). In practice: as soon as
# a model minimises more than one loss, it is multi-task. Other names for it are *joint learning*, *learning with auxiliary tasks*, and
# in older texts *learning to learn*.
#
# To cut a problem into parts and solve each by itself is a good habit, and here it throws something away: the parts have causes in common. A
# single-task network per target learns each from its own labels alone, as if the targets had nothing to do with each other. Shared layers
# let one task's training signal shape what the other reads. This is an **inductive bias** (归纳偏置): like an L1 penalty makes a model
# prefer sparse weights, a second task makes it prefer representations that explain both.

# %% [markdown]
# Often one task is what we want (*main task*) and others are there to help (*auxiliary*). A craftsman who does one thing may do it
# perfectly; one who does several knows what carries over, and that helps when tomorrow's rows are not quite yesterday's. It only works if
# the tasks are related; when they are not, it hurts (chapter 02), and why it works at all is chapter 03.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Three ideas that look similar
#
# Think of photographs of people:
#
# | | what one row's label is | example | what is shared |
# |---|---|---|---|
# | **multi-class** (多分类) | exactly one of several classes | child, teenager, adult or old | everything; classes exclude each other |
# | **multi-label** (多标签) | any number of tags | {young, painter}; the next one {young} | everything; tags are one kind of question |
# | **multi-task** (多任务) | one answer to each of several questions, maybe of different kinds | age in years **and** painter or not | a representation; each task has its own head and loss |
# | **transfer** (迁移学习) | one task first, another later | faces from film posters, then faces at a door | what the first task (source domain, 源域) learned; the second (target domain, 目标域) starts from it |
#
# Multi-task learning is itself a kind of transfer: *inductive* transfer (归纳迁移), in both directions and at the same time. (Style transfer, 风格迁移,
# which repaints a photograph in a painter's manner, is often given as the classic example of transfer. It shares little but the name: nothing is
# learned for one task to do better at another; a network trained on photographs only measures how alike two pictures are.)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Four framings, one data set
#
# A small log of the video site with four targets. We frame it in four ways; the trunk (one hidden layer) is the same each time.

# %%
small = video_log(4000, tasks=("click", "finish", "like", "watch_ratio"))
x, y = small.train.inputs["numeric"], small.train.labels
x_test = small.test.inputs["numeric"]
fit = {"epochs": 3, "batch_size": 64, "verbose": 0}


def trunk():
    return keras.Sequential([layers.Input(x.shape[1:]), layers.Dense(32, "relu")])


# %% [markdown]
# **Multi-class.** What did the user do? Four classes that exclude each other, one softmax.

# %%
classes = ("passed by", "clicked, left", "watched unclicked", "clicked, watched")
outcome = (y["click"] + 2 * y["finish"]).astype("int32")
multi_class = keras.Sequential([trunk(), layers.Dense(4, "softmax")])
multi_class.compile("adam", loss="sparse_categorical_crossentropy")
_ = multi_class.fit(x, outcome, **fit)
# %% [markdown]
# **Multi-label.** Which tags does the row deserve? Three sigmoids in one layer, one loss; they need not sum to 1.

# %%
tags = np.stack([y["click"], y["finish"], y["like"]], axis=1)
multi_label = keras.Sequential([trunk(), layers.Dense(3, "sigmoid")])
multi_label.compile("adam", loss="binary_crossentropy")
_ = multi_label.fit(x, tags, **fit)
# %% [markdown]
# **Multi-task.** Two questions of different kinds: will they click (a probability), and what share of the video will they watch (a number)?
# Each has its own head and its own loss; the losses are added. Outputs are a dict, and its keys name the losses and the labels (chapter 04
# shows what happens when they do not).

# %%
inputs = keras.Input(x.shape[1:])
shared = trunk()
features = shared(inputs)
heads = {
    "click": layers.Dense(1, "sigmoid", name="click")(layers.Dense(8, "relu")(features)),
    "watch_ratio": layers.Dense(1, name="watch_ratio")(layers.Dense(8, "relu")(features)),
}
multi_task = keras.Model(inputs, heads)
multi_task.compile("adam", loss={"click": "binary_crossentropy", "watch_ratio": "mean_squared_error"})
_ = multi_task.fit(x, {task: y[task] for task in heads}, **fit)
# %% [markdown]
# **Transfer.** The trunk that just learned clicks and watch ratios is kept and frozen; *afterwards* a new head learns likes from 300 rows.

# %%
before = [weight.copy() for weight in shared.get_weights()]
shared.trainable = False
transfer = keras.Sequential([shared, layers.Dense(1, "sigmoid")])
transfer.compile("adam", loss="binary_crossentropy")
transfer.fit(x[:300], y["like"][:300], **fit)
after = shared.get_weights()

# %% [markdown]
# Side by side, for the first test row:

# %%
few = x_test[:1]
answers = {
    "multi-class": (multi_class, classes),
    "multi-label": (multi_label, ("click", "finish", "like")),
    "transfer": (transfer, ("like",)),
}
text = {
    n: ", ".join(f"{k} {v:.2f}" for k, v in zip(k, m(few).numpy()[0], strict=True)) for n, (m, k) in answers.items()
}
text["multi-task"] = ", ".join(f"{task} {p.numpy()[0, 0]:.2f}" for task, p in multi_task(few).items())
losses = {
    "multi-class": "1, of a softmax",
    "multi-label": "1, of sigmoids",
    "multi-task": "2, added",
    "transfer": "1, then 1",
}
framings = pd.DataFrame({"losses": losses, "answer for one row": text}).loc[[*losses]]
framings.style.set_properties(**{"text-align": "left"})

# %%
sums = multi_class(x_test).numpy().sum(axis=1)
claim(
    "Multi-class probabilities sum to 1.", np.allclose(sums, 1, atol=1e-5), f"largest error {abs(sums - 1).max():.0e}"
)
sums = multi_label(x_test).numpy().sum(axis=1)
claim("Multi-label probabilities do not.", np.ptp(sums) > 0.1, f"sums from {sums.min():.2f} to {sums.max():.2f}")
moved = max(float(abs(a - b).max()) for a, b in zip(before, after, strict=True))
claim("Transfer with a frozen trunk leaves the trunk as it was.", moved == 0, f"largest change {moved:g}")

# %% [markdown]
# The borders are soft. A multi-label network *is* a multi-task network whose tasks are all of one kind, with heads of a single layer and
# equal loss weights; the softmax holds all information about click and finish in one joint distribution, from which
# $p(\text{click}) = p(\text{clicked, left}) + p(\text{clicked, watched})$. What makes a framing is what you want to do with the answers, and whether each
# target needs something of its own: a kind, a loss, a weight, a tower.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## One log, four ways
#
# A shop: impression → click → payment. The true rates are known. What the shop wants first:
#
# > **Goal A.** A click is worth 0.2, a payment 1, nothing is worth nothing.
#
# So an item with click-through rate $c$ and payment rate $p$ (both per impression) is worth, on average,
# $$g = 0.2\,(c - p) + 1 \cdot p = 0.2\,c + 0.8\,p.$$
# Tomorrow the shop will change its mind:
#
# > **Goal B.** A click is worth 0.02, a payment 1.
#
# We judge by **NDCG** (归一化折损累计增益): each user's test items are cut into lists of 20, ranked, and the first five count
# $g / \log_2(\text{position} + 1)$, divided by what the perfect order would get. $g$ is the *true* gain: what users would really have done. By
# hand: two items of gain 1 and 0 in the wrong order give $(0/1 + 1/\log_2 3) / 1 = 0.63$.

# %%
SIZES = (41, 41, 61, 41, 21, 61, 5)  # of every world alike, whichever brands it happens to draw


def shop(seed):
    log = shop_log(20_000, selection=0, click_rate=0.3, conversion_rate=0.2, users=40, skus=40, steepness=2, seed=seed)
    kind = replace(log.inputs["categorical"], sizes=SIZES)
    return replace(log, inputs=log.inputs | {"categorical": kind}, validation=log.validation.take(slice(0, 512)))


shop(0).describe().set_index(["split", "task"]).round(3)

# %% [markdown]
# Everything below is trained in eight worlds (seeds), the same for all. Networks have one hidden layer of 64 and towers of 8, eight epochs and
# one learning rate, chosen once and tuned for none of the ways. Trust the large differences, not the small ones, until we have tuned them all, further
# down.

# %%
network = {"hidden_units": (64,), "tower_units": (8,)}
training = {"seeds": 8, "epochs": 8, "batch_size": 256, "optimizer": keras.optimizers.Adam(5e-3)}
seconds, scores = {}, {}


def timed(way, work):
    """Runs some work and notes the seconds it took, a model."""
    start = time.perf_counter()
    result = work()
    seconds[way] = (time.perf_counter() - start) / 8
    return result


# %% [markdown] slideshow={"slide_type": "slide"}
# ### Way 1 · One model a task, scores fused
#
# For each objective its own model; when serving, one score from all of them. Two formulas are usual:
# $$\text{sum: } \sum_i w_i \cdot \text{score}_i \qquad\qquad \text{product: } ctr^{\,w_1} \cdot cvr^{\,w_2} \cdot price^{\,w_3}$$
# The product is how advertisements are ranked. Here $ctr$ is the click model's output and $cvr$ that of the payment model divided by it.

# %%
one_a_task = timed("1 a model a task", lambda: study({"net": partial(single_task, **network)}, shop, **training))
separate = predictions(one_a_task, "net")
worlds = [one_a_task.plan.of_run(run) for run in one_a_task.plan.runs]
tests = [world.test for world in worlds]


def weighted_sum(p, click_worth):
    return click_worth * p["click"] + (1 - click_worth) * p["pay"]


# %% [markdown] slideshow={"slide_type": "slide"}
# ### Way 2 · One model, sample weights
#
# Two models cost twice, and somebody has to maintain both. So make one label: positive is whatever was clicked or paid for, and give the
# rows different **sample weights** (样本权重): a payment 1, a mere click 0.2 (a usual choice is near the rate at which clicks convert). The
# gradient of each row is multiplied by its weight. The same is got by *copying* rows, a payment five times for each click. Most teams start
# here, with boosted trees, so we take scikit-learn's, and the same with our network.
#
# **Exercise 01.2.** It looks like two objectives in one model. Is it? Take one item, with click rate $c$ and payment rate $p$. Positives
# have total weight $0.2\,(c - p) + p$, negatives $1 - c$. Write the score a perfectly trained model converges to.


# %%
def weighted_score(click, pay, click_weight): ...


check("01.2", weighted_score)


# %%
def weights(rows, click_weight):
    """A payment counts 1, a mere click click_weight, a negative 1."""
    click, pay = rows.labels["click"], rows.labels["pay"]
    return np.where(pay == 1, 1, np.where(click == 1, click_weight, 1))


def weighted(seed, click_weight):
    return one_label(shop(seed), "good", lambda rows: rows.labels["click"], partial(weights, click_weight=click_weight))


def trees(click_weight):
    def fitted(world):
        model = boosted_trees(world, world.train.labels["click"], weights(world.train, click_weight))
        return tree_scores(model, world.test)

    return [fitted(world) for world in worlds]


# %%
goals = {"A": 0.2, "B": 0.02}  # what a click is worth
for goal, worth in goals.items():
    scores["2 trees, sample weights", goal] = timed("2 trees, sample weights", partial(trees, worth))
sweep = {goal: partial(weighted, click_weight=worth) for goal, worth in goals.items()}
weighing = timed(
    "2 network, sample weights", lambda: study({"net": partial(single_task, **network)}, sweep, **training)
)
for goal in goals:
    scores["2 network, sample weights", goal] = [p["good"] for p in predictions(weighing, "net", goal)]

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Way 3 · Learning to rank from preference pairs
#
# A list needs an order, not probabilities. So learn from pairs (排序学习): a paid item should score higher than a clicked one, a clicked one higher
# than an ignored one. **RankNet** makes the difference of two scores a probability and takes its logarithm as the loss:
# $$P(i \succ j) = \frac{1}{1 + e^{-(s_i - s_j)}}, \qquad \text{loss} = -\log P(i \succ j) = \log\left(1 + e^{\,s_j - s_i}\right).$$
# By hand: scores 2 (ignored) and 0 (paid) cost $\log(1 + e^{2}) = 2.13$; with the scores exchanged, $\log(1 + e^{-2}) = 0.13$.
#
# **Exercise 01.3.** Write the mean loss of all pairs of a list. `gain` and `score` are arrays `[items]`; pairs of equal gain do not count.


# %%
def pair_loss(gain, score): ...


check("01.3", pair_loss)

# %% [markdown]
# Pure order treats "paid over ignored" like "clicked over ignored", so the log's frequencies decide what matters: most pairs are about
# clicks. We train it both ways: by order alone, and with pairs weighted by the difference of their gains. (The pairs are made within lists of 64
# rows of a training batch, whoever their users are. A site with long sessions would pair the rows of a session.)


# %%
def graded(seed, click_worth):
    def gain(rows):
        return np.where(rows.labels["pay"] == 1, 1, click_worth * rows.labels["click"])

    return one_label(shop(seed), "gain", gain, kind="regression")


sweep = {goal: partial(graded, click_worth=worth) for goal, worth in goals.items()}
ranker = {"net": partial(single_task, **network)}
loss = {"gain": PairwiseLoss()}
ranking = timed("3 pairs, weighted by gain", lambda: study(ranker, sweep, losses=loss, **training))
loss = {"gain": PairwiseLoss(by_gain=False)}
ordering = timed("3 pairs, order only", lambda: study(ranker, sweep["A"], losses=loss, **training))

# %%
for goal in goals:
    scores["3 pairs, weighted by gain", goal] = [p["gain"] for p in predictions(ranking, "net", goal)]
    scores["3 pairs, order only", goal] = [p["gain"] for p in predictions(ordering, "net")]
for way in ("2 network, sample weights", "3 pairs, weighted by gain"):
    seconds[way] /= 2  # both goals were trained

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Way 4 · Multi-task learning
#
# One network, shared lower layers, a head an objective: click and payment each pull at the shared layers in backpropagation, the heads fit
# their own labels. When serving, the heads' scores are fused as in way 1. Written out, it is this:


# %%
def two_heads(log, units=64, tower=8, dim=4):
    kind, numeric = log.inputs["categorical"], keras.Input((1,), name="numeric")
    codes = keras.Input((len(kind.sizes),), dtype="int32", name="categorical")
    columns = zip(kind.sizes, keras.ops.unstack(codes, axis=1), strict=True)
    vectors = [layers.Embedding(size, dim)(column) for size, column in columns]
    shared = layers.Dense(units, "relu")(layers.Concatenate()([*vectors, numeric]))
    outputs = {
        task: layers.Dense(1, "sigmoid", name=task)(layers.Dense(tower, "relu")(shared)) for task in ("click", "pay")
    }
    return keras.Model({"categorical": codes, "numeric": numeric}, outputs)


# %% [markdown]
# The package's `hard_sharing` is the same network, its seven embedding tables laid end to end. With the same weights in both:

# %%
ours, theirs = two_heads(worlds[0]), hard_sharing(worlds[0], **network)
tables, rest = ours.get_weights()[:7], ours.get_weights()[7:]
theirs.set_weights([np.concatenate(tables), *rest])
few = {name: values[:100] for name, values in tests[0].inputs.items()}
apart = max(float(abs(ours(few)[task] - theirs(few)[task]).numpy().max()) for task in ("click", "pay"))
claim("The network written out and the package's predict the same.", apart < 1e-5, "to 0.00001")

# %%
joint = timed("4 multi-task", lambda: study({"net": partial(hard_sharing, **network)}, shop, **training))
together = predictions(joint, "net")

# %% [markdown]
# For ways 1 and 4 a goal is one line, after training. We also keep what a single objective would do: the click model alone, the payment
# model alone.

# %%
for goal, worth in goals.items():
    scores["0 clicks alone", goal] = [p["click"] for p in separate]
    scores["0 payments alone", goal] = [p["pay"] for p in separate]
    scores["1 a model a task", goal] = [weighted_sum(p, worth) for p in separate]
    scores["4 multi-task", goal] = [weighted_sum(p, worth) for p in together]

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The comparison
#
# Before you scroll: which way will be best for goal A? And when goal B comes and nobody may retrain?


# %%
def true_gain(rows, worth):
    return worth * rows.truth["click"] + (1 - worth) * rows.truth["pay"]


lists = [lists_by(rows.inputs["categorical"][:, 0], 20) for rows in tests]  # column 0 is the user


def list_quality(ranked, gain):
    """NDCG of the first five, each world."""
    return np.array([100 * ndcg(g[own], s[own], k=5) for s, g, own in zip(ranked, gain, lists, strict=True)])


gains = {goal: [true_gain(rows, worth) for rows in tests] for goal, worth in goals.items()}
fresh = {key: list_quality(ranked, gains[key[1]]) for key, ranked in scores.items()}
ways = sorted({way for way, _ in scores})
stale = {way: list_quality(scores[way, "A"], gains["B"]) for way in ways}

# %%
cells = [(way, f"goal {goal}", True, fresh[way, goal]) for way in ways for goal in goals]
cells += [(way, "goal B", False, stale[way]) for way in ways if way[0] in "23"]
dots = pd.DataFrame(
    [(*cell[:3], seed, v) for cell in cells for seed, v in enumerate(cell[3])],
    columns=["way", "goal", "fresh", "seed", "value"],
)
plots.show(
    plots.ways_by_goal(dots, "NDCG of the first five, in points"),
    alt="NDCG for goal A and goal B, a row for each way, eight seeds each. For goal A multi-task and a model a task lead. For goal B the "
    "models with sample weights and pairs that were trained for goal A, drawn hollow, fall far behind multi-task with new fusion weights.",
)

# %% [markdown]
# Filled: trained or fused for this goal. Hollow: the model made for goal A, asked about goal B. Ways 1 and 4 have no hollow mark, for they
# need no training to follow.


# %%
def per_task(way):
    """What a way offers to rank clicks and payments by: two predictions, or the one score it has."""
    several = {"1": separate, "4": together}.get(way[0])
    return several or [{"click": score, "pay": score} for score in scores[way, "A"]]


def written(values):
    interval = paired_interval(values)
    return f"{interval.mean:.1f} ± {interval.high - interval.mean:.1f}"


# %%
table, task_auc = {}, {}
for way in ways:
    for task in ("click", "pay"):
        pairs = zip(tests, per_task(way), strict=True)
        task_auc[way, task] = np.array([100 * auc(rows.labels[task], p[task]) for rows, p in pairs])
    found = [task_auc[way, "click"], task_auc[way, "pay"], fresh[way, "A"], fresh[way, "B"], stale[way]]
    table[way] = [written(values) for values in found]
columns = ["click AUC", "conversion AUC", "NDCG, goal A", "NDCG, goal B", "goal B with the model of goal A"]
table = pd.DataFrame(table, index=columns).T
for way in table.index[[way[0] in "014" for way in table.index]]:
    table.loc[way, columns[-1]] = "not needed"
table

# %%
best = {task: np.mean([100 * auc(rows.labels[task], rows.truth[task]) for rows in tests]) for task in ("click", "pay")}
random = [np.random.default_rng(i).random(len(rows)) for i, rows in enumerate(tests)]
floor = {goal: list_quality(random, gains[goal]).mean() for goal in goals}
display(
    Markdown(
        f"Mean and 95 % interval over 8 seeds, in points. *Conversion* is click and payment, of all impressions. Best reachable AUC: click "
        f"{best['click']:.1f}, conversion {best['pay']:.1f}; a random order has an NDCG of {floor['A']:.1f} for goal A and "
        f"{floor['B']:.1f} for goal B."
    )
)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### What the runs say
#
# One objective alone first: is fusing worth the trouble?

# %%
over_clicks, first = difference(fresh["1 a model a task", "A"], fresh["0 clicks alone", "A"])
over_payments, second = difference(fresh["1 a model a task", "A"], fresh["0 payments alone", "A"])
details = f"over clicks alone {first}; over payments alone {second}"
claim("For goal A two fused models beat either alone.", min(over_clicks.low, over_payments.low) > 0, details)

# %%
joint_pay, details = difference(task_auc["4 multi-task", "pay"], task_auc["1 a model a task", "pay"])
claim(
    "Multi-task learning predicts the rare task, conversion, better than a network of its own.",
    joint_pay.low > 0,
    details,
)
joint_click, details = difference(task_auc["4 multi-task", "click"], task_auc["1 a model a task", "click"])
verdict = "gains" if joint_click.low > 0 else "pays" if joint_click.high < 0 else "neither gains nor pays"
frequent_gain = details
display(Markdown(f"The frequent task, click, **{verdict}**: {details}."))

# %% [markdown]
# So the plentiful clicks teach the shared layers what the few payments could not. Whether the frequent task gets something back or foots the bill
# is a question of its own: we ask again when all ways are tuned, and chapters 02 and 07 are about it.

# %%
same_network, details = difference(fresh["4 multi-task", "A"], fresh["2 network, sample weights", "A"])
claim("Goal A: multi-task beats the same network with sample weights.", same_network.low > 0, details)

# %%
others = {way: difference(fresh["4 multi-task", "A"], fresh[way, "A"]) for way in ways if way[0] in "123"}


def words(interval):
    return "better than" if interval.low > 0 else "worse than" if interval.high < 0 else "a tie with"


lines = [f"- {words(interval)} **{way[2:]}** ({text})" for way, (interval, text) in others.items()]
display(Markdown("Goal A, NDCG: multi-task learning is\n\n" + "\n".join(lines)))

# %% [markdown]
# Now the shop changes its mind.

# %%
refused, details = difference(fresh["4 multi-task", "B"], stale["2 network, sample weights"])
claim(
    "Goal B: re-fused multi-task scores beat the sample-weighted network that nobody retrained.",
    refused.low > 0,
    details,
)
stale_gain = details
retrained, details = difference(fresh["4 multi-task", "B"], fresh["2 network, sample weights", "B"])
claim("They beat it even after it was retrained for goal B.", retrained.low > 0, details)

# %% [markdown]
# Why even then? With a click weight of .02 the sample-weighted model has all but thrown the clicks away: it is a payment model with few positives.
# The multi-task model keeps learning from every click, *whatever a click is worth*. What is to be learned and what is to be wanted are two
# different things, and sample weights have one knob for both.

# %%
by_order, details = difference(fresh["3 pairs, weighted by gain", "B"], stale["3 pairs, order only"])
claim("For goal B, pairs that count by their gain beat the plain order.", by_order.low > 0, details)
order_gain = details

# %% [markdown]
# An order says that a payment beats a click, and not by how much. As soon as the pairs are weighted to say it, the weight is in the training again.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Is it the tuning?
#
# Eight epochs at one rate may suit one way and starve another. So the comparison was made once more and **recorded**, with the same effort for
# each way: as many learning rates, and training until the way's own validation loss stops falling (for trees: as many trees as suit the validation
# rows). The rate is the one that orders the *validation* lists best for goal A, by what users did; the test rows are looked at once. (The two networks
# of way 1 share a rate, and each stops by its own validation loss.)
#
# For goal B, ways 2 and 3 are trained *and tuned* again. Ways 1 and 4 are not touched: the networks tuned for goal A, with new fusion weights.
#
# **Before you scroll:** who gains most from tuning? And can ways 2 and 3, made for goal B with all care, catch up with a model that was not?

# %%
kept = recorded("ways")
rows = pd.DataFrame(kept["results"]["chosen"]).assign(value=lambda rows: 100 * rows["value"])
tuned = rows.pivot(index="seed", columns=["measure", "way", "made for"], values="value")
chosen = rows.groupby(["way", "made for"])["learning_rate"].first().unstack().map("{:g}".format, na_action="ignore")
display(
    Markdown(
        f"Recorded, {len(tuned)} seeds; made by `{kept['command']}`. Learning rates chosen, by the goal they were chosen for "
        f"({len(kept['settings']['learning_rates'])} tried each; at the edge of the grid: {len(kept['results']['at the edge'])}):"
    )
)
chosen.fillna("not needed")

# %%
tuned_dots = [
    (way, f"goal {goal}", made == goal or way[0] in "14", seed, value)
    for goal in goals
    for (way, made), values in tuned[f"goal {goal}"].items()
    if not (goal == "A" and made == "B")
    for seed, value in values.items()
]
tuned_dots = pd.DataFrame(tuned_dots, columns=["way", "goal", "fresh", "seed", "value"])
plots.show(
    plots.ways_by_goal(tuned_dots.sort_values("way", kind="stable"), "NDCG of the first five, in points"),
    alt="NDCG for goal A and goal B with every way tuned alike, eight seeds each. Multi-task leads in both panels, a model a task is second. "
    "For goal B even the models with sample weights and pairs that were trained and tuned for it stay several points behind.",
)

# %%
for_A, for_B = tuned["goal A", "4 multi-task", "A"], tuned["goal B", "4 multi-task", "A"]
lines = []
for goal, scored in (("A", for_A), ("B", for_B)):
    for way in (
        "1 a model a task",
        "2 network, sample weights",
        "2 trees, sample weights",
        "3 pairs, order only",
        "3 pairs, weighted by gain",
    ):
        made_for = "A" if way in ("1 a model a task", "3 pairs, order only") else goal
        interval, text = difference(scored, tuned[f"goal {goal}", way, made_for])
        lines.append(f"- goal {goal}: {words(interval)} **{way[2:]}** ({text})")
display(Markdown("Tuned alike, multi-task learning is\n\n" + "\n".join(lines)))

# %%
weighting = "2 network, sample weights"
tuned_A, text_A = difference(for_A, tuned["goal A", weighting, "A"])
tuned_B, text_B = difference(for_B, tuned["goal B", weighting, "B"])
claim("Recorded: tuned alike, multi-task beats sample weights for goal A …", tuned_A.low > 0, text_A)
claim("… and for goal B, though only the other was trained and tuned for it.", tuned_B.low > 0, text_B)
tuned_rare, text_rare = difference(*(tuned["pay AUC", way, "A"] for way in ("4 multi-task", "1 a model a task")))
claim("Recorded: the rare task gains from the frequent one.", tuned_rare.low > 0, text_rare)
tuned_often, text_often = difference(*(tuned["click AUC", way, "A"] for way in ("4 multi-task", "1 a model a task")))
tuned_verdict = "gains" if tuned_often.low > 0 else "pays" if tuned_often.high < 0 else "neither gains nor pays"
display(
    Markdown(
        f"And the frequent task, click, **{tuned_verdict}**: {text_often}. (At one setting it was: {frequent_gain}.)"
    )
)

# %% [markdown]
# Compare with the verdicts at one setting above. **The large differences stay:** one network that learns from every click and every payment serves both
# goals best, and nobody catches up with it by training and tuning for one of them. **The small ones were the setting's:** whatever the click AUC seemed
# to pay for sharing, tuned there is no price left that eight seeds could show, and a model a task, whose networks like other rates than the shared one,
# falls behind on the goal. A comparison at one setting for all is a comparison of how well that setting suits each.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### What a sample weight cannot express
#
# From exercise 01.2: with weight $w$ for a click, a perfect sample-weighted model converges to odds of
# $$\frac{w\,(c - p) + p}{1 - c}, \qquad \text{but wanted was} \qquad w\,(c - p) + p.$$
# So (1) it ranks by a *different* quantity: by the gain divided by $1 - c$, which favours what is clicked anyway; (2) it is one number from two
# rates, neither of which can be had back, so no product, no price, no forecast of clicks; (3) no other $w$ without training.
# How much does (1) cost a perfect model? We rank by both formulas with the true rates.

# %%
odds = [gain / (1 - rows.truth["click"]) for gain, rows in zip(gains["A"], tests, strict=True)]
perfect = list_quality(odds, gains["A"])
details = f"NDCG {perfect.mean():.1f} of 100"
claim("Even a perfect sample-weighted model does not order quite by goal A.", perfect.max() < 99, details)
cannot = details

# %% [markdown]
# This much is lost before the first row is learned. (It shrinks with the click rate: where hardly anything is clicked, $1 - c$ is nearly the same
# for all.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What changing a weight costs
#
# Tomorrow at nine: "payments should count more". For ways 1 and 4 a new weight is a multiplication of scores that exist. For ways 2 and 3 it
# is a new model: training, checking, deploying. We measured the training.

# %%
p, rank = together[0], lists[0]
start = time.perf_counter()
for _ in range(100):
    order = np.argsort(-weighted_sum(p, 0.02)[rank], axis=1)
fusing = (time.perf_counter() - start) / 100
changing = [{"way": way, "seconds": fusing if way[0] in "14" else seconds[way]} for way in ways if way[0] != "0"]
changing = pd.DataFrame(changing)

# %%
plots.show(
    plots.seconds_to_change(changing),
    alt="Seconds until a new weight is in force, on a logarithmic axis: ways 1 and 4 need well under a millisecond to rank all test "
    "lists again, ways 2 and 3 a tenth of a second to seconds to train again.",
)

# %%
retrain = changing[changing["way"].str[0].isin(["2", "3"])]["seconds"].min()
details = f"{retrain:.2f} s for the quickest training, {1e6 * fusing:.0f} µs to re-rank {rank.size:,} items"
claim("Re-ranking is at least 50 times quicker than the quickest retraining.", retrain > 50 * fusing, details)
change_cost = details

# %%
sizes = {
    "1 a model a task": (one_a_task.parameters["net"], 2),
    "2 network, sample weights": (weighing.parameters["net"], 1),
    "3 pairs, weighted by gain": (ranking.parameters["net"], 1),
    "4 multi-task": (joint.parameters["net"], 1),
}
cost = pd.DataFrame(sizes, index=["weights", "models to run"]).T.astype(object)
cost.loc["2 trees, sample weights"] = ["trees", 1]
cost["seconds to train"] = pd.Series(seconds).round(2)
cost.sort_index()

# %% [markdown]
# (Seconds are a model's share of a training of eight or sixteen at once, its program's preparation included; on your machine they differ. With a
# hundred million rows read hours for seconds; re-ranking stays what it is.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Sum or product?
#
# Both fuse, and they disagree. Each line joins the items of equal score, in the plane of click-through and conversion rate:

# %%
plots.show(
    plots.fusion_lines((0.5, 0.5), (1, 1), {"loud": (0.9, 0.05), "solid": (0.35, 0.4)}),
    alt="Lines of equal score over ctr and cvr. Under the sum they are straight, and the item called loud, with ctr .9 and cvr .05, beats "
    "the item called solid; under the product they bend away from the axes, and solid wins.",
)

# %% [markdown]
# By hand, "loud" ($ctr$ .9, $cvr$ .05) and "solid" (.35, .4): the sum gives $.475$ and $.375$, the product $.045$ and $.14$. A sum lets one strong score
# make up for a weak one; a product forgives nothing, for one factor near 0 sinks the item.
#
# **Which is right? Ask the goal.** Gains that *add up* over what may happen, such as goal A, are a sum of probabilities. Things that must happen
# *one after the other* multiply: expected revenue is $ctr \cdot cvr \cdot price$. Let the shop want revenue now, and try every sum.


# %%
def price(rows):
    """Price of each item; 1 is the usual price of this shop."""
    return np.exp(0.7 * rows.inputs["numeric"][:, 0])


def factors(p, rows):
    return {"ctr": p["click"], "cvr": np.clip(p["pay"] / p["click"], 1e-4, 1), "price": price(rows)}


parts = [factors(p, rows) for p, rows in zip(together, tests, strict=True)]
revenue = [rows.truth["pay"] * price(rows) for rows in tests]
product = list_quality([f["ctr"] * f["cvr"] * f["price"] for f in parts], revenue)

# %%
grid = [(a, b, c) for a in (0, 0.3, 1) for b in (0, 0.3, 1, 3) for c in (0, 0.03, 0.1, 0.3) if a + b + c]
sums = {w: list_quality([w[0] * f["ctr"] + w[1] * f["cvr"] + w[2] * f["price"] for f in parts], revenue) for w in grid}
best_sum = max(sums, key=lambda w: sums[w].mean())
interval, details = difference(product, sums[best_sum])
claim(f"For revenue the product beats the best of {len(grid)} sums, chosen with hindsight.", interval.low > 0, details)
product_over_sum = details

# %% [markdown]
# And the other way round, goal A by the best product of two powers?

# %%
powers = np.linspace(0, 1.5, 16)
products = {w: list_quality([f["ctr"] * f["cvr"] ** w for f in parts], gains["A"]) for w in powers}
best_power = max(products, key=lambda w: products[w].mean())
interval, details = difference(fresh["4 multi-task", "A"], products[best_power])
verdict = "better than" if interval.low > 0 else "worse than" if interval.high < 0 else "a tie with"
display(
    Markdown(
        f"For goal A the sum is **{verdict}** the best of {len(powers)} products, chosen with hindsight ($cvr^{{{best_power:.1f}}}$): {details}."
    )
)

# %% [markdown]
# A product with a well-chosen exponent comes close to a sum, so why do so many prefer it? One reason is the next exercise.
#
# **Exercise 01.4, before you run it.** To train faster, the payment model saw only a third of the negatives, and its probabilities are now about
# three times too large. The weights stay. a) The sum's ranking stays, the product's changes. b) The product's ranking stays, the sum's changes.
# c) Both change.

# %%
guess = ...
check("01.4", guess)

# %%
off = [{"click": p["click"], "pay": 3 * p["pay"]} for p in together]
sum_off = list_quality([weighted_sum(p, 0.2) for p in off], gains["A"])
power = [p["click"] ** 0.5 * p["pay"] for p in together]
power_off = [p["click"] ** 0.5 * p["pay"] for p in off]
moved = sum((np.argsort(a[own]) != np.argsort(b[own])).sum() for a, b, own in zip(power, power_off, lists, strict=True))
claim("A constant factor moves nothing in a product's ranking.", moved == 0, f"{moved} places differ")
interval, details = difference(sum_off, fresh["4 multi-task", "A"])
claim("It makes the sum worse.", interval.high < 0, details)
factor_cost = details

# %% [markdown]
# So a sum needs *calibrated* probabilities (校准, chapter 05) and knows what things are worth; a product needs only right proportions, but its
# exponents mean nothing in money, and somebody has to find them by experiments on users.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A curve against a dot
#
# What do the first five of a list bring, in clicks and in payments? For ways 2 and 3 a trained model is one point. For ways 1 and 4 every fusion weight
# is a point, and all of them together are a curve that one model has to offer.


# %%
def first_five(ranked):
    """True clicks and payments per item among the first five of all lists: [worlds, 2]."""
    found = []
    for score, own, rows in zip(ranked, lists, tests, strict=True):
        top = np.take_along_axis(own, np.argsort(-score[own])[:, :5], axis=1)
        found.append([rows.truth[task][top].mean() for task in ("click", "pay")])
    return 100 * np.array(found)


mixes = (0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 1)
exponents = (0, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 3)
path = {
    "4 multi-task, sum": [first_five([weighted_sum(p, w) for p in together]) for w in mixes],
    "4 multi-task, product": [first_five([f["ctr"] * f["cvr"] ** w for f in parts]) for w in exponents],
    "1 a model a task, sum": [first_five([weighted_sum(p, w) for p in separate]) for w in mixes],
}

# %%
named = {"4 multi-task, sum": {0: "click worth 0", 0.2: "0.2", 1: "1"}}
curves = {}
for way, points in path.items():
    x, y = np.mean(points, axis=1).T
    names = [named.get(way, {}).get(w, "") for w in mixes]
    curves[way] = pd.DataFrame({"x": x, "y": y, "name": names})
trained = [(way, *first_five(scores[way, goal]).mean(axis=0), goal) for way in ways if way[0] in "23" for goal in goals]
trained = pd.DataFrame(trained, columns=["way", "x", "y", "name"]).drop_duplicates(["way", "x", "y"])
plots.show(
    plots.fronts(curves, trained, "clicks per 100 items shown", "payments per 100 items shown"),
    alt="Payments against clicks per hundred items shown. Multi-task learning is a curve from many payments to many clicks, by sum and by "
    "product nearly the same; a model a task is a curve with fewer payments and a few more clicks; most dots of ways 2 and 3 lie below both.",
)

# %% [markdown]
# Sum and product of the same predictions walk along almost the same curve; they only label its points differently. And the dots? We ask, world by
# world, how many payments the multi-task curve has at the clicks a dot brings (beyond an end of the curve, its last point counts).

# %%
curve = np.array(path["4 multi-task, sum"])  # weights, worlds, [clicks, payments]
inside = {}
for (way, goal), ranked in scores.items():
    if way[0] in "23":
        brought = first_five(ranked)
        at_clicks = [np.interp(dot[0], *curve[np.argsort(curve[:, k, 0]), k].T) for k, dot in enumerate(brought)]
        interval = paired_interval(np.array(at_clicks) - brought[:, 1])
        where = "inside" if interval.low > 0 else "outside" if interval.high < 0 else "on it, as far as we can tell"
        inside[f"{way}, {goal}"] = [f"{interval.mean:+.1f}, {interval.low:+.1f} to {interval.high:+.1f}", where]
inside = pd.DataFrame(inside, index=["payments per 100 items missing to the curve", "the dot is"]).T.sort_index()
inside.drop(index="3 pairs, order only, B")

# %%
asked, got = first_five(scores["4 multi-task", "A"]), first_five(scores["2 network, sample weights", "A"])
payments, details = difference(got[:, 1], asked[:, 1])
claim("For goal A the sample-weighted list brings fewer payments than the multi-task list.", payments.high < 0, details)
clicks, more_details = difference(got[:, 0], asked[:, 0])
display(Markdown(f"Per 100 items shown: payments {details}; clicks {more_details}.".replace(" points", "")))

# %% [markdown]
# A dot may lie close to the curve and yet serve its goal badly, because it is at the wrong *place*: goal A asked for more payments than the sample
# weights of goal A deliver. Exercise 01.2 said why: they rank by the gain divided by $1 - c$, which pulls towards clicks. Whether that pull brings
# clicks which users then make, only the second interval can say: dividing by $1 - c$ is no longer ordering by clicks either.
#
# At the far right the picture turns: there the two separate networks, and pairs by order alone, may bring more clicks than the shared network, which
# at this setting may have paid for its payments with click accuracy. Look back at the click AUC, here and tuned.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### By hand
#
# Six users of one world, twenty items each, scores from the multi-task model. The sliders are $w_1, w_2, w_3$; *Fuse by* switches from product to
# weighted sum. The curves are what users would truly have done with the first items of their lists. Find exponents with the most revenue; then
# see what they cost in clicks.

# %%
places = lists[0][:: len(lists[0]) // 6][:6].ravel()
truth = {"click": tests[0].truth["click"], "pay": tests[0].truth["pay"], "revenue": revenue[0]}
FusionDesk(
    {name: values[places] for name, values in parts[0].items()},
    {name: values[places] for name, values in truth.items()},
    items=[f"item {i + 1}" for i in range(120)],
    requests=np.repeat([f"user {i + 1}" for i in range(6)], 20),
    start=[1, 1, 1],
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Strengths and weaknesses

# %%
one, two, three, four = "1 a model a task", "2 network, sample weights", "3 pairs, weighted by gain", "4 multi-task"
display(
    Markdown(
        f"""
| way | strengths | weaknesses | NDCG A · B |
|---|---|---|---|
| **1** a model a task, fused | simple; each model on its own data and team; goals change in {1e6 * fusing:.0f} µs; calibrated rates | a model each to train, run and watch ({sizes[one][0]:,} weights); a rare task learns alone: conversion {-joint_pay.mean:+.1f} points against way 4, tuned {-tuned_rare.mean:+.1f}; fusion weights to find | {fresh[one, "A"].mean():.1f} · {fresh[one, "B"].mean():.1f} |
| **2** one model, sample weights | any classifier, any tool; a single score; quick to start | a new weight is a new model; two mixed populations in one set of parameters; not a rate of anything; clicks unlearned as they lose worth: {-retrained.mean:+.1f} points on goal B, tuned {-tuned_B.mean:+.1f} | {fresh[two, "A"].mean():.1f} · {fresh[two, "B"].mean():.1f} |
| **3** preference pairs | labels are easy to make; trains what a list needs; one model | pairs grow with the square of a list; scores mean nothing outside their list; order alone loses how much better: {-by_order.mean:+.1f} points on goal B | {fresh[three, "A"].mean():.1f} · {fresh[three, "B"].mean():.1f} |
| **4** multi-task | rates of all objectives from one model ({sizes[four][0]:,} weights); rare tasks learn from frequent ones; goals change in {1e6 * fusing:.0f} µs | tasks can hurt each other: click {joint_click.mean:+.1f} points against way 1, tuned {tuned_often.mean:+.1f}; losses to balance; fusion weights to find | {fresh[four, "A"].mean():.1f} · {fresh[four, "B"].mean():.1f} |
"""
    )
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What we measured

# %%
facts = {
    "finishes when ranked by clicks, clickbait 0 → 3": bait_cost,
    "product instead of clicks, clickbait 1": product_gain,
    "conversion AUC: multi-task minus a model a task, tuned (recorded)": text_rare,
    "click AUC: multi-task minus a model a task, tuned (recorded)": text_often,
    "goal A: multi-task minus sample weights, tuned (recorded)": text_A,
    "goal B: multi-task minus sample weights, not retrained": stale_gain,
    "goal B: multi-task minus sample weights, tuned (recorded)": text_B,
    "goal B: pairs by gain minus pairs by order": order_gain,
    "goal A by a perfect sample-weighted model": cannot,
    "revenue: product minus best sum": product_over_sum,
    "goal A: sum of scores three times too large": factor_cost,
    "what a new weight costs": change_cost,
}
pd.Series(facts, name="8 seeds").to_frame().style

# %% [markdown]
# ## When not to use it
#
# - One objective is all there is, and it is plentiful: train for it.
# - The tasks have nothing to do with each other, or their teams release on different days: way 1.
# - The goal is fixed for good and the tool at hand takes sample weights: way 2 with trees is an afternoon's work and a baseline to beat.
# - Only the order matters, and labels are comparisons (people chose one of two): way 3.

# %% [markdown]
# ## Questions people ask
#
# **Is the loss of a multi-task model the sum of the tasks' losses?** Yes, weighted if you like. The weights of the *losses* say how training
# divides the network (chapter 08), the weights of the *scores* what the list should favour. They need not be the same.
#
# **Can I not choose the sample weights so that they act like fusion weights?** For one goal, nearly. Then the goal changes.
#
# **Why is cvr the payment prediction divided by ctr?** Because the payment head predicts click *and* payment for every impression. A model
# of payments trained on clicked rows alone meets other rows when serving than in training; chapter 04 measures the harm.
#
# **Does copying rows do the same as weighting them?** The mean loss is the same, so nearly: batches differ, and copies can fall on both sides
# of a random split, which flatters the validation score.
#
# **Can the ways be mixed?** They are, all the time: multi-task rates, and a small ranking model on top of them.
#
# **Which exponents?** Start from the goal's formula (all 1 for revenue); move from there by experiments on users.

# %% [markdown]
# ## Exercises
#
# 01.1 to 01.4 are above. One is left.
#
# **Exercise 01.5.** Take a list you know: videos, restaurants, flats, job offers. Which objectives has it, what is each worth, which of the
# four ways would you start with, how would you fuse, and which number would show that one objective is being sold for another?

# %%
answer = ...
check("01.5", answer)

# %%
summary("01")

# %% [markdown]
# ## References
#
# - R. Caruana: *Multitask learning*. Machine Learning 1997. <https://doi.org/10.1023/A:1007379606734>
# - C. Burges and others: *Learning to rank using gradient descent* (RankNet). ICML 2005. <https://doi.org/10.1145/1102351.1102363>
# - K. Järvelin, J. Kekäläinen: *Cumulated gain-based evaluation of IR techniques* (NDCG). ACM TOIS 2002. <https://doi.org/10.1145/582415.582418>
# - X. Ma and others: *Entire space multi-task model* (impression → click → conversion). SIGIR 2018. <https://arxiv.org/abs/1804.07931>
# - S. Ruder: *An overview of multi-task learning in deep neural networks*. 2017. <https://arxiv.org/abs/1706.05098>
#
# ## Next
#
# 02: two tasks in one network. How much should they share?
