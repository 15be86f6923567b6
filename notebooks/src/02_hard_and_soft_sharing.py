# %% [markdown] slideshow={"slide_type": "slide"}
# # 02 · Hard and soft sharing
#
# **Two tasks, one network. When do they help each other, and when do they get in each other's way?**
#
# Most of machine learning trains one network for one task. Multi-task learning (多任务学习) lets tasks share something: a layer, or a wish
# to be alike. That it helps is often told, when it does less often. In this chapter we can turn the two things it depends on, how related the
# tasks are and how many rows there are, and watch sharing help, do nothing, and hurt.
#
# <details lang="zh">
# <summary>中文</summary>
#
# **两个任务，一个网络。它们什么时候互相帮助，什么时候互相妨碍？**
#
# 机器学习大多是一个网络学一个任务。多任务学习让任务之间共享一些东西：一层网络（参数硬共享），或者“彼此相像”的愿望（参数软共享）。人们常说它有用，却较少说明何时有用。
# 本章可以随意调节它所依赖的两件事，即任务的相关程度和样本的多少，看共享何时有益、何时无用、何时有害（负迁移）。
#
# </details>

# %% [markdown]
# ## What you will be able to do
#
# - build hard sharing, soft sharing and cross-stitch in Keras, each in a few lines;
# - say what an L2 and an L1 distance do to two weights;
# - tell *negative transfer* from bad luck, with an interval;
# - say why opposite tasks may share a layer and unrelated ones may not;
# - see when a "gain from sharing" is nothing but regularisation.
#
# ## What you need first
#
# Chapter 01. From Keras: `Dense`, `Model`, `Layer`.
#
# ## Minutes
#
# 40 to read, 1 to run.

# %%
from functools import partial

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from mtl_helpers import plots
from mtl_helpers.exercises import check, summary
from mtl_helpers.study import claim

# %%
import keras
from keras import ops

from mtl_helpers.memory import release
from mtl_helpers.metrics import paired_interval
from mtl_helpers.models import cross_stitch, hard_sharing, single_task, soft_sharing
from mtl_helpers.seeds import course_seed
from mtl_helpers.study.retrain import Retrainer, Setting, draw_pair, four_models, pull_together
from mtl_helpers.widgets import SharingLab

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Four ways to live together

# %%
plots.show(
    plots.sharing_schemes(),
    alt="Four diagrams. Single-task: each task has a hidden layer and a tower of its own. Hard sharing: one hidden layer under two "
    "towers. Soft sharing: two separate networks whose weights' distance is penalised. Cross-stitch: each tower reads both hidden layers.",
)

# %% [markdown]
# - **Single-task** (单任务): a network a task. Nothing is shared; the baseline all others have to beat.
# - **Hard sharing** (硬共享): one hidden layer for all, then a small *tower* (塔) a task. Also called *shared bottom*.
# - **Soft sharing** (软共享): a network a task, and a term in the loss that grows with the distance of their weights.
# - **Cross-stitch** (十字绣网络): a network a task; between the layers each takes a learned mixture of all tasks' activations.
#
# The usual reasons for hard sharing: fewer weights to learn and to store, and a lower risk of overfitting, since one layer that serves two
# tasks cannot learn the noise of either by heart. The more tasks pull at a layer, the smaller that risk. The usual warning: the tasks must
# be related: a network that tells cats and a network that tells dogs both need fur, edges and colours; one that reads handwriting does not.
# We shall see both, as numbers.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What a distance does to two weights
#
# Take the smallest networks there are: one weight each. Task 1 alone would like $w_1 = a$, task 2 alone $w_2 = b$. The pull adds a distance:
# $$L = \tfrac12 (w_1 - a)^2 + \tfrac12 (w_2 - b)^2 + s \cdot d(w_1, w_2), \qquad d = (w_1 - w_2)^2 \;\text{(L2)} \quad\text{or}\quad |w_1 - w_2| \;\text{(L1)}.$$
# The mean of the two weights stays $(a + b)/2$, and their difference shrinks:
# $$w_1 - w_2 = \frac{a - b}{1 + 4 s} \;\text{(L2)}, \qquad \operatorname{sign}(a - b)\, \max(|a - b| - 2 s,\, 0) \;\text{(L1)}.$$
#
# **By hand**, with $s = \tfrac14$: tasks that nearly agree, $a = 1$ and $b = 0.8$, get $0.95, 0.85$ under L2, and exactly $0.9, 0.9$ under L1.
# Opposite tasks, $a = 1$ and $b = -1$, get $0.5, -0.5$ under L2: each has lost half of what it needs. Keep this in mind.
#
# **Exercise 02.1.** Write it as a function that returns both weights.


# %%
def pulled(a, b, strength, norm): ...


check("02.1", pulled)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The four models, written out
#
# Two regressions, thirty numbers in. One hidden unit (we shall see why so few) and a tower of eight.

# %%
INPUTS, TASKS = 30, ("task_1", "task_2")
hidden = partial(keras.layers.Dense, 1, activation="tanh")
tower = partial(keras.layers.Dense, 8, activation="tanh")


def with_towers(x, per_task):
    """Ends every task's path: a tower, then one number."""
    ends = [tower()(h) for h in per_task]
    return keras.Model({"numeric": x}, {task: keras.layers.Dense(1)(h) for task, h in zip(TASKS, ends, strict=True)})


# %%
def single():
    x = keras.Input((INPUTS,), name="numeric")
    return with_towers(x, [hidden()(x) for _ in TASKS])


def hard():
    x = keras.Input((INPUTS,), name="numeric")
    return with_towers(x, [hidden()(x)] * len(TASKS))


# %% [markdown]
# The whole of hard sharing is one pair of brackets: `[hidden()(x)] * 2` is *one* layer read twice, `[hidden()(x) for ...]` are two layers.
#
# Soft sharing keeps two networks and adds their distance to the loss. `add_loss` in `call` is all Keras needs for that:


# %%
class SoftSharing(keras.Model):
    """A network a task, pulled together; ``layers_pulled`` counts from below."""

    def __init__(self, strength, norm="l2", layers_pulled=1):
        super().__init__()
        self.networks = [keras.Sequential([hidden(), tower(), keras.layers.Dense(1)]) for _ in TASKS]
        self.strength, self.layers_pulled = strength, layers_pulled
        self.size = ops.square if norm == "l2" else ops.abs

    def call(self, inputs):
        answers = {task: network(inputs["numeric"]) for task, network in zip(TASKS, self.networks, strict=True)}
        first, second = (network.weights[: 2 * self.layers_pulled] for network in self.networks)  # kernel and bias each
        self.add_loss(self.strength * sum(ops.sum(self.size(u - v)) for u, v in zip(first, second, strict=True)))
        return answers


# %% [markdown]
# Cross-stitch mixes activations. With $h_j$ for task $j$'s hidden layer, task $k$ goes on with $\sum_j \alpha_{kj} h_j$, and the matrix
# $\alpha$ is learned with the rest. By hand: $h_1 = 4$, $h_2 = 8$ and $\alpha = \begin{pmatrix} .75 & .25 \\ .25 & .75 \end{pmatrix}$ give
# $5$ and $7$.
#
# **Exercise 02.2.** Write the mixing for any number of tasks: the array `alpha` is `[tasks, tasks]`, the array `h` is `[tasks, units]`.


# %%
def stitch(alpha, h): ...


check("02.2", stitch)


# %%
class Stitch(keras.layers.Layer):
    """A learned mixture of the tasks' activations ``[batch, tasks, units]``."""

    def build(self, shape):
        tasks = shape[1]
        mostly_own = 0.8 * np.eye(tasks) + 0.1
        self.alpha = self.add_weight(shape=(tasks, tasks), initializer=lambda shape, dtype: ops.cast(mostly_own, dtype))

    def call(self, h):
        return ops.matmul(self.alpha, h)


def stitched():
    x = keras.Input((INPUTS,), name="numeric")
    mixed = Stitch()(ops.stack([hidden()(x) for _ in TASKS], axis=1))
    return with_towers(x, ops.unstack(mixed, num=len(TASKS), axis=1))


# %% [markdown] slideshow={"slide_type": "slide"}
# ### They are the package's models
#
# The package builds the same four for any data, and trains many of them at once. We copy the weights over and compare the answers.

# %%
tight = {"hidden_units": (1,), "tower_units": (8,), "activation": "tanh"}
pair = draw_pair(correlation=0.5, seed=course_seed())
x = {"numeric": pair.test.inputs["numeric"][:64]}


def apart(ours, theirs):
    """Largest difference of two models' answers."""
    answers, others = ours(x), theirs(x)
    return max(float(ops.max(ops.abs(answers[task] - others[task]))) for task in TASKS)


# %%
largest = 0.0
for ours, builder in ((single(), single_task), (hard(), hard_sharing)):
    theirs = builder(pair, **tight)
    theirs.set_weights(ours.get_weights())
    largest = max(largest, apart(ours, theirs))
claim("Single-task and hard sharing, written out, answer like the package's.", largest < 1e-5, "to 0.00001")

# %% [markdown]
# The package keeps the tasks' twin layers in one array, with an axis for the task; so we stack ours.


# %%
def stacked(networks, layers):
    """Weights of the lower layers of both networks, ``[in, tasks, units]`` and ``[tasks, units]``."""
    twins = zip(*[network.get_weights()[: 2 * layers] for network in networks], strict=True)
    return [np.stack(both, axis=-2) for both in twins]


ours = SoftSharing(strength=0.3, layers_pulled=1)
ours(x)
first, second = ours.networks
theirs = soft_sharing(pair, penalty=0.3, norm="l2", **tight)
upper = [w for i in (1, 2) for layer in (first.layers[i], second.layers[i]) for w in layer.get_weights()]
theirs.set_weights(stacked(ours.networks, layers=1) + upper)
difference = max(apart(ours, theirs), abs(float(ours.losses[0]) - float(sum(theirs.losses))))
claim("Soft sharing has the same answers and the same penalty.", difference < 1e-5, "to 0.00001")

# %%
ours = stitched()
own = ours.get_weights()  # two hidden kernels and biases, alpha, towers
theirs = cross_stitch(pair, **tight)
theirs.set_weights([np.stack(own[0:4:2], axis=1), np.stack(own[1:4:2]), *own[4:]])
claim("Cross-stitch gives the same answers.", apart(ours, theirs) < 1e-5, "to 0.00001")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A world in which relatedness is a number
#
# `task_pair` draws the two regressions of the MMoE paper, here with one sine: task $k$ looks at the thirty inputs along a direction $w_k$,
# $$y_k = w_k x + \sin(w_k x + 1) + \text{noise},$$
# and the *cosine* $p$ of the two directions is ours to set. $p = 1$: both tasks look along the same line. $p = -1$: along the same line,
# in opposite senses. $p = 0$: at things that have nothing to do with each other. There is as much noise as signal, and each task has noise
# of its own.
#
# Errors are in units of the label's variance: guessing the mean costs 1. No model can predict noise, so there is a best reachable error:

# %%
reachable = np.mean([(pair.test.truth[task] - pair.test.labels[task]) ** 2 for task in TASKS])
display(Markdown(f"Best reachable error: about **{reachable:.2f}**; guessing the mean: **1**."))

# %% [markdown]
# Why one hidden unit? A task needs exactly one direction of its inputs, so one unit is enough for a task, and it is exactly too little for
# two unrelated ones. With more room sharing can hardly hurt; we come to that.
#
# A `Retrainer` trains eight seeds of each model at once, every seed with a world of its own, and reads each task at its best moment on
# validation rows (early stopping for everybody, so nobody wins by overfitting less). All make the same number of steps.
#
# **Exercise 02.3, before you run it.** Two hundred rows and $p = -1$: where one task says "more", the other says "less". What does hard
# sharing do?
#
# a) it hurts; b) nothing; c) it helps about as much as at $p = 1$.

# %%
prediction = ...
check("02.3", prediction)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## When sharing helps, and when it hurts

# %%
correlations, counts = (1.0, 0.9, 0.5, 0.0, -0.5, -0.9, -1.0), (100, 200, 500, 2000)
retrainer = Retrainer(four_models(), seeds=8, settings=len(counts))
sweep = pd.concat(
    [retrainer.train([Setting(p, rows, penalty=0.1) for rows in counts]) for p in correlations], ignore_index=True
)
effects = plots.sharing_effects(sweep, baseline="single-task")
del retrainer
release()

# %%
plots.show(
    plots.sharing_grid(effects),
    alt="Three grids, cosine against training rows, of the test error minus single-task's. Hard sharing: blue (helps) at cosine 1 and -1 "
    "with few rows, orange (hurts) around cosine 0 and the more so the more rows. Soft sharing: blue with 100 and 200 rows at every cosine, "
    "near zero with many. Cross-stitch: near zero nearly everywhere.",
)

# %% [markdown]
# A cell is the mean difference to single-task over both tasks and eight seeds. It has a colour if its 95 % interval excludes zero, and bold
# digits if that is true of each task by itself. (Soft sharing here pulls whole networks, by L2 at strength 0.1.) Read the left grid first, then we say it with numbers:


# %%
def effect(model, p, rows, table=effects):
    """The two tasks' effects at one setting, and what is to be read in a line."""
    chosen = table[(table["model"] == model) & (table["correlation"] == p) & (table["rows"] == rows)]
    tasks = chosen[chosen["task"] != "both tasks"]
    text = "; ".join(f"{row.low:+.3f} to {row.high:+.3f}" for row in tasks.itertuples())
    return chosen.set_index("task"), tasks, text


def written(row):
    return f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"


# %%
said = {}
for p in (1.0, -1.0):
    _, tasks, said[p] = effect("hard sharing", p, 200)
    claim(f"p = {p:+.0f}, 200 rows: hard sharing helps both tasks.", (tasks["high"] < 0).all(), said[p])

# %%
for p in (0.5, -0.5):
    _, tasks, said[p] = effect("hard sharing", p, 2000)
    claim(f"p = {p:+.1f}, 2,000 rows: hard sharing hurts both tasks.", (tasks["low"] > 0).all(), said[p])

# %% [markdown]
# The second is **negative transfer** (负迁移): the joint model is worse than a network that never heard of the other task. Note how it grows
# with the rows while the gain shrinks:

# %%
plots.show(
    plots.error_by_rows(sweep, [1.0, 0.5]),
    alt="Test error against training rows for p = 1 and p = 0.5. At p = 1 hard sharing is lowest and all models meet near the best "
    "reachable error with 2,000 rows. At p = 0.5 hard sharing stays far above the others however many rows there are.",
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Why
#
# Two forces, and they scale differently.
#
# **Sharing averages noise.** The shared unit is pulled by both tasks' labels. If both want the same line, it is as if there were twice as
# many labels with independent noise. That is worth much when rows are few, and nothing when they are plenty: more rows do the same.
#
# **Sharing forces a compromise.** If the tasks want different lines, one unit must point somewhere between. That costs the same however
# many rows there are; rows cannot heal it.
#
# So at $p = 0.9$, nearly related, both signs occur: the first force wins with few rows, the second with many.

# %%
nearly_few, _, _ = effect("hard sharing", 0.9, 200)
nearly_many, _, _ = effect("hard sharing", 0.9, 2000)
gain, cost = nearly_few.loc["both tasks"], nearly_many.loc["both tasks"]
crossing = f"{written(gain)} with 200 rows, {written(cost)} with 2,000"
claim("p = 0.9: sharing helps with 200 rows and hurts with 2,000.", gain["high"] < 0 < cost["low"], crossing)

# %% [markdown]
# **And $p = 0$?** There the compromise is so bad that the unit takes one task's side, and which one is settled by chance, differently in
# each seed. The winner pays next to nothing, the loser nearly all that it could learn. So the fair number is the mean over both tasks:

# %%
unrelated = [effect("hard sharing", 0.0, rows)[0].loc["both tasks"] for rows in (200, 500, 2000)]
cost_of_strangers = "; ".join(map(written, unrelated)) + " with 200, 500 and 2,000 rows"
claim(
    "p = 0: on the mean of both tasks hard sharing hurts.",
    all(each["low"] > 0 for each in unrelated),
    cost_of_strangers,
)

# %%
strangers = sweep.query("correlation == 0 and rows == 2000").pivot(
    index=["seed", "task"], columns="model", values="value"
)
paid = (strangers["hard sharing"] - strangers["single-task"]).unstack("task")
winner, loser = paid.min(axis=1), paid.max(axis=1)
claim(
    "In every world one task pays nearly nothing and the other more than half of what there is to learn.",
    winner.max() < 0.05 and loser.min() > (1 - reachable) / 2,
    f"2,000 rows, mean of 8 worlds: {winner.mean():+.2f} and {loser.mean():+.2f}, of {1 - reachable:.2f}",
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Opposite is not unrelated
#
# At $p = -1$ the labels are *negatively* correlated, and sharing helps as at $p = 1$. The hidden unit finds the line; the tower behind it
# turns the sign with one weight. What counts is whether the tasks look at **the same thing**, not whether they say the same about it. The
# correlation of labels is a hint, not the condition. (What a dish costs and how often it is ordered may correlate negatively and hang on the same things.)

# %%
same, turned = (effect("hard sharing", p, 200)[0].loc["both tasks"] for p in (1.0, -1.0))
details = f"{same['difference']:+.3f} at p = 1, {turned['difference']:+.3f} at p = -1"
claim("The gain at p = -1 is at least half of that at p = 1.", turned["difference"] < same["difference"] / 2, details)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Room to spare
#
# The compromise comes from the width. Give every network a second hidden unit, and one shared layer has room for two lines:

# %%
wider = {**tight, "hidden_units": (2,)}
two_units = {"single-task": partial(single_task, **wider), "hard sharing": partial(hard_sharing, **wider)}
roomy = Retrainer(two_units, seeds=8).train([Setting(0.5, 2000)])
wide, _, text = effect("hard sharing", 0.5, 2000, plots.sharing_effects(roomy))
tight_cost, _, _ = effect("hard sharing", 0.5, 2000)
pair_of_costs = f"{written(tight_cost.loc['both tasks'])} with one unit, {written(wide.loc['both tasks'])} with two"
claim(
    "With two hidden units hard sharing at p = 0.5 costs less than 0.02.",
    wide.loc["both tasks", "high"] < 0.02,
    pair_of_costs,
)

# %% [markdown]
# So if your tasks seem to fight, widen the shared layer first. Large networks have room; that is one reason why hard sharing often does no harm in
# practice, related tasks or not.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Soft sharing: where it pulls, and how strongly
#
# Now the penalty. Three ways to pull, and one control:
#
# - L2 distance of the **hidden layers** alone, which are what hard sharing shares;
# - L2 distance of the **whole networks**, towers and outputs included;
# - L1 distance of the whole networks;
# - **no partner**: single-task networks with plain weight decay, each pulled towards zero.
#
# The last one has no sharing in it. If it gains as much, the gain was not from sharing.

# %% [markdown]
# **Exercise 02.4, before you run it.** $p = -1$, and a strong pull through the whole network. What happens?
#
# a) it helps like hard sharing; b) it hurts; c) nothing changes.

# %%
prediction = ...
check("02.4", prediction)


# %%
def weight_decay(data):
    """Single-task networks whose weights are pulled towards zero."""
    x = keras.Input((INPUTS,), name="numeric")
    paths = []
    for _ in TASKS:
        h = x
        for units, activation in ((1, "tanh"), (8, "tanh"), (1, None)):
            h = keras.layers.Dense(units, activation, kernel_regularizer=keras.regularizers.L2(1.0))(h)
        paths.append(h)
    return keras.Model({"numeric": x}, dict(zip(TASKS, paths, strict=True)))


# %% [markdown]
# (Strength 1 here and below: the `Retrainer` multiplies what a model adds to the loss by the penalty of the run. So one compiled program
# serves all penalties.) In the figure, the mean of both tasks against the strength: the dotted line is hard sharing, and a line that leaves through the
# top has ruined its networks.

# %%
penalties = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
pulls = {
    "hidden layers, L2": partial(soft_sharing, penalty=1.0, norm="l2", **tight),
    "whole networks, L2": partial(pull_together, norm="l2", **tight),
    "whole networks, L1": partial(pull_together, norm="l1", **tight),
    "weight decay, no partner": weight_decay,
}
puller = Retrainer(pulls, seeds=8, settings=len(penalties))
pulled_runs = pd.concat([puller.train([Setting(p, 200, s) for s in penalties]) for p in (-1.0, 0.0, 1.0)])

# %%
alone = sweep[(sweep["model"] == "single-task") & (sweep["rows"] == 200) & sweep["correlation"].isin((-1, 0, 1))]
beside = pd.concat([pulled_runs, *(alone.assign(penalty=strength) for strength in penalties)])
pull_effects = plots.sharing_effects(beside)
hard_effects = {p: effect("hard sharing", p, 200)[0].loc["both tasks", "difference"] for p in (-1.0, 0.0, 1.0)}
plots.show(
    plots.penalty_curves(pull_effects, hard_effects),
    alt="Effect on the error against the strength of the penalty, for p = -1, 0 and 1. Pulling the hidden layers approaches hard sharing's "
    "gain at p = -1 and 1. Pulling whole networks does so at p = 1 and turns into harm at p = -1. L1 and weight decay help a "
    "little when small and ruin the networks when large.",
)

# %%
strong = pull_effects[pull_effects["penalty"] == 3].set_index(["model", "correlation", "task"]).sort_index()
lines, holds = [], True
for name, p, sign in (
    ("hidden layers, L2", -1.0, -1),
    ("whole networks, L2", -1.0, 1),
    ("whole networks, L2", 1.0, -1),
):
    found = strong.loc[(name, p)].drop("both tasks")
    holds &= bool((found["verdict"] == ("helps" if sign < 0 else "hurts")).all())
    lines.append((f"strength 3, {name}, p = {p:+.0f}", ", ".join(f"{value:+.2f}" for value in found["difference"])))
text = "At strength 3: pulled hidden layers help both tasks at p = -1; pulled whole networks hurt both there, and help both at p = 1."
claim(text, holds, "; ".join(f"{name}: {values}" for name, values in lines))

# %% [markdown]
# That is the sum by hand from the beginning of the chapter, $a = 1$ and $b = -1$. A distance knows "equal", it does not know "opposite". What
# turns a sign must be left out of the pull, as hard sharing leaves out the towers. **Share what both tasks need, and leave each its head.**
#
# L1 at large strengths fails even at $p = 1$: its gradient never becomes small, so the optimizer keeps throwing the weights across zero
# distance instead of resting there, and what the labels say drowns in it. Where you use L1, keep the strength small or let the learning rate fall.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Is it sharing at all?
#
# In the grid soft sharing helped with few rows whatever the cosine, even at $p = 0$, where the partner knows nothing of use. Suspicious. We
# choose the strength for each seed by its validation error and compare on test rows, with single-task networks that have no strength to choose:


# %%
def tuned(runs):
    """Test error of each model, cosine and seed at the strength that its validation error chose."""
    mean = runs.groupby(["model", "correlation", "seed", "penalty"])[["value", "validation"]].mean().reset_index()
    best = mean.loc[mean.groupby(["model", "correlation", "seed"])["validation"].idxmin()]
    return best.pivot(index=["correlation", "seed"], columns="model", values="value")


errors = tuned(pulled_runs)
errors["single-task"] = alone.groupby(["correlation", "seed"])["value"].mean()


def minus(p, model, baseline):
    """Mean paired difference of two tuned models, as an interval and as text."""
    found = paired_interval((errors.loc[p, model] - errors.loc[p, baseline]).to_numpy())
    return found, f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


gains = {f"p = {p:g}": {name: minus(p, name, "single-task")[1] for name in pulls} for p in (1.0, 0.0, -1.0)}
pd.DataFrame(gains).style

# %%
found, stranger = minus(0.0, "hidden layers, L2", "single-task")
claim("Even a pull towards an unrelated task lowers the error.", found.high < 0, stranger)
found, details = minus(0.0, "hidden layers, L2", "weight decay, no partner")
claim("There it is worth what weight decay is worth, to within 0.03.", abs(found.mean) < 0.03, details)

# %%
found, partner = minus(1.0, "hidden layers, L2", "weight decay, no partner")
claim("A related partner is worth more than weight decay.", found.high < 0, partner)

# %% [markdown]
# An unrelated partner is no teacher. But a pull towards it shrinks the weights that are mere noise, in both networks, because the two
# noises differ. That is **regularisation** (正则化), a preference for simple networks, an *inductive bias* (归纳偏置): it comes with any pull, and weight decay gives it for nothing. What a *related* partner adds
# is the rest. So before you say "sharing helped", ask what an unrelated partner would have done. Chapter 03 makes such controls its method.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The lab
#
# Your turn. Set the cosine, the rows and the penalty, and press *Train*: the kernel trains eight seeds of each of the four models, and both
# tasks are drawn with their intervals. (Soft sharing pulls whole networks, L2.) The ring is where the mean was before, so change one thing at a time.
#
# - Find the fewest rows with which hard sharing at $p = 0.9$ no longer helps.
# - Set $p = -1$ and raise the penalty to 3. Who suffers? Then $p = 1$.
# - At which cosine does the harm of hard sharing with 2,000 rows begin?

# %%
SharingLab(sweep, start=(1.0, 200, 0.1))

# %% [markdown]
# The first training loads and compiles for some seconds. After that nothing is compiled again: a new cosine is only other numbers in the
# rows, fewer rows are other positions in the batches, and the penalty is one number a run.

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask the room before each press: helps, hurts or undecided? Vote, train, discuss, and do not leave out p = -1. Then ask what a reviewer would want
# to see beside "our joint model is better".
#
# <details>
# <summary>For whoever teaches</summary>
#
# At p = -1 most vote "hurts"; it is the best round. The reviewer wants a single-task baseline of the same size, seeds, and an unrelated partner.
#
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Who does harm?
#
# Cross-stitch stays close to single-task in nearly all of this. Its mixture starts near "my own activations", and with one unit a task there is
# little to mix. It was made for deep networks, where it decides layer by layer what to share. Which of the three does harm? Count the cells of the grid:

# %%
cells = effects[effects["task"] == "both tasks"].set_index("model")
helps, hurts = (cells["high"] < 0), (cells["low"] > 0)
harm = cells["difference"].where(hurts, 0.0).groupby("model").max()
counted = pd.DataFrame(
    {"helps": helps.groupby("model").sum(), "hurts": hurts.groupby("model").sum(), "largest harm shown": harm.round(3)}
)
counted.loc[["hard sharing", "soft sharing", "cross-stitch"]]

# %%
soft_harm, hard_harm = harm["soft sharing"], harm["hard sharing"]
details = f"{soft_harm:.3f} against {hard_harm:.3f}, of 28 cells each"
claim("The largest harm of soft sharing is less than a quarter of hard sharing's.", soft_harm < hard_harm / 4, details)

# %% [markdown]
# With 28 intervals a model, one or two exclude zero by chance. What is beyond that is harm, and small beside that of hard sharing.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What we measured

# %%
sizes = {
    name: sum(int(np.prod(w.shape)) for w in builder(pair).trainable_weights) for name, builder in four_models().items()
}
rows = {
    "weights: " + ", ".join(sizes): ", ".join(map(str, sizes.values())),
    "hard sharing, p = +1, 200 rows, both tasks": said[1.0],
    "hard sharing, p = -1, 200 rows, both tasks": said[-1.0],
    "hard sharing, p = +0.5, 2,000 rows, both tasks": said[0.5],
    "hard sharing, p = 0, mean of both tasks": cost_of_strangers,
    "hard sharing, p = 0.9": crossing,
    "hard sharing, p = 0.5, 2,000 rows": pair_of_costs,
    **dict(lines),
    "pull towards an unrelated task, tuned": stranger,
    "pull towards a related task minus weight decay, both tuned": partner,
}
pd.Series(rows, name="test error minus single-task's").to_frame().style

# %% [markdown]
# ## When not to use it
#
# - The tasks look at different things and the shared layer is tight: hard sharing costs, and more rows do not help.
# - Rows are plenty for every task: single-task networks are as good, and simpler to own and to change.
# - The tasks may contradict each other in sign: do not pull outputs together.
# - You cannot run the single-task baseline: then you cannot know.
#
# Where sharing pays in spite of a tie in quality: one model to serve, one set of embeddings to store.

# %% [markdown]
# ## Questions people ask
#
# **Is the loss the sum of the tasks' losses?** Yes, plus the penalty under soft sharing. Weights of the tasks are for chapters 07 and 08.
#
# **How do I know beforehand that tasks are related?** You do not, quite. Same inputs that matter is the condition; the labels' correlation
# is a hint whose sign says nothing. The sure way is the comparison of this chapter, on your data.
#
# **Which layers should be shared?** The lower ones. Leave each task a tower that can turn and scale what it reads.
#
# **L1 or L2?** L2 unless you want many weights to be exactly equal. Choose the strength on validation rows.
#
# **Why did multi-task lose?** Tight shared layer and different tasks; or a task with a larger loss took the layer (chapter 08); or eight
# seeds would have said "tie".
#
# **Should I prefer soft sharing?** At a moderate strength it did little harm here (the table above) and gained with few rows, for the weights of
# two networks. Part of that gain is regularisation, which you can have without a second task.

# %% [markdown]
# ## Exercises
#
# 02.1 to 02.4 are above. One is left.
#
# **Exercise 02.5.** Take two tasks of a product you know. Would you share? Say what, why, and which experiment would settle it.

# %%
answer = ...
check("02.5", answer)

# %%
summary("02")

# %% [markdown]
# ## References
#
# - R. Caruana: *Multitask learning*. Machine Learning 1997 (hard sharing). <https://doi.org/10.1023/A:1007379606734>
# - J. Baxter: *A Bayesian/information theoretic model of learning to learn via multiple task sampling*. Machine Learning 1997 (the more tasks,
#   the smaller the risk of overfitting what is shared). <https://doi.org/10.1023/A:1007327622663>
# - L. Duong, T. Cohn, S. Bird, P. Cook: *Low resource dependency parsing: cross-lingual parameter sharing in a neural network parser*. ACL 2015
#   (L2 distance). <https://doi.org/10.3115/v1/P15-2139>
# - I. Misra, A. Shrivastava, A. Gupta, M. Hebert: *Cross-stitch networks for multi-task learning*. CVPR 2016. <https://arxiv.org/abs/1604.03539>
# - J. Ma and others: *Modeling task relationships in multi-task learning with multi-gate mixture-of-experts*. KDD 2018 (the pair of tasks).
#   <https://doi.org/10.1145/3219819.3220007>
# - S. Ruder: *An overview of multi-task learning in deep neural networks*. 2017. <https://arxiv.org/abs/1706.05098>
#
# ## Next
#
# 03: why sharing helps when it does. Five mechanisms, five experiments that could fail.
