# %% [markdown] slideshow={"slide_type": "slide"}
# # 08 · Balancing losses
#
# **Several losses, one network. Who decides how much each of them counts?**
#
# Somebody always does. Whoever writes `loss_weights` decides it; whoever leaves them out decides it too, and so does whoever writes the
# watch time in seconds instead of minutes. *Loss balancing* (损失平衡) hands the decision to a rule. In this chapter we measure what the decision
# costs, open the four rules that everybody cites, and find out which of them earn their keep.
#
# <details lang="zh">
# <summary>中文</summary>
#
# **几个损失，一个网络。每个损失算多少，谁说了算？**
#
# 总有人在决定：写下 `loss_weights` 的人决定了，不写的人也决定了，把观看时长的单位从分钟换成秒的人同样决定了。*损失平衡*把这个决定交给一条规则。
# 本章先测量这个决定的代价，再打开人人引用的四条规则（不确定性加权、动态权重平均、GradNorm、PCGrad），看看哪些名副其实。
#
# </details>

# %% [markdown]
# ## What you will be able to do
#
# - draw the Pareto front of two tasks, and tell a weight that trades from a weight that only loses;
# - find out that a unit, not a task, is what ruins a model, and mend it in one line;
# - write uncertainty weighting, dynamic weight average, GradNorm and PCGrad yourself;
# - see whether two tasks conflict, by the cosine of their gradients, and know what that number does not say;
# - compare balancers fairly: the same trials for each, seeds, an interval for every task.
#
# ## What you need first
#
# Hard sharing (chapter 02), gates (chapter 06), CGC and the seesaw (chapter 07).
#
# ## Minutes
#
# 45 to read, 1 to run.

# %%
from functools import cache, partial

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from mtl_helpers import plots
from mtl_helpers.datasets import task_pair, video_log
from mtl_helpers.exercises import check, summary
from mtl_helpers.study import Recipe, claim, skill, study, tuned_study

# %%
import keras

from mtl_helpers.balancing import ConflictMeter, DynamicWeightAverage, GradNorm, PCGrad, UncertaintyWeighting
from mtl_helpers.balancing import balanced, gradient_cosine, rescale_label, standardise_label
from mtl_helpers.losses import task_losses
from mtl_helpers.metrics import paired_interval, seesaw_swing
from mtl_helpers.models import cgc, hard_sharing, mmoe, single_task
from mtl_helpers.widgets import GateExplorer

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Weights that stay: the Pareto front
#
# The plain way adds the losses with fixed weights, $L = \sum_k w_k L_k$; in Keras `compile(loss_weights={...})`. With other weights another
# network comes out. One of them **dominates** (支配) another if it is no worse in any task and better in at least one. What nothing dominates
# forms the **Pareto front** (帕累托前沿). On the front a weight is a choice; off it, it is a mistake.
#
# By hand: errors $(.3, .6)$, $(.4, .4)$ and $(.6, .3)$ are all on the front, for each is best at something. $(.5, .5)$ is dominated by $(.4, .4)$.
#
# **Exercise 08.1.** Errors come as `[points, tasks]`; say for each point whether it is dominated.


# %%
def dominated(points): ...


check("08.1", dominated)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Two pairs of tasks, two widths
#
# `task_pair` draws two regressions that depend on the inputs along two directions. In the first world it is the same direction: the tasks agree.
# In the second the directions are perpendicular: the tasks are strangers. Each world gets a network with a narrow shared layer (2 units) and
# one with a wide (32), at five weights, with twelve seeds; single-task networks have 32 units each. One learning rate and fifteen epochs for all:
# nobody is tuned here. Labels are standardised, so an error of 1 is what guessing the mean costs.


# %%
def pair(seed, correlation):
    return task_pair(correlation, 2000, inputs=20, noise=0.5, frequencies="ramp", seed=seed)


def metered(data, units):
    """Hard sharing that also notes how far the tasks' gradients agree; we need that later."""
    return balanced(hard_sharing(data, hidden_units=(units,)), ConflictMeter())


# %%
worlds = {"agree": partial(pair, correlation=1.0), "conflict": partial(pair, correlation=0.0)}
weights = (0.02, 0.1, 0.5, 0.9, 0.98)
sweep = {str(w): {"task_1": 2 * w, "task_2": 2 * (1 - w)} for w in weights}
settings = {"seeds": 12, "epochs": 15, "batch_size": 100, "optimizer": keras.optimizers.Adam(1e-2)}
models = {"narrow": partial(metered, units=2), "wide": partial(metered, units=32)}
fronts = study(models, worlds, loss_weights=sweep, **settings)
alone = study({"single-task": partial(single_task, hidden_units=(32,))}, worlds, **settings)

# %%
plots.show(
    plots.pareto_fronts(
        fronts.scores(), {"agree": "tasks agree", "conflict": "tasks are strangers"}, single=alone.scores()
    ),
    alt="Error of task 1 against error of task 2 at five loss weights. Where the tasks agree both models stay in a small knot. "
    "Where they are strangers the narrow model makes a long arc from good at one task to good at the other, the wide one a short "
    "bent hook nearer to zero, whose ends are dominated.",
)

# %% [markdown]
# A path runs over the weights of task 1; the first and the last are written at its ends, where there is room. Hollow dots are dominated by another dot
# of their path, thin bars are 95 % intervals over the seeds, dotted lines are single-task networks. Read three things from it, and let numbers say
# whether they hold; `seesaw_swing` is chapter 07's: half the way that the difference of the two errors travels over the weights.

# %%
errors = fronts.scores().pivot(index=["model", "data", "loss_weight", "seed"], columns="task", values="value")


def cell(model, world, weight):
    return errors.loc[(model, world, str(weight))]


def interval_of(values, digits=3):
    """The interval of a mean over seeds, and the same as text."""
    found = paired_interval(np.asarray(values))
    return found, f"{found.mean:+.{digits}f}, {found.low:+.{digits}f} to {found.high:+.{digits}f}, {found.n} seeds"


# %%
move = cell("narrow", "conflict", 0.9) - cell("narrow", "conflict", 0.1)
(first, gained), (second, paid) = interval_of(move["task_1"]), interval_of(move["task_2"])
claim("Strangers, narrow layer: from weight .1 to .9 task 1 wins, task 2 loses.", first.high < 0 < second.low, paid)

# %% slideshow={"slide_type": "skip"}


def swing(world, model="narrow"):
    cube = np.stack([cell(model, world, weight).to_numpy() for weight in weights])  # weights, seeds, tasks
    return seesaw_swing(-cube.transpose(1, 0, 2))


interval, swings = interval_of(swing("conflict") - swing("agree"))
claim("The same sweep moves tasks that agree less against each other.", interval.low > 0, swings)

# %%
both = (cell("wide", "conflict", 0.5) - cell("narrow", "conflict", 0.5)).mean(axis=1)
interval, room = interval_of(both)
claim("At equal weights a wider layer lowers the mean error of the strangers.", interval.high < 0, room)

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask the room before the last claim: you have a week. Do you spend it on finding better weights for the narrow network, or on making it wider?

# %% [markdown]
# The third is the one to remember. Weights move a model *along* its front; capacity, data and architecture move the *front*. Before you tune the weights
# of a narrow network, hold each of its dots against the wide one at equal weights. And look at the ends of the paths: an error near 1 is what guessing
# costs, so a task with 2 % of the weight is not merely second, it is hardly learned in the steps we have. Where an end is hollow, such a weight is a
# mistake and not a choice.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The unit of a label
#
# Now a classification beside a regression, as on every video site: `click`, and `watch_ratio`, the share of the video that was watched. A
# cross-entropy starts at $\ln 2 \approx .69$, whatever you do. A squared error has the unit of the label, squared: write the ratio in percent and
# it grows by $100^2$. By hand: predicting .5 for a ratio of .8 costs $.3^2 = .09$; predicting 50 for 80 percent costs $30^2 = 900$.
#
# We train the same network on the same rows with the ratio as a share (0 to 1), in percent, and standardised (mean 0, standard deviation 1 over
# the training rows).

# %% [markdown]
# **Exercise 08.2, before you run it.** What happens to *click* when the ratio is in percent? a) Nothing, only the ratio's own numbers are larger.
# b) It gets worse. c) Nothing at all, for Adam divides every gradient by its own size.

# %%
prediction = ...
check("08.2", prediction)


# %%
@cache  # several studies read the same rows: draw them once
def site(seed, unit="standardised", tasks=("click", "watch_ratio")):
    data = video_log(6_000, tasks=tasks, clickbait=1.0, seed=seed)
    if unit == "standardised":
        return standardise_label(data, "watch_ratio")
    return rescale_label(data, "watch_ratio", {"share": 1, "percent": 100}[unit])


def shared(data, balancer=None):
    model = hard_sharing(data, hidden_units=(16,))
    return balanced(model, balancer()) if balancer else model


# %% [markdown]
# Two balancers come along for the ride; what they do is the next section. To compare units we need a score without one: **skill**, $2\,\mathrm{AUC} - 1$
# for a classification and $1 - \mathrm{mse} / \text{variance}$ for a regression. Both are 0 for knowing nothing and 1 for perfect.

# %%
uncertainty = partial(UncertaintyWeighting, regressions=["watch_ratio"])
entrants = {
    "single-task": partial(single_task, hidden_units=(16,)),
    "equal weights": shared,
    "uncertainty": partial(shared, balancer=uncertainty),
    "GradNorm": partial(shared, balancer=GradNorm),
}
units = {unit: partial(site, unit=unit) for unit in ("standardised", "share", "percent")}
by_unit = study(entrants, units, seeds=8, epochs=8, batch_size=120, optimizer=keras.optimizers.Adam(1e-2))

# %% slideshow={"slide_type": "skip"}
parts = []
for unit, rows in by_unit.scores().groupby("data", sort=False):
    runs = [run for run in by_unit.plan.runs if run.data == unit]
    variance = {run.seed: by_unit.plan.of_run(run).test.labels["watch_ratio"].var() for run in runs}
    bare = 1 - rows["value"] / rows["seed"].map(variance)
    parts.append(rows.assign(skill=(2 * rows["value"] - 1).where(rows["task"] == "click", bare)))
unit_skill = pd.concat(parts).pivot(index="seed", columns=["task", "data", "model"], values="skill").sort_index(axis=1)
unit_skill.mean().unstack("data")[list(units)].loc[["click", "watch_ratio"]].round(3)

# %%
plots.show(
    plots.skill_by_unit(unit_skill.rename(columns={"watch_ratio": "watch ratio"}), list(units), list(entrants)),
    alt="Skill of click and of watch ratio for three units of the watch ratio's label, four models. Click stands level for standardised "
    "and share and falls deep in percent for every shared model, not for single-task; the watch ratio falls in percent for all.",
)

# %%
drop = unit_skill["click", "percent"] - unit_skill["click", "standardised"]
equal_drop, lost = interval_of(drop["equal weights"])
claim("With the ratio in percent, click loses more than a tenth of its skill.", equal_drop.high < -0.1, lost)
own = np.abs(drop["single-task"]).max()
claim(
    "Learned alone, click does not notice: the damage came through the shared layer.", own < 0.02, f"at most {own:.3f}"
)

# %%
rescued = {name: interval_of(drop[name]) for name in ("uncertainty", "GradNorm")}
for name, (interval, details) in rescued.items():
    claim(f"{name[0].upper()}{name[1:]} does not undo it within these epochs.", interval.high < -0.1, details)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Why the balancers come too late
#
# With the ratio in percent, this is the weight that each of the two gave to each task, epoch by epoch, as a multiple of the mean weight.

# %%
names = {"watch_ratio": "watch ratio"}
percent = by_unit.frame[by_unit.frame["data"] == "percent"]
plots.show(
    plots.weights_over_epochs(percent, names),
    alt="Weights of click and watch ratio on a logarithmic scale over eight epochs with the ratio in percent: both balancers push the "
    "watch ratio's weight down by three to four powers of ten, but it takes them several epochs.",
)

# %% [markdown]
# They do turn the right way. But a weight that must fall a thousandfold in small steps needs more than a hundred batches, and through these the shared
# layer works for the ratio alone. Nor is the ratio itself served: its head starts at 0 and has to climb to 50 in steps of .01, which no weight
# of a loss can change.
#
# > **Standardise regression labels first. Then think about balancing.** It is one line, it costs nothing, and where the unit is far off neither balancer
# > made up for it.
#
# Mind the middle of the figure: the *share* is a unit, too. Its variance is small, so its loss is small, and the ratio is the one that gets too little. Here,
# where the unit is not so far off, a balancer can do something:

# %%
watch = unit_skill["watch_ratio"]
behind, details = interval_of(watch["share", "equal weights"] - watch["standardised", "equal weights"])
claim("As a share, equal weights learn the watch ratio worse than standardised.", behind.high < 0, details)
helped, details = interval_of(watch["share", "uncertainty"] - watch["share", "equal weights"])
claim("Uncertainty weighting makes up for some of it.", helped.low > 0, details)

# %% slideshow={"slide_type": "skip"}
away, details = interval_of(watch["share", "uncertainty"] - watch["standardised", "uncertainty"])
display(Markdown(f"Watch ratio, uncertainty weighting, share minus standardised: {details}."))

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Can gates protect a task?
#
# Chapters 06 and 07 had another answer to tasks that hurt each other: experts and gates. In CGC *click* owns two experts which the ratio's gradient never
# reaches; in MMoE every expert hears both tasks. Same rows, same units, same training. Guess first: when the ratio turns to percent, which experts will
# click's gate choose?

# %%
gated_models = {
    "MMoE": partial(mmoe, experts=6, expert_units=(8,)),
    "CGC": partial(cgc, shared_experts=2, private_experts=2, expert_units=(8,)),
}
two_units = {unit: units[unit] for unit in ("standardised", "percent")}
gated = study(gated_models, two_units, seeds=8, epochs=8, batch_size=120, optimizer=keras.optimizers.Adam(1e-2))
gates = {unit: gated.records["CGC", unit, "equal"] for unit in two_units}

# %%
GateExplorer({f"CGC, {unit}": record for unit, record in gates.items()})

# %%
rows = gated.scores()
auc = rows[rows["task"] == "click"].pivot(index="seed", columns=["model", "data"], values="value")
gated_drop = {name: 2 * (auc[name, "percent"] - auc[name, "standardised"]) for name in gated_models}
drops = {"shared layer": drop["equal weights"], **gated_drop, "CGC minus MMoE": gated_drop["CGC"] - gated_drop["MMoE"]}
drops = {name: interval_of(each)[1] for name, each in drops.items()}
pd.Series(drops, name="click's skill, percent minus standardised").to_frame()


# %%
def reliance(record):
    """The weight of click's gate on the shared experts after training, mean over the segments: [seeds]."""
    level = record.levels[0]
    is_shared = [name.startswith("shared") for name in level.experts]
    return level.weights[:, -1, level.gates.index("click")][..., is_shared].sum(axis=-1).mean(axis=-1)


spared, sparing = interval_of(gated_drop["CGC"] - drop["equal weights"])
claim("CGC loses less of click's skill than the shared layer.", spared.low > 0, sparing)
left, moved = interval_of(reliance(gates["percent"]) - reliance(gates["standardised"]))
claim("In percent click's gate gives shared experts less.", left.high < 0, moved)
still_lost, details = interval_of(gated_drop["CGC"])
claim("No cure: CGC, too, loses over a tenth.", still_lost.high < -0.1, details)

# %% [markdown]
# Move the epochs: standardised, click draws on everything it may; in percent its gate learns to keep away from the shared experts, where the ratio shouts. Nobody
# told it to. MMoE has no such room: every one of its experts is shaped by the ratio's gradient, and a gate can only choose among them. CGC's gate still
# gives the shared experts some weight, and the embeddings below are shared by all; which of the two costs the rest, we did not measure.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Four rules
#
# ### Uncertainty weighting
#
# *Kendall, Gal and Cipolla, 2018.* Suppose task $k$'s labels carry noise of variance $\sigma_k^2$. Minus the logarithm of a Gaussian label's likelihood contains
# $\frac{1}{2\sigma^2} (y - \hat y)^2 + \ln \sigma$: an error counts less the noisier the task, and calling everything noisy costs $\ln \sigma$. With
# $s_k = \ln \sigma_k^2$, which may be any number, the losses become
# $$\text{regression: } \tfrac12 e^{-s_k} L_k + \tfrac12 s_k, \qquad \text{classification: } e^{-s_k} L_k + \tfrac12 s_k,$$
# and each $s_k$ is learned by gradient descent beside the network: one more weight a task.
#
# By hand, a classification with $L = 2$ at $s = 0$: the slope is $\frac12 - e^{0} \cdot 2 = -1.5$, so $s$ rises and the weight $e^{-s}$ falls. It rests
# where $e^{-s} L = \frac12$. **At rest every weighted loss is ½**: whatever the unit, whatever the difficulty. (A loss in the hundreds would throw $s$ far
# off in one step, so here and in the package the slope is cut off at ±1.)


# %% slideshow={"slide_type": "skip"}
def uncertainty_step(loss, s, learning_rate):
    """One step for a classification: the new s and the weight it gives."""
    slope = 0.5 - np.exp(-s) * loss
    s = s - learning_rate * np.clip(slope, -1, 1)
    return s, np.exp(-s)


s = 0.0
for _ in range(400):
    s, weight = uncertainty_step(loss=2.0, s=s, learning_rate=0.05)
claim("At rest the weighted loss is one half.", abs(weight * 2.0 - 0.5) < 1e-3, f"weight {weight:.3f}")

# %% [markdown]
# Its catch: as a task is learned its loss falls, so its weight *rises*, without end if the training loss goes to zero. The best-learned task gets
# the largest weight. That is the opposite of what the next rule wants.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Dynamic weight average
#
# *Liu, Johns and Davison, 2019.* Watch the mean loss from epoch to epoch. Whoever falls least gets more weight:
# $$r_k = \frac{L_k(t-1)}{L_k(t-2)}, \qquad w_k = K\, \frac{e^{r_k / T}}{\sum_j e^{r_j / T}}, \qquad T = 2, \quad K \text{ tasks}.$$
# By hand: task 1 stood still ($r = 1$), task 2 halved ($r = .5$). $e^{.5} = 1.649$, $e^{.25} = 1.284$: weights $1.12$ and $.88$. That is about as far as it goes:
# ratios lie near 1, and the softmax of numbers near each other is nearly even. And a ratio has no unit, so this rule can do nothing about units.
#
# **Exercise 08.3.** Write it: the losses of the two last epochs, the temperature.


# %%
def dynamic_weights(before, now, temperature): ...


check("08.3", dynamic_weights)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### GradNorm
#
# *Chen, Badrinarayanan, Lee and Rabinovich, 2018.* Losses are not what moves the network; gradients are. Let $G_k = w_k \lVert \nabla L_k \rVert$ be the size
# of task $k$'s gradient at the shared weights, $\bar G$ the mean, and $r_k$ the task's loss as a share of its first loss, divided by the mean share. The
# gradient of a slow task ($r_k > 1$) should be larger:
# $$\text{target}_k = \bar G\, r_k^{\alpha}.$$
# A step on $w$ lowers $\sum_k \lvert G_k - \text{target}_k \rvert$; then $w$ is scaled to $\sum_k w_k = K$.
#
# By hand: gradients of size 5 and 1, equal weights, so $\bar G = 3$. Both losses fell alike, $r = (1, 1)$: targets $(3, 3)$. Task 1 is too loud, task 2 too quiet.
# Our version steps on $\ln w$, in units of $\bar G$, so that no weight can become negative.


# %% slideshow={"slide_type": "skip"}
def gradnorm_step(sizes, weights, progress, alpha, learning_rate):
    """One step: gradient sizes, weights and losses relative to the first, [tasks] each -> new weights."""
    loud = weights * sizes
    target = loud.mean() * (progress / progress.mean()) ** alpha
    weights = weights * np.exp(-learning_rate * loud / loud.mean() * np.sign(loud - target))
    return len(weights) * weights / weights.sum()


step = gradnorm_step(np.array([5.0, 1.0]), np.ones(2), np.ones(2), alpha=1.5, learning_rate=0.025)
step.round(3)

# %% slideshow={"slide_type": "skip"}
slow = gradnorm_step(np.array([3.0, 3.0]), np.ones(2), np.array([0.2, 0.8]), alpha=1.5, learning_rate=0.025)
claim(
    "Loud tasks get less weight, slow ones more.",
    step[0] < 1 < step[1] and slow[1] > slow[0],
    f"{step[0]:.3f} and {step[1]:.3f}, {slow[0]:.3f} and {slow[1]:.3f}",
)

# %% [markdown]
# Its catch: "slow" is measured by the share of the first loss that is left. A task with much noise in its labels *cannot* get lower; GradNorm takes that for
# slowness and keeps feeding it.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### PCGrad
#
# *Yu and others, 2020.* Do not weigh; look at directions. Two gradients **conflict** if their inner product is negative: a small step along one raises the
# other's loss. Then take from each the part that goes against the other:
# $$g_i \cdot g_j < 0: \qquad g'_i = g_i - \frac{g_i \cdot g_j}{\lVert g_j \rVert^2}\, g_j ,$$
# for the other tasks in random order, always against their *original* gradients, and add the results up. (PC: *projecting conflicting* gradients.)
#
# By hand, $g_1 = (1, 0)$ and $g_2 = (-1, 1)$: the inner product is $-1$. $g'_1 = (1, 0) + \frac12 (-1, 1) = (.5, .5)$ and $g'_2 = (-1, 1) + (1, 0) = (0, 1)$.

# %%
plots.show(
    plots.projected_gradients([1.0, 0.0], [-1.0, 1.0]),
    alt="Two panels with the arrows g1 = (1, 0) and g2 = (-1, 1). Left, g1 is replaced by (.5, .5), which is perpendicular to g2; right, g2 "
    "is replaced by (0, 1), which is perpendicular to g1.",
)

# %% [markdown]
# **Exercise 08.4.** Write the projection of one gradient against one other.


# %%
def project(own, other): ...


check("08.4", project)

# %% [markdown]
# Its catch: where gradients do not conflict it does nothing, and it knows nothing of sizes. With the ratio in percent the projected sum is still the ratio's.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### In Keras
#
# `balanced` wraps a model with named outputs; then all is as always. The history has each task's weight beside its loss; `loss` stays the losses' plain sum.

# %%
data = site(seed=0)
model = shared(data, PCGrad)
model.compile(keras.optimizers.Adam(1e-2), loss=task_losses(data))
history = model.fit(data.train.inputs, data.train.labels, batch_size=120, epochs=3, verbose=0).history
pd.DataFrame(history).round(3)

# %% [markdown]
# PCGrad weighs nothing, but what it does to two shared gradients can be written as $g'_1 + g'_2 = c_1 g_1 + c_2 g_2$ with factors that are 1 without a
# conflict and larger with one. Those of the epoch's last batch stand under *weight*.
#
# What a rule of your own has to offer is in `mtl_helpers.balancing.Balancer`: a state, `combine` (the tasks' gradients become one) and `epoch_end`. The
# ones above have some twenty lines each; read them beside this chapter.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Do the tasks conflict? Look
#
# The cosine of two tasks' gradients at the shared weights, $\cos = g_1 \cdot g_2 / (\lVert g_1 \rVert \lVert g_2 \rVert)$: 1, they want the same; 0, nothing to do with
# each other; negative, PCGrad would act. Our first study wrote it down, batch by batch, for tasks that agree and tasks that are strangers.

# %% [markdown]
# **Exercise 08.5, before you look.** The strangers in the wide layer: is their cosine a) more negative than in the narrow layer, for there is more to fight about;
# b) closer to 0; c) the same, for it belongs to the tasks?

# %%
prediction = ...
check("08.5", prediction)

# %%
equal = fronts.frame[fronts.frame["loss_weight"] == "0.5"]
plots.show(
    plots.cosine_over_epochs(equal, {"agree": "tasks agree", "conflict": "strangers"}),
    alt="Cosine of the gradients and share of batches where it is negative, over fifteen epochs. Tasks that agree, full lines, rise well above "
    "zero in both layers. Strangers, dashed, go negative in the narrow layer, in most batches, and stay at zero in the wide one.",
)

# %%
cosine = equal[(equal["metric"] == "balancer_cosine") & (equal["task"] == "task_1") & (equal["epoch"] >= 5)]
cosine = cosine.groupby(["model", "data", "seed"])["value"].mean().unstack("seed")
(agree, _), (narrow, seen) = (
    interval_of(cosine.loc[("narrow", "agree")]),
    interval_of(cosine.loc[("narrow", "conflict")]),
)
claim("In the narrow layer tasks that agree have cosines above 0, strangers below.", narrow.high < 0 < agree.low, seen)
interval, freed = interval_of(cosine.loc[("wide", "conflict")] - cosine.loc[("narrow", "conflict")])
claim("In the wide layer the strangers conflict less.", interval.low > 0, freed)

# %% [markdown]
# So conflict belongs to tasks *and layer*: the same strangers fight over two units and ignore each other in thirty-two.
#
# Two warnings. A batch is a sample; its noise draws the cosine towards 0, so compare cosines at one batch size only. And **at rest the shared gradients must
# cancel**: where $g_1 + g_2 = 0$ the cosine is $-1$, whether the tasks like each other or not. A cosine that falls late in training is what
# convergence looks like, not proof that sharing hurts; that is a question for the test rows.

# %% [markdown]
# `gradient_cosine` gives the same number layer by layer, here for one trained network of each kind, on all its validation rows at once:

# %% slideshow={"slide_type": "skip"}
runs = fronts.plan.runs
rows = {}
for name in models:
    for world in worlds:
        number = next(i for i, run in enumerate(runs) if (run.data, run.loss_weight) == (world, "0.5"))
        trained, valid = fronts.model(name, number), fronts.plan.of_run(runs[number]).validation
        found = gradient_cosine(trained, valid, task_losses(fronts.plan.data))
        (cosines,) = found.values()  # one layer is shared
        rows[name, world] = {"cosine at the shared layer": cosines[0, 1]}
pd.DataFrame(rows).round(2).T

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Which of them helps?
#
# Four tasks of the video site: click, finish, like (rare) and the watch ratio, standardised; covers that promise too much, so that click and finish
# pull apart. One network, one budget: **three trials each**, chosen by mean skill on the validation rows. The methods spend theirs on the learning rate,
# as do equal weights and single-task; *tuned static weights* spend them on three sets of weights at the middle rate. The rules' own constants ($T$,
# $\alpha$, how fast $s$ and $w$ move) stay as the package has them; nobody tuned those.

# %%
tasks = ("click", "finish", "like", "watch_ratio")
world = partial(site, tasks=tasks)
methods = {"uncertainty": uncertainty, "dynamic average": DynamicWeightAverage, "GradNorm": GradNorm, "PCGrad": PCGrad}
recipes = {"single-task": Recipe(entrants["single-task"]), "equal weights": Recipe(shared)}
recipes |= {name: Recipe(partial(shared, balancer=balancer)) for name, balancer in methods.items()}
rates = (0.01, 0.03, 0.09)
training = {"seeds": 8, "epochs": 8, "batch_size": 120}
race = tuned_study(recipes, world, rates, **training)

# %%
sets = {"like × 2": {"like": 2.0}, "watch ratio × 2": {"watch_ratio": 2.0}, "watch ratio ÷ 2": {"watch_ratio": 0.5}}
middle = keras.optimizers.Adam(rates[1])
static = study({"tuned static": shared}, world, loss_weights=sets, optimizer=middle, **training)
trials = static.scores("validation")
best_set = trials.assign(skill=skill(trials, static.plan, "validation")).groupby("loss_weight")["skill"].mean().idxmax()

# %%
chosen = {**{name: f"rate {rate:g}" for name, rate in race.learning_rates.items()}, "tuned static": best_set}
scores = static.scores()
scores = pd.concat([race.scores(), scores[scores["loss_weight"] == best_set]])
scores = scores.assign(points=100 * np.array(skill(scores, race.plan, "test"))).replace({"task": names})
points = scores.pivot(index="seed", columns=["model", "task"], values="points").sort_index(axis=1)
table = points.mean().unstack("task").loc[list(chosen)].assign(chosen=pd.Series(chosen))
table.assign(weights=pd.Series({**race.parameters, **static.parameters})).round(1)

# %% slideshow={"slide_type": "skip"}
verdicts = []
for model in [name for name in chosen if name != "equal weights"]:
    for task in points["equal weights"].columns:
        interval = paired_interval((points[model, task] - points["equal weights", task]).to_numpy())
        verdict = "tie" if interval.low <= 0 <= interval.high else "helped" if interval.low > 0 else "hurt"
        verdicts.append((model, task, "skill", interval.mean, interval.low, interval.high, verdict))
columns = ["model", "task", "metric", "difference", "low", "high", "verdict"]
verdicts = pd.DataFrame(verdicts, columns=columns)
verdicts.pivot(index="model", columns="task", values="verdict").loc[verdicts["model"].unique()]

# %%
for two in (["click", "finish"], ["like", "watch ratio"]):
    plots.show(
        plots.forest(verdicts[verdicts["task"].isin(two)], baseline="equal weights", unit="points of skill"),
        alt=f"Differences from equal weights in points of skill, with intervals, for {two[0]} and {two[1]}. Single-task stands out "
        "by its losses at finish and like, GradNorm by its loss at the watch ratio; dynamic average stands next to zero.",
    )

# %%
counts = (
    verdicts.groupby("model")["verdict"].value_counts().unstack(fill_value=0).reindex(columns=["helped", "hurt", "tie"])
)
balancers = counts.loc[[*methods, "tuned static"]].fillna(0).astype(int)
said = [f"- **{name}**: helped {row.helped}, hurt {row.hurt}, tie {row.tie}" for name, row in balancers.iterrows()]
display(Markdown("Of four tasks, against equal weights:\n\n" + "\n".join(said)))
over_tasks = points.T.groupby(level="model").mean().T
by_mean = {name: interval_of(over_tasks[name] - over_tasks["equal weights"], 1) for name in verdicts["model"].unique()}
said = {name: text for name, (_, text) in by_mean.items()}
pd.Series(said, name="mean of the four tasks minus equal weights, points of skill").to_frame()

# %%
at = verdicts.set_index(["model", "task"]).sort_index()
alone_low = at.loc["single-task"].loc[["finish", "like"]]
claim("Equal weights beat single-task at finish and like.", (alone_low["high"] < 0).all(), "the value of sharing")
by_rate = race.tuning.groupby(["task", "seed", "model"])["skill"].mean().unstack("model")  # validation, all three rates
gap = 100 * (by_rate["dynamic average"] - by_rate["equal weights"]).unstack("task")
average = [paired_interval(gap[task].to_numpy()) for task in tasks]
lowest, highest = min(each.low for each in average), max(each.high for each in average)
claim(
    "At the same learning rates dynamic weight average is equal weights by another name: within 1.5 points at every task.",
    lowest > -1.5 and highest < 1.5,
    f"{lowest:+.2f} to {highest:+.2f} points of skill",
)
cost = at.loc[("GradNorm", "watch ratio")]
claim("GradNorm costs the watch ratio.", cost["high"] < 0, f"{cost['low']:+.1f} to {cost['high']:+.1f} points")
claim("No balancer helped all four tasks.", (balancers["helped"] < 4).all(), f"most: {balancers['helped'].max()}")

# %% slideshow={"slide_type": "skip"}
kept = by_unit.frame[(by_unit.frame["metric"] == "balancer_weights") & (by_unit.frame["data"] == "standardised")]
kept = kept[(kept["model"] == "GradNorm") & (kept["task"] == "watch_ratio") & (kept["epoch"] == kept["epoch"].max())]
given = paired_interval(kept["value"].to_numpy())
claim(
    "Beside click alone GradNorm took weight from the standardised ratio, too.",
    given.high < 1,
    f"{given.mean:.2f} of 1",
)

# %%
most = max((*methods, "tuned static"), key=lambda name: by_mean[name][0].mean)
gained_most, shared_gain = by_mean[most][0].mean, -by_mean["single-task"][0].mean
claim(
    "On the mean of the tasks, sharing gains more than any rule adds to it.",
    shared_gain > gained_most,
    f"{shared_gain:+.1f} points, and {gained_most:+.1f} by {most}, which gained most",
)
tried = 100 * race.tuning.groupby(["model", "learning_rate"])["skill"].mean().unstack().loc[["equal weights", *methods]]
best = tried.max(axis=1)
of_rates, of_rules = best - tried.min(axis=1), (best - best["equal weights"])[list(methods)]
claim(
    "In validation every rule gains more by its learning rate, from the worst tried to the best, than any gains on equal weights.",
    of_rates.min() > of_rules.max(),
    f"by the rate {of_rates.min():.1f} to {of_rates.max():.1f} points, by the rule {of_rules.min():+.1f} to {of_rules.max():+.1f}",
)

# %% [markdown] slideshow={"slide_type": "slide"}
# Read this soberly:
#
# - **Sharing itself is worth more than any rule of sharing**, on the mean of the four tasks: hold the step from single-task to equal weights against what
#   a balancer adds. It is not so at every task; look at the watch ratio.
# - **A learning rate brings more than any rule gains**, over the range that was tried. So tune equal weights before you replace them. Static weights are tried at the middle rate
#   only: were that a bad one, the weights would be blamed. In the column *chosen*, a rate at the end of the list says that the list was too short.
# - **A tie is a result.** With eight seeds and the same trials for all, most of the balancers' cells are ties. Kurin and others (equal weights) and
#   Xin and others (fixed weights) report the same at a far larger scale: tuned as carefully as their rivals, they keep up with them.
# - **GradNorm does what it says**: it takes from the task that learns fast, the ratio, and gives to those that learn slowly. Their labels hold
#   noise, which no weight can teach: what is taken hardly comes back.
# - **Eight seeds and four tasks mean many intervals.** One in twenty excludes zero by chance; a single "helped" is a reason to run more seeds.

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask the room: which of these lines would you show to a product manager? Then ask which number is missing for the decision (what each task is worth).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What we measured

# %%
sharing = interval_of((points["equal weights"] - points["single-task"]).mean(axis=1), 1)[1]
facts = {
    "narrow, weight .1 → .9: error of task 1": gained,
    "narrow, weight .1 → .9: error of task 2": paid,
    "swing, strangers minus tasks that agree": swings,
    "mean error of strangers, wide minus narrow": room,
    "click's skill, percent minus standardised": lost,
    "the same with uncertainty weighting": rescued["uncertainty"][1],
    "the same with GradNorm": rescued["GradNorm"][1],
    "what CGC spares of it": sparing,
    "click's gate on the shared experts, percent minus standardised": moved,
    "cosine of strangers, wide minus narrow": freed,
    "points of skill, equal weights minus single": sharing,
}
for name, row in balancers.iterrows():
    facts[f"{name} against equal weights"] = f"helped {row.helped}, hurt {row.hurt}, tie {row.tie}"
pd.Series(facts, name="mean, 95 % interval").to_frame()

# %% [markdown]
# ## When not to use it
#
# - Labels in raw units: standardise first, a balancer comes too late.
# - Two or three tasks and time for a dozen runs: tuned static weights are simpler, and you know what you chose.
# - You know which task matters: say so by a weight. A rule that evens out does not know what a sale is worth.
# - A wide network and plenty of rows: little conflict is left to solve.
# - PCGrad and GradNorm need a gradient a task: with many tasks a step costs as many backward passes.

# %% [markdown]
# ## Questions people ask
#
# **Is the total loss the sum of the losses?** Yes, weighted by `loss_weights`, all 1 if you say nothing. With a balancer the gradient is no longer that of this sum.
#
# **A regression beside a classification: which weight?** Standardise the label; then both losses are near 1 at the start, and equal weights are a fair beginning.
#
# **Does Adam not make scales irrelevant?** For one loss, yes. For two it divides their *sum*, and the small one is gone before.
#
# **May learned weights be trained on the training loss?** They are, in uncertainty weighting; a task that is learned by heart gets a large weight. Watch the weights.
#
# **Do I weigh losses or gradients?** For fixed weights it is the same. For PCGrad there is no loss that belongs to its step.
#
# **When do I stop early with several tasks?** On a sum you choose beforehand, for instance the mean skill; the tasks' own best epochs differ.

# %% [markdown]
# ## Exercises
#
# 08.1 to 08.5 are above. One is left.
#
# **Exercise 08.6.** Your product has a click model, a rare purchase and the time spent in seconds. Write down how you would balance them: what you do first, what you
# compare with what, and what would make you keep equal weights.

# %%
answer = ...
check("08.6", answer)

# %%
summary("08")

# %% [markdown]
# ## References
#
# - A. Kendall, Y. Gal, R. Cipolla: *Multi-task learning using uncertainty to weigh losses for scene geometry and semantics*. CVPR 2018.
#   <https://arxiv.org/abs/1705.07115>
# - S. Liu, E. Johns, A. Davison: *End-to-end multi-task learning with attention* (dynamic weight average). CVPR 2019. <https://arxiv.org/abs/1803.10704>
# - Z. Chen, V. Badrinarayanan, C. Lee, A. Rabinovich: *GradNorm: gradient normalization for adaptive loss balancing in deep multitask networks*. ICML 2018.
#   <https://arxiv.org/abs/1711.02257>
# - T. Yu and others: *Gradient surgery for multi-task learning* (PCGrad). NeurIPS 2020. <https://arxiv.org/abs/2001.06782>
# - V. Kurin and others: *In defense of the unitary scalarization for deep multi-task learning*. NeurIPS 2022. <https://arxiv.org/abs/2201.04122>
# - D. Xin and others: *Do current multi-task optimization methods in deep learning even help?* NeurIPS 2022. <https://arxiv.org/abs/2209.11379>
#
# ## Next
#
# 09: two tasks of different kinds, tags and relations, on one sentence.
