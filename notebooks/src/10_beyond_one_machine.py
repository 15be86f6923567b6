# %% [markdown] slideshow={"slide_type": "slide"}
# # 10 · Beyond one machine
#
# **Everything so far ran on a laptop. What grows until it no longer does, and what then?**
#
# There are three ways to outgrow a machine: a training does not *fit*, it takes too *long*, or too many *people* want it at once. In this chapter we
# measure what a training costs and where one machine ends; train one model with two processes that exchange gradients; spread many trainings
# over a cluster and kill a part of it in the midst of the work; hand a trained model over to a server; and size a hub for a class.
#
# <details lang="zh">
# <summary>中文</summary>
#
# **到目前为止，一切都在一台笔记本电脑上运行。什么会增长到装不下？那时又该怎么办？**
#
# 一台机器不够用，有三种情形：训练*放不下*、训练*太久*，或者同时使用的*人太多*。本章先测量一次训练的代价，看一台机器的极限在哪里；
# 再让两个进程交换梯度，共同训练一个模型；把许多次训练分发到集群上，并在途中强行终止其中一个工作进程；把训练好的模型导出给服务端；
# 最后为一个班级估算 JupyterHub 的规模。
#
# </details>

# %% [markdown]
# ## What you will be able to do
#
# - say what a training will cost in time and memory before you start it, from a few small measurements;
# - train one Keras model with several processes, and know why it must give the same losses;
# - spread a study over any executor, and lose a worker without losing a result;
# - export a model with named outputs, and say what is *not* in the file;
# - tell how many nodes a class needs.
#
# ## What you need first
#
# MMoE (chapter 06). For one section Dask is needed: `make lab` has it installed already; elsewhere `pip install -e ".[cluster]"` in the course's folder.
#
# ## Minutes
#
# 40 to read, 1 to run. It starts other processes and wants 4 GB free in all.

# %%
import tempfile
import timeit
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from mtl_helpers import plots
from mtl_helpers.exercises import check, summary
from mtl_helpers.recording import recorded
from mtl_helpers.seeds import course_seed
from mtl_helpers.study import claim, study

# %%
import keras
import tensorflow as tf

from mtl_helpers.datasets import shop_log, video_log
from mtl_helpers.distributed import batches, train, train_on_workers
from mtl_helpers.experiments.cost_curves import AXES, SETTINGS, in_fresh_process, point
from mtl_helpers.losses import task_losses
from mtl_helpers.models import mmoe, single_task
from mtl_helpers.study.cluster import local_cluster, losing_a_worker

seed = course_seed()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What grows?
#
# We take an MMoE and let one thing grow at a time: training rows to a million, tasks to 16, experts to 64, the vocabulary (all categories
# together, each with a vector of 16) to a million. Every point was measured in a fresh process, its time several times over, and recorded; all
# other settings stay what they are. Time is *processor time*, the sum over the cores: a clock on the wall would also measure who else uses the machine.
# (On a quiet machine the clock shows less than the processor time, as cores share the work.)

# %% slideshow={"slide_type": "skip"}
kept = recorded("cost_curves")
costs = pd.DataFrame(kept["results"]).explode(["seconds", "processor_seconds"])
costs[["seconds", "processor_seconds"]] = costs[["seconds", "processor_seconds"]].astype(float)
base = {**SETTINGS["base"], "batch size": SETTINGS["batch_size"]}
display(pd.Series(base, name="unless it grows").to_frame().T)
print(f"made by: {kept['command']}; {kept['made with']['cores']} cores, TensorFlow {kept['made with']['tensorflow']}")

# %% [markdown]
# **Exercise 10.1, before you look.** The vocabulary grows from 1,000 to 1,000,000. A batch stays at 512 rows. What happens to the time of a step
# with Adam? a) Nothing: a batch touches as many vectors as before. b) A little more. c) Many times as long.

# %%
prediction = ...
check("10.1", prediction)


# %% [markdown] slideshow={"slide_type": "slide"}
# ### A fixed part and a slope
#
# Costs that come from doing the same thing $n$ times are a line, $c(n) = \text{fixed} + \text{slope} \cdot n$. On a log-log figure it is flat as long
# as the fixed part rules, and then rises by a factor of ten for every ten. By hand: 3 ms fixed and .15 ms an expert make 4.2 ms for 8 experts,
# a third more than for one, and 12.6 ms for 64.
#
# We fit by least squares of *relative* errors, so that small sizes count as much as large ones; neither part may be negative. A line that passes through its own
# points proves little, so ours **never sees the largest size**: from the last size that it knows it is dashed and *foretells*. The number at the end is what
# was measured there, as a multiple of what the line says. Which of the five lines would you trust?


# %%
from scipy.optimize import nnls


def fixed_and_slope(sizes, costs):
    """Gives the fixed cost, the cost of one more, and the largest relative residual."""
    sizes, costs = np.asarray(sizes, float), np.asarray(costs, float)
    design = np.stack([np.ones(len(sizes)), sizes], axis=1) / costs[:, None]
    found, _ = nnls(design, np.ones(len(sizes)))
    return found[0], found[1], np.abs(design @ found - 1).max()


# %%
def fitted(column, hidden=0):
    """Fits every axis without its largest sizes, through the least repeats: what disturbs a measurement makes it larger."""
    least = costs.groupby(["axis", "value"], as_index=False)[column].min()
    least = least[least.groupby("axis")["value"].rank(ascending=False) > hidden]
    return {axis: fixed_and_slope(rows["value"], rows[column]) for axis, rows in least.groupby("axis")}


steps = -(-costs["value"].where(costs["axis"] == "rows", SETTINGS["batch_size"]) // SETTINGS["batch_size"])
costs["epoch or step"] = (
    1e3 * costs["processor_seconds"] * steps
)  # milliseconds of an epoch where rows grow, else of a step
times = fitted("epoch or step", hidden=1)

# %%
panels = {
    "training rows (an epoch)": ["rows"],
    "tasks (a step)": ["tasks"],
    "experts (a step)": ["experts"],
    "vocabulary (a step)": ["vocabulary, Adam", "vocabulary, SGD"],
}
plots.show(
    plots.cost_lines(costs.rename(columns={"epoch or step": "cost"}), times, panels, "processor milliseconds"),
    alt="Milliseconds against size on logarithmic axes, four panels, each with a line that was fitted to all sizes but the largest. For rows and tasks "
    "the largest lies on the line; for experts above it; for the vocabulary, with Adam and with SGD, far above it.",
)

# %%
table = pd.DataFrame(times, index=["fixed, ms", "slope, ms", "largest residual"]).T.loc[list(AXES)]
table.style.format({"fixed, ms": "{:.2f}", "slope, ms": "{:.1e}"}, precision=2)

# %% [markdown]
# The residuals, of the sizes that the line has seen, did not warn us: those of the experts are small. Rows and tasks go on as they began. Experts bend upwards at the
# end, the vocabulary by far more: between 300,000 and a million a word costs several times what it did before; we suppose that what a step moves outgrows
# the processor's caches. No line tells you where its own end is. Where it may bend upwards, an extrapolation is a lower bound.

# %%
per_step = costs.groupby(["axis", "value"])["processor_seconds"].min()
adam = per_step["vocabulary, Adam"]
details = f"{1e3 * adam[1000]:.1f} ms and {1e3 * adam[1_000_000]:.0f} ms a step"
claim(
    "A thousand times the vocabulary makes Adam's step at least ten times as long.",
    adam[1_000_000] > 10 * adam[1000],
    details,
)
grown = details
rows_step = per_step["rows"]
details = f"{1e3 * rows_step[102_400]:.1f} ms and {1e3 * rows_step[1_024_000]:.1f} ms"
ratio = rows_step[1_024_000] / rows_step[102_400]
claim(
    "Ten times the rows leave a step as it is, within a half: it is the epoch that grows.", 2 / 3 < ratio < 1.5, details
)

# %% [markdown] slideshow={"slide_type": "notes"}
# Let the room vote on 10.1 before they see the figure.
#
# <details>
# <summary>For whoever teaches</summary>
#
# Most say (a), and it is right for the look-up. Ask who has ever looked at what the optimizer does.
#
# </details>

# %% [markdown]
# The surprise is the vocabulary. A batch of 512 rows looks up at most 2,048 vectors, whatever the table holds. But Adam keeps two running means
# for every weight, and in Keras it moves *all* vectors at every step. Plain SGD moves those of the batch, and still its line rises in the end. Why? Here
# is a step on a bare table, looked up in two ways: as Keras's layers do it, with `ops.take`, and by TensorFlow's `gather` on the variable itself.

# %%
table = keras.Variable(np.zeros((300_000, 16), "float32"))
words = tf.constant(np.random.default_rng(seed).integers(0, 300_000, 2048))
sgd = keras.optimizers.SGD(1e-3)
sgd.build([table])


def milliseconds_of_a_step(look_up):
    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(look_up() ** 2)
        sgd.apply(tape.gradient(loss, [table.value]), [table])

    return 1e3 * min(timeit.repeat(step, number=1, repeat=20))


# %% slideshow={"slide_type": "skip"}
ways = {"take": lambda: keras.ops.take(table, words, axis=0), "gather": lambda: tf.gather(table.value, words)}
look_ups = {name: milliseconds_of_a_step(way) for name, way in ways.items()}
details = ", ".join(f"{name} {each:.2f} ms" for name, each in look_ups.items())
claim(
    "A look-up with gather makes the step at least three times as fast.",
    look_ups["take"] > 3 * look_ups["gather"],
    details,
)

# %% [markdown]
# `ops.take` first *reads* the variable, and as the step also writes to it, reading copies the whole table. Nothing warns you, no result is wrong, and it costs
# more than the arithmetic. So whoever has a million items hashes them into fewer, or trains the table with plain SGD and looks it up with `gather`, or takes a library
# whose optimizers know sparse gradients (torch's `SparseAdam` moves the vectors of the batch alone).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Where does one machine end?
#
# Memory is the hard wall: too slow is a pity, too large is an error. What a training holds at once:
#
# $$\text{bytes} = 4\,P\,(1 + 1 + s) \;+\; n\,r \;+\; \text{activations} \;+\; \text{what the libraries take},$$
#
# with $P$ weights, one gradient each, $s$ slots of the optimizer (Adam 2, SGD 0), $n$ rows of $r$ bytes. By hand: a million categories with vectors of
# 16 are 16 million weights, 64 MB; with gradient and Adam's two slots four times as much, 256 MB. A million rows of 4 categories, 16 numbers and
# 2 labels take 88 bytes each, 88 MB.
#
# **Exercise 10.2.** Write the first two terms.


# %%
def training_bytes(parameters, slots, rows, row_bytes): ...


check("10.2", training_bytes)

# %% [markdown]
# And measured? Here is the peak that the process reached on top of what it had before it drew the data.

# %%
costs["MB"] = costs["bytes"] / 1e6
plots.show(
    plots.cost_lines(
        costs.rename(columns={"MB": "cost"}),
        fitted("MB", hidden=1),
        {"training rows": ["rows"], "vocabulary": ["vocabulary, Adam", "vocabulary, SGD"], "experts": ["experts"]},
        "megabytes",
    ),
    alt="Megabytes on top against training rows, vocabulary and experts, logarithmic: flat below a hundred megabytes while sizes are "
    "small, then rising, Adam above SGD. For rows and experts the largest lies near the line fitted to the others, for the vocabulary below it.",
)

# %%
spaces = fitted("MB")  # from here on with all sizes
row_bytes, word_bytes = (1e6 * spaces[axis][1] for axis in ("rows", "vocabulary, Adam"))
arithmetic = {"a row": 4 * (4 + 16 + 2), "a word, Adam": 4 * 16 * (1 + 1 + 2)}
measured = {"a row": row_bytes, "a word, Adam": word_bytes}
ratios = {name: measured[name] / arithmetic[name] for name in arithmetic}
details = ", ".join(f"{name} {measured[name]:.0f} bytes for {arithmetic[name]}" for name in arithmetic)
claim(
    "Measured is the arithmetic or more, but less than four times as much.",
    all(0.9 < each < 4 for each in ratios.values()),
    details,
)

# %% [markdown]
# The arithmetic is a floor. `fit` copies arrays into tensors and the optimizer makes intermediate results the size of the table, so a measured slope
# is the better guide. With it we can say where a machine of so many gigabytes ends.


# %%
def ends_at(gigabytes, axis, process_gb=0.7):
    """The size that fills the memory, if the process itself takes `process_gb`."""
    fixed, slope, _ = spaces[axis]
    return (1e3 * (gigabytes - process_gb) - fixed) / slope


machines = [1.2, 4, 16, 64]
ends = {
    axis: [f"{ends_at(size, axis) / 1e6:,.1f} million" for size in machines]
    for axis in ("rows", "vocabulary, Adam", "vocabulary, SGD")
}
pd.DataFrame(ends, index=pd.Index(machines, name="GB")).T

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Does the line tell the truth?
#
# We test it twice. First with the figures' numbers: the largest size of each kind, which the fit has not seen.


# %%
def surprise(column):
    """Gives what was measured at the largest size as a multiple of what the line says that has not seen it."""
    found = {}
    for axis, (fixed, slope, _) in fitted(column, hidden=1).items():
        rows = costs[costs["axis"] == axis]
        largest = rows["value"].max()
        found[axis] = rows[column][rows["value"] == largest].min() / (fixed + slope * largest)
    return found


# %%
hidden = pd.DataFrame({"time": surprise("epoch or step"), "memory": surprise("MB")}).loc[list(AXES)]
hidden.rename_axis("measured / said").style.format(precision=2)

# %%
plain = hidden.loc[["rows", "tasks"]]
foretold = f"{plain.to_numpy().min():.2f} to {plain.to_numpy().max():.2f} times what was said"
claim(
    "The largest number of rows and of tasks costs what the line says, to a fifth.",
    ((plain - 1).abs() < 0.2).all(axis=None),
    foretold,
)

# %%
bent = hidden.loc[["vocabulary, Adam", "vocabulary, SGD"]]
details = f"{bent['time'].min():.2f} times the time or more, {bent['memory'].max():.2f} times the memory or less"
claim(
    "Of the vocabulary the line says too little time, by more than half, and too much memory.",
    bent["time"].min() > 1.5 and bent["memory"].max() < 1,
    details,
)

# %% [markdown]
# So read the table above line by line. *Rows*: nothing bends, and the line may be followed; but the largest machine holds hundreds of times what was measured, so
# take the order of magnitude, and measure again on the way. *Experts* stand between: their memory follows the line, the time of the largest lies above it. *Vocabulary*: the line wants more memory than the largest size really took, and the arithmetic is
# the other bound; the truth lies between them. And long before the memory ends, Adam's time will have ended your patience.

# %%
by_line, by_arithmetic = ends_at(64, "vocabulary, Adam"), (64 - 0.7) * 1e9 / arithmetic["a word, Adam"]
display(
    Markdown(
        f"Words in 64 GB with Adam: {by_line / 1e6:.0f} million by the line, {by_arithmetic / 1e6:.0f} million by the arithmetic."
    )
)

# %% [markdown]
# The second test is a size that nobody has measured, a vocabulary of 550,000: now, on your machine, in a fresh process.

# %%
asked = 550_000
now = in_fresh_process({**point("vocabulary, Adam", asked), "rows": 5_120})
fixed, slope, _ = spaces["vocabulary, Adam"]
said = fixed + slope * asked
details = f"said {said:.0f} MB, measured {now['bytes'] / 1e6:.0f} MB"
claim(
    "The line tells the memory of a size it has not seen to within a half.",
    abs(now["bytes"] / 1e6 / said - 1) < 1 / 2,
    details,
)
told = details
fixed, slope, _ = fitted("epoch or step")["vocabulary, Adam"]
milliseconds = fixed + slope * asked
display(
    Markdown(
        f"Processor time of a step: said {milliseconds:.0f} ms on the recording machine, measured {1e3 * min(now['processor_seconds']):.0f} ms here."
    )
)

# %% [markdown]
# Memory goes by the sizes, so a line of it may be taken along to another machine. Time is the machine's, and the line of the vocabulary's times promises too
# little even on its own: the bend. When rows are what does not fit, you need no second machine yet: a `tf.data` pipeline
# that reads files batch by batch keeps memory flat, at the price of reading them again in every epoch.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## One model, several processes
#
# *Data-parallel training* (数据并行): every process holds the whole model, computes the gradient on its share of the batch, all gradients are added up
# (*all-reduce*, 全规约), and every process takes the same step. If the shares are equal, the mean of the shares' mean losses is the batch's mean loss, and
# so are the gradients:
#
# $$\nabla \frac1B \sum_{i=1}^{B} \ell_i = \frac1K \sum_{k=1}^{K} \nabla \Big( \frac{K}{B} \sum_{i \in \text{share } k} \ell_i \Big).$$
#
# By hand: losses $1, 2, 3, 6$, two processes. Shares $(1, 3)$ and $(2, 6)$ have means 2 and 4, together 3, which is $12 / 4$. So it is not *like* one process, it
# is the same calculation. TensorFlow's name for it is `MultiWorkerMirroredStrategy`.

# %% [markdown]
# The step, from the package. With the default strategy, which is one process, the same lines train as you know it.

# %%
import inspect

from mtl_helpers.distributed import make_step

display(Markdown(f"```python\n{inspect.getsource(make_step)}```"))

# %% [markdown]
# Three things differ from what you would write for one process: the model is built inside `strategy.scope()`; the loss is divided by the number of
# processes, because the optimizer *adds up* what comes; and `strategy.run` and `strategy.reduce` surround the step.
#
# **Exercise 10.3, before you run it.** Two processes, on the cores of this computer, the same batch. A step takes a) about half as long as with one
# process, b) as long, c) longer.

# %%
prediction = ...
check("10.3", prediction)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Two real processes
#
# The next cell starts two Python processes that know of each other only by two addresses of this computer, in the environment variable `TF_CONFIG`.
# Two machines differ in the addresses alone. In this notebook's own process, meanwhile, nothing is known of them.

# %%
network, world = partial(mmoe, experts=8, expert_units=(16,)), partial(video_log, 20_000, seed=seed)
settings = {"epochs": 3, "batch_size": 512, "learning_rate": 3e-3, "seed": seed}
together = train_on_workers(network, world, workers=2, try_fit=True, **settings)

# %% [markdown]
# Now one process: the way everybody trains, `fit` with the same rows in the same order.

# %%
data = world()
keras.utils.set_random_seed(seed)
model = network(data)
model.compile(keras.optimizers.Adam(3e-3), loss=task_losses(data))
epochs = np.reshape(list(batches(data.train, 512, 3, seed)), (3, -1))
alone = []
for order in epochs:
    rows = data.train.take(order)
    alone += model.fit(rows.inputs, rows.labels, batch_size=512, shuffle=False, verbose=0).history["loss"]

# %%
several = np.reshape(together.losses, (3, -1)).mean(axis=1)
apart = np.abs(several - alone).max()
claim(
    "Two processes and `fit` in one have the same loss curve, to 0.001.",
    apart < 1e-3,
    f"{apart:.1e} apart at most, {together.replicas} replicas",
)
same = f"{apart:.1e}"

# %%
own = list(train(tf.distribute.get_strategy(), network, data, **settings))
one_losses, one_seconds = np.array(own).T
one_step = float(np.median(one_seconds[len(one_seconds) // 3 :]))
plots.show(
    plots.same_losses(one_losses, together.losses),
    alt="Loss of both tasks over the steps of three epochs: the dots of the two processes lie on the line of the one process.",
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### What the exchange costs
#
# Each process sends the gradients of all weights, 4 bytes each, at every step. The workers timed their own half of a step, without any exchange, and exchanges of
# several sizes. A cable between two machines adds at least bytes over speed.

# %%
wires = {"1 Gbit/s at best": 125e6, "10 Gbit/s at best": 1.25e9}
plots.show(
    plots.exchange_lines(together.exchange_seconds, together.gradient_bytes, together.own_seconds, wires),
    alt="Milliseconds of an exchange against its bytes, logarithmic: measured, it stands near a millisecond up to a hundred kilobytes and "
    "then rises; dashed lines show what network cables need at least; a line marks one process's own part of a step.",
)

# %%
small = min(together.exchange_seconds.values())
steps_ms = {
    "one process": one_step,
    "two processes": together.step_seconds,
    "… own part": together.own_seconds,
    "… a small exchange": small,
}
display(pd.Series({name: f"{1e3 * each:.2f} ms" for name, each in steps_ms.items()}, name="a step").to_frame().T)
ratio = together.step_seconds / one_step
display(
    Markdown(
        f"Two processes took **{ratio:.1f} times** as long for a step as one did, here and today, and exchanged "
        f"{together.gradient_bytes / 1e3:.1f} kB of gradients in it. (A time, not a claim: yours is another.)"
    )
)

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask: what would have to be different in this figure for two processes to win? Let the room name a model of theirs and read its bytes off the axis.
#
# <details>
# <summary>For whoever teaches</summary>
#
# Cores of its own for each, and an exchange that is shorter than the own part.
#
# </details>

# %% [markdown]
# On the same cores they can hardly win. One process used these already; two add exchanges, of the gradients and of the loss, in each of which the faster waits for the slower; and a step
# of a millisecond has little in it that could be halved. (Own part and exchange do not add up to the whole step: what else the strategy does in one, and how
# long processes wait for a core, we did not take apart.) Why does anybody do it?
#
# - On **two machines** there are twice the cores. What is saved is the step of one process less the own part, at most as much as the own part itself; it
#   pays where the exchange takes less than that: large batches, large layers, few bytes. Read it off the figure: the exchange of *your* model's bytes
#   against *your* own part.
# - It is about **time, not memory**: every process holds the whole model. A table that fits nowhere must be cut up (parameter servers, sharded embeddings).
# - For models as small as this course's, the better use of a second machine is in the next section.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### What goes wrong
#
# - **The strategy comes first.** Create it before the first tensor, or TensorFlow says *Collective ops must be configured at program startup*. Importing a helper
#   that makes a tensor is enough.
# - **One is gone, all hang.** The others wait in the exchange. Whoever starts them must watch them; `train_on_workers` ends all and quotes the one that failed.
# - **Unequal shares.** Labels are missing in one share and not in the other? Then the mean of means is wrong: exercise 10.4.
# - **No password.** TensorFlow's server listens on *every* network interface and asks nobody who they are; this cannot be changed. Use a network that only you can reach,
#   never an open hub.
# - **`model.fit` does not run** under this strategy in Keras 3.15, hence the loop above. It asks for
#   the mean of a dictionary, which TensorFlow does not give. (Tried in the same two processes.)

# %% slideshow={"slide_type": "skip"}
claim("Keras's own fit fails under two workers.", together.fit_error is not None, str(together.fit_error))

# %% [markdown]
# **Exercise 10.4.** Each process knows the mean loss of its labelled rows and how many they are. Give the mean over all.


# %%
def mean_of_all(means, counts): ...


check("10.4", mean_of_all)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Many trainings, several processes
#
# A study is many trainings that need nothing of each other: models × seeds. Those spread without any exchange (*embarrassingly parallel*, 易并行). Python has one
# interface for that, `concurrent.futures.Executor`, and a pool of processes, a Dask cluster, or a batch system's queue all provide one.
# `study(..., executor=...)` takes any of them. We run it in this process first, then on a cluster.


# %%
def site(seed):
    return video_log(4_000, seed=seed)


models = {"single-task": partial(single_task, hidden_units=(16,)), "MMoE": partial(mmoe, experts=4, expert_units=(8,))}
options = {"seeds": 4, "epochs": 3, "batch_size": 128, "gates": False, "jit_compile": False, "progress": False}
here = study(models, site, **options)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### A worker is lost
#
# Now on a cluster of two worker processes. In the midst of the work one of them is killed, as a power cut would. Its trainings go to the other; what was
# finished is in `folder` already, two small files a model and seed.

# %%
results = tempfile.TemporaryDirectory()
folder = Path(results.name)
with local_cluster(workers=2) as client, losing_a_worker(client) as killed:
    there = study(models, site, **options, executor=client.get_executor(), folder=folder)

# %%
keys = ["model", "seed", "task", "split", "epoch", "metric"]
both = here.frame.merge(there.frame, on=keys, how="outer", suffixes=("_here", "_there"), validate="one_to_one")
apart = (both["value_here"] - both["value_there"]).abs().max()
whole = len(both) == len(here.frame) == len(there.frame) and both.notna().all(axis=None)
claim(
    "A worker was killed, and no result is lost or doubled.",
    len(killed) == 1 and whole,
    f"{len(both)} numbers, {len(killed)} worker killed",
)
claim("Every number is that of the study here, to 0.0001.", apart < 1e-4, f"{apart:.1e} apart at most")
survived = f"{len(both)} numbers, {apart:.1e} apart"

# %% [markdown] slideshow={"slide_type": "notes"}
# Kill the worker in front of the room: run the cell, and while it runs say what happens. Ask: which trainings are lost? Why is none counted twice?
#
# <details>
# <summary>For whoever teaches</summary>
#
# Lost are those that the dead worker had begun; they begin again elsewhere. A result is known by model and seed, and the first one counts.
#
# </details>

# %% [markdown]
# And if *this* process had been the one to die? Run the same call again with the same folder: only what is missing gets computed. Here that is nothing.

# %%
import time

start = time.perf_counter()
again = study(models, site, **options, folder=folder)
seconds = time.perf_counter() - start
claim(
    "The finished study is read, not computed again.",
    again.frame["value"].equals(there.frame["value"]),
    f"{len(list(folder.iterdir()))} files, {seconds:.1f} s",
)

# %% [markdown]
# Here, in one process, all seeds of a model run in *one* compiled program, faster than one after the other. So a cluster of two workers need
# not be faster than a study here; it takes many. Jobs carry their rows along, also those that a function such as `site` has drawn: every
# worker learns from the very same rows, and large data cost their way. And mind who may reach the cluster: ours listens on this computer alone, but any program on it may send jobs.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Out of the notebook: a model that serves
#
# `model.export` writes a *SavedModel*: the calculation and the weights, without any Python. Here is a shop's MMoE with two tasks.

# %%
tf.get_logger().setLevel("WARNING")  # export would report the folder it writes to
shop = shop_log(10_000, users=300, skus=200)
keras.utils.set_random_seed(seed)
chooser = mmoe(shop, experts=4)
chooser.compile(keras.optimizers.Adam(3e-3), loss=task_losses(shop))
chooser.fit(shop.train.inputs, shop.train.labels, batch_size=512, epochs=2, verbose=0)
chooser.export(folder / "chooser", verbose=False)
served = tf.saved_model.load(folder / "chooser")
print(sorted(each.name for each in (folder / "chooser").iterdir()))

# %%
ask = served.signatures["serving_default"]
names = {
    kind: sorted(found)
    for kind, found in (("inputs", ask.structured_input_signature[1]), ("outputs", ask.structured_outputs))
}
largest = 0.0
for count in (1, 7, 500):
    rows = shop.test.take(slice(0, count)).inputs
    answers = ask(**{name: tf.constant(values) for name, values in rows.items()})
    expected = chooser(rows)
    largest = max(largest, *(float(np.abs(answers[task] - expected[task]).max()) for task in shop.tasks))
claim(
    "The served model answers as the trained one, to 0.00001, for 1, 7 and 500 rows.",
    largest < 1e-5,
    f"inputs {', '.join(names['inputs'])}; outputs {', '.join(names['outputs'])}",
)

# %% [markdown]
# The outputs carry the tasks' names, so a client asks for `pay` and cannot mix it up with `click`. The number of rows is free. *TensorFlow Serving* takes the
# folder as it is, under `models/chooser/1/`, and answers over REST:
#
# ```
# docker run -p 127.0.0.1:8501:8501 -v "$PWD/models/chooser:/models/chooser" -e MODEL_NAME=chooser tensorflow/serving
# curl -d '{"inputs": {"categorical": [[3, 1, 7, 12, 2, 5, 1]], "numeric": [[0.4]]}}' http://127.0.0.1:8501/v1/models/chooser:predict
# ```

# %% [markdown] slideshow={"slide_type": "slide"}
# ### What is not in the file
#
# Somebody must tell the server that keyword "tea" is number 7. The *vocabularies* and the *scaling* of numbers belong to the data, not to the model. If the server's numbers are not
# those of the training, every answer is wrong and none looks wrong. The remedy: put the look-up into what you export.

# %% [markdown] slideshow={"slide_type": "notes"}
# Ask: a new keyword appears tomorrow, which number does the server give it? And who notices when somebody sorts the vocabulary?
#
# <details>
# <summary>For whoever teaches</summary>
#
# Number 0, "not seen in training". Nobody notices: every number is valid, and every answer looks like one.
#
# </details>

# %%
columns = shop.inputs["categorical"].columns
words = {name: keras.Input((), dtype="string", name=name) for name in columns}
look_up = {name: keras.layers.StringLookup(vocabulary=list(shop.vocabularies[name][1:])) for name in columns}
numbers = keras.ops.stack([keras.ops.cast(look_up[name](words[name]), "int32") for name in columns], axis=1)
numeric = keras.Input(shop.inputs["numeric"].shape, name="numeric")
complete = keras.Model({**words, "numeric": numeric}, chooser({"categorical": numbers, "numeric": numeric}))
complete.export(folder / "complete", verbose=False)

# %%
rows = {name: values.copy() for name, values in shop.test.take(slice(0, 100)).inputs.items()}
rows["categorical"][0] = 0  # of the first row no word was seen in training
spelled = {
    name: tf.constant([shop.vocabularies[name][i] for i in rows["categorical"][:, at]])
    for at, name in enumerate(columns)
}
spelled["numeric"] = tf.constant(rows["numeric"])
worded = tf.saved_model.load(folder / "complete")
answers = worded.serve(spelled)
apart = max(float(np.abs(answers[task] - chooser(rows)[task]).max()) for task in shop.tasks)
claim(
    "Asked in words, the exported model answers as the trained one, unseen words included.",
    apart < 1e-5,
    f"{apart:.1e} apart at most",
)

# %% [markdown]
# The scaling of numbers goes the same way (`keras.layers.Normalization`). What no export holds is the *fusion* of the scores (chapters 01 and 07), and the record of which data and
# which code made it: keep a file beside it that says so.

# %%
results.cleanup()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Many people: sizing a hub
#
# A JupyterHub gives everybody a kernel with a limit on its memory; who exceeds it loses the kernel. Here is what each chapter takes, run alone in a fresh kernel.

# %%
hub = pd.DataFrame(recorded("hub")["results"])
plots.show(
    plots.memory_bars(hub),
    alt="Peak memory of each chapter's kernel as bars, with lines at 1 and 1.2 gigabytes; chapter 10 adds the processes it starts.",
)

# %% slideshow={"slide_type": "skip"}
shown = hub.assign(kernel=hub["kernel_bytes"] / 1e9, all=hub["all_bytes"] / 1e9)
shown = shown.rename(
    columns={
        "start_seconds": "start, s",
        "run_seconds": "run, s",
        "kernel": "kernel, GB",
        "all": "with its processes, GB",
    }
)
shown.set_index("chapter")[["start, s", "run, s", "kernel, GB", "with its processes, GB"]].style.format(precision=1)

# %% [markdown]
# Nodes of a class: people who are there at the same time, times the peak, over what a node leaves free. By hand: 60 students, 80 % at once, 1.2 GB each, nodes of 16 GB
# of which 14 are free: $48 \cdot 1.2 = 57.6$ GB. But kernels do not split: 11 fit on a node, so $48 / 11$, 5 nodes.


# %%
def nodes(students, peak_gb, at_once=0.8, node_gb=16.0, reserve_gb=2.0):
    """Nodes for a class; a kernel does not split over two."""
    people = int(np.ceil(students * at_once))
    fit = int((node_gb - reserve_gb) // peak_gb)
    return int(np.ceil(people / fit)), fit


peak = hub["kernel_bytes"].max() / 1e9
plan = {
    f"{students} students": [nodes(students, size)[0] for size in (1.0, 1.2, round(peak, 2))]
    for students in (20, 60, 200)
}
claim("60 students at 1.2 GB are 11 a node and 5 nodes.", nodes(60, 1.2) == (5, 11))
pd.DataFrame(plan, index=["1 GB each", "1.2 GB each", f"largest measured, {peak:.2f} GB"]).rename_axis("nodes of 16 GB")

# %% [markdown]
# Cores are the other half. The start is nearly all TensorFlow's import, and one core is busy with it; if all begin at once, they share. Let half of the room start a minute later,
# and predict meanwhile. This chapter's own processes come on top of its kernel: on a hub, run it as a demonstration.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What we measured

# %%
facts = {
    "Adam's step, vocabulary 1,000 and 1,000,000": grown,
    "bytes of a row: arithmetic, measured": f"{arithmetic['a row']}, {measured['a row']:.0f}",
    "bytes of a word: arithmetic, measured": f"{arithmetic['a word, Adam']}, {measured['a word, Adam']:.0f}",
    "largest rows and tasks, hidden from the line": foretold,
    "memory of a size not seen": told,
    "loss curves of two processes and of fit, apart": same,
    "a step, one process and two": f"{1e3 * one_step:.1f} and {1e3 * together.step_seconds:.1f} ms",
    "study on a cluster that lost a worker": survived,
    "largest kernel of a chapter": f"{peak:.2f} GB",
}
pd.Series(facts, name="measured").to_frame()

# %% [markdown]
# ## When not to use it
#
# - The training fits and ends before the coffee does: a second machine costs more of *your* time than it saves.
# - Small steps: data-parallel training multiplies fixed costs. Make the batch larger first, or compile more into one program.
# - Memory is short because of the rows: stream them. Because of a table: hash it, or cut it up; copies of it on every machine do not help.
# - You want more seeds: spread the seeds, not the gradients.

# %% [markdown]
# ## Questions people ask
#
# **Does a larger global batch change the result?** Yes. Here we kept the *global* batch. With 512 rows on *each* of two processes you train with 1,024, and the learning rate must be looked at anew.
#
# **And with several GPUs in one machine?** `MirroredStrategy`, without `TF_CONFIG`; Keras's `fit` runs under that one.
#
# **Is the result the same to the last digit?** No: sums are added in another order. To four digits, yes; with dropout, each process draws its own.
#
# **What about asynchronous training?** A parameter server does not wait for the slowest, and takes gradients computed at old weights. Faster, and no longer the same calculation.
#
# **Why `spawn` and not `fork` for a pool of processes?** A forked child inherits TensorFlow's locks, but not the threads that would open them, and may wait for
# ever. `study` refuses it.
#
# **May I load somebody's SavedModel?** It is a program. Load only what you trust.

# %% [markdown]
# ## Exercises
#
# 10.1 to 10.4 are above. One is left.
#
# **Exercise 10.5.** Your manager offers you ten machines for the training. What do you measure, on one, before you say yes, and for which answer do you take them?

# %%
answer = ...
check("10.5", answer)

# %%
summary("10")

# %% [markdown]
# ## References
#
# - M. Abadi and others: *TensorFlow: a system for large-scale machine learning*. OSDI 2016. <https://arxiv.org/abs/1605.08695>
# - P. Goyal and others: *Accurate, large minibatch SGD: training ImageNet in 1 hour*. 2017. <https://arxiv.org/abs/1706.02677>
# - M. Rocklin: *Dask: parallel computation with blocked algorithms and task scheduling*. SciPy 2015. <https://doi.org/10.25080/Majora-7b98e3ed-013>
# - C. Olston and others: *TensorFlow-Serving: flexible, high-performance ML serving*. 2017. <https://arxiv.org/abs/1712.06139>
#
# ## Next
#
# Nothing but your own data. [CONTRIBUTING](../CONTRIBUTING.md) says how a result of yours becomes a chapter.
