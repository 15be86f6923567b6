# %% [markdown]
# # Worked solutions of chapter 07
#
# Try the exercises first; nothing in the chapter needs this notebook.

# %%
import numpy as np

from mtl_helpers.exercises import check, summary

# %% [markdown]
# **07.1** The difference of the tasks, the way it travels, half of it.


# %%
def swing(scores):
    scores = np.asarray(scores)
    return np.ptp(scores[:, 0] - scores[:, 1]) / 2


check("07.1", swing)

# %% [markdown]
# **07.2** One mixture for both towers: the heavy task decides what is in it.

# %%
check("07.2", "b")

# %% [markdown]
# **07.3** What is not allowed gets the logit minus infinity, whose exponential is 0. The maximum is taken away first, against overflow.


# %%
def masked_gate(logits, allowed):
    logits = np.where(allowed, np.asarray(logits, float), -np.inf)
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


check("07.3", masked_gate)

# %% [markdown]
# **07.4** One answer of many.

# %%
answer = """
What happened to the first task in the same runs, and at which loss weights? How many seeds is the 0.3 a mean of, and does the interval of the
paired difference exclude zero? Did MMoE get as many tuning trials as PLE, and as many parameters? And where is a single-task network of the
same size in this table?
"""
check("07.4", answer)

# %%
summary("07")
