# %% [markdown]
# # Worked solutions of chapter 05
#
# Try the exercises first; nothing in the chapter needs this notebook.

# %%
import numpy as np

from mtl_helpers.exercises import check, summary

# %% [markdown]
# **05.1** Add, then square, minus square, then add.


# %%
def all_pairs(vectors):
    return 0.5 * (vectors.sum(axis=0) ** 2 - (vectors**2).sum(axis=0)).sum()


check("05.1", all_pairs)

# %% [markdown]
# **05.2** A weight of its own needs rows of its own; a product of two vectors does not.

# %%
check("05.2", "b")

# %% [markdown]
# **05.3** First the probability that was given to what happened, then the factor.


# %%
def focal(p, label, gamma):
    chance = p if label == 1 else 1 - p
    return -((1 - chance) ** gamma) * np.log(chance)


check("05.3", focal)

# %% [markdown]
# **05.4** The order stays, the probabilities do not.

# %%
check("05.4", "a")

# %% [markdown]
# **05.5** One answer of many.

# %%
answer = """
The price is bid times the probability itself, not its rank. Focal loss pulls probabilities towards one half, so rare clicks look several times
likelier than they are and the advertiser overpays. I would keep cross-entropy, or ship the focal model with its outputs turned back (or calibrated
on validation rows), and we both look at the calibration error beside AUC, on rows not trained on, with seeds.
"""
check("05.5", answer)

# %%
summary("05")
