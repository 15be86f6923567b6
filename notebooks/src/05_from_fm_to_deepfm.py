# %% [markdown] slideshow={"slide_type": "slide"}
# # 05 · From FM to DeepFM
#
# **A reader and a topic that have never met: what can a model say about the pair?**
#
# Recommenders live on pairs: this user with that shop, this query with that brand. Most pairs never occur in the log. The
# *factorization machine* (FM, 因子分解机) gives every pair a weight all the same, for the price of a short vector a feature, and
# *DeepFM* puts a deep network on the same vectors. We build both, see what each can and cannot do, then take the two tools that our
# source adds on top, the *focal loss* (焦点损失) and *learning-rate annealing* (学习率退火), and make its table of results again, with seeds.
#
# <details lang="zh">
# <summary>中文</summary>
#
# **一位读者和一个话题从未相遇：模型对这一对能说些什么？**
#
# 推荐靠的是成对的关系：这个用户和那家店，这个查询和那个品牌。大多数组合从未在日志里出现过。*因子分解机*（FM）只用每个特征一个短向量的代价，
# 就给每一对一个权重；*DeepFM* 在同样的向量上再加一个深层网络。本章把两者都写出来，看各自能做什么、不能做什么，再看资料中另加的两样工具：
# *焦点损失*和*学习率退火*，并用多个随机种子重做资料里的结果表。
#
# </details>

# %% [markdown]
# ## What you will be able to do
#
# - derive the pair sum in time $O(nd)$, and write FM and DeepFM in Keras;
# - say what FM knows about pairs without a single training row, and what it cannot know;
# - read the focal loss: what it does to a row, to the ranking, and to the probabilities, and how to undo the last;
# - compare learning-rate schedules fairly, at equal effort of tuning;
# - look at a table of one number a model, and ask the questions that decide whether it means anything.
#
# ## What you need first
#
# Logistic regression and what an embedding is. From Keras: layers and losses.
#
# ## Minutes
#
# 40 to read, 1 to run.

# %%
import itertools
import timeit
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from mtl_helpers import plots
from mtl_helpers.exercises import check, summary
from mtl_helpers.study import Recipe, claim, study, tuned_study

# %%
import keras
from keras import ops

from mtl_helpers.datasets import Categorical, MultiTaskData, Rows, Task, census_income
from mtl_helpers.layers import FactorizationMachine, pair_sum
from mtl_helpers import metrics
from mtl_helpers.metrics import calibration_curve, expected_calibration_error, paired_interval
from mtl_helpers.models import deepfm, factorization_machine, logistic_regression, mmoe, ple, single_task
from mtl_helpers.recording import recorded
from mtl_helpers.widgets import FocalDesk

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A weight for every pair?
#
# Logistic regression adds up one weight a feature, $y = \sigma(w_0 + \sum_i w_i x_i)$. A category is a feature that is 1 or 0. So it can say
# "this reader clicks a lot" and "this topic is popular", and not "*this* reader likes *this* topic". The cure looks easy, a weight
# $w_{ij}$ for every pair $x_i x_j$. There are $n (n - 1) / 2$ of them (our source counts and adds up over all $i$ and $j$, so each pair twice). FM instead gives
# each feature a vector $v_i$ of $d$ numbers and lets the pair's weight be their product:
# $$y_{FM} = w_0 + \sum_i w_i x_i + \sum_{i<j} \langle v_i, v_j \rangle\, x_i x_j, \qquad \hat y = \sigma(y_{FM}).$$
# What that means on a real table, the census data of the course with 14,000 rows:

# %%
census = census_income(rows=14_000)
census = replace(census, **{split: getattr(census, split).take(slice(0, 8_000)) for split in ("validation", "test")})
sizes, columns = census.inputs["categorical"].sizes, census.train.inputs["categorical"]
possible = seen = 0
for i, j in itertools.combinations(range(len(sizes)), 2):
    possible += sizes[i] * sizes[j]
    seen += len(np.unique(columns[:, i] * sizes[j] + columns[:, j]))

# %%
n, d = sum(sizes) + len(census.inputs["numeric"].columns), 4
counts = {"logistic regression": n + 1, "a weight a pair": n * (n - 1) // 2 + n + 1, "FM": n * d + n + 1}
display(pd.Series(counts, name="weights to learn").to_frame().style.format("{:,}"))
display(
    Markdown(f"Of {possible:,} pairs of categories from two columns, {seen / possible:.0%} occur in the training rows.")
)

# %% [markdown]
# Two troubles, then: too many weights, and most of them never see a row. FM has an answer to both.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The pair sum, without visiting the pairs
#
# Written as it stands, the sum visits $n (n-1) / 2$ pairs of $d$ numbers: $O(n^2 d)$. It can be had in $O(n d)$, in three steps. Write $u_i = x_i v_i$.
#
# 1. All ordered pairs, less each vector with itself; every pair is then counted twice:
# $$\sum_{i<j} \langle u_i, u_j \rangle = \tfrac12 \Big( \sum_i \sum_j \langle u_i, u_j \rangle - \sum_i \langle u_i, u_i \rangle \Big)$$
# 2. An inner product is a sum over the $d$ places $f$; put it outside:
# $$= \tfrac12 \sum_f \Big( \sum_i \sum_j u_{if}\, u_{jf} - \sum_i u_{if}^2 \Big)$$
# 3. A double sum of products is a product of sums, $\sum_i \sum_j a_i a_j = (\sum_i a_i)^2$:
# $$= \tfrac12 \sum_f \Big( \big(\sum_i u_{if}\big)^2 - \sum_i u_{if}^2 \Big)$$
#
# *Add, then square, minus square, then add* (先相加再平方 − 先平方再相加): each vector is visited once.

# %% [markdown]
# ### By hand
#
# Three vectors, $u_1 = (1, 2)$, $u_2 = (3, 1)$, $u_3 = (0, 2)$. The pairs: $\langle u_1, u_2 \rangle = 5$, $\langle u_1, u_3 \rangle = 4$,
# $\langle u_2, u_3 \rangle = 2$, together $11$. The formula: sums $(4, 5)$, squared $16 + 25 = 41$; squares added
# $1 + 4 + 9 + 1 + 0 + 4 = 19$; half of $41 - 19$ is $11$.
#
# **Exercise 05.1.** Write it: an array `vectors` `[n, d]` comes in, a number goes out. No loop over pairs.


# %%
def all_pairs(vectors): ...


check("05.1", all_pairs)

# %% [markdown]
# To see the growth and not the tricks of a library, both ways in plain Python: one visits pairs, one visits vectors.


# %%
def visit_pairs(vectors):
    total = 0.0
    for i in range(len(vectors)):
        for j in range(i + 1, len(vectors)):
            total += vectors[i] @ vectors[j]
    return total


def visit_vectors(vectors):
    total = squares = np.zeros(vectors.shape[1])
    for vector in vectors:
        total, squares = total + vector, squares + vector * vector
    return 0.5 * (total @ total - squares.sum())


# %% slideshow={"slide_type": "skip"}
random = np.random.default_rng(0)
tables = [random.normal(size=(int(n), 8)) for n in random.integers(1, 40, size=50)]
apart = max(abs(visit_pairs(t) - way(t)) for t in tables for way in (visit_vectors, pair_sum))
claim("The loop, the formula and the package's pair_sum agree on 50 random tables.", apart < 1e-3, "to 0.001")

# %%
ways = {"over pairs": visit_pairs, "over vectors": visit_vectors}
times = {}
for n in (16, 32, 64, 128, 256):
    table = random.normal(size=(n, 8))
    times[n] = {name: min(timeit.repeat(partial(way, table), number=1, repeat=9)) for name, way in ways.items()}
times = pd.DataFrame(times).T

# %%
plots.show(
    plots.growth(times),
    alt="Seconds a call against the number of features from 16 to 256, both axes logarithmic: two straight lines, the loop over pairs "
    "twice as steep as the loop over vectors.",
)

# %%
pairs, vectors = (plots.growth_exponent(times.index, times[name]) for name in ways)
details = f"exponents {pairs:.1f} and {vectors:.1f}"
claim("The loop over pairs grows by a higher power of n than the loop over vectors.", pairs > vectors + 0.5, details)

# %% [markdown]
# The machine's own speed moves both lines up or down; the slope stays. In TensorFlow, where both ways are one call, the gap opens later:

# %%
kept = recorded("bench_factorization")["results"][-1]
display(
    Markdown(
        f"Recorded by `make bench`: with n = {kept['n']} features the formula is {kept['times faster']:.0f} times as fast."
    )
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Pairs that never met
#
# Thirty readers, thirty topics. A reader clicks by a general mood, by the topic's popularity, and by taste: two numbers of the reader times two
# numbers of the topic. **Three pairs in ten are held out**: no training row shows them. We draw a new world for every seed.


# %%
def tastes(seed, count=30):
    """The world: probability of a click, and which pairs are held out, [readers, topics]."""
    random = np.random.default_rng([seed, 5])
    readers, topics = random.normal(size=(2, count, 2))
    logit = 1.5 * readers @ topics.T + random.normal(size=(count, 1)) / 2 + random.normal(size=count) / 2
    return 1 / (1 + np.exp(-logit)), random.random((count, count)) < 0.3


# %%
def draw(columns, sizes, probability, cells, seed):
    """Rows of a world: for each split, cells to draw from and how many rows."""
    random = np.random.default_rng([seed, 55])
    splits = []
    for where, rows in cells:
        chosen = random.choice(where, rows)
        chance = probability[tuple(chosen.T)].astype("float32")
        clicks = (random.random(rows) < chance).astype("float32")
        inputs = {"categorical": (chosen + 1).astype("int32")}  # 0 is for the unseen
        splits.append(Rows(inputs, {"click": clicks}, truth={"click": chance}))
    kind = Categorical(columns, tuple(size + 1 for size in sizes))
    return MultiTaskData("world", {"click": Task()}, {"categorical": kind}, *splits)


# %% slideshow={"slide_type": "skip"}
def readers_and_topics(seed):
    probability, held_out = tastes(seed)
    met, never = np.argwhere(~held_out), np.argwhere(held_out)
    cells = [(met, 6000), (met, 5000), (never, 5000)]  # train, validation, test
    return draw(("reader", "topic"), probability.shape, probability, cells, seed)


world = readers_and_topics(seed=0)
world.describe()

# %% [markdown]
# So here the validation rows show pairs the model has met, the test rows pairs it has not. Three models: logistic regression; the same with a
# weight of its own for every pair, which is one more categorical column, *reader and topic together*; and FM.


# %%
def weight_a_pair(data):
    reader, topic = data.inputs["categorical"].sizes
    given = keras.Input((2,), dtype="int32", name="categorical")
    columns = ops.concatenate([given, given[:, :1] * topic + given[:, 1:]], axis=1)
    score = FactorizationMachine(dim=0, sizes=(reader, topic, reader * topic))(columns)
    return keras.Model({"categorical": given}, {"click": keras.layers.Activation("sigmoid", name="click")(score)})


models = {
    "logistic regression": logistic_regression,
    "a weight a pair": weight_a_pair,
    "factorization machine": factorization_machine,
}

# %% [markdown]
# **Exercise 05.2, before you run it.** On the pairs that never met:
# a) FM falls to chance; b) the weights a pair fall to logistic regression, FM stays far above; c) both stay above logistic regression.

# %%
prediction = ...
check("05.2", prediction)

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask: how many training rows move the weight of *this* reader with *this* topic, if they never met? And how many move the reader's vector?

# %%
settings = {"batch_size": 100, "optimizer": keras.optimizers.Adam(0.01), "jit_compile": False}
found = study(models, readers_and_topics, seeds=8, epochs=12, **settings)

# %%
met, never = found.scores("validation"), found.scores("test")
table = pd.concat(
    {"pairs met": met.groupby("model")["value"].mean(), "never met": never.groupby("model")["value"].mean()}, axis=1
)
table["weights"] = pd.Series(found.parameters)
best = found.best["value"].item()
display(table.loc[list(models)].style.format({"pairs met": "{:.3f}", "never met": "{:.3f}", "weights": "{:,}"}))
display(Markdown(f"AUC, mean of 8 worlds. Best reachable on pairs never met: {best:.3f}."))

# %%
cells = np.argwhere(np.ones((30, 30))).astype("int32") + 1
first = found.plan.runs[0].seed
truth, held_out = tastes(first)
maps = {"truth": truth}
maps |= {name: found.model(name)({"categorical": cells})["click"].numpy().reshape(30, 30) for name in models}
plots.show(
    plots.pair_maps(maps, held_out),
    alt="Four maps of 30 readers by 30 topics coloured by the probability of a click, held-out pairs dotted: the truth; logistic regression, "
    "stripes only; a weight a pair, right where met and stripes at the dots; the factorization machine, like the truth everywhere.",
)


# %%
def difference(scores, model, baseline):
    """Mean paired difference over seeds, as an interval and as text, in points."""
    wide = 100 * scores.pivot_table(index="seed", columns="model", values="value")
    interval = paired_interval((wide[model] - wide[baseline]).to_numpy())
    return interval, f"{interval.mean:+.2f} points, {interval.low:+.2f} to {interval.high:+.2f}, {interval.n} seeds"


# %%
interval, table_met = difference(met, "a weight a pair", "logistic regression")
claim("On pairs met, a weight a pair beats logistic regression.", interval.low > 5, table_met)
interval, table_never = difference(never, "a weight a pair", "logistic regression")
claim("On pairs never met it gains less than a point.", abs(interval.mean) < 1, table_never)

# %%
interval, fm_never = difference(never, "factorization machine", "a weight a pair")
claim("On pairs never met FM is more than ten points above it.", interval.low > 10, fm_never)
left = 100 * (best - never[never["model"] == "factorization machine"]["value"].mean())
claim("FM is within five points of the best reachable there.", left < 5, f"{left:.1f} points below")

# %% [markdown]
# Look at the dotted cells. A weight that no row has moved is still 0, so a pair that never met gets the sum of two habits. FM has no weight of
# the pair to wait for. The reader's vector was learned from the other topics, the topic's from the other readers, each from many rows:

# %% slideshow={"slide_type": "skip"}
rows = len(world.train)
per = {"weight of a pair": rows / (~held_out).sum(), "vector of a reader or topic": rows / 30}
pd.Series(per, name="training rows that move it, mean").round(0).astype(int).to_frame()

# %% [markdown]
# The gift has a condition: the truth must be of that kind, tastes that a few numbers a feature can hold. Held-out pairs that follow no pattern
# nobody can guess.

# %%
del found, met, never, maps

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What pairs cannot say
#
# Three columns of six categories. Each category is secretly plus or minus, and a click is likely if the **product of the three signs** is plus. Then
# no single column says anything, and no pair of columns either. What will FM do, and what a deep network on the same vectors?


# %%
def three_signs(seed, count=6):
    random = np.random.default_rng([seed, 6])
    signs = [random.permutation(np.resize([-1, 1], count)) for _ in range(3)]
    probability = 1 / (1 + np.exp(-2 * np.einsum("i,j,k->ijk", *signs)))
    everywhere = np.argwhere(np.ones(probability.shape))
    return draw(("a", "b", "c"), probability.shape, probability, [(everywhere, r) for r in (6000, 1000, 5000)], seed)


both = {"factorization machine": factorization_machine, "DeepFM": partial(deepfm, hidden_units=(32, 32))}
found = study(both, three_signs, seeds=8, epochs=8, **settings)

# %%
interval, deep_gain = difference(found.scores(), "DeepFM", "factorization machine")
means, best = found.scores().groupby("model")["value"].mean(), found.best["value"].item()
display(means.rename("AUC, mean of 8 worlds").round(3).to_frame())
details = f"{means['factorization machine']:.3f}, where guessing gives .5"
claim("FM does not see a product of three.", abs(means["factorization machine"] - 0.5) < 0.03, details)
claim("DeepFM does.", interval.low > 20, f"{deep_gain}; best reachable {best:.3f}")

# %% [markdown]
# One of our sources remarks that DeepFM's deep part cannot get at interactions of higher order. The experiment says it can. What is true: nobody
# hands it a product; it has to build one out of sums and kinks, and that takes rows. A *pair* is cheaper to get from FM, which has the product
# built in. That is the case for having both.

# %%
triple_fm, triple_deep = means["factorization machine"], means["DeepFM"]
del found

# %% [markdown] slideshow={"slide_type": "slide"}
# ## DeepFM, written out
#
# $$\hat y = \sigma(y_{FM} + y_{DNN}), \qquad y_{DNN} = \text{dense}(\text{concat}(x_1 v_1, \dots, x_n v_n)).$$
# **The vectors are shared**: the same $v_i$ are multiplied in FM's pairs and read by the deep network. Pairs teach the network's input, the
# network teaches FM's vectors, and nothing has to be trained beforehand. For the code, let every feature have a *row* in one table and a *value*: a category
# has its own row and the value 1, a number has its column's row and itself as the value.


# %%
class DeepFM(keras.Model):
    def __init__(self, sizes, numbers, dim, hidden_units):
        super().__init__()
        self.starts = np.concatenate([[0], np.cumsum(sizes)]).astype("int32")  # where a column's rows begin
        features = sum(sizes) + numbers
        self.weight = keras.layers.Embedding(features, 1, embeddings_initializer="zeros")  # w
        self.vector = keras.layers.Embedding(features, dim)  # v, read by pairs and network alike
        self.hidden = [keras.layers.Dense(units, activation="relu") for units in hidden_units]
        self.deep = keras.layers.Dense(1)  # its bias is w_0

    def call(self, inputs):
        categories, numbers = inputs["categorical"], inputs["numeric"]
        own = ops.zeros_like(numbers, "int32") + self.starts[-1] + ops.arange(numbers.shape[1])
        row = ops.concatenate([categories + self.starts[:-1], own], axis=1)
        value = ops.concatenate([ops.ones_like(categories, "float32"), numbers], axis=1)[:, :, None]
        vectors = value * self.vector(row)  # batch, features, dim
        linear = ops.sum(value * self.weight(row), axis=1)
        pairs = 0.5 * ops.sum(ops.sum(vectors, 1) ** 2 - ops.sum(vectors**2, 1), axis=1, keepdims=True)
        x = ops.reshape(vectors, (-1, vectors.shape[1] * vectors.shape[2]))
        for layer in self.hidden:
            x = layer(x)
        return ops.sigmoid(linear + pairs + self.deep(x))


# %% [markdown]
# The package's `deepfm` does the same for any number of tasks. Same weights, same rows:

# %%
income = census.with_tasks(["income"])
theirs = deepfm(income, hidden_units=(16, 8))
ours = DeepFM(sizes, len(income.inputs["numeric"].columns), dim=4, hidden_units=(16, 8))
some = {name: values[:256] for name, values in income.test.inputs.items()}
ours(some)
machine, *dense = [layer for layer in theirs.layers if layer.weights]
random = np.random.default_rng(0)
for variable in theirs.trainable_variables:  # weights that are zero at the start would hide a mistake
    variable.assign(random.normal(scale=0.1, size=variable.shape))

# %%
ours.weight.set_weights([machine.linear])
ours.vector.set_weights([machine.factors])
for mine, other in zip(ours.hidden, dense, strict=False):
    mine.set_weights(other.get_weights())
ours.deep.set_weights([dense[-1].kernel, machine.bias])
apart = float(ops.max(ops.abs(ours(some) - theirs(some)["income"])))
claim("The model written out and the package's give the same probabilities.", apart < 1e-5, "to 0.00001")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Focal loss
#
# Of the census's people about one in sixteen earns more than 50,000 dollars. Most rows are easy: a child earns nothing. Their losses are small,
# but they are many. The focal loss turns them down. (It was made for finding objects in pictures, where nearly every candidate box is empty and easily
# told, and the few that hold something are hard.) With $p_t$ for the probability the model gave to what happened ($p$ for a positive, $1 - p$ for a
# negative):
# $$L = -(1 - p_t)^\gamma \log p_t.$$
# A row that is right ($p_t$ near 1) has a factor near 0; one that is wrong ($p_t$ near 0) keeps its loss. (Our source writes it without the minus
# sign. A logarithm of a probability is negative; with the minus it is something to make small.)
#
# By hand, $\gamma = 2$: at $p_t = .9$ the factor is $.1^2 = .01$, at $p_t = .1$ it is $.81$. So the easy row loses 99 % of its say, the hard one 19 %.

# %%
plots.show(
    plots.focal_loss_curves(),
    alt="Loss of a row against the probability given to what happened, for gamma 0, 1, 2 and 5: the larger gamma, the flatter and lower "
    "the curve on the right, where rows are easy; on the far left all rise steeply.",
)

# %% [markdown]
# **Exercise 05.3.** Write it: `p` the predicted probability of a positive, `label` 0 or 1.


# %%
def focal(p, label, gamma): ...


check("05.3", focal)

# %% [markdown]
# Keras has it as `BinaryFocalCrossentropy`. The same formula, with a surprise: the paper also weighs positives by `alpha`, and Keras
# takes that number and **ignores it** unless you say `apply_class_balancing=True`.

# %%
p, label = np.array([[0.9], [0.2]]), np.array([[1.0], [1.0]])
by_hand = np.mean(-((1 - p) ** 2) * np.log(p))
quarter, most = (float(keras.losses.BinaryFocalCrossentropy(alpha=a, gamma=2.0)(label, p)) for a in (0.25, 0.99))
claim("Keras computes the formula.", abs(by_hand - quarter) < 1e-5, f"{by_hand:.4f} and {quarter:.4f}")
claim("By default its alpha does nothing.", quarter == most, "0.25 or 0.99, the same loss")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### What the focal loss asks for
#
# Take people alike, of whom a share $q$ is positive. Which prediction $p$ makes the mean loss smallest? For cross-entropy it is $p = q$; that is why we may read its
# outputs as probabilities. For the focal loss write $\varphi(p) = -(1 - p)^\gamma \log p$; the mean loss is $q\, \varphi(p) + (1 - q)\, \varphi(1 - p)$, and
# where its derivative is zero,
# $$q\, \varphi'(p) = (1 - q)\, \varphi'(1 - p) \quad\Longrightarrow\quad q = \frac{\varphi'(1 - p)}{\varphi'(p) + \varphi'(1 - p)}, \qquad
# \varphi'(p) = \gamma (1 - p)^{\gamma - 1} \log p - \frac{(1 - p)^\gamma}{p}.$$
# So from the prediction $p$ we can compute the chance $q$ that the model had in mind:


# %%
def unfocus(p, gamma):
    """The probability behind a prediction trained with the focal loss."""
    p = np.clip(np.asarray(p, float), 1e-7, 1 - 1e-7)

    def slope(p):
        return gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p

    return slope(1 - p) / (slope(p) + slope(1 - p))


# %%
plots.show(
    plots.focal_answers((0, 1, 2, 5)),
    alt="Prediction of least expected loss against the true probability: cross-entropy lies on the diagonal; with growing gamma the curve "
    "is flatter in the middle, so predictions lie nearer to one half, too high for rare events and too low for frequent ones.",
)

# %%
q, gamma, answers = 0.06, 2, np.linspace(0.0005, 0.9995, 2000)
loss = -q * (1 - answers) ** gamma * np.log(answers) - (1 - q) * answers**gamma * np.log(1 - answers)
lowest = answers[loss.argmin()]
details = f"true share {q:.2f}, prediction of least loss {lowest:.2f}, turned back {unfocus(lowest, gamma):.3f}"
claim("Trying 2,000 predictions finds the same one.", abs(unfocus(lowest, gamma) - q) < 0.002, details)
same = np.abs(unfocus(answers, gamma) - metrics.unfocus(answers, gamma)).max()
claim("The package's unfocus is this function.", same < 1e-9, "to 0.000000001")

# %% [markdown]
# The curve rises everywhere, so the **order** of the rows stays, and AUC with it. But a bidder who pays price times probability would pay far
# too much for every rare event.
#
# Move both yourself. On the left the loss of one row, on the right what a prediction means if the model was trained with this $\gamma$. For which
# $\gamma$ does a prediction of .3 mean about one in five, for which less than one in twenty?

# %%
FocalDesk(gamma=2, p=0.3)

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask before moving the slider: a model trained with focal loss says .3. Is the true probability larger or smaller? Let them vote, then move γ from 0 upwards.

# %% [markdown]
# **Exercise 05.4, before the census run below.** With the focal loss, a) AUC hardly changes, probabilities move towards one half; b) AUC improves
# clearly on the rare label, probabilities stay; c) both suffer.

# %%
prediction = ...
check("05.4", prediction)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Annealing the learning rate
#
# Large steps get far, small ones settle. A *schedule* has both, first large, then small (`keras.optimizers.schedules`). Each is written here as a factor that
# starts (or peaks) at 1: "the learning rate" is its highest value.

# %%
batch, epochs = 100, 6
steps = epochs * (len(world.train) // batch)
kinds = keras.optimizers.schedules
schedules = {
    "constant": None,
    "steps": kinds.PiecewiseConstantDecay([steps // 2, 3 * steps // 4], [1.0, 0.1, 0.01]),
    "exponential": kinds.ExponentialDecay(1.0, steps, decay_rate=0.01),
    "cosine": kinds.CosineDecay(1.0, steps),
    "warm-up": kinds.CosineDecay(0.0, steps - steps // 10, warmup_target=1.0, warmup_steps=steps // 10),
}
plots.show(
    plots.schedule_shapes(schedules, steps),
    alt="Five panels, factor of the learning rate over the steps: constant; two drops by ten; exponential fall to a hundredth; half a cosine "
    "wave; a short linear warm-up followed by half a cosine wave.",
)

# %% [markdown]
# **A fair race.** Whoever compares "our method with annealing" against "the baseline at Keras's default" compares tuning, not methods. So every schedule gets the
# same four learning rates, the validation rows choose its best, and only that one meets the test rows. `tuned_study` does this, for FM in the world of readers and topics.
#
# In the figure a ring marks the rate that each schedule chose. Before you look: at its best learning rate, how much will annealing gain over constant? And
# at the largest?

# %%
rates = [0.003, 0.01, 0.03, 0.1]
race = tuned_study(
    {name: Recipe(factorization_machine, schedule) for name, schedule in schedules.items()},
    readers_and_topics, rates, seeds=8, epochs=epochs, batch_size=batch,
)  # fmt: skip
plots.show(
    plots.rate_sweep(race.tuning),
    alt="Points of validation AUC below the best of each seed, against the highest learning rate, a line a schedule: all come near zero at some rate; at the largest constant "
    "falls well below the annealed ones, at the smallest rate the annealed ones are lower.",
)

# %%
at_most = race.tuning[race.tuning["learning_rate"] == max(rates)]
gains = {name: difference(at_most, name, "constant") for name in list(schedules)[1:]}
least = min(interval.low for interval, _ in gains.values())
claim(
    "At the largest learning rate every schedule beats constant.", least > 0, f"every interval above {least:.2f} points"
)
too_fast = gains["cosine"][1]

# %%
tuned = {name: difference(race.scores(), name, "constant") for name in list(schedules)[1:]}
display(
    pd.DataFrame(
        {name: (rate, tuned[name][1] if name in tuned else "") for name, rate in race.learning_rates.items()},
        index=["rate chosen", "test AUC, minus constant"],
    ).T
)
largest = max(abs(interval.mean) for interval, _ in tuned.values())
claim(
    "Each at its own best rate, no schedule is as much as two points from constant.",
    largest < 2,
    f"at most {largest:.2f}",
)

# %% [markdown]
# So annealing is above all an **insurance**: it forgives a learning rate that is too large. Once the rate is tuned, there is little left for a schedule to gain here, and it may even lose a little: look at
# the intervals. (The rate was chosen on pairs that met, the test asks about pairs that did not. And a schedule that chose the largest rate offered might
# do better beyond it.) And it is not free: with small rates the annealed runs come too late, for a schedule spends most of its
# steps below the rate you gave. Never compare two schedules at one learning rate.

# %%
del race

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A table, made again
#
# Our source ran four models on the data of the WeChat Big Data Challenge (微信大数据挑战赛) and reports the validation AUC of one task, reading comments:

# %%
source = {"DeepFM": 0.9233, "MMoE": 0.9260, "PLE": 0.9224, "DeepFM, focal and annealed": 0.9307}
pd.Series(source, name="AUC of read_comment").to_frame()

# %% [markdown]
# Its author adds, honestly, that nothing was tuned and the table does not say which model is better. What would a table need to say it? **Every task**, since MMoE and PLE were
# built for several. **A single-task baseline** and the sizes. **Seeds**, and intervals of paired differences. **The same effort of tuning** for all. And **one change at a time**: focal loss
# and annealing came together, so which of them was it? The challenge's data is not ours to pass on, so here it is on Census-Income: two tasks, 5 seeds, three learning
# rates to choose from for every line. A tie here does not say that the source's numbers are wrong, but what such a table has to hold.

# %%
epochs, batch = 2, 400
cosine = kinds.CosineDecay(1.0, epochs * (len(census.train) // batch))
focal_losses = {task: keras.losses.BinaryFocalCrossentropy(gamma=2.0) for task in census.tasks}
small = partial(deepfm, hidden_units=(64,))
recipes = {
    "single-task": Recipe(partial(single_task, hidden_units=(64,))),
    "MMoE": Recipe(mmoe),
    "PLE": Recipe(ple),
    "DeepFM": Recipe(small),
    "DeepFM, annealed": Recipe(small, schedule=cosine),
    "DeepFM, focal": Recipe(small, losses=focal_losses),
    "DeepFM, focal and annealed": Recipe(small, schedule=cosine, losses=focal_losses),
}

# %%
offered = [0.003, 0.01, 0.03]
found = tuned_study(recipes, census, offered, seeds=5, epochs=epochs, batch_size=batch)

# %%
labels, predicted = census.test.labels, found.predictions
table = found.table().pivot(index="model", columns="task", values="mean").add_prefix("AUC, ")


def calibration(name, mend=lambda p: p):
    """Calibration error of every task and seed: task -> [seeds]."""
    return {
        task: np.array([expected_calibration_error(labels[task], mend(p)) for p in seeds])
        for task, seeds in predicted[name].items()
    }


# %%
errors = {name: calibration(name) for name in recipes}
for task in census.tasks:
    table[f"calibration error, {task}"] = pd.Series({name: each[task].mean() for name, each in errors.items()})
table["learning rate"], table["weights"] = pd.Series(found.learning_rates), pd.Series(found.parameters)
display(table.loc[list(recipes)].style.format(precision=4, thousands=",").format("{:g}", subset="learning rate"))
edge = [name for name, rate in found.learning_rates.items() if rate in (min(offered), max(offered))]
display(
    Markdown(
        f"Took the lowest or highest rate offered, so might do better with a wider choice: {'; '.join(edge) or 'none'}."
    )
)

# %%
comparisons = pd.concat(found.compare(name, "single-task").assign(model=name) for name in list(recipes)[1:])
plots.show(
    plots.forest(
        comparisons.assign(difference=comparisons["difference"].round(4) + 0),
        baseline="single-task",
        scale=100,
        unit="points of AUC",
    ),
    alt="Differences in test AUC to single-task networks in points with intervals, six models, two tasks: on income all within half a point, "
    "on never married within a few tenths.",
)

# %%
furthest = comparisons["difference"].abs().max()
claim(
    "No model is as much as half a point of AUC from single-task, on either task.",
    furthest < 0.005,
    f"{100 * furthest:.2f} points",
)
gain = found.compare("DeepFM, focal and annealed", "DeepFM").set_index("task")
source_gain = source["DeepFM, focal and annealed"] - source["DeepFM"]
details = ", ".join(
    f"{task} {100 * row.difference:+.2f} ({100 * row.low:+.2f} to {100 * row.high:+.2f})"
    for task, row in gain.iterrows()
)
claim(
    f"Focal loss and annealing gain less than the source's {100 * source_gain:.2f} points.",
    gain["high"].max() < source_gain,
    details,
)

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask the room to criticise the source's table first: what would they need to know before they believe the last line? Collect, then show the forest.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### One change at a time


# %%
def change(name, baseline="DeepFM"):
    """Effect of a change, a row a task, as text: points of AUC, calibration error."""
    auc, rows = found.compare(name, baseline).set_index("task"), []
    for task, row in auc.iterrows():
        error = paired_interval(errors[name][task] - errors[baseline][task])
        points = f"{100 * row.difference:+.2f} ({100 * row.low:+.2f} to {100 * row.high:+.2f})"
        rows.append((name, task, points, f"{error.mean:+.3f} ({error.low:+.3f} to {error.high:+.3f})"))
    return pd.DataFrame(rows, columns=["minus plain DeepFM", "task", "AUC, points", "calibration error"])


pd.concat(change(name) for name in list(recipes)[4:]).set_index(["minus plain DeepFM", "task"])

# %% [markdown]
# Read the columns apart. In the AUC there is next to nothing, in either direction, even where an interval excludes zero. In the calibration error there is a lot, and nearly
# all of it comes with the focal loss.

# %%
worse = {task: paired_interval(errors["DeepFM, focal"][task] - errors["DeepFM"][task]) for task in census.tasks}
details = ", ".join(f"{task} {i.mean:+.3f} ({i.low:+.3f} to {i.high:+.3f})" for task, i in worse.items())
claim(
    "Focal loss makes the calibration error worse, on both tasks.", min(i.low for i in worse.values()) > 0.02, details
)

# %% [markdown]
# And since we know what the focal loss asks for, we can turn it back, without training anything again:

# %%
mended = calibration("DeepFM, focal", partial(metrics.unfocus, gamma=2))
rescued = {task: paired_interval(errors["DeepFM, focal"][task] - mended[task]) for task in census.tasks}
details = ", ".join(
    f"{task} {errors['DeepFM, focal'][task].mean():.3f} → {mended[task].mean():.3f}" for task in census.tasks
)
claim(
    "Turned back, its probabilities are calibrated better, on both tasks.",
    min(i.low for i in rescued.values()) > 0.02,
    details,
)

# %%
shown = {"cross-entropy": predicted["DeepFM"], "focal": predicted["DeepFM, focal"]}
shown["focal, turned back"] = {task: metrics.unfocus(p, 2) for task, p in shown["focal"].items()}
lines = {
    task: {name: calibration_curve(labels[task], p[task][0], bins=12) for name, p in shown.items()}
    for task in census.tasks
}
plots.show(
    plots.calibration_lines(lines),
    alt="Share that happened against predicted probability for income and never married: cross-entropy and the focal loss turned back lie "
    "near the diagonal, the focal loss as trained lies far from it, promising too much for rare events.",
)

# %% [markdown]
# (Both axes are stretched near 0, where most predictions are.) The lecture in one figure: the focal loss did not make the model worse at *telling people apart*. It made it answer another question. If your product uses only the
# order, you may not care. If it multiplies probabilities, as the fused scores of chapters 04 and 07 do, you must.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What we measured

# %%
facts = {
    "pair sum, exponent of n: over pairs, over vectors": f"{pairs:.1f}, {vectors:.1f}",
    "pairs never met, FM minus a weight a pair": fm_never,
    "pairs never met, a weight a pair minus logistic regression": table_never,
    "product of three signs, AUC of FM, of DeepFM": f"{triple_fm:.3f}, {triple_deep:.3f}",
    "annealing (cosine) at the largest learning rate": too_fast,
    "schedules at their best rates, furthest from constant": f"{largest:.2f} points",
    "Census-Income, furthest from single-task": f"{100 * furthest:.2f} points",
    "calibration error of income: plain, focal, turned back": f"{errors['DeepFM']['income'].mean():.3f}, "
    f"{errors['DeepFM, focal']['income'].mean():.3f}, {mended['income'].mean():.3f}",
}
pd.Series(facts, name="8 seeds; census 5").to_frame()

# %% [markdown]
# ## When not to use it
#
# - **FM**: few categories and plenty of rows for every pair. Then a weight a pair is as good, and easier to explain.
# - **DeepFM**: your inputs are mostly numbers, or a plain network already ties, as on Census-Income.
# - **Focal loss**: the probability itself is used, for a bid, a threshold, or a product of scores, and nobody turns it back.
# - **Annealing**: you train on, day after day, on a stream. A schedule needs an end.
#
# ## Questions people ask
#
# **Where is $V$ in DeepFM?** It is the embedding table. FM's $v_i$ is row $i$, and the deep network reads the same row.
#
# **Is the second-order term a scalar?** In FM and DeepFM, yes: all pairs and all $d$ places are added up to one number a row. (Models that keep the $d$ numbers and feed
# them to a network exist, by the name of *neural FM*.)
#
# **Why one embedding for both parts?** Half the weights, and each part's gradient helps the other's input. Guo and others found it better than pretraining by FM.
#
# **How wide should the vectors be?** As wide as the tastes are many. In our world two numbers made the clicks and four learned them well; vectors wider than the rows can teach
# overfit.
#
# **A new reader, without any row?** FM has no vector for them either: a pair that never met needs both of its sides to have been met. Category 0, "unseen", is what is left.
#
# **Does focal loss cure imbalance?** It turns down what is easy, whatever its label. If you want positives to count more, weigh them (`apply_class_balancing=True`,
# `alpha`), and turn that back too.
#
# **Several tasks: is the loss the sum?** Yes. Mind that a focal loss is smaller than cross-entropy; with one focal and one plain task the plain one gets more weight than you think.

# %% [markdown]
# ## Exercises
#
# 05.1 to 05.4 are above. One is left.
#
# **Exercise 05.5.** An advertiser pays bid times the predicted click probability. A colleague has found that focal loss raises AUC by 0.1 points and wants to ship it. What do you say, what do you offer,
# and which number do you both look at?

# %%
answer = ...
check("05.5", answer)

# %%
summary("05")

# %% [markdown]
# ## References
#
# - S. Rendle: *Factorization machines*. ICDM 2010. <https://doi.org/10.1109/ICDM.2010.127>
# - H. Guo, R. Tang, Y. Ye, Z. Li, X. He: *DeepFM: a factorization-machine based neural network for CTR prediction*. IJCAI 2017. <https://arxiv.org/abs/1703.04247>
# - T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár: *Focal loss for dense object detection*. ICCV 2017. <https://arxiv.org/abs/1708.02002>
# - N. Charoenphakdee, J. Vongkulbhisal, N. Chairatanakul, M. Sugiyama: *On focal loss for class-posterior probability estimation: a theoretical perspective*. CVPR 2021. <https://arxiv.org/abs/2011.09172>
# - I. Loshchilov, F. Hutter: *SGDR: stochastic gradient descent with warm restarts* (the cosine schedule). ICLR 2017. <https://arxiv.org/abs/1608.03983>
# - Census-Income (KDD), UCI Machine Learning Repository. <https://doi.org/10.24432/C5N30T>
#
# ## Next
#
# 06: eight experts, two tasks, and a gate for each: who ends up doing what?
