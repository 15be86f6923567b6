# %% [markdown]
# # Worked solutions of chapter 04
#
# Try the exercises first; nothing in the chapter needs this notebook.

# %%
import math

from mtl_helpers.exercises import check, summary

# %% [markdown]
# **04.1** What is in exactly one of two sets is their symmetric difference.


# %%
def wrong_names(outputs, weights):
    return sorted(set(outputs) ^ set(weights))


check("04.1", wrong_names)

# %% [markdown]
# **04.2** The clicked rows are the better ones, and what the network cannot tell apart it takes for one of them.

# %%
check("04.2", "b")

# %% [markdown]
# **04.3** Two cross-entropies. The product is what is compared with "clicked and paid"; an unclicked row takes part in both.


# %%
def cross_entropy(label, probability):
    return -math.log(probability if label else 1 - probability)


def esmm_loss(pctr, pcvr, click, pay):
    return cross_entropy(click, pctr) + cross_entropy(pay, pctr * pcvr)


check("04.3", esmm_loss)

# %% [markdown]
# **04.4** One answer of many.

# %%
answer = """
Repayment is known for those whom the bank trusted enough to give a loan, so the labelled customers are the better ones. For people it used to
turn away the model will be too hopeful, because what it cannot tell apart it fills with the average of the accepted. Giving a small random
sample of loans regardless of the score would show it; so would weighting each accepted customer by one over the chance of being accepted. As
long as the bank only ranks applicants of the kind it accepts anyway, the error hardly matters; it does as soon as it wants to open up.
"""
check("04.4", answer)

# %%
summary("04")
