# %% [markdown]
# # Worked solutions of chapter 01
#
# Try the exercises first; nothing in the chapter needs this notebook.

# %%
import numpy as np

from mtl_helpers.exercises import check, summary

# %% [markdown]
# **01.1** The knob acts after the click. The click labels are the same, so is all that is learned from them.

# %%
check("01.1", "b")

# %% [markdown]
# **01.2** A trained classifier gives the share of the weight that is positive. Of one impression, a payment ($p$) brings weight 1, a click
# without one ($c - p$) the click weight, and no click ($1 - c$) weight 1 on the negative side.


# %%
def weighted_score(click, pay, click_weight):
    positive = click_weight * (click - pay) + pay
    return positive / (positive + 1 - click)


check("01.2", weighted_score)

# %% [markdown]
# Three items that such a model cannot tell apart, although the second pays more than three times as often as the first:

# %%
items = {"clicked .5, paid .05": (0.5, 0.05), "clicked .3, paid .17": (0.3, 0.17), "clicked .4, paid .11": (0.4, 0.11)}
for name, (click, pay) in items.items():
    print(f"{name}: score {weighted_score(click, pay, 0.2):.3f}, worth {0.2 * click + 0.8 * pay:.3f}")

# %% [markdown]
# **01.3** All differences at once: `[items, 1]` minus `[1, items]`.


# %%
def pair_loss(gain, score):
    better = gain[:, None] > gain[None, :]
    cost = np.log1p(np.exp(score[None, :] - score[:, None]))
    return cost[better].mean()


check("01.3", pair_loss)

# %% [markdown]
# **01.4** $(3 \cdot cvr)^w = 3^w \cdot cvr^w$: one factor for all items. In the sum the payment's weight has tripled.

# %%
check("01.4", "b")

# %% [markdown]
# **01.5** One answer of many.

# %%
answer = """
Restaurants for delivery: a look at the menu is worth 0.05, an order 1, a second order within a month 2. Way 4, for second orders are rare and
looks are plentiful; way 1 if the teams were separate; not ways 2 and 3, because the worth of a second order changes every quarter. A sum, for the
gains add up and the rates are calibrated. I would watch complaints per order: they rise if looks are bought with pretty pictures.
"""
check("01.5", answer)

# %%
summary("01")
