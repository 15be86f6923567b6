# %% [markdown]
# # Worked solutions of chapter 08
#
# Try the exercises first; nothing in the chapter needs this notebook.

# %%
import numpy as np

from mtl_helpers.exercises import check, summary

# %% [markdown]
# **08.1** No larger anywhere, and smaller somewhere: both are needed, or a point would dominate its twin.


# %%
def dominated(points):
    points = np.asarray(points)
    return [any((other <= own).all() and (other < own).any() for other in points) for own in points]


check("08.1", dominated)

# %% [markdown]
# **08.2** Adam divides the sum of the gradients. In it, click is a rounding error.

# %%
check("08.2", "b")

# %% [markdown]
# **08.3** A softmax of ratios, times the number of tasks.


# %%
def dynamic_weights(before, now, temperature):
    ratios = np.asarray(now) / np.asarray(before)
    powers = np.exp(ratios / temperature)
    return len(powers) * powers / powers.sum()


check("08.3", dynamic_weights)

# %% [markdown]
# **08.4** Only a conflict is touched.


# %%
def project(own, other):
    own, other = np.asarray(own), np.asarray(other)
    product = own @ other
    return own if product >= 0 else own - product / (other @ other) * other


check("08.4", project)

# %% [markdown]
# **08.5** With room, strangers find units of their own.

# %%
check("08.5", "b")

# %% [markdown]
# **08.6** One answer of many.

# %%
answer = """
Time spent is in seconds, so I take its logarithm and standardise it with the training rows; click and purchase stay cross-entropies. The baseline is
equal weights and single-task; against them I hold static weights and one balancer, each with the same five trials chosen on validation, and ten
seeds with an interval for each task. Purchases pay for the site: they must not get worse at all, click may lose half a point. If no interval for the
purchase excludes zero, equal weights stay.
"""
check("08.6", answer)

# %%
summary("08")
