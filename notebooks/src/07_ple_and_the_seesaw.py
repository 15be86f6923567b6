# %% [markdown] slideshow={"slide_type": "slide"}
# # 07 · PLE and the seesaw
#
# **Turn up the weight of one task's loss. Who pays for it?**
#
# Tencent's video team trained two tasks together and often saw one get better as the other got worse. They called it the
# *seesaw* (跷跷板现象), and built *customized gate control* (CGC) and *progressive layered extraction* (PLE, 渐进式分层提取) against
# it. In this chapter we build a seesaw, give it a number, and see which model swings, how far, and when it does not matter.
#
# <details lang="zh">
# <summary>中文</summary>
#
# **调大一个任务的损失权重，代价由谁来付？**
#
# 腾讯的视频推荐团队同时训练两个任务，发现一个变好时另一个往往变差，并称之为*跷跷板现象*；为此他们提出了*定制门控*（CGC）和
# *渐进式分层提取*（PLE）。本章先造出一个跷跷板，给它一个数字，再看哪个模型摆动、摆多远，以及什么时候这并不重要。
#
# </details>

# %% [markdown]
# ## What you will be able to do
#
# - tell *negative transfer* from the *seesaw*, and measure both;
# - write CGC in Keras, and stack it to PLE;
# - trace by which path one task's gradient can reach the other's experts, and check it;
# - read in the gates what private experts are used for;
# - fuse the scores of several tasks into one ranking, and see what users really get.
#
# ## What you need first
#
# MMoE and its gates (chapter 06). From Keras: layers; `tf.GradientTape` is explained where it comes.
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
from mtl_helpers.study import claim, study

# %%
import keras
import tensorflow as tf
from keras import ops

from mtl_helpers.datasets import video_log
from mtl_helpers.layers import CustomizedGateControl
from mtl_helpers.metrics import paired_interval, seesaw_swing
from mtl_helpers.models import cgc, hard_sharing, mmoe, one_gate, ple, single_task
from mtl_helpers.recording import recorded
from mtl_helpers.seeds import course_seed
from mtl_helpers.widgets import FusionDesk, GateExplorer

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Two words, two measurements
#
# Train two tasks with the loss $L = \lambda\, L_{click} + (1 - \lambda)\, L_{finish}$ and write $s_k(\lambda)$ for the test score of task $k$.
#
# - **Negative transfer** (负迁移): the joint model is worse at a task than a network that learned this task alone, $s_k(\lambda) < s_k^{single}$;
#   bitter where that task has few rows, which sharing was meant to help most of all.
# - **Seesaw**: moving $\lambda$ moves the tasks against each other. Its size is the **swing**: half the way that the difference of the two
#   scores travels while $\lambda$ runs over a fixed set,
#   $$\text{swing} = \tfrac12 \left( \max_\lambda\, [s_1(\lambda) - s_2(\lambda)] - \min_\lambda\, [s_1(\lambda) - s_2(\lambda)] \right).$$
#
# If one task rises by $a$ while the other falls by $b$, the swing is $(a + b) / 2$; if both rise by the same, it is 0. A single-task
# network has (nearly) no swing: with an optimizer like Adam a factor before its loss hardly changes a step.

# %% [markdown]
# Here is what the video team reported: whether a video is watched (VTR, AUC) and to which share (VCR, squared error): seven of the ten rows in their paper.
# Mark the models that are better than single-task at one task and worse at the other:

# %%
quoted = {
    "single-task": (0.6787, 0.1321), "hard sharing": (0.6740, 0.1320), "asymmetric sharing": (0.6823, 0.1346),
    "sluice network": (0.6825, 0.1329), "MMoE": (0.6803, 0.1319), "CGC": (0.6832, 0.1320), "PLE": (0.6831, 0.1307),
}  # fmt: skip
quoted = pd.DataFrame(quoted, index=["VTR, AUC (more is better)", "VCR, squared error (less is better)"]).T
quoted.style.format(precision=4)

# %% [markdown]
# One number a model, no interval, differences in the third and fourth place: with 995 million rows that may be enough. We cannot have their
# rows, so we build a world in which we know what is true, and repeat it until the intervals tell.
#
# ### By hand
#
# At $\lambda = .1, .5, .9$ a model scores $.80, .84, .83$ on click and $.82, .81, .77$ on finish. The differences are $-.02, .03, .06$; they
# travel $.08$, and the swing is $.04$, or 4 points.
#
# **Exercise 07.1.** Write it as a function: scores come as `[loss weights, 2]`.


# %%
def swing(scores): ...


check("07.1", swing)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A world that can swing
#
# `video_log` draws the log of a short-video site. Four segments of users, each with a taste of its own:
#
# | segment | finishes … |
# |---|---|
# | followers, regulars | what they click: same function for both tasks |
# | skimmers | the opposite: what earns the click loses the finish (clickbait) |
# | listeners | by a taste that has nothing to do with their clicks |
#
# So in half of the rows the tasks help each other, in a quarter they contradict each other, in a quarter they are strangers. We train on
# 5,000 rows, and draw a new world for every seed: a result that holds must hold over worlds.


# %% slideshow={"slide_type": "skip"}
def site(seed, rows=5000):
    return video_log(20_000, seed=seed).with_train(lambda train: train.take(slice(0, rows)))


world = site(seed=0)
world.describe()

# %% [markdown]
# How do the two tasks go together in each segment? The true probabilities are known, so we can look at them, here in eight worlds:


# %% slideshow={"slide_type": "skip"}
def agreement(log):
    """Correlation of the true probabilities of click and finish, a number a segment."""
    truth = pd.DataFrame(log.test.truth).assign(segment=np.array(log.groups)[log.test.groups])
    return truth.groupby("segment").apply(lambda rows: rows["click"].corr(rows["finish"])).loc[list(log.groups)]


drawn = pd.DataFrame([agreement(video_log(4000, seed=course_seed(i))) for i in range(8)])
drawn.agg(["mean", "min", "max"]).T.round(2).add_prefix("correlation of click and finish, ")

# %% [markdown]
# The two tastes of the listeners are drawn apart from each other. In one world they happen to go together a little, in another to part.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Six models, five weights, eight seeds
#
# All but PLE, which has a second level, have a similar number of weights (the table below counts them). CGC and PLE, which we open below, give each task three
# experts of its own and let both use two shared ones; MMoE and the model with one gate have eight shared experts. All train alike, ten epochs
# at one learning rate. Is that fair? We come back to it.

# %%
shared = {"experts": 8, "expert_units": (8,)}
private = {"shared_experts": 2, "private_experts": 3, "expert_units": (8,)}
models = {
    "single-task": partial(single_task, hidden_units=(32,)),
    "hard sharing": partial(hard_sharing, hidden_units=(64,)),
    "one gate": partial(one_gate, **shared),
    "MMoE": partial(mmoe, **shared),
    "CGC": partial(cgc, **private),
    "PLE": partial(ple, levels=2, **private),
}

# %% [markdown]
# **Exercise 07.2, before you run it.** At $\lambda = .1$ click has a tenth of the weight. Which model's click suffers most?
# a) hard sharing, which shares everything; b) the model with one gate; c) CGC, which has the fewest shared experts.

# %%
prediction = ...
check("07.2", prediction)

# %%
weights = (0.1, 0.3, 0.5, 0.7, 0.9)  # λ; both losses are doubled, so that at λ = .5 each counts once
sweep = {str(w): {"click": 2 * w, "finish": 2 * (1 - w)} for w in weights}
settings = {"batch_size": 128, "optimizer": keras.optimizers.Adam(5e-3)}
found = study(models, site, seeds=8, epochs=10, loss_weights=sweep, **settings)

# %%
plots.show(
    plots.seesaw_paths(found.scores(), "single-task"),
    alt="Five panels, one a model: gain on click against gain on finish over single-task, a dot for each loss weight from .1 to "
    ".9. One gate and MMoE make long bent arms into the losing region at .1 and .9, CGC stays a small knot around zero, PLE bends below zero.",
)

# %% [markdown]
# Every dot is a model trained with one loss weight; the numbers at three of the five are the weight of click. Zero is single-task. In the green corner both
# tasks gain. A long bent arm is a seesaw: at its ends one task has been sold for the other.

# %%
scores = 100 * found.scores().pivot(index=["loss_weight", "seed"], columns=["model", "task"], values="value")
reach = found.best.set_index("task")["value"]
table = scores.T.groupby(level=["model", "task"]).mean().T.groupby(level="loss_weight").mean().T
table = table.unstack("task").swaplevel(axis=1).sort_index(axis=1).loc[list(models)]
table[("", "weights")] = pd.Series(found.parameters)
display(table.style.format(precision=1, thousands=","))
display(Markdown(f"Best reachable: click {100 * reach['click']:.1f}, finish {100 * reach['finish']:.1f}."))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The swing as a number

# %%
order = pd.MultiIndex.from_product([list(models), ["click", "finish"]])


def swings_of(scores):
    """Swing of every model: a row a seed."""
    cube = scores[order].unstack("seed").to_numpy().reshape(len(weights), len(models), 2, -1)
    values = seesaw_swing(cube.transpose(3, 1, 0, 2))  # seeds, models, loss weights, tasks -> seeds, models
    return pd.DataFrame(values, columns=list(models))


swings = swings_of(scores)
plots.show(
    plots.swing_bars(swings),
    alt="Swing of six models in points of AUC, eight seeds each: single-task near zero, CGC and hard sharing less than one point, MMoE and "
    "PLE between one and two, one gate about six.",
)


# %%
def difference(one, other):
    """Mean paired difference over seeds, as an interval and as text."""
    interval = paired_interval((one - other).to_numpy())
    return interval, f"{interval.mean:+.2f} points, {interval.low:+.2f} to {interval.high:+.2f}, {interval.n} seeds"


# %%
interval, details = difference(swings["one gate"], swings["MMoE"])
claim("A gate for each task swings less than one gate for both.", interval.low > 0, details)
one_gate_minus_mmoe = details

# %%
half = swings["CGC"].mean() / swings["MMoE"].mean()
claim("CGC swings less than two thirds as far as MMoE, on average.", half < 2 / 3, f"{100 * half:.0f} % as far")
cgc_of_mmoe = f"{100 * half:.0f} %"

# %% [markdown]
# The swing takes the largest and the smallest of five differences, so chance alone makes it positive wherever a weight sends training another way.
# Beside it a measure that chance may push to either side: how much click gains on finish from $\lambda = .1$ to $.9$, halved.

# %%
moved = (scores.loc["0.9"] - scores.loc["0.1"]) / 2
by_ends = {name: difference(moved[name, "click"], moved[name, "finish"]) for name in models}
display(pd.Series({name: text for name, (_, text) in by_ends.items()}, name="between the ends").to_frame())
lowest = min(by_ends[name][0].low for name in ("one gate", "MMoE"))
claim("One gate and MMoE swing by this measure, too.", lowest > 0, f"both intervals above {lowest:.2f}")
still = by_ends["CGC"][0].low > 0
display(Markdown(f"Whether CGC swings at all, eight seeds {'show: it does' if still else 'leave open'}."))

# %% [markdown]
# The sharper question is about the task that is *out of favour*: click at $\lambda = .1$ and finish at $\lambda = .9$. What does it lose against
# learning alone? That is negative transfer, measured where it hurts.


# %%
def gains_of(scores):
    """Points over single-task, and their mean over the two tasks when out of favour: click at .1, finish at .9."""
    gain = pd.concat({name: scores[name] - scores["single-task"] for name in models if name in scores}, axis=1)
    light = (gain.xs("0.1").xs("click", axis=1, level=1) + gain.xs("0.9").xs("finish", axis=1, level=1)) / 2
    return gain, light


gain, light = gains_of(scores)
even = gain.xs("0.5").T.groupby(level=0).mean().T[list(models)]
rows = {}
for name in list(models)[1:]:
    rows[name] = [difference(each[name], 0 * each[name])[1] for each in (light, even)]
pd.DataFrame(rows, index=["task out of favour", "both tasks, equal weights"]).T

# %%
interval, details = difference(light["MMoE"], light["single-task"])
claim("With MMoE the task out of favour loses to single-task: negative transfer.", interval.high < 0, details)
interval, details = difference(light["CGC"], light["MMoE"])
claim("With CGC it loses less than with MMoE.", interval.low > 0, details)
saved = details

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Both tasks better at once?

# %% [markdown]
# This is PLE's promise, and here is what our numbers say at each weight: "better" or "worse" only if the interval excludes zero.

# %% slideshow={"slide_type": "skip"}
verdicts = pd.concat(found.compare(name, "single-task").assign(model=name) for name in list(models)[1:])
verdicts.pivot(index=["model", "task"], columns="loss_weight", values="verdict").loc[list(models)[1:]]

# %%
lost = (verdicts["verdict"] == "worse").groupby(verdicts["model"]).sum().loc[list(models)[1:]]
won = (verdicts["verdict"] == "better").groupby(verdicts["model"]).sum().loc[list(models)[1:]]
lines = [f"- **{name}**: better in {won[name]}, worse in {lost[name]} of 10" for name in list(models)[1:]]
display(Markdown("Cells of task and weight, against single-task:\n\n" + "\n".join(lines)))

# %%
losses = f"CGC {lost['CGC']}, MMoE {lost['MMoE']}, PLE {lost['PLE']} of 10"


def against(rival, gain, swings):
    """CGC minus a rival: the mean gain over all weights and both tasks, and the swing, as intervals and texts."""
    means = gain.T.groupby(level=0).mean().T.groupby(level="seed").mean()
    return difference(means["CGC"], means[rival]), difference(swings["CGC"], swings[rival])


rivals = ("hard sharing", "MMoE", "PLE")
found_against = {rival: against(rival, gain, swings) for rival in rivals}
texts = {rival: [text for _, text in pairs] for rival, pairs in found_against.items()}
pd.DataFrame(texts, index=["mean over weights and tasks, CGC minus …", "swing, CGC minus …"]).T

# %%
interval, details = found_against["PLE"][0]
claim("Over all weights and both tasks CGC is better than PLE.", interval.low > 0, details)
interval, hard_rival = found_against["hard sharing"][0]
claim("Plain hard sharing is less than half a point from CGC, either way.", abs(interval.mean) < 0.5, hard_rival)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Is it the tuning?
#
# One learning rate for six models may flatter some of them, and ten epochs may be too few for two levels. So the race was run once more, and
# **recorded**: every model trains until its validation loss stops falling, and has seven learning rates to choose from at each loss weight, by
# its validation AUC; single-task networks choose and stop each for its own task. Which of the findings above would you bet on?

# %%
kept = recorded("seesaw")
chosen = pd.DataFrame(kept["results"]["chosen"])
tuned = chosen.assign(points=100 * chosen["value"])
tuned = tuned.pivot(index=["loss_weight", "seed"], columns=["model", "task"], values="points")
tuned_swings, (tuned_gain, tuned_light) = swings_of(tuned), gains_of(tuned)
columns = {"swing": tuned_swings, "task out of favour": tuned_light[list(models)]}
display(pd.DataFrame({name: values.mean().round(1) for name, values in columns.items()}))
display(Markdown(f"Recorded, {len(tuned_swings)} seeds; made by `{kept['command']}`."))

# %% slideshow={"slide_type": "skip"}
rates = chosen[chosen["model"] != "single-task"].pivot_table(
    index="model", columns="loss_weight", values="learning_rate"
)
rates.loc[list(models)[1:]].rename_axis(columns="learning rate chosen at a loss weight of")

# %% slideshow={"slide_type": "skip"}
tried = ", ".join(f"{rate:g}" for rate in kept["settings"]["learning_rates"])
beyond = len(kept["results"]["at the edge"])
display(
    Markdown(
        f"Rates tried: {tried}. Choices at the first or last of them, beyond which a better one may lie: {beyond}."
    )
)

# %%
tuned_against = {rival: against(rival, tuned_gain, tuned_swings) for rival in rivals}
for rival in ("MMoE", "PLE"):
    (mean, mean_text), (swing_gap, swing_text) = tuned_against[rival]
    claim(f"Recorded: tuned alike, CGC is better than {rival} over all weights …", mean.low > 0, mean_text)
    claim("… and swings less.", swing_gap.high < 0, swing_text)
interval, tuned_hard = tuned_against["hard sharing"][0]
claim("Recorded: CGC and hard sharing tie.", interval.low <= 0 <= interval.high, tuned_hard)

# %% [markdown]
# Read this soberly:
#
# - **CGC's gift is safety.** No weight costs it much, where MMoE, PLE and above all one gate lose the task out of favour, tuned or not. A gain on
#   both tasks over single-task, the promise of private experts, is another matter: count its cells in the list above.
# - **The rival to beat is plain hard sharing**, wide enough for both tasks. In this world it does as well as CGC. Private experts mend what
#   gates brought with them.
# - **The second level does not pay here.** PLE has more weights and only 5,000 rows; its authors had nearly a billion. Along its shared path one
#   task's gradient reaches the other's experts again (we check that below). Which of the two it is, we did not measure.
# - **One gate is the worst of both worlds**: all of the sharing, none of the choice.
# - **Some of the seesaw was the rate.** Tuned, one gate swings far less than in the figure above, and is still the widest of all. Look where the
#   high rates were chosen: at the outer weights, where one task gets little of every step. Before you buy an architecture, tune the rate.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## When it does not matter
#
# The same comparison with 12,000 training rows instead of 5,000 (and eight epochs instead of ten: still nearly twice the steps), at the two extreme weights
# only. Do you expect the seesaw to be as large?

# %%
three = {name: models[name] for name in ("single-task", "MMoE", "CGC")}
ends = {label: sweep[label] for label in ("0.1", "0.9")}
plenty = study(three, partial(site, rows=12_000), seeds=8, epochs=8, loss_weights=ends, gates=False, **settings)

# %%
more = 100 * plenty.scores().pivot(index=["loss_weight", "seed"], columns=["model", "task"], values="value")
_, light_more = gains_of(more)
fewer, enough = light["MMoE"].mean(), light_more["MMoE"].mean()
details = f"{fewer:+.2f} points with 5,000 rows, {enough:+.2f} with 12,000; {difference(light_more['MMoE'], light['MMoE'])[1]}"
claim("With more rows MMoE's task out of favour loses at least a third less.", enough > 2 / 3 * fewer, details)
saved_more = difference(light_more["CGC"], light_more["MMoE"])[1]
display(Markdown(f"Task out of favour, CGC minus MMoE: {saved} with 5,000 rows; {saved_more} with 12,000."))


# %% [markdown]
# So much of the seesaw is a shortage: too few rows (and steps) for the disfavoured task to shape the experts against the other's pull. With
# more of both, what CGC saves gets smaller; on Census-Income in chapter 06 the architectures hardly differed.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## CGC, written out
#
# Task $k$ has private experts $f^k_1, f^k_2, \dots$ beside the shared ones $f^s_1, f^s_2, \dots$. Its gate sees only these,
# $$g^k(x) = \operatorname{softmax}(W_k x), \qquad h_k(x) = \sum_i g^k_i(x)\, E^k_i(x), \qquad E^k = (f^k_1, f^k_2, \dots, f^s_1, f^s_2, \dots).$$
# By hand: a gate with logits $(0, \ln 3)$ over one private expert that answers 4 and one shared expert that answers 8 has weights
# $\tfrac14, \tfrac34$ and mixes $\tfrac14 \cdot 4 + \tfrac34 \cdot 8 = 7$. The other task's expert does not appear: not with a small weight, not at all.


# %%
class CGC(keras.layers.Layer):
    """Experts of each task's own beside shared ones; a gate a task over its own and the shared."""

    def __init__(self, tasks, own, common, units):
        super().__init__()
        dense = partial(keras.layers.Dense, units, activation="relu")
        self.own = [[dense() for _ in range(own)] for _ in range(tasks)]
        self.common = [dense() for _ in range(common)]
        self.gates = [keras.layers.Dense(own + common, "softmax", use_bias=False) for _ in range(tasks)]

    def call(self, x):
        mixtures = []
        for experts, gate in zip(self.own, self.gates, strict=True):
            outputs = ops.stack([expert(x) for expert in experts + self.common], axis=1)
            mixtures.append(ops.squeeze(ops.matmul(gate(x)[:, None], outputs), 1))
        return mixtures


# %% [markdown]
# The package's `CustomizedGateControl` computes all experts in one product and masks the foreign ones *before* the softmax. With the same
# numbers in both:

# %%
x = np.random.default_rng(0).normal(size=(64, 10)).astype("float32")
ours, theirs = CGC(tasks=2, own=3, common=2, units=4), CustomizedGateControl(2, 3, (4,), ("click", "finish"))
ours(x), theirs([x, x, x])
stacked, gate_kernel = theirs.expert_layers[0], theirs.gate_layer.kernel.numpy()
for i, expert in enumerate([*ours.own[0], *ours.own[1], *ours.common]):
    expert.set_weights([stacked.kernel.numpy()[:, i], stacked.bias.numpy()[i]])
for k, gate in enumerate(ours.gates):
    gate.set_weights([gate_kernel[:, k][:, theirs.allowed[k]]])

# %%
apart = max(float(ops.max(ops.abs(a - b))) for a, b in zip(ours(x), theirs([x, x, x])[0], strict=True))
claim("The layer written out and the package's give the same mixtures.", apart < 1e-5, "to 0.00001")

# %% [markdown]
# **Exercise 07.3.** Why before the softmax? Write the masked gate: `logits` `[experts]`, `allowed` a list of True and False; return weights that
# are 0 where not allowed and sum to 1.


# %%
def masked_gate(logits, allowed): ...


check("07.3", masked_gate)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Whose gradient reaches whom?
#
# PLE stacks CGC. A lower level has one more gate, the *shared* gate, which reads **all** experts and feeds the shared experts of the next
# level. We follow the gradient of click's output alone (`tf.GradientTape` notes the computation and differentiates it) and add up, for
# each expert, the size of what arrives.


# %%
def reaches(model, task, rows=256):
    """Norm of the gradient of one task's output at every expert: level -> {expert: norm}."""
    inputs = {name: values[:rows] for name, values in world.test.inputs.items()}
    layers = [layer for layer in model.layers if hasattr(layer, "expert_names")]
    kernels = [layer.expert_layers[0].kernel for layer in layers]
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(inputs)[task])
    gradients = tape.gradient(total, [kernel.value for kernel in kernels], unconnected_gradients="zero")
    norms = [tf.norm(g, axis=(0, 2)).numpy().astype(float) for g in gradients]
    return {
        layer.name: dict(zip(layer.expert_names, norm, strict=True)) for layer, norm in zip(layers, norms, strict=True)
    }


# %% [markdown]
# **One level (CGC).** What does click's gradient do to finish's private experts?

# %% slideshow={"slide_type": "skip"}
one_level = reaches(found.model("CGC"), "click")
pd.DataFrame({"CGC": one_level["level_1"]}).round(2).T

# %%
foreign = max(value for name, value in one_level["level_1"].items() if name.startswith("finish"))
claim("In CGC click's gradient at finish's private experts is exactly zero.", foreign == 0, f"largest {foreign:g}")

# %% [markdown]
# **Two levels (PLE).** Think first: can click's gradient now reach finish's private experts on level 1?

# %%
network = found.model("PLE")
two_levels = reaches(network, "click")
arrives = {"CGC": one_level["level_1"], "PLE, level 1": two_levels["level_1"], "PLE, level 2": two_levels["level_2"]}
pd.DataFrame(arrives).round(2).T

# %%
below = min(value for name, value in two_levels["level_1"].items() if name.startswith("finish"))
above = max(value for name, value in two_levels["level_2"].items() if name.startswith("finish"))
details = f"level 1 at least {below:.2g}, level 2 {above:g}"
claim("In PLE it reaches finish's experts on level 1, and not those on level 2.", below > 0 == above, details)

# %% [markdown]
# It does, by exactly one path: click's tower → shared experts of level 2 → shared gate → all experts of level 1. So "task A's loss never touches
# task B's modules", as one reads, is true of CGC, and in PLE of the last level only. Close the path by switching off the shared experts of
# level 2, and nothing arrives any more:

# %%
layer = network.get_layer("level_2")
layer.switch_off([i for i, name in enumerate(layer.expert_names) if name.startswith("shared")])
closed = reaches(network, "click")["level_1"]
layer.switch_on_all()
left = max(value for name, value in closed.items() if name.startswith("finish"))
claim("The shared path is the only one.", left == 0, f"largest left {left:g}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## In the gates
#
# Mean gate weights of one seed at equal weights, for each segment. First MMoE: both tasks choose from the same eight experts.

# %%
gates = {name: found.records[name, "data", "0.5"] for name in ("MMoE", "CGC", "PLE")}
plots.show(
    plots.gate_heat_map(gates["MMoE"]),
    alt="MMoE's gate weights for the four segments, rows click and finish, columns experts 1 to 8: one segment takes some "
    "experts, another takes others.",
)

# %% [markdown]
# Then CGC: empty cells are the other task's experts, whose weight is exactly 0.

# %%
plots.show(
    plots.gate_heat_map(gates["CGC"]),
    alt="CGC's gate weights for the four segments: click uses its own three experts and the two shared ones, finish its own three and the "
    "shared ones; the other task's private experts have weight 0.",
)

# %% [markdown]
# And everything in one place. Move through the epochs, choose a segment, switch models; every edge is a gate's weight.

# %%
GateExplorer({name: gates[name] for name in ("MMoE", "PLE")})

# %% [markdown]
# A tempting story: "where the tasks agree the gates agree, and where they part the gates part." Before you believe it, measure it. The
# distance of two gates is the share of weight that would have to move, $\tfrac12 \sum_i |g_i - g'_i|$. Guess which is larger in MMoE: the
# distance of click's gate from finish's, or that of one segment's gates from another's?


# %%
def distance(one, other):
    return 0.5 * np.abs(one - other).sum(axis=-1)


last = gates["MMoE"].levels[0].weights[:, -1]  # seeds, gates, groups, experts
by_task = distance(last[:, 0], last[:, 1])  # seeds, groups
pairs = [(i, j) for i in range(4) for j in range(i)]
by_segment = np.mean([distance(last[:, :, i], last[:, :, j]).mean(axis=1) for i, j in pairs], axis=0)

# %%
interval = paired_interval(by_segment)
details = f"distance {interval.mean:.2f}, {interval.low:.2f} to {interval.high:.2f}; nobody told them"
claim("MMoE's gates tell the segments apart.", interval.low > 0.3, details)

# %%
same, other = by_task[:, :2].mean(axis=1), by_task[:, 2:].mean(axis=1)
interval = paired_interval(other - same)
verdict = "further apart" if interval.low > 0 else "closer" if interval.high < 0 else "neither closer nor further apart"
display(
    Markdown(
        f"Where the tasks part, the two tasks' gates are **{verdict}** than where they agree: {other.mean():.2f} against "
        f"{same.mean():.2f}, difference {interval.low:+.2f} to {interval.high:+.2f}."
    )
)

# %% [markdown]
# The gates route by *who is watching*; how the tasks are related cannot be read off them. Two tasks may agree and yet take different experts,
# because experts that compute the same thing come in several copies. A gate picture shows who uses what. It does not show who helps whom.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## From scores to a ranking
#
# A site shows one list. The video team multiplied what their models predict, each to a power of its own, and a function of the length:
# $$\text{score} = p_{VTR}^{\,w_1} \cdot p_{VCR}^{\,w_2} \cdot p_{SHR}^{\,w_3} \cdot p_{CMR}^{\,w_4} \cdots f(\text{length}).$$
# (VTR: is the video watched? VCR: to which share? SHR: is it shared? CMR: is it commented on?)
# Taking logarithms turns it into a weighted sum; a product forgives nothing, for one factor near 0 sinks the video. By hand: with
# $p_{click} = .5$, $p_{finish} = .25$, exponents 1 and 2 and $f = 1$ the score is $.5 \cdot .25^2 = .03125$.
#
# Here are ours. We take the CGC trained at equal weights in each of the eight worlds, rank its test rows, show the top tenth, and ask the
# *true* probabilities what the users would have done.

# %%
runs = [i for i, run in enumerate(found.plan.runs) if run.loss_weight == "0.5"]
worlds = [found.plan.of_run(found.plan.runs[i]).test for i in runs]
predicted = []
for run, rows in zip(runs, worlds, strict=True):
    outputs = found.model("CGC", run)(rows.inputs)
    predicted.append({task: values.numpy()[:, 0] for task, values in outputs.items()})


# %%
def shown(click, finish, share=0.1):
    """True share of each outcome in the top tenth, mean over eight worlds."""
    seen = []
    for p, rows in zip(predicted, worlds, strict=True):
        top = np.argsort(-(p["click"] ** click) * p["finish"] ** finish)[: int(share * len(rows))]
        seen.append({task: float(values[top].mean()) for task, values in rows.truth.items()})
    return pd.DataFrame(seen).mean()


# %%
axis = "exponent of finish (that of click is 1)"
desk = pd.DataFrame([{axis: w, **shown(click=1, finish=w)} for w in np.linspace(0, 1, 21)])
plots.show(
    plots.fusion_sweep(desk, axis, ["click", "finish"]),
    alt="True share of clicks and of finishes in the top tenth of the ranking against the exponent of finish from 0 to 1: finishes "
    "rise steeply at first and flatten, clicks fall slowly.",
)

# %%
start, end = desk.iloc[0], desk.iloc[-1]
details = f"clicks {start['click']:.2f} → {end['click']:.2f}, finishes {start['finish']:.2f} → {end['finish']:.2f}"
claim(
    "A larger exponent of finish sells clicks for finishes.",
    end["click"] < start["click"] and end["finish"] > start["finish"],
    details,
)
traded = details

# %% [markdown]
# Now by hand, with the length of the video as a third factor: 200 videos of one world, ranked by the exponents you set; the curves are what
# users would really have done with the first ones. Set the exponent of finish to 0, then raise it: what do the first gains cost in clicks, and
# the last ones?

# %%
few = slice(0, 200)
length = np.exp(0.6 * worlds[0].inputs["numeric"][few, -1])  # 1 is the usual length
FusionDesk(
    {**{task: values[few] for task, values in predicted[0].items()}, "length": length},
    {task: values[few] for task, values in worlds[0].truth.items()},
    items=[f"video {i + 1}" for i in range(200)],
    start=[1, 1, 0],
)

# %% [markdown]
# This seesaw is another one than the first: it is a *choice* between videos, made after training, and can be taken back in a second. The first
# one is damage done in training. Do not repair the one with the other's knob: exponents for what you want, loss weights for what can be learned.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What we measured

# %%
facts = {
    "swing, in points: " + ", ".join(models): ", ".join(f"{value:.1f}" for value in swings.mean()),
    "swing, one gate minus MMoE": one_gate_minus_mmoe,
    "CGC's swing as a share of MMoE's": cgc_of_mmoe,
    "task out of favour, CGC minus MMoE": saved,
    "the same with 12,000 rows": saved_more,
    "all weights, CGC minus hard sharing": hard_rival,
    "the same, tuned alike (recorded)": tuned_hard,
    "swing, CGC minus MMoE, tuned alike (recorded)": tuned_against["MMoE"][1][1],
    "task out of favour, MMoE minus single-task: 5,000 rows, 12,000 rows": f"{fewer:+.2f}, {enough:+.2f}",
    "worse than single-task, cells of 10": losses,
    "top tenth, exponent of finish 0 → 1": traded,
}
pd.Series(facts, name="8 seeds").to_frame()

# %% [markdown]
# ## When not to use it
#
# - You have rows in plenty and the tasks agree: hard sharing or MMoE do as well, with fewer choices to make.
# - You can afford to tune the loss weights: CGC's advantage is at the weights you would not choose.
# - A wide shared bottom already ties with single-task on every task: then there is no damage for private experts to prevent.
# - Few rows: a second level costs more than it brings.
# - Many tasks: private experts grow with the number of tasks; group similar ones first.

# %% [markdown]
# ## Questions people ask
#
# **What is the difference between CGC and PLE?** CGC is one level. "PLE" with one level, as many repositories have it, *is* CGC.
#
# **Does the last level need a shared gate?** No. Nothing reads it; its weights would get no gradient.
#
# **Do tasks' gates share experts?** The shared ones, yes; each task's gate weighs them as it likes.
#
# **May tasks have different numbers of private experts?** Yes: `private_experts=(2, 4)`.
#
# **Why not mask after the softmax?** The weights would no longer sum to 1, and the foreign experts' logits would still get gradient.
#
# **Why did the multi-task model lose?** Look at the weights first (was the task out of favour?), then at the rows, then at the architecture.
#
# **I ran a PLE script from a blog, and saw nothing. Why?** Look at its levels, its towers and its labels. One that we read has one level (so it is CGC), towers of one
# linear unit, and labels drawn by coin: an AUC of .5 is all there is to learn.
#
# **Where do the exponents of the score come from?** From experiments on real users; offline you can only see what they trade.

# %% [markdown]
# ## Exercises
#
# 07.1 to 07.3 are above. One is left.
#
# **Exercise 07.4.** A colleague reports: "PLE beats MMoE by 0.3 points of AUC on our second task." Which three things do you ask before you
# believe that PLE should go live?

# %%
answer = ...
check("07.4", answer)

# %%
summary("07")

# %% [markdown]
# ## References
#
# - H. Tang, J. Liu, M. Zhao, X. Gong: *Progressive layered extraction (PLE): a novel multi-task learning model for personalized
#   recommendations*. RecSys 2020. <https://doi.org/10.1145/3383313.3412236>
# - J. Ma and others: *Modeling task relationships in multi-task learning with multi-gate mixture-of-experts*. KDD 2018.
#   <https://doi.org/10.1145/3219819.3220007>
# - R. Caruana: *Multitask learning*. Machine Learning 1997. <https://doi.org/10.1023/A:1007379606734>
#
# ## Next
#
# 08: if the weights of the losses matter so much, who should choose them?
