# %% [markdown] slideshow={"slide_type": "slide"}
# # 04 · Click and pay: the two-tower network
#
# **A shop asks its model: had this customer clicked, would she have bought? The model has only ever seen customers who clicked. How wrong
# is it about the others?**
#
# A shop wants clicks and it wants sales. In this chapter we build the network that many shops start from, a tower for the user, a
# tower for the item and a head for each goal (双塔网络), give its outputs names, train it, and rank with both scores. Then we look at what
# no log shows: the sales that would have happened had people clicked on something else.
#
# <details lang="zh">
# <summary>中文</summary>
#
# **商店问模型：这位顾客要是点击了，会购买吗？模型只见过点击过的顾客。对其他人，它错得有多远？**
#
# 商店既要点击，也要成交。本章搭建许多商店的起点：用户一座塔，商品一座塔，每个目标一个输出（双塔网络）；给输出命名，训练它，并用两个分数排序。
# 然后去看任何日志里都没有的东西：人们要是点击了别的商品，本来会发生的购买（样本选择偏差）。
#
# </details>

# %% [markdown]
# ## What you will be able to do
#
# - write a two-tower network for click and pay in Keras, and say what each part is for;
# - name outputs, and recognise the two errors and the two silences that wrong names cause;
# - fuse two scores into one ranking, and compare that with boosted trees and sample weights;
# - write ESMM, the entire-space model (全空间多任务模型), and say what it does and does not repair;
# - show selection bias (样本选择偏差), its cause, and where it does no harm.
#
# ## What you need first
#
# What hard sharing is (chapter 02). From Keras: layers, `compile`, `fit`.
#
# ## Minutes
#
# 40 to read, 1 to run.

# %%
import time
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from mtl_helpers import plots
from mtl_helpers.exercises import check, summary
from mtl_helpers.study import claim, study

# %%
import keras
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from mtl_helpers.datasets import shop_log
from mtl_helpers.layers import FeatureEmbedding
from mtl_helpers.losses import Masked
from mtl_helpers.metrics import auc, paired_interval
from mtl_helpers.models import conversion_model, esmm, hard_sharing, single_task, two_tower
from mtl_helpers.recording import recorded

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A shop's log
#
# One row is one *impression* (曝光): an item shown to a user who searched in a store. Some are clicked, some of the clicked are paid for.
#
# $$\underbrace{p(\text{click})}_{\text{pCTR 点击率}} \cdot \underbrace{p(\text{pay} \mid \text{click})}_{\text{pCVR 转化率}}
#   = \underbrace{p(\text{click and pay})}_{\text{pCTCVR}}$$
#
# `shop_log` draws such logs; because it is generated, the true probabilities are known, also of what did not happen. We draw a new
# shop for every seed. In the shop of *bait* (`selection=-1`) what catches the eye sells worse: there the two goals pull against each other,
# and there we build and serve. In the shop of *favourites* (`selection=1`) what is liked is clicked and sells better; it comes in the second
# half.


# %%
def shop(seed, tasks=("click", "pay"), selection=-1.0):
    rates = {"click_rate": 0.3, "conversion_rate": 0.3}
    return shop_log(20_000, tasks, skus=700, selection=selection, seed=seed, **rates)


world = shop(seed=0, tasks=("click", "pay", "conversion"))
world.describe().set_index(["split", "task"]).loc[["train", "test"]].round(3)

# %% [markdown]
# Look at the third task. Whether a click *converts* is known for the clicked rows alone: the label of all others is missing, not 0.
# Whether an impression was clicked *and* paid for is known for every row.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Two towers
#
# ```
#  user_id  store_id  search_keyword        sku_id  category_id  brand_id  ware_type  price
#     └────────┼────────────┘                  └────────┼───────────┼─────────┴────────┘
#          embeddings                                embeddings
#          32 → 8 units                              32 → 8 units
#          user_vector                               item_vector
#               └───────────────────┬────────────────────┘          shared by both goals
#                         ┌─────────┴─────────┐
#                      16 → 8              16 → 8                   one head a goal
#                      click                 pay
# ```
#
# - The **lower layers** belong to both goals: clicks, of which there are many, shape the vectors that payments, of which there are few, use.
# - The **heads** belong to one goal each, and fit that goal's own distribution of labels.
# - The **vectors** can be read off: an item's does not depend on the user and can be stored before anybody searches.

# %% [markdown]
# Written out in Keras. An `Embedding` gives each category a vector; all are put end to end and pass two dense layers.

# %%
USER = ["user_id", "store_id", "search_keyword"]
ITEM = ["sku_id", "category_id", "brand_id", "ware_type"]
kind = world.inputs["categorical"]
sizes = dict(zip(kind.columns, kind.sizes, strict=True))


def make_inputs():
    ids = {name: keras.Input((), dtype="int32", name=name) for name in USER + ITEM}
    return ids | {"price": keras.Input((1,), name="price")}


# %%
def embedded(inputs, names):
    """A vector for each named id, end to end, and the price where the item is described."""
    vectors = [keras.layers.Embedding(sizes[name], 4, name=f"{name}_table")(inputs[name]) for name in names]
    numbers = [inputs["price"]] if "sku_id" in names else []
    return keras.layers.Concatenate()(vectors + numbers)


def dense(x, units, name=None):
    """Dense layers one after the other; the last one gets the name."""
    for width in units[:-1]:
        x = keras.layers.Dense(width, activation="relu")(x)
    return keras.layers.Dense(units[-1], activation="relu", name=name)(x)


def head(x, name):
    """A probability, in an output layer that bears the goal's name."""
    return keras.layers.Dense(1, activation="sigmoid", name=name)(x)


# %%
def click_and_pay():
    inputs = make_inputs()
    user = dense(embedded(inputs, USER), (32, 8), name="user_vector")
    item = dense(embedded(inputs, ITEM), (32, 8), name="item_vector")
    both = keras.layers.Concatenate()([user, item])
    return keras.Model(inputs, {goal: head(dense(both, (16, 8)), goal) for goal in ("click", "pay")})


ours = click_and_pay()
print(f"{ours.count_params():,} weights, outputs {list(ours.output)}")

# %% [markdown]
# Networks like this often give large vocabularies wider vectors (32 for a user, 2 for a ware type) and punish large weights of the two
# vectors (`kernel_regularizer="l2"`). We keep 4 everywhere and no penalty: one thing less to explain the results by.
#
# The package's `two_tower` is the same network for any data; it keeps the vectors of each side in one table. With our weights in it:

# %%
theirs = two_tower(world.with_tasks(["click", "pay"]), user_features=USER, item_features=[*ITEM, "price"])


def chain(model, name):
    """The dense layers that lead to a named layer, from there downwards."""
    layers = [model.get_layer(name)]
    while isinstance(below := layers[-1].input._keras_history.operation, keras.layers.Dense):
        layers.append(below)
    return layers


def hand_over(ours, theirs, sides, ends):
    """Copies our weights into the package's model: tables end to end, dense layers one by one."""
    tables = {layer.sizes: layer for layer in theirs.layers if isinstance(layer, FeatureEmbedding)}
    for names in sides:
        vectors = [ours.get_layer(f"{name}_table").get_weights()[0] for name in names]
        tables[tuple(map(len, vectors))].set_weights([np.concatenate(vectors)])
    for end in ends:
        for mine, other in zip(chain(ours, end), chain(theirs, end), strict=True):
            other.set_weights(mine.get_weights())


# %% slideshow={"slide_type": "skip"}
def columns(rows):
    """The inputs of our network: a column each."""
    ids = dict(zip(kind.columns, rows.inputs["categorical"].T, strict=True))
    return ids | {"price": rows.inputs["numeric"]}


def furthest(ours, theirs, rows):
    mine, other = ours(columns(rows)), theirs(rows.inputs)
    return max(float(np.abs(mine[goal] - other[goal]).max()) for goal in other)


hand_over(ours, theirs, [USER, ITEM], ["user_vector", "item_vector", "click", "pay"])
apart = furthest(ours, theirs, world.test)
claim("The network written out and the package's give the same probabilities.", apart < 1e-5, "to 0.00001")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Why outputs have names
#
# One loss for each output, and a weight for each loss: $L = w_{click} L_{click} + w_{pay} L_{pay}$. Keras has to know which is whose. The
# dictionary of outputs says it, and **the same names** key everything else:
#
# | | |
# |---|---|
# | outputs | `{"click": …, "pay": …}` |
# | losses | `loss={"click": …, "pay": …}` |
# | their weights | `loss_weights={"click": 1.0, "pay": 5.0}` |
# | labels | `fit(x, {"click": …, "pay": …})` |
#
# What if a name is wrong? Do not take our word for it. The next cells train on one batch and show what Keras *really* says.

# %%
few = {name: values[:256] for name, values in columns(world.train).items()}
labels = {goal: world.train.labels[goal][:256] for goal in ("click", "pay")}
entropy = keras.losses.BinaryCrossentropy()


def attempt(model, labels=labels, **settings):
    """Trains on one batch; shows the error, or what was heard, and gives the losses."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            model.compile(keras.optimizers.SGD(0.1), run_eagerly=True, **settings)
            losses = {
                name: values[0] for name, values in model.fit(few, labels, batch_size=256, verbose=0).history.items()
            }
            said = "no error; " + ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
        except Exception as error:
            losses, said = {}, f"{type(error).__name__}: {error}"
    said = "\n".join([said, *(f"a warning: {each.message}" for each in heard)])
    display(Markdown(f"```text\n{said}\n```"))
    return losses


# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Two errors
#
# **The loss has a name that no output has.**

# %%
_ = attempt(click_and_pay(), loss={"click": entropy, "out2": entropy})

# %% [markdown]
# Read it backwards: "the path" is the key of your dictionary, and it is nowhere in the model's outputs. With a *list* of outputs, and layers
# that nobody named, Keras makes up the names, and the same mistake reads like this:

# %%
network = click_and_pay()
vector = network.get_layer("user_vector").output
nameless = keras.Model(network.input, [keras.layers.Dense(1, activation="sigmoid")(vector) for _ in range(2)])
_ = attempt(nameless, loss={"click": entropy, "pay": entropy})

# %% [markdown]
# **The labels lack an output's name.** Both structures are printed, the labels' first; compare them key by key.

# %% slideshow={"slide_type": "skip"}
_ = attempt(click_and_pay(), labels={"click": labels["click"]}, loss={"click": entropy, "pay": entropy})

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Two silences
#
# Errors are the harmless case. **A loss that is left out** stops nothing: the head is there, it answers, and it is never trained. At most
# there is a warning, in the middle of a long output.

# %%
network = click_and_pay()
before = network.get_layer("pay").get_weights()[0]
attempt(network, loss={"click": entropy})
moved = np.abs(network.get_layer("pay").get_weights()[0] - before).max()
display(Markdown(f"Largest change of the weights of `pay`'s output layer: **{moved:g}**"))

# %% [markdown]
# **A wrong name among the weights.** A tutorial trains outputs called `out1` and `out2` with the loss weights
# `{"out1": 1, "crf_output": 1}`, the second name left over from another model. Nobody noticed, for both weights are 1. Let us make them
# different: click is to count 100, and payment is called `buy` by mistake.

# %%
network = click_and_pay()
network.get_layer("pay").bias.assign([-3.0])  # so that the two losses differ
mistaken = {"click": 100.0, "buy": 1.0}
losses = attempt(network, loss={"click": entropy, "pay": entropy}, loss_weights=mistaken)
wanted = 100 * losses["click_loss"] + losses["pay_loss"] if losses else None
swapped = losses["click_loss"] + 100 * losses["pay_loss"] if losses else None

# %%
if losses:
    nearer = "1 · click + 100 · pay" if abs(losses["loss"] - swapped) < abs(losses["loss"] - wanted) else "as written"
    rows = {
        "100 · click + 1 · pay, as written": wanted,
        "1 · click + 100 · pay": swapped,
        "Keras's loss": losses["loss"],
    }
    display(pd.Series(rows, name="sum").round(2).to_frame(), Markdown(f"So Keras trained: **{nearer}**."))

# %% [markdown]
# No error, no warning, and if the last line says so, the weights went to the *other* heads: with a dictionary of outputs this version of
# Keras sorts the names of each dictionary and pairs them by position, and `buy` sorts before `click`. Right names are a matter of
# correctness, not of taste.

# %%
weights = {"click": 100.0, "pay": 1.0}
losses = attempt(click_and_pay(), loss={"click": entropy, "pay": entropy}, loss_weights=weights)
total = sum(weight * losses[f"{goal}_loss"] for goal, weight in weights.items())
claim(
    "With the outputs' own names the loss is the weighted sum of both.",
    abs(total - losses["loss"]) < 1e-3 * total,
    f"{losses['loss']:.2f}",
)

# %% [markdown]
# **Exercise 04.1.** Write the guard that makes the silence an error: all names that are in only one of the two, sorted.


# %%
def wrong_names(outputs, weights): ...


check("04.1", wrong_names)

# %% [markdown]
# ## Labels that are missing
#
# Conversion has no label where nothing was clicked. Two habits go wrong without a word. By hand: four rows, all predicted .5, labels 1, ?, 0, ?.
# The two labelled rows cost $\ln 2 = .693$ each, and so should their mean.

# %%
present = np.array([1.0, 0.0, 1.0, 0.0], "float32")
nan, zero = (np.array([[1.0], [fill], [0.0], [fill]], "float32") for fill in (np.nan, 0.0))
half = np.full((4, 1), 0.5, "float32")
ways = {
    "Keras, missing = NaN, weight 0": entropy(nan, half, present),
    "Keras, missing = 0, weight 0": entropy(zero, half, present),
    "Masked, missing = NaN": Masked(entropy)(nan, half),
}
pd.Series({way: float(loss) for way, loss in ways.items()}, name="loss").round(3).to_frame()

# %% [markdown]
# NaN times 0 is NaN: one such row, and every weight of the network is NaN. Filled up with 0, the loss is divided by *all* rows of the batch: the
# fewer the labels, the smaller the task's voice. The package's `Masked` divides by what is there; `study` uses it throughout.

# %% [markdown]
# ## Train it
#
# Once by hand, as you would at home:

# %%
keras.utils.set_random_seed(0)
network = click_and_pay()
network.compile(
    keras.optimizers.Adam(3e-3), loss={"click": entropy, "pay": entropy}, loss_weights={"click": 1.0, "pay": 1.0}
)
goals = {goal: world.train.labels[goal] for goal in ("click", "pay")}
history = network.fit(columns(world.train), goals, batch_size=256, epochs=2, verbose=0).history
pd.DataFrame(history, index=["epoch 1", "epoch 2"]).round(3)

# %% [markdown]
# And as an experiment: eight shops, beside two networks that share nothing, and one that shares but does not keep user and item apart. Each run keeps the epoch with the lowest validation loss; ids
# are soon learned by heart. Here and in the rest of the chapter all networks train at one learning rate, tuned for none of them.

# %%
settings = {"epochs": 4, "early_stopping": 2, "batch_size": 256, "gates": False, "jit_compile": False}
layers = {"hidden_units": (32, 8), "tower_units": (16, 8)}
networks = {
    "single-task": partial(single_task, **layers),
    "hard sharing": partial(hard_sharing, **layers),
    "two-tower": partial(two_tower, user_features=USER, item_features=[*ITEM, "price"]),
}
found = study(networks, shop, seeds=8, **settings)

# %%
table = found.table().pivot(index=["model", "parameters"], columns="task", values="mean")
table.loc[("best reachable", ""), :] = found.best.set_index("task")["value"]
steps = [("hard sharing", "single-task"), ("two-tower", "hard sharing"), ("two-tower", "single-task")]
difference = pd.concat({f"{one} minus {other}": found.compare(one, other).set_index("task") for one, other in steps})
display(table.round(4), difference[["difference", "low", "high", "n", "verdict"]].round(4))

# %% [markdown]
# The first pair of rows asks what sharing does to two goals that pull against each other (this is a shop of bait); the second, what it costs to keep
# user and item apart. Where the verdict says *worse*, that is the price, at this setting. And all networks are far from what is reachable: much of the click hangs on whether the item's category is the
# one searched for, a *pair* of ids, and dense layers have to find out about every pair by themselves. Chapter 05 gives a network eyes for pairs.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Serving: one ranking from two scores
#
# The shop shows one list. The simplest fusion (分数融合) is linear:
# $$\text{score} = \hat p_{click} + w \cdot \hat p_{pay}.$$
# Since the two are probabilities, $w$ has a meaning: *what a payment adds to the worth of its click, counted in clicks*. The score is the expected worth of
# showing the item. By hand: at $w = 10$, an item with $.30$ and $.01$ scores $.40$, one with $.20$ and $.03$ scores $.50$ and comes first.
#
# We show the best tenth of each shop's test rows and ask the true probabilities what comes of it.

# %%
runs = range(8)
tests = [found.plan.of_run(found.plan.runs[run]).test for run in runs]


def probabilities(study, name, run, view=None):
    """One model's outputs for its shop's test rows, as task -> [rows]."""
    model = study.model(name, run)
    outputs = (view(model) if view else model)(study.plan.of_run(study.plan.runs[run]).test.inputs)
    return {task: values.numpy()[:, 0] for task, values in outputs.items()}


towers = [probabilities(found, "two-tower", run) for run in runs]


# %%
def tenth(scores):
    """True share of clicks and of payments in the best tenth: a row a shop."""
    seen = []
    for score, rows in zip(scores, tests, strict=True):
        top = np.argsort(-score)[: len(score) // 10]
        seen.append({task: rows.truth[task][top].mean() for task in ("click", "pay")})
    return pd.DataFrame(seen)


def fused(w, each=towers):
    return [p["click"] + w * p["pay"] for p in each]


worths = (0, 3, 10, 30, 100)
shown = {("two-tower", f"w = {w}"): tenth(fused(w)) for w in worths}
pd.DataFrame({label: rows.mean() for (_, label), rows in shown.items()}).T.round(4)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### What a team would start from: trees and sample weights
#
# Before there was a network, there was one model of boosted trees (梯度提升树). Clicked rows are its positives, and a paid one counts $v$ times:
# sample weights (样本权重) turn two goals into one. A new $v$ is a new training.


# %%
def flat(rows):
    return np.hstack([rows.inputs["categorical"], rows.inputs["numeric"]])


def trees(run, value):
    """Trains boosted trees on one shop; gives their scores of its test rows."""
    data = found.plan.of_run(found.plan.runs[run])
    labels = data.train.labels
    model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, early_stopping=False)
    model.fit(flat(data.train), labels["click"], sample_weight=1 + (value - 1) * labels["pay"])
    return model.predict_proba(flat(data.test))[:, 1]


# %%
values = (1, 5, 25)
start = time.perf_counter()
with threadpool_limits(1):  # small trees: threads would wait for each other
    grown = {value: [trees(run, value) for run in runs] for value in values}
retrain = (time.perf_counter() - start) / len(values) / len(runs)
start = time.perf_counter()
tenth(fused(20))
rerank = (time.perf_counter() - start) / len(runs)

# %%
shown |= {("trees, weighted", f"v = {value}"): tenth(scores) for value, scores in grown.items()}
trade = [{"model": model, "label": label, **rows.mean()} for (model, label), rows in shown.items()]
plots.show(
    plots.trade_off(pd.DataFrame(trade)),
    alt="Share of payments against share of clicks in the best tenth of the ranking: a path for the two-tower network over w and one for "
    "the trees over v, both from more clicks at the lower right to more payments at the upper left.",
)

# %%
ideal = {f"w = {w}": tenth(fused(w, [rows.truth for rows in tests])).mean() for w in worths}
pd.DataFrame(ideal).T.round(3).rename_axis("best reachable")


# %%
def words(differences, unit="points", scale=100):
    interval = paired_interval(scale * np.asarray(differences))
    return interval, f"{interval.mean:+.2f} {unit}, {interval.low:+.2f} to {interval.high:+.2f}, {interval.n} seeds"


change = shown["two-tower", "w = 100"] - shown["two-tower", "w = 0"]
gained, gained_text = words(change["pay"])
sold, sold_text = words(change["click"])
claim("The network: a larger w brings more payments …", gained.low > 0, gained_text)
claim("… for fewer clicks.", sold.high < 0, sold_text)

# %%
change = shown["trees, weighted", "v = 25"] - shown["trees, weighted", "v = 1"]
paid, text = words(change["pay"])
claim("The trees: so does a larger v.", paid.low > 0, text)
rate = np.mean([rows.labels["click"].mean() for rows in tests])
means = {value: np.mean([score.mean() for score in grown[value]]) for value in values}
details = f"clicked {rate:.2f}; mean score " + ", ".join(f"{mean:.2f} at v = {value}" for value, mean in means.items())
claim("At v = 25 their score is no click rate any more.", means[25] > rate + 0.05, details)

# %%
for outcome, network, forest in (("click", "w = 0", "v = 1"), ("pay", "w = 100", "v = 25")):
    interval, text = words(shown["two-tower", network][outcome] - shown["trees, weighted", forest][outcome])
    verdict = "a tie" if interval.low <= 0 <= interval.high else "more" if interval.low > 0 else "fewer"
    display(Markdown(f"{outcome}: network at {network} against trees at {forest}: **{verdict}** ({text})."))
display(
    Markdown(
        f"One more setting costs, for one shop: trees **{1000 * retrain:,.0f} ms** of training; the network "
        f"**{1000 * rerank:.1f} ms** of sorting, and it can be taken back while customers wait."
    )
)

# %% [markdown]
# The trees are no straw man: few lines of code, and scores that a small network has to beat first. A team is right to begin there. What they
# cannot do is answer *two* questions. One set of trees has to describe a mixture of clicks and payments whose proportions are fixed in
# training; its score is the probability of nothing, so it cannot be multiplied with a price, and each change of mind is a training.

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask the room: what is a payment worth in clicks in *your* shop, and who decides it? Then: what would you have to retrain tomorrow if the
# answer changed?

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Who never clicked
#
# Back to the question of the beginning. Conversion is learned from clicked rows; when serving, the model is asked about *every* candidate.
# Are the clicked rows like the others? In the log nobody can tell. In a generated shop of favourites we can look:

# %%
favourites = partial(shop, selection=1.0)
rows = favourites(seed=0).test
plots.show(
    plots.conversion_by_click(rows.truth["conversion"], rows.labels["click"] == 1),
    alt="Distribution of the true conversion rate of clicked and of unclicked rows of one shop: the unclicked pile up near zero, the "
    "clicked reach further right and their mean is clearly larger.",
)

# %% [markdown]
# What is liked is clicked, and what is liked is bought. The clicked rows are the better ones.
#
# **Exercise 04.2, before you run on.** A network learns conversion from the clicked rows alone. What will it say, on average, about the
# unclicked ones? a) Too low a conversion rate; b) too high; c) right on average.

# %%
prediction = ...
check("04.2", prediction)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### ESMM: learn from all impressions
#
# The entire-space model trains no conversion head on clicks. It trains two things that are known for *every* impression, the click and
# clicked-and-paid, and puts conversion in between:
#
# $$\hat p_{CTR} \text{ against click}, \qquad \hat p_{CTCVR} = \hat p_{CTR} \cdot \hat p_{CVR} \text{ against clicked-and-paid}.$$
#
# $\hat p_{CVR}$ has no label and no loss of its own. By construction $\hat p_{CTCVR} \le \hat p_{CTR}$: nobody pays without a click. By hand: with
# $\hat p_{CTR} = .2$ and $\hat p_{CVR} = .5$ a row that was clicked and paid for costs $-\ln .2 - \ln .1 = 3.91$.


# %% slideshow={"slide_type": "skip"}
def entire_space():
    inputs = make_inputs()
    x = embedded(inputs, USER + ITEM)
    pctr = head(dense(x, (32, 16, 8)), "click")
    pcvr = head(dense(x, (32, 16, 8)), "conversion")
    return keras.Model(inputs, {"click": pctr, "pay": keras.layers.Multiply(name="pay")([pctr, pcvr])})


ours = entire_space()
theirs = esmm(world.with_tasks(["click", "pay"]), hidden_units=(32,), tower_units=(16, 8))
hand_over(ours, theirs, [USER + ITEM], ["click", "conversion"])
claim("Written out and the package's: same probabilities.", furthest(ours, theirs, world.test) < 1e-5, "to 0.00001")

# %% [markdown]
# **Exercise 04.3.** Write ESMM's loss of one row.


# %%
def esmm_loss(pctr, pcvr, click, pay): ...


check("04.3", esmm_loss)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### The experiment, with three controls
#
# | way to pCVR | learns from |
# |---|---|
# | clicks only | the clicked rows |
# | ESMM | all rows, through the product |
# | two-tower, pay ÷ click | all rows; two heads, divided |
# | clicks only, weighted | the clicked rows, each counted $1/p(\text{click})$ times |
# | clicks only, unrelated | the clicked rows of a shop where clicks have nothing to do with conversion |
# | clicks only, bait | the clicked rows of a shop where what is clicked sells *worse* (`selection=-1`) |
#
# The last three are controls. If *selection* is what misleads the model, then undoing it (a row that had one chance in ten to be clicked stands
# for ten) or removing it must shrink the error, and turning it round must turn the error round.


# %%
def clicks(seed, selection=1.0, weighted=False):
    """The log as those see it who learn conversion from clicks."""
    data = shop(seed, ("conversion",), selection)
    return data.with_train(weigh) if weighted else data


def weigh(rows):
    """Counts each clicked row 1 / p(click) times, the true probability, at most 50 times."""
    weights = rows.weights["conversion"] / np.maximum(rows.truth["click"], 0.02)
    return replace(rows, weights={"conversion": weights.astype("float32")})


# %%
net = {"hidden_units": (32,), "tower_units": (16, 8)}
both = {"ESMM": partial(esmm, **net), "two-tower": networks["two-tower"]}
entire = study(both, favourites, seeds=8, **settings)

# %%
logs = {
    "favourites": clicks,
    "weighted": partial(clicks, weighted=True),
    "unrelated": partial(clicks, selection=0.0),
    "bait": partial(clicks, selection=-1.0),
}
alone = study({"clicks only": partial(single_task, **net)}, logs, seeds=8, **settings)


# %%
def learned(log):
    """What the networks trained on clicks say about their shops' test rows."""
    first = 8 * list(logs).index(log)
    return [probabilities(alone, "clicks only", first + run)["conversion"] for run in runs]


def unclicked_rows(log):
    """True conversion in those shops' test rows, and which of the rows were not clicked."""
    first = 8 * list(logs).index(log)
    tests = [alone.plan.of_run(alone.plan.runs[first + run]).test for run in runs]
    return [(rows.truth["conversion"], np.isnan(rows.labels["conversion"])) for rows in tests]


# %%
products = {name: [probabilities(entire, name, run) for run in runs] for name in both}
ways = {
    "clicks only": learned("favourites"),
    "ESMM": [probabilities(entire, "ESMM", run, conversion_model)["conversion"] for run in runs],
    "two-tower, pay ÷ click": [np.minimum(1, p["pay"] / p["click"]) for p in products["two-tower"]],
    "clicks only, weighted": learned("weighted"),
}


def errors_of(predicted, log="favourites"):
    """Mean prediction less mean truth of the unclicked rows, in percentage points: one number a shop."""
    pairs = zip(predicted, unclicked_rows(log), strict=True)
    return [100 * float((p - truth)[unclicked].mean()) for p, (truth, unclicked) in pairs]


errors = pd.DataFrame({way: errors_of(predicted) for way, predicted in ways.items()})
for log in ("unrelated", "bait"):
    errors[f"clicks only, {log}"] = errors_of(learned(log), log)

# %%
plots.show(
    plots.bias_bars(errors, "predicted minus true conversion of unclicked rows,\nin percentage points"),
    alt="Error of the predicted conversion on unclicked rows for six ways, eight shops each: clicks only, ESMM and the divided heads are "
    "several points too high, the weighted one is clearly less so, the one without a relation near zero, and the bait far below zero.",
)

# %%
truths, unclicked = zip(*unclicked_rows("favourites"), strict=True)
truth = np.mean([rate[which].mean() for rate, which in zip(truths, unclicked, strict=True)])
said = np.mean([p[which].mean() for p, which in zip(ways["clicks only"], unclicked, strict=True)])
interval, bias_text = words(errors["clicks only"], scale=1)
claim("Learned from clicks alone, unclicked rows seem to convert far better than they do.", interval.low > 2, bias_text)
display(Markdown(f"It says {said:.3f}; the truth is {truth:.3f}."))

# %%
interval, text = words(errors["clicks only, unrelated"], scale=1)
claim("Where clicks select nothing, it does not overrate them.", interval.low <= 0, text)
interval, bait_text = words(errors["clicks only, bait"], scale=1)
claim("Where what is clicked sells worse, it underrates them.", interval.high < 0, bait_text)
interval, cured_text = words(errors["clicks only, weighted"] - errors["clicks only"], scale=1)
share = errors["clicks only, weighted"].mean() / errors["clicks only"].mean()
claim(
    "Undoing the selection takes at least a third of the error away.", interval.high < 0 and share < 2 / 3, cured_text
)

# %% [markdown]
# Selection it is. And ESMM, which was made against it?

# %%
interval, esmm_text = words(errors["ESMM"], scale=1)
claim("ESMM overrates the unclicked rows, too.", interval.low > 2, esmm_text)
interval, against_text = words(errors["ESMM"] - errors["clicks only"], scale=1)
verdict = "no different" if interval.low <= 0 <= interval.high else "smaller" if interval.high < 0 else "larger"
display(Markdown(f"Against clicks only its error is **{verdict}**: {against_text}."))
share = errors["ESMM"].mean() / errors["clicks only"].mean()
claim("At least half of the error is still there.", share > 0.5, f"{100 * share:.0f} % of that of clicks only")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Why the entire space does not take it away
#
# Think of impressions that a network cannot tell apart. By hand, two kinds, equally frequent:
#
# | | clicked | would convert |
# |---|---|---|
# | found what was searched for | .5 | .4 |
# | something else | .1 | .1 |

# %% tags=["nbval-check-output"]
click, convert = np.array([0.5, 0.1]), np.array([0.4, 0.1])
by_hand = {
    "true, all": convert.mean(),
    "true, unclicked": (convert * (1 - click)).sum() / (1 - click).sum(),
    "clicks only": (convert * click).sum() / click.sum(),
    "ESMM": (convert * click).mean() / click.mean(),
    "weighted": (convert * click / click).mean(),
}
pd.Series(by_hand, name="conversion").round(3).to_frame()

# %% [markdown]
# Clicks only learns $E[\text{pay} \mid \text{click}]$. ESMM learns $E[\text{clicked and paid}] / E[\text{click}]$. **That is the same number**: a ratio
# of two things that both count clicks only. What tells the two kinds apart would help either way; what does not is filled with the clicked rows'
# mean either way. Wang and others (2022) call it ESMM's inherent bias. Weighting changes *what* is estimated, and pays for it in noise: some
# rows count fifty times. It also needs p(click), which we took from the generator; a shop has an estimate.
#
# Why did weighting leave some error all the same? What it gets right is the mean of *all* rows, .25, and not that of the unclicked, .207: of rows that
# cannot be told apart, those that stayed unclicked are the worse ones. Over all impressions, then, little of the error should be left:

# %%
everywhere = {
    way: [100 * float((p - rate).mean()) for p, rate in zip(ways[way], truths, strict=True)]
    for way in ("clicks only", "clicks only, weighted")
}
for way, error in everywhere.items():
    display(Markdown(f"{way}, all impressions: {words(error, scale=1)[1]}"))
plain, weighted = map(np.mean, everywhere.values())
claim(
    "Over all impressions weighting leaves less than half of the error.",
    abs(weighted) < plain / 2,
    f"{weighted:+.1f} of {plain:+.1f} points",
)

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask the room, before the next cell: both networks see a row's click in their labels, one of them only the clicked rows. Write both as ratios of
# counts. Who sees that they are the same ratio? And then: what would one have to *do*, rather than compute, to learn about the unclicked rows?

# %% [markdown]
# ### Is the *order* wrong as well?
#
# Too high is one thing, wrongly ordered another. AUC against the true conversion, on unclicked rows:


# %%
def true_auc(predicted, rate):
    """AUC of a prediction if each row converted with its true rate: every row is a positive and a negative, so weighted."""
    outcome = np.repeat([1.0, 0.0], len(rate))
    return auc(outcome, np.tile(predicted, 2), np.concatenate([rate, 1 - rate]))


order = pd.DataFrame(
    {
        way: [true_auc(p[u], rate[u]) for p, rate, u in zip(each, truths, unclicked, strict=True)]
        for way, each in ways.items()
    }
)
order.agg(["mean", "sem"]).T.round(4).set_axis(["mean AUC", "standard error"], axis=1)

# %%
interval, text = words(order["ESMM"] - order["clicks only"])
verdict = "a tie" if interval.low <= 0 <= interval.high else "better" if interval.low > 0 else "worse"
order_text = f"{verdict}: {text}"
display(Markdown(f"ESMM against clicks only, AUC of conversion on unclicked rows: **{order_text}**."))
claim("ESMM does not beat clicks only at ordering the unclicked rows.", interval.low <= 0, text)

# %% [markdown]
# More rows did not make it better at this. Two suspects: what its conversion head shares with the click are the ids' vectors, and the run stops when the
# *sum* of both losses is lowest, in which the click has the larger say.

# %% [markdown]
# And bin by bin: unclicked rows sorted by their prediction into eight bins, what was predicted against what is true.


# %%
def bins(way):
    """Mean prediction and mean truth of eight equally large bins of all unclicked rows."""
    p = np.concatenate([each[u] for each, u in zip(ways[way], unclicked, strict=True)])
    rate = np.concatenate([each[u] for each, u in zip(truths, unclicked, strict=True)])
    parts = np.array_split(np.argsort(p), 8)
    means = [(p[part].mean(), rate[part].mean()) for part in parts]
    return pd.DataFrame(means, columns=["predicted", "true"]).assign(way=way)


plots.show(
    plots.calibration_of_conversion(pd.concat(map(bins, ("clicks only", "ESMM", "clicks only, weighted")))),
    alt="True against predicted conversion of unclicked rows in eight bins: the lines of clicks only and of ESMM run far below the diagonal, "
    "the weighted one closer to it.",
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Where the error does no harm
#
# A shop that ranks by expected payments never uses pCVR alone, but $\hat p_{CTR} \cdot \hat p_{CVR}$. Guess: will the *product* be too high as well?

# %%
liked = [entire.plan.of_run(entire.plan.runs[run]).test for run in runs]
pairs = zip(products["two-tower"], ways["clicks only"], strict=True)
totals = {
    "click × clicks only": [p["click"] * conversion for p, conversion in pairs],
    "ESMM": [p["pay"] for p in products["ESMM"]],
    "two-tower": [p["pay"] for p in products["two-tower"]],
}


def each_shop(measure):
    return pd.DataFrame({way: list(map(measure, each, liked)) for way, each in totals.items()})


product = each_shop(lambda p, rows: 100 * (p.mean() / rows.truth["pay"].mean() - 1))
paid_auc = each_shop(lambda p, rows: auc(rows.labels["pay"], p))

# %%
rows = {}
for way in totals:
    rows[way] = [words(product[way], "%", 1)[1], words(paid_auc[way] - paid_auc["click × clicks only"])[1]]
rows["click × clicks only"][1] = ""
display(pd.DataFrame(rows, index=["predicted payments, too many", "AUC of pay, minus click × clicks only"]).T)
worst = product.mean().abs().max()
relative = 100 * (said / truth - 1)
claim(
    "In the product the error is less than a quarter of what it is alone.",
    worst < relative / 4,
    f"at most {worst:.0f} % instead of {relative:.0f} %",
)

# %% [markdown]
# It is not: a row counts in the product with its click probability, and *that is how the clicked rows were chosen*. The bias bites where pCVR is
# used by itself: a bid per click for people who have not clicked so far, a list of "what sells well", a choice whom to send a coupon.

# %%
more = {name: np.mean([(p["pay"] > p["click"]).mean() for p in each]) for name, each in products.items()}
details = f"two free heads did so in {more['two-tower']:.2%} of the rows"
claim("ESMM never says that more people pay than click.", more["ESMM"] == 0, details)

# %% [markdown]
# Mind the number in brackets: how often two free heads break the rule is a question for your data. The guarantee is welcome either way.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## On real customers: recorded
#
# Hillstrom's e-mail challenge: 64,000 customers of a shop, two thirds of whom were sent an e-mail. In the two weeks that followed some visited its site,
# and some of these bought. Visit and purchase are click and pay. The file is not part of the course, so what follows is **recorded, not run here**.

# %%
kept = recorded("hillstrom")
made = kept["made with"]
display(
    Markdown(
        f"Recorded with TensorFlow {made['tensorflow']}, {kept['settings']['seeds']} seeds, each with its own split. To make it again, put the "
        f"file where `data/README.md` says (or let it be downloaded) and run `{kept['command']}`."
    )
)
real = pd.DataFrame(kept["results"]).pivot(index="seed", columns=["measure", "model"], values="value")
real.mean().unstack("measure").round(4)[["AUC visit", "AUC buy", "AUC after visit", "predicted / bought"]]

# %%
lines = []
for measure, task in (("AUC visit", "visit"), ("AUC buy", "buy"), ("AUC after visit", "conversion after a visit")):
    for model in ("single-task", "hard sharing", "ESMM"):
        interval = paired_interval((real[measure, model] - real[measure, "visitors only"]).to_numpy())
        numbers = {"difference": interval.mean, "low": interval.low, "high": interval.high}
        lines.append({"task": task, "metric": "auc", "model": model, **numbers})
lines = [line for line in lines if (line["task"], line["model"]) != ("visit", "single-task")]  # the same network
plots.show(
    plots.forest(pd.DataFrame(lines).round(4), baseline="visitors only", scale=100, unit="recorded: points of AUC"),
    alt="Recorded differences in AUC to the way that learns conversion from visitors only, on Hillstrom, for visit, buy, and conversion "
    "after a visit: two single-task networks, hard sharing and ESMM; nearly all intervals include zero.",
)
outside = [f"{line['model']}, {line['task']}" for line in lines if line["low"] > 0 or line["high"] < 0]
display(
    Markdown(
        f"Intervals that exclude zero: {len(outside)} of {len(lines)} ({'; '.join(outside) or 'none'}). One may by chance."
    )
)

# %%
interval, real_text = words(real["AUC buy", "ESMM"] - real["AUC buy", "visitors only"])
claim("Recorded: ESMM and visit × visitors only tie at finding buyers.", interval.low <= 0 <= interval.high, real_text)
chance = paired_interval(real["AUC after visit", "ESMM"].to_numpy())
details = f"AUC of ESMM {chance.mean:.3f}, {chance.low:.3f} to {chance.high:.3f}"
claim(
    "Recorded: who of the visitors buys can hardly be told.",
    real["AUC after visit"].mean().max() < 0.55,
    details,
)

# %% [markdown]
# A tie at finding buyers, and the second line says why: the e-mail and the eight coarse things known about a customer tell something about who visits, and
# next to nothing about who of the visitors buys. Where there is so little to know, no model can be much better than another. And what the customers who
# stayed away would have bought, no log can tell: on real data selection bias does not show, that is what makes it dangerous. (The seeds' test
# splits overlap, so these intervals are somewhat too narrow.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What we measured

# %%
facts = {
    "two-tower minus single-task, points of AUC": ", ".join(
        f"{task} {100 * row['difference']:+.1f} ({row['verdict']})"
        for task, row in difference.loc["two-tower minus single-task"].iterrows()
    ),
    "best tenth, w = 0 → 100: clicks": sold_text,
    "best tenth, w = 0 → 100: payments": gained_text,
    "error on unclicked rows: clicks only": bias_text,
    "error on unclicked rows: ESMM": esmm_text,
    "error on unclicked rows: weighting minus not": cured_text,
    "error on unclicked rows: clicks only, bait": bait_text,
    "AUC on unclicked rows: ESMM minus clicks only": order_text,
    "Hillstrom, AUC of buy: ESMM minus visitors only": real_text,
}
pd.Series(facts, name="8 seeds (Hillstrom: 20)").to_frame()

# %% [markdown]
# ## When not to use it
#
# - **Two towers**: when you need not store the item vectors; one network over all inputs is simpler. And sharing has a price when the goals pull
#   against each other: hold it against single-task, as above, and see chapter 07.
# - **ESMM**: when payments need no click, or when you want pCVR for its own sake. It is made for the product.
# - **Weighting by 1/p(click)**: when some rows have next to no chance of a click; their weights are noise. A small random experiment is worth more.
# - **Any of it**: with few outcomes and coarse inputs, as on Hillstrom, the simplest model does as well.

# %% [markdown]
# ## Questions people ask
#
# **Is the loss the sum?** Yes, weighted by `loss_weights`; the first number `fit` prints is that sum.
#
# **Which output of ESMM is pCVR?** None of the two that are trained. It is the layer that multiplies pCTR; `conversion_model(model)` reads it off.
#
# **May I train conversion with unclicked rows as negatives?** Then it is pCTCVR under another name. An unclicked row's conversion is unknown, not 0.
#
# **Can I use `sample_weight` as a dictionary?** Yes, with a dictionary of outputs and the same keys; a weight of 0 does not make a NaN label harmless.
#
# **My metrics look too good for the rare task.** `metrics` ignores sample weights; use `weighted_metrics`.
#
# **My AUC is 1.0, or .5, or the same for all models. What does that mean?** 1.0: an input holds the label (*label leakage*, 标签泄漏), such as a time of payment
# in a model of payments; `check_leakage(data)` looks at every column alone. .5: nothing was learned; look for a head without a loss, labels in another order
# than the rows, inputs that are not scaled. The same to the last digit for all models: most likely one of them was measured several times.
#
# **Two tasks: when to stop early?** Here by the weighted sum of the validation losses, in which click, with the larger loss, has the larger say.
#
# **Why not fuse with a product?** Chapters 01 and 07 do: a product forgives nothing, a sum trades one for the other.

# %% [markdown]
# ## Exercises
#
# 04.1 to 04.3 are above. One is left.
#
# **Exercise 04.4.** A bank knows who paid back a loan only for those to whom it gave one. Say, as if to a colleague there, what a model of
# repayment learned from this will get wrong, how one could find out, and when it would not matter.

# %%
answer = ...
check("04.4", answer)

# %%
summary("04")

# %% [markdown]
# ## References
#
# - X. Ma and others: *Entire space multi-task model: an effective approach for estimating post-click conversion rate*. SIGIR 2018.
#   <https://doi.org/10.1145/3209978.3210104>
# - H. Wang and others: *ESCM²: entire space counterfactual multi-task model for post-click conversion rate estimation*. SIGIR 2022.
#   <https://arxiv.org/abs/2204.05125>
# - P. Covington, J. Adams, E. Sargin: *Deep neural networks for YouTube recommendations*. RecSys 2016. <https://doi.org/10.1145/2959100.2959190>
# - K. Hillstrom: *The MineThatData e-mail analytics and data mining challenge*. 2008.
#   <https://blog.minethatdata.com/2008/03/minethatdata-e-mail-analytics-and-data.html>
#
# ## Next
#
# 05: a network with eyes for pairs.
