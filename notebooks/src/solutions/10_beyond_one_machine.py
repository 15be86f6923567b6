# %% [markdown]
# # Worked solutions of chapter 10
#
# Try the exercises first; nothing in the chapter needs this notebook.

# %%
import numpy as np

from mtl_helpers.exercises import check, summary

# %% [markdown]
# **10.1** The look-up is as cheap as before, the optimizer is not: Adam moves every vector of the table.

# %%
check("10.1", "c")

# %% [markdown]
# **10.2** Weights, gradients, slots, 4 bytes each; then the rows.


# %%
def training_bytes(parameters, slots, rows, row_bytes):
    return 4 * parameters * (1 + 1 + slots) + rows * row_bytes


check("10.2", training_bytes)

# %% [markdown]
# **10.3** The cores were busy before, and now there is an exchange as well.

# %%
check("10.3", "c")

# %% [markdown]
# **10.4** Sums and counts can be added up, means cannot.


# %%
def mean_of_all(means, counts):
    return np.dot(means, counts) / np.sum(counts)


check("10.4", mean_of_all)

# %% [markdown]
# **10.5** One answer of many.

# %%
answer = """
First what is short: memory, the time of one training, or the time of all the trainings we want to compare. On one machine I measure seconds a
step and peak memory at three sizes and fit a line to the size we need. If many seeds and settings are what takes long, I spread those over the
machines, one training each, without any exchange. I train one model on all of them only if a step's own part is much longer than exchanging
its gradients over our network, and I count failures, the slowest machine and our own hours among the costs.
"""
check("10.5", answer)

# %%
summary("10")
