# %% [markdown]
# # Worked solutions of chapter 02
#
# Try the exercises first; nothing in the chapter needs this notebook.

# %%
import numpy as np

from mtl_helpers.exercises import check, summary

# %% [markdown]
# **02.1** Set the derivatives to zero. Their sum says that $w_1 + w_2 = a + b$: the mean stays. Their difference says what is left of
# $w_1 - w_2$.


# %%
def pulled(a, b, strength, norm):
    mean, difference = (a + b) / 2, a - b
    if norm == "l2":
        left = difference / (1 + 4 * strength)
    else:
        left = np.sign(difference) * max(abs(difference) - 2 * strength, 0)
    return [mean + left / 2, mean - left / 2]


check("02.1", pulled)

# %% [markdown]
# **02.2** A matrix product, the tasks being its rows.


# %%
def stitch(alpha, h):
    return alpha @ h


check("02.2", stitch)

# %% [markdown]
# **02.3** Opposite is related: the tower turns the sign.

# %%
check("02.3", "c")

# %% [markdown]
# **02.4** One network cannot give two answers.

# %%
check("02.4", "b")

# %% [markdown]
# **02.5** One answer of many.

# %%
answer = """
A recipe site: "will cook it" has a few hundred rows, "opens it" has millions. Both look at ingredients and the hour of the day, so I would
share the embeddings and the first layer and give each task a tower. For "will cook it" sharing should help because its rows are scarce; for
"opens it" I expect nothing and must watch for harm. I would train single-task networks of the same size beside it, ten seeds each, and keep
sharing only if the interval of the paired difference lies below zero for the scarce task and holds zero, or lies below it, for the other.
"""
check("02.5", answer)

# %%
summary("02")
