# %% [markdown] slideshow={"slide_type": "slide"}
# # 03 · Why sharing helps
#
# **Train a network on a second task that nobody asked for, and it may get better at the first. Why should it?**
#
# "The tasks help each other" explains nothing. Rich Caruana named four reasons in 1997 that can be told apart, and tested each on a problem
# contrived for it; Sebastian Ruder's survey of 2017 lists them with a fifth, regularisation, without a test. In this chapter each reason gets an experiment of its own: a world in which it can work, and a
# *control* (对照) in which everything is the same except that the reason is missing. If the control gains as much, the explanation is wrong.
#
# <details lang="zh">
# <summary>中文</summary>
#
# **让网络多学一个没人要的任务，它原来的任务反而可能学得更好。这是为什么？**
#
# “任务之间互相帮助”什么也没有解释。Rich Caruana 在 1997 年给出了四种可以区分开的原因，并为每一种设计了专门的检验；Sebastian Ruder 2017 年的综述加上第五种，即正则化，但没有做检验。
# 本章为每种原因做一个专门的实验：一个它能起作用的世界，和一个其他都相同、唯独缺少这种原因的*对照*。如果对照也得到同样的提升，这个解释就是错的。
#
# </details>

# %% [markdown]
# ## What you will be able to do
#
# - name five reasons why sharing helps, and say what each needs from the data;
# - build a control arm that lacks one reason, and read a gain as an effect with its interval;
# - tell help by *knowledge* from help by mere *restraint*, which shuffled labels give as well;
# - look into a network and see which inputs it uses;
# - say before you train whether a second task has anything to offer.
#
# ## What you need first
#
# What hard sharing is (chapter 02). From Keras: layers and models; `tf.GradientTape` is explained where it comes.
#
# ## Minutes
#
# 45 to read, 1 to run.

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

from mtl_helpers.datasets import environment, hidden_features, many_inputs, random_labels, repeated_question
from mtl_helpers.datasets import shuffled_helpers
from mtl_helpers.metrics import paired_interval
from mtl_helpers.models import hard_sharing
from mtl_helpers.seeds import course_seed

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Five reasons, five experiments
#
# | reason | what it says | what the control lacks |
# |---|---|---|
# | implicit data augmentation (隐式数据增加) | each task has noise of its own; together it averages out | the noise of its own: all tasks err alike |
# | attention focusing (注意力机制) | other tasks are evidence for which inputs matter | the common inputs: helpers read others |
# | eavesdropping, hints (窃听, 提示) | a feature that is hard to find for A is easy to find for B | the common feature: helpers need others |
# | representation bias (表征偏置) | what serves many tasks will serve the next one, too | the common environment: known tasks from another one |
# | regularisation (正则化) | a network that serves many has less room for noise | the tight room: a shared layer as wide as all together |
#
# All five are forms of **inductive transfer** (归纳迁移): something outside the task's own labels makes the model prefer some solutions to
# others. Such a preference is an **inductive bias** (归纳偏置). An L1 penalty is one: it prefers solutions with few weights, whatever the
# data. In multi-task learning the bias comes from the other tasks: it prefers solutions that explain them, too. If the others have nothing
# to do with the first, that bias is just wrong; related tasks are a condition, and each control shows what happens without.

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask the room before the first experiment: "I add a second output to your network, and its labels are random numbers. Can this make the
# first output better?" Take a vote, write it down, and come back to it at the fifth reason.
#
# <details>
# <summary>For whoever teaches</summary>
#
# Most say no. The answer is: sometimes. Such labels hold the network back as weight decay does, and one without any brake gains from that.
#
# </details>

# %% [markdown]
# ### One network for all experiments
#
# The model is always the same: hidden layers that all tasks share (共享表示, a *shared representation*), a small part of its own for each.
# The task we care about is called `main`, the others are helpers. Here it is in Keras:


# %%
def shared_bottom(data, hidden_units, tower_units=()):
    x = inputs = keras.Input(data.inputs["numeric"].shape, name="numeric")
    for units in hidden_units:
        x = keras.layers.Dense(units, activation="relu")(x)
    outputs = {}
    for task in data.tasks:
        own = x
        for units in tower_units:
            own = keras.layers.Dense(units, activation="relu")(own)
        outputs[task] = keras.layers.Dense(1, name=task)(own)
    return keras.Model({"numeric": inputs}, outputs)


# %% [markdown]
# The package's `hard_sharing` is this network, with a sigmoid where a task is binary. Same weights, same answers:

# %% slideshow={"slide_type": "skip"}
example = repeated_question(tasks=3)
ours, theirs = shared_bottom(example, (32,), (4,)), hard_sharing(example, hidden_units=(32,), tower_units=(4,))
ours.set_weights(theirs.get_weights())
one, other = ours(example.test.inputs), theirs(example.test.inputs)
apart = max(float(abs(one[task] - other[task]).numpy().max()) for task in example.tasks)
claim("The network written out and the package's give the same outputs.", apart < 1e-5, "to 0.00001")

# %% [markdown]
# Training **alone** needs no second network: we multiply the helpers' losses by 0. Then no gradient of theirs reaches the shared layers, and
# `main` learns as if they were not there, from the same initial weights, in the same batches. So every comparison is paired: for each seed,
# with helpers minus without. Two small functions do the bookkeeping:


# %%
def by_arm(found, task="main", split="test", metric=None):
    """Scores of one task: a row a seed, a column an arm (data, loss weights)."""
    rows = found.scores(split, metric).query("task == @task")
    return rows.pivot(index="seed", columns=["data", "loss_weight"], values="value")


def gain(one, other, arm="", digits=3):
    """Mean paired difference over the seeds, its interval, and both as text (errors need 3 digits, points 1)."""
    i = paired_interval((one - other).to_numpy())
    text = f"{i.mean:+.{digits}f}, {i.low:+.{digits}f} to {i.high:+.{digits}f}, {i.n} seeds"
    return pd.Series({"arm": arm, "difference": i.mean, "low": i.low, "high": i.high, "text": text})


def at_best(found, task="main"):
    """The same table, of validation scores, with every run at the epoch that was its best."""
    scores = found.frame.query("task == @task and split == 'validation' and metric in ('mse', 'auc') and epoch > 0")
    runs = scores.groupby(["seed", "data", "loss_weight", "metric"])["value"].agg(["min", "max"]).reset_index("metric")
    return runs["min"].where(runs["metric"] == "mse", runs["max"]).unstack(["data", "loss_weight"])


stopped = {}  # arm -> gain when every run may stop at its best epoch

# %% [markdown]
# One promise to keep the comparison fair: the network alone is not a straw man. Where nothing else is said, all arms are trained with AdamW, whose
# *weight decay* shrinks every weight a little at every step. A network that overfits without any brake is improved by anything. For the first three
# experiments we tried four or five strengths and took the one with which training *alone* does best on validation rows; for the fourth nothing was tuned.
# Near the end we also let every arm stop at its best epoch and compare again.

# %%
adamw = partial(keras.optimizers.AdamW, 5e-3)
settings = {"seeds": 8, "epochs": 4, "batch_size": 10, "jit_compile": False, "gates": False}
helpers = [f"helper_{k}" for k in range(1, 8)]


def passes(count, data):
    """Lets each row come several times in an epoch: the same training, measured less often."""
    return data.with_train(lambda rows: rows.take(np.tile(np.arange(len(rows)), count)))


# %% [markdown] slideshow={"slide_type": "slide"}
# ## 1 · Noise averages out: implicit data augmentation
#
# A label is an answer plus an error. A network alone fits both; it cannot know which is which. Eight tasks have eight different errors. If they
# share a representation, only what they have in common pays off in all of them: the answer. It is as if there were more rows.
#
# **By hand.** Let the error have standard deviation $\sigma$, and any two tasks' errors the correlation $\rho$. Their mean over $T$ tasks has variance
# $$\sigma^2 \left( \rho + \frac{1 - \rho}{T} \right).$$
# With $\sigma = 1.5$ and eight tasks that err independently ($\rho = 0$) it falls from $2.25$ to $2.25 / 8 \approx 0.28$. If all err alike ($\rho = 1$)
# it stays $2.25$, with however many tasks.
#
# **Exercise 03.1.** Write the standard deviation of that mean as a function.


# %%
def noise_left(sigma, tasks, correlation): ...


check("03.1", noise_left)

# %% [markdown]
# Errors that are all alike, $\rho = 1$, are the control. In `repeated_question` every label is plus or minus one and the same function of ten inputs, plus an error;
# a head learns the sign. The errors are each task's *own*, or the *same* for all. As a yardstick a third arm gets labels
# whose errors were *averaged* beforehand, which is what a perfect sharer could do. 200 rows; the held-out labels have no error, so 0 is a
# perfect model and 1 is guessing the mean.
#
# Predict: what will eight tasks with the *same* error bring over one?

# %%
fewer = {f"{t}": {"main": 1.0} | dict.fromkeys(helpers[t - 1 :], 0.0) for t in (1, 2, 4, 8)}
network = {"shared": partial(hard_sharing, hidden_units=(32,), tower_units=())}
decayed = settings | {"optimizer": adamw(weight_decay=2.0)}


def question(noise, seed):
    return passes(4, repeated_question(200, noise, seed=seed))


by_tasks = study(network, partial(question, "own"), loss_weights=fewer, **decayed)

# %%
arms = {
    "same noise": partial(question, "same"),
    "averaged": partial(question, "averaged"),
    "shuffled": lambda seed: passes(4, shuffled_helpers(repeated_question(200, "own", seed=seed), seed=seed)),
}
controls = study(network, arms, **decayed)

# %%
own, control = by_arm(by_tasks)["data"], by_arm(controls).droplevel(1, axis=1)
lines = own.melt(ignore_index=False, var_name="x").assign(arm="own noise").reset_index()
lines["x"] = lines["x"].astype(int)
last = control.melt(ignore_index=False, var_name="arm").assign(x=8).reset_index()
last["arm"] = last["arm"].replace({arm: f"{arm} (control)" for arm in ("same noise", "shuffled")})
plots.show(
    plots.arms_against(pd.concat([lines, last]), "tasks trained together", "error (0 perfect, 1 mean)"),
    alt="Error of the main task against the number of tasks trained together, 1 to 8: it falls with own noise and nearly reaches the dot "
    "of averaged labels; the dot of the same noise is where one task is, that of shuffled helpers above it.",
)

# %%
noise_gain = gain(own["8"], own["1"], "own noise")
claim("Eight tasks with noise of their own beat one.", noise_gain.high < 0, noise_gain.text)
step = gain(own["8"], own["2"])
claim("Eight beat two.", step.high < 0, step.text)

# %%
same_gain = gain(control["same noise"], own["1"], "same noise")
bound = abs(noise_gain.difference) / 4
claim("Eight that err alike bring less than a quarter of that.", abs(same_gain.difference) < bound, same_gain.text)
shuffled_gain = gain(control["shuffled"], own["1"], "shuffled labels")
claim("Seven helpers with shuffled labels do harm.", shuffled_gain.low > 0, shuffled_gain.text)

# %%
ideal = gain(control["averaged"], own["1"], "averaged by hand")
share = noise_gain.difference / ideal.difference
claim("Sharing brings more than half of what averaging the labels by hand brings.", share > 0.5, f"{100 * share:.0f} %")

# %%
best, best_control = at_best(by_tasks)["data"], at_best(controls).droplevel(1, axis=1)
stopped["1 own noise"] = gain(best["8"], best["1"])
stopped["1 same noise (control)"] = gain(best_control["same noise"], best["1"])
del by_tasks, controls

# %% [markdown]
# (The bands are wide because the eight worlds differ. The claims compare within a world, where the differences are much alike.)
#
# Seven more outputs, the same rows, the same network: what matters is not that there are more labels but that they **err independently**. Labels
# that all come from one click log with one bug bring nothing new. Real tasks do not ask the very same question, and then only the
# part they have in common is averaged.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 2 · Which inputs matter: attention focusing
#
# Few labels, many inputs: by chance, some inputs that do not matter look as if they did. Other tasks are other witnesses. (It has nothing to do with
# the attention layers of transformers, which in Chinese go by the same name.)
#
# **By hand.** The correlation of an irrelevant input with $n$ labels is about normal with standard deviation $1/\sqrt n$. With 100 labels it exceeds
# $.2$ in size for about one input in twenty: two of 47 look useful. For a helper with 1,000 labels, $.2$ is more than six standard deviations:
# none. A helper that reads the same inputs knows which ones to drop.
#
# We count in eight worlds how many of the 47 useless inputs look useful:


# %%
def look_useful(task, seed):
    """Number of irrelevant inputs whose correlation with a task's labels exceeds .2 in size."""
    rows = many_inputs(1000, seed=seed).train
    there = np.isfinite(rows.labels[task])
    table = np.corrcoef(rows.inputs["numeric"][there, 3:], rows.labels[task][there], rowvar=False)
    return int((np.abs(table[-1, :-1]) > 0.2).sum())


fooled = {task: np.mean([look_useful(task, course_seed(i)) for i in range(8)]) for task in ("main", "helper_1")}
details = f"{fooled['main']:.1f} of 47 on average, for a helper {fooled['helper_1']:.1f}"
claim(
    "Useless inputs look useful to main, and not to a helper.", fooled["main"] > 1 > fooled["helper_1"] + 0.5, details
)

# %% [markdown]
# The world: 50 inputs, 3 of which matter to `main`; 100 labels for it, 1,000 rows for each of four helpers. Every helper is *another*
# function. In the control they are functions of three other inputs.
#
# Predict: the helpers ask for other functions than `main`. Can they help at all? And what will those in the control do?


# %%
def inputs_read(which, seed):
    return passes(2, many_inputs(1000, which, seed=seed))


found = study(
    {"shared": partial(hard_sharing, hidden_units=(32,))},
    {f"{which} inputs": partial(inputs_read, which) for which in ("same", "other")},
    loss_weights={"alone": dict.fromkeys(helpers[:4], 0.0), "with helpers": {"main": 1.0}},
    **settings | {"batch_size": 50, "optimizer": adamw(weight_decay=1.0)},
)

# %%
error = by_arm(found)
focus = gain(error["same inputs", "with helpers"], error["same inputs", "alone"], "same inputs")
unfocused = gain(error["other inputs", "with helpers"], error["other inputs", "alone"], "other inputs")
claim("Helpers that read the same inputs help.", focus.high < 0, focus.text)
details = unfocused.text
claim(
    "Helpers that read other inputs bring less than a quarter of it.",
    unfocused.difference > focus.difference / 4,
    details,
)

# %%
best = at_best(found)
for arm in ("same inputs", "other inputs"):
    stopped[f"2 {arm}{' (control)' * (arm[0] == 'o')}"] = gain(best[arm, "with helpers"], best[arm, "alone"])

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Looking at the attention
#
# A gain is no proof of the reason. Does the network really look at other inputs now? `tf.GradientTape` notes a computation and
# differentiates it: how much does the answer for `main` move when input $j$ moves? We take the mean square over test rows, as a share of all inputs.


# %%
def use_of_inputs(model, rows):
    """Share of each input in the squared gradient of main's output, in percent: [inputs]."""
    x = tf.constant(rows.inputs["numeric"][:500])
    with tf.GradientTape() as tape:
        tape.watch(x)
        answer = model({"numeric": x})["main"]
    squares = tf.reduce_mean(tape.gradient(answer, x) ** 2, axis=0).numpy()
    return 100 * squares / squares.sum()


def runs_of(found, data, loss_weight):
    return [i for i, run in enumerate(found.plan.runs) if (run.data, run.loss_weight) == (data, loss_weight)]


# %%
def each_run(data, loss_weight, measure):
    """Measures every seed's trained model of one arm."""
    plan = found.plan
    return [
        measure(found.model("shared", i), plan.of_run(plan.runs[i]).test) for i in runs_of(found, data, loss_weight)
    ]


trained = {
    "alone": ("same inputs", "alone"),
    "same inputs": ("same inputs", "with helpers"),
    "other inputs": ("other inputs", "with helpers"),
}
uses = {name: np.stack(each_run(*arm, use_of_inputs)) for name, arm in trained.items()}
plots.show(
    plots.input_use(uses, relevant=3),
    alt="Three bar charts of the share of each of 50 inputs in main's answer: alone the three inputs that matter stand out, with "
    "helpers on the same inputs far more, with helpers on other inputs less, and the helpers' three inputs rise instead.",
)

# %%
on_relevant = pd.DataFrame({name: shares[:, :3].sum(axis=1) for name, shares in uses.items()})
more = gain(on_relevant["same inputs"], on_relevant["alone"])
claim("With them, main uses the inputs that matter more.", more.low > 0, f"{more.difference:+.0f} points of the use")
details = f"{gain(on_relevant['other inputs'], on_relevant['alone']).difference:+.0f} points"
claim("With the others, it does not.", on_relevant["other inputs"].mean() <= on_relevant["alone"].mean() + 2, details)
attention = ", ".join(f"{name} {value:.0f} %" for name, value in on_relevant.mean().items())

# %% [markdown]
# **When the test is not like the training.** In practice the two differ a little, and multi-task models are said to stand it better. Attention is one
# reason why they should: what is not looked at cannot disturb. Let the inputs that do not matter spread twice as far at test time.
# The answers to be given stay the same. Who suffers more?


# %%
def harm_of_shift(model, rows):
    """Rise of main's error when the irrelevant inputs are doubled."""
    x = rows.inputs["numeric"]
    moved = np.hstack([x[:, :3], 2 * x[:, 3:]])
    errors = [np.mean((model({"numeric": each})["main"][:, 0] - rows.labels["main"]) ** 2) for each in (x, moved)]
    return errors[1] - errors[0]


shift = pd.DataFrame({name: each_run(*trained[name], harm_of_shift) for name in ("alone", "same inputs")})
calmer = gain(shift["same inputs"], shift["alone"])
claim("The network with helpers on the same inputs suffers less from the shift.", calmer.high < 0, calmer.text)
del found

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 3 · Eavesdropping and hints
#
# Some features are easy for one task and hard for another. `main` here depends on three hidden directions $g_1, g_2, g_3$ in 20 inputs, by a
# parity: the label is likely 1 where an even number of them is negative.
#
# **By hand.** Of the eight sign patterns, four have $g_1 > 0$: $+++$ and $+--$ (even: label 1), $++-$ and $+-+$ (odd: label 0). Half and half: $g_1$ alone
# says nothing. Nor does any pair. So there is no slope to follow until all three are found at once. But a task whose label *is*
# the sign of $g_1$ finds $g_1$ from a few rows. How the label correlates with signs and products of signs:

# %%
rows = hidden_features(20_000, "hint", seed=course_seed()).train
g1, g2, g3 = (2 * rows.labels[f"helper_{k}"] - 1 for k in (1, 2, 3))
signs = {"g1": g1, "g2": g2, "g3": g3, "g1·g2": g1 * g2, "g2·g3": g2 * g3, "g3·g1": g3 * g1, "g1·g2·g3": g1 * g2 * g3}
label = rows.labels["main"]
pd.Series({name: np.corrcoef(sign, label)[0, 1] for name, sign in signs.items()}, name="with the label").round(
    2
).to_frame()

# %% [markdown]
# Three ways to help with this:
#
# - A **hint** is such a task: we train the network to predict the important feature itself (Abu-Mostafa 1990).
# - **Eavesdropping** is what happens when a task in its own right leans on the feature: here helpers that follow $g_1 + g_2$, $g_2 + g_3$, $g_3 + g_1$.
# - In the control the helpers are hints, too, just as easy: of three directions that `main` does not need.
#
# The helpers' labels are needed in training only. So a hint may be something you will *not* know when you serve: what happened after the
# click, a slow measurement, an editor's judgement.
#
# Predict the order of the four arms, and how far from .5 (chance) training alone will come.

# %% [markdown] slideshow={"slide_type": "notes"}
# Let the room find the parity table on the board first: eight sign patterns, which have label 1? Then ask for a single question about one
# direction that helps to guess the label. There is none. That silence is what the network alone hears.

# %%
kinds = {"hints": "hint", "eavesdropping": "eavesdropping", "other hints": "other"}


def features(kind, seed):
    return passes(3, hidden_features(1000, kind, seed=seed))


found = study(
    {"shared": partial(hard_sharing, hidden_units=(32,), tower_units=(16,))},
    {name: partial(features, kind) for name, kind in kinds.items()},
    loss_weights={"alone": dict.fromkeys(helpers[:3], 0.0), "with helpers": {"main": 1.0}},
    **settings | {"batch_size": 20, "epochs": 5, "optimizer": adamw(weight_decay=0.3)},
)

# %%
auc = 100 * by_arm(found)
heard = [gain(auc[name, "with helpers"], auc[name, "alone"], name, digits=1) for name in kinds]
hint, eaves, strange = heard
plots.show(
    plots.effects(pd.DataFrame(heard), "points of AUC over training alone (better →)", controls=("other hints",)),
    alt="Gain in AUC over training alone: hints far above zero, eavesdropping clearly above zero, hints of other features below zero.",
)

# %%
start, end = auc["hints", "alone"].mean(), auc["hints", "with helpers"].mean()
claim("Hints help.", hint.low > 0, f"AUC {start:.0f} → {end:.0f}; {hint.text}")
claim("So does eavesdropping on tasks that lean on the features.", eaves.low > 0, eaves.text)
claim("Hints of other features do not.", strange.difference < 2, strange.text)

# %%
best = 100 * at_best(found)
for arm in kinds:
    name = f"3 {arm}{' (control)' * (arm == 'other hints')}, points of AUC"
    stopped[name] = gain(best[arm, "with helpers"], best[arm, "alone"], digits=1)

# %% [markdown]
# The control is worth a second look. Those helpers are as easy and as truthful as the hints, and they make things *worse*: the network spends its units on
# directions that `main` has no use for. This is negative transfer (chapter 07), and from the helpers' own scores you would never know.
#
# If you can compute the feature yourself when you serve, do not hint: make it an input. Hints are for what you know only in training.

# %%
del found

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 4 · The next task: representation bias
#
# A representation that serves many tasks at once prefers what they have in common. If tomorrow's task comes from the same place, it finds its
# features ready. Baxter (2000) called it learning the bias: what is learned is not a function but a space of hypotheses (假设空间).
#
# **By hand.** Our environment has four features, the distances $|w_j x|$ from four planes in 20 inputs; a task is a weighted sum of them. To learn
# everything takes $4 \cdot 20$ numbers for the planes and 4 for the weights. With the planes known, 4 are left. But one known task
# shows only one sum. How many tasks does it take to tell four features apart?
#
# We train on 1, 2, 4 or 8 known tasks, **freeze** the shared layer, and learn a *new* task from a few new rows with a ridge
# regression on its 32 units. Controls: eight known tasks that use four *other* planes; the layer as it was before training; the plain inputs.
# And for comparison a whole network that starts from scratch, with as many as 400 rows of the new task.

# %%
known = [f"known_{k}" for k in range(1, 9)]
some = {f"{t} known": {"new": 0.0} | dict.fromkeys(known[t:], 0.0) for t in (1, 2, 4, 8)}
ready = settings | {"batch_size": 50, "optimizer": adamw(weight_decay=0.1)}
at_home = study(network, lambda seed: environment(features="same", seed=seed), loss_weights=some, **ready)
abroad = study(network, lambda seed: environment(features="other", seed=seed), loss_weights={"new": 0.0}, **ready)


# %%
def newcomer(seed):
    data = environment(seed=seed).with_tasks(["new"])
    return passes(10, data.with_train(lambda _: data.validation.take(slice(0, 400))))


scratch = by_arm(study(network, newcomer, **ready), "new").iloc[:, 0]


# %%
def learn_new(represent, data, rows):
    """Test error of ridge regression from the first validation rows; rows from 400 on choose one of four penalties."""
    x, y = data.validation.inputs["numeric"], data.validation.labels["new"]
    z, mean = represent(x[:rows]), y[:rows].mean()
    centre, spread = z.mean(axis=0), z.std(axis=0) + 1e-3
    z = (z - centre) / spread
    penalties, moments = np.eye(z.shape[1]) * np.array([1, 10, 100, 1000])[:, None, None], z.T @ (y[:rows] - mean)
    fitted = np.linalg.solve(z.T @ z + penalties, moments[:, None])[..., 0].T

    def errors(x, y):
        return ((mean + (represent(x) - centre) / spread @ fitted - y[:, None]) ** 2).mean(axis=0)

    return float(errors(data.test.inputs["numeric"], data.test.labels["new"])[errors(x[400:], y[400:]).argmin()])


def layer_of(found, run):
    kernel, bias = (stack[run] for stack in found.weights["shared"][:2])
    return lambda x: np.maximum(x @ kernel + bias, 0)


# %%
def untrained(run):
    keras.utils.set_random_seed(run.seed)
    kernel = network["shared"](at_home.plan.of_run(run)).trainable_variables[0].numpy()
    return lambda x: np.maximum(x @ kernel, 0)


few, rows = (25, 50, 100, 200, 400), []
for found, name in ((at_home, "{}"), (abroad, "8 known, other planes")):
    for i, run in enumerate(found.plan.runs):
        tried = {name.format(run.loss_weight): layer_of(found, i)}
        if run.loss_weight == "1 known":
            tried |= {"untrained layer": untrained(run), "inputs as they are": lambda x: x}
        data = found.plan.of_run(run)
        rows += [(arm, run.seed, n, learn_new(r, data, n)) for arm, r in tried.items() for n in few]
rows += [("network from scratch", seed, 400, value) for seed, value in scratch.items()]
new_task = pd.DataFrame(rows, columns=["arm", "seed", "x", "value"])

# %%
plots.show(
    plots.arms_against(new_task, "labelled rows of the new task", "error (0 perfect, 1 mean)"),
    alt="Error on a new task against its labelled rows, 25 to 400: with the layer of eight known tasks far below all others and falling, "
    "higher with four, two and one; with a layer from other planes, untrained or plain inputs near 1; a network from scratch at 400 "
    "rows is in between.",
)

# %%
at_50 = new_task.query("x == 50").pivot(index="seed", columns="arm", values="value")
reuse = gain(at_50["8 known"], at_50["inputs as they are"], "8 known tasks")
claim("With 50 rows, the layer of eight known tasks beats the plain inputs.", reuse.high < 0, reuse.text)
one_known = gain(at_50["8 known"], at_50["1 known"])
claim("It beats the layer of a single known task.", one_known.high < 0, one_known.text)
late = gain(at_50["8 known"], scratch)
claim("It beats a network from scratch that has 400 rows.", late.high < 0, late.text)

# %%
level = at_50.mean()
details = ", ".join(f"{t}: {level[f'{t} known']:.2f}" for t in (1, 2, 4, 8))
enough = level["4 known"] - level["8 known"] < (level["1 known"] - level["4 known"]) / 4
claim("Four known tasks bring nearly all of it, for four features.", enough, details)
foreign = gain(at_50["8 known, other planes"], at_50["inputs as they are"], "8 known, other planes")
guess = at_50["8 known, other planes"].mean()
claim(
    "A layer from other planes is no better than guessing the mean.", guess > 0.95, f"error {guess:.2f}; the mean has 1"
)

# %% [markdown]
# One task shows one sum of the four features; four tasks show four sums, which is enough to tell the features apart. Eight tasks from another environment are as good as none; the
# bias learned there is true there only. And the price: the layer was made for this environment. A new task that needs a fifth plane would
# not find it, and a frozen layer cannot learn it.

# %%
del at_home, abroad

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 5 · Less room for noise: regularisation
#
# The first four reasons were about what helpers *know*. The last one is about what they *take away*: a network that must serve eight tasks has less
# room left to learn one task's noise by heart. It can be measured by giving it nothing but noise.
#
# **Rademacher complexity** is how well a set of models can fit random labels: for signs $\sigma_i = \pm 1$ drawn by coin,
# $$\hat R = \mathbb E_\sigma \left[ \max_f \tfrac1n \sum_i \sigma_i f(x_i) \right].$$
# **By hand.** Two rows, and two models, $f = (1, 1)$ and $f = (-1, -1)$. The signs $(1, 1)$ and $(-1, -1)$ are fitted perfectly, agreement 1; for $(1, -1)$ and
# $(-1, 1)$ both models agree to 0. The mean is $\tfrac12$. A set with all four sign patterns would have 1: it can learn anything by heart.
#
# **Exercise 03.2.** Compute it for any finite set: arrays `predictions` `[models, rows]` and `signs` `[draws, rows]`.


# %%
def rademacher(predictions, signs): ...


check("03.2", rademacher)

# %% [markdown]
# ### Labels by coin
#
# Networks are not a finite set, so we let training do the maximising: 200 rows, labels $+1$ or $-1$ by coin, 1 to 8 such tasks at once. What
# is fitted, $1 - $ training error, has been learned by heart. A shared layer of 16 units is tight for eight tasks. The control is a layer of
# $8 \cdot 16 = 128$: sharing without the restraint.
#
# Predict: 16 units have 20 inputs each, more than 300 weights for 200 rows. How much of one task's coin tosses will they learn by heart, and how
# much of each of eight?

# %%
widths = {"narrow, 16 units": 16, "wide, 128 units (control)": 128}
networks = {name: partial(hard_sharing, hidden_units=(units,), tower_units=()) for name, units in widths.items()}


plain = settings | {"optimizer": keras.optimizers.Adam(5e-3)}
coins = study(
    networks, lambda seed: passes(10, random_labels(seed=seed)), loss_weights=fewer, **plain | {"batch_size": 20}
)

# %%
heart = coins.scores("train", "loss").query("task == 'main'")
fitted = heart.assign(arm=heart["model"], x=heart["loss_weight"].astype(int), value=100 * (1 - heart["value"]))
plots.show(
    plots.arms_against(fitted, "tasks trained together", "random labels fitted, %"),
    alt="Share of random labels fitted against the number of tasks: with 16 shared units it falls from most of them at one task to about a "
    "fifth at eight; with 128 units it stays far higher and falls a little.",
)

# %%
by_heart = fitted.pivot(index="seed", columns=["arm", "x"], values="value")
tight, roomy = (by_heart[name] for name in widths)
less = gain(tight[8], tight[1], "8 random tasks, 16 units", digits=1)
claim("Eight tasks in 16 units learn less by heart than one.", less.high < -20, less.text)
room = gain(tight[8] - tight[1], roomy[8] - roomy[1], digits=1)
claim("With 128 units far less of that is left.", room.high < -20, room.text)
del coins

# %% [markdown] slideshow={"slide_type": "slide"}
# ### The gap between training and test
#
# Now real answers with noise. We take away the brake (plain Adam, no weight decay), use 20 inputs, and look at two errors of `main`: on
# the rows it was trained on, and on new ones with as much noise. Four arms: alone; with seven helpers; with seven helpers whose labels are
# **shuffled**; alone with weight decay.

# %% [markdown]
# **Exercise 03.3, before you run it.** What will the shuffled helpers, which know nothing, do to the gap?
#
# a) widen it; b) narrow it; c) leave it as it is.

# %%
prediction = ...
check("03.3", prediction)


# %%
def noisy(seed):
    return passes(3, repeated_question(200, "own", spread=1.0, inputs=20, seed=seed))


worlds = {"helpers": noisy, "shuffled": lambda seed: shuffled_helpers(noisy(seed), seed=seed)}
gap_runs = study(network, worlds, loss_weights={"alone": fewer["1"], "together": fewer["8"]}, **plain)
decay_runs = study(network, lambda seed: noisy(seed).with_tasks(["main"]), **decayed)

# %%
columns = {
    "alone": ("helpers", "alone"),
    "helpers": ("helpers", "together"),
    "shuffled helpers": ("shuffled", "together"),
}
noise = 1.0  # variance of the noise that a new label would have
train, test = by_arm(gap_runs, split="train", metric="loss"), by_arm(gap_runs) + noise
sides = {arm: (train[column], test[column]) for arm, column in columns.items()}
braked = by_arm(decay_runs, split="train", metric="loss").iloc[:, 0], by_arm(decay_runs).iloc[:, 0] + noise
sides["alone, weight decay"] = braked
table = pd.DataFrame({arm: [one.mean(), two.mean()] for arm, (one, two) in sides.items()}, index=["train", "test"]).T
plots.show(
    plots.train_test_gaps(table, "mean squared error of main, noise of 1 included"),
    alt="Training and test error of main: alone a wide gap; with helpers and with shuffled helpers the gap is narrower, and the test "
    "error lower; weight decay does it as well.",
)

# %%
gap = pd.DataFrame({arm: two - one for arm, (one, two) in sides.items()})
narrower = gain(gap["helpers"], gap["alone"], "helpers")
claim("Helpers narrow the gap.", narrower.high < 0, narrower.text)
for_nothing = gain(gap["shuffled helpers"], gap["alone"], "shuffled helpers")
claim("Shuffled helpers narrow it, too.", for_nothing.high < 0, for_nothing.text)

# %%
final = pd.DataFrame({arm: two for arm, (_, two) in sides.items()})
helped = gain(final["helpers"], final["alone"])
restrained = gain(final["shuffled helpers"], final["alone"])
brake = gain(final["alone, weight decay"], final["shuffled helpers"])
decayed_gain = gain(final["alone, weight decay"], final["alone"])
rows = {"helpers": helped, "shuffled helpers": restrained, "weight decay": decayed_gain}
pd.DataFrame({name: row.text for name, row in rows.items()}, index=["test error against alone"]).T

# %%
claim("Against a network without a brake, helpers lower the test error.", helped.high < 0, helped.text)
part = restrained.difference / helped.difference
claim("Helpers that know nothing bring half of that gain, or more.", part > 0.5, f"{100 * part:.0f} %")
claim("Weight decay, without any helper, beats the shuffled ones as well.", brake.high < 0, brake.text)

# %% [markdown]
# There is the answer to the vote. Against a network without a brake, helpers that know *nothing* can look like help: they keep the shared units
# busy, so `main` learns less noise by heart. That is the trap of every report "with the auxiliary task we gained". The training error rises,
# as it must: a craftsman with one trade is perfect in the workshop; the one with eight trades is less perfect there and may be better outside.
# Restraint can be had without helpers. Weight decay does it with one number, stopping early with none. And with weight decay already on, as in
# the first experiment, the same kind of shuffled helpers did harm, while helpers that know something still helped: knowledge adds to a brake,
# a second brake does not.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### How much is left when everyone stops in time?
#
# Every run of experiments 1, 2, 3 and 5 at the epoch in which its validation error (or AUC) was best, and that best value itself. (It flatters all arms a
# little, and alike.) What remains is not a matter of training too long.

# %%
best = at_best(gap_runs)
stopped["5 helpers"] = gain(best["helpers", "together"], best["helpers", "alone"])
stopped["5 shuffled helpers (control)"] = gain(best["shuffled", "together"], best["shuffled", "alone"])
pd.DataFrame({arm: row.text for arm, row in stopped.items()}, index=["gain over alone, each at its best epoch"]).T

# %%
real = [row.high < 0 for arm, row in stopped.items() if arm in ("1 own noise", "2 same inputs", "5 helpers")]
real += [row.low > 0 for arm, row in stopped.items() if arm.startswith("3") and "control" not in arm]
claim(
    "The gains of helpers that know something remain.", all(real), f"{sum(real)} of {len(real)} intervals exclude zero"
)
nothing = stopped["5 shuffled helpers (control)"]
left = abs(stopped["5 helpers"].difference) / 4
claim("Shuffled helpers keep less than a quarter of that.", nothing.difference > -left, nothing.text)
knowing = gain(best["helpers", "together"], best["shuffled", "together"])
claim("Now knowledge beats restraint.", knowing.high < 0, f"helpers minus shuffled helpers {knowing.text}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What we measured

# %%
facts = {
    "1 own noise, 8 tasks": noise_gain,
    "1 same noise (control)": same_gain,
    "1 shuffled helpers (control)": shuffled_gain,
    "2 same inputs": focus,
    "2 other inputs (control)": unfocused,
    "3 hints, points of AUC": hint,
    "3 eavesdropping, points of AUC": eaves,
    "3 other hints (control), points of AUC": strange,
    "4 layer of 8 known tasks, against plain inputs": reuse,
    "4 layer from other planes (control)": foreign,
    "5 random labels fitted, 8 tasks against 1, points": less,
    "5 the same with 128 units (control)": gain(roomy[8], roomy[1], digits=1),
    "5 gap between training and test": narrower,
}
pd.DataFrame({name: row.text for name, row in facts.items()}, index=["gain over alone, 95 % interval"]).T

# %%
display(
    Markdown(f"Use of the inputs that matter: {attention}. Sharing against averaging by hand: {100 * share:.0f} %.")
)

# %% [markdown]
# Errors fall when things get better; AUC rises. (In the fifth a fall is wanted: fewer random labels fitted.) The controls are near zero or on the wrong
# side; only the wide layer keeps a part of the restraint. So all five can be shown, each where its condition holds, and none of them is a law: we
# built the worlds so that one reason stands out. In real data they come mixed, and weak.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### All five on one page
#
# To compare them, each effect as a share of what training alone left to be gained: of the error (reasons 1, 2, 4), of the AUC missing to 100 (3), of the
# random labels fitted (5).

# %%
on, off = "with helpers", "alone"
pairs = {
    "1 · own noise": (own["8"], own["1"]),
    "1 · same noise": (control["same noise"], own["1"]),
    "2 · same inputs": (error["same inputs", on], error["same inputs", off]),
    "2 · other inputs": (error["other inputs", on], error["other inputs", off]),
    "3 · hints": (100 - auc["hints", on], 100 - auc["hints", off]),
    "3 · other hints": (100 - auc["other hints", on], 100 - auc["other hints", off]),
    "4 · 8 known tasks": (at_50["8 known"], at_50["inputs as they are"]),
    "4 · 8 known, other planes": (at_50["8 known, other planes"], at_50["inputs as they are"]),
    "5 · narrow layer": (tight[8], tight[1]),
    "5 · wide layer": (roomy[8], roomy[1]),
}
away = [gain(100 * before / before.mean(), 100 * after / before.mean(), arm) for arm, (after, before) in pairs.items()]
shares = pd.DataFrame(away)

# %%
plots.show(
    plots.effects(shares, "taken away of what training alone left, % (better →)", controls=tuple(shares["arm"][1::2])),
    alt="Ten rows, two a reason: the arm with the mechanism takes away a good part or nearly all of what was left; its control is near zero or "
    "negative, except the wide layer's, which takes a small part.",
)

# %% [markdown]
# ## When not to use it
#
# - The labels of both tasks err together (one log, one bug, one annotator): no noise averages out.
# - Plenty of labels for the main task: it finds the inputs and the features alone. All effects above shrink as rows grow.
# - The helper needs other features: it takes units away, and does so silently. Look at the main task's score, not at the sum.
# - You only want restraint: weight decay, dropout or stopping early cost less than a second task.
# - What you would hint is known when you serve: make it an input.
#
# ## Questions people ask
#
# **How do I know which of the five it is in my data?** Build the control: shuffle the helper's labels (Caruana's own test of 1997; restraint remains,
# knowledge goes), or give it fewer rows, or take its inputs away. The gain that is left has another reason.
#
# **My gain vanished with weight decay. Was it real?** It was regularisation. Keep whichever is cheaper.
#
# **Does the helper have to be predicted well?** No. It has to pull the shared layer in a useful direction; drop its head after training.
#
# **Should the helper's loss weigh less?** Often, once the main task starts to lose: chapters 07 and 08.
#
# **More tasks, less overfitting: always?** Less fitting of noise, yes, as long as the shared layer stays as narrow. It says nothing about the test error.
#
# **Is it transfer learning?** It is its sibling: learned at the same time instead of one after the other. The fourth experiment is both.
#
# **Other names?** Joint learning, learning with auxiliary tasks, learning to learn.

# %% [markdown]
# ## Exercises
#
# 03.1 to 03.3 are above. One is left.
#
# **Exercise 03.4.** Take a product you know. Name a main task, a helper, the reason why it should help, and the control arm with which you would find
# out that you are wrong.

# %%
answer = ...
check("03.4", answer)

# %%
summary("03")

# %% [markdown]
# ## References
#
# - R. Caruana: *Multitask learning*. Machine Learning 1997. <https://doi.org/10.1023/A:1007379606734>
# - S. Ruder: *An overview of multi-task learning in deep neural networks*. 2017. <https://arxiv.org/abs/1706.05098>
# - Y. S. Abu-Mostafa: *Learning from hints in neural networks*. Journal of Complexity 1990. <https://doi.org/10.1016/0885-064X(90)90006-Y>
# - J. Baxter: *A model of inductive bias learning*. Journal of Artificial Intelligence Research 2000. <https://doi.org/10.1613/jair.731>
# - A. Maurer, M. Pontil, B. Romera-Paredes: *The benefit of multitask representation learning*. JMLR 2016.
#   <https://jmlr.org/papers/v17/15-242.html>
# - C. Zhang and others: *Understanding deep learning requires rethinking generalization*. ICLR 2017. <https://arxiv.org/abs/1611.03530>
#
# ## Next
#
# 04: two tasks of a shop, click and pay, and what its log cannot tell about those who never clicked.
