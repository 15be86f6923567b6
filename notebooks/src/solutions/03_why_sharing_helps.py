# %% [markdown]
# # Worked solutions of chapter 03
#
# Try the exercises first; nothing in the chapter needs this notebook.

# %%
import numpy as np

from mtl_helpers.exercises import check, summary

# %% [markdown]
# **03.1** The part that all tasks have in common stays; the rest is divided by the number of tasks. The square root turns the variance
# into a standard deviation.


# %%
def noise_left(sigma, tasks, correlation):
    return sigma * np.sqrt(correlation + (1 - correlation) / tasks)


check("03.1", noise_left)

# %% [markdown]
# **03.2** Agreement of every draw with every model, the best model for each draw, the mean over draws.


# %%
def rademacher(predictions, signs):
    agreement = signs @ predictions.T / predictions.shape[1]
    return agreement.max(axis=1).mean()


check("03.2", rademacher)

# %% [markdown]
# **03.3** Seven tasks of noise keep the shared units busy: less of main's own noise is learned by heart.

# %%
check("03.3", "b")

# %% [markdown]
# **03.4** One answer of many.

# %%
answer = """
Main task: will a reader subscribe; few labels. Helper: will they finish the article, which we log for everyone, but know only afterwards.
It should help by attention focusing: both depend on the same few of our hundreds of inputs. Control: the same helper with its labels shuffled
among readers, and a second one that predicts the reader's operating system. All arms have weight decay tuned alone. If the shuffled helper gains as
much as the true one, or the interval over ten seeds holds zero, we drop it and keep the weight decay.
"""
check("03.4", answer)

# %%
summary("03")
