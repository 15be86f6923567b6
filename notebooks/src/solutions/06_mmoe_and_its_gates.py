# %% [markdown]
# # 06 · MMoE and its gates: worked solutions
#
# The exercises of [chapter 06](../06_mmoe_and_its_gates.ipynb). Try them there first; you learn little from reading answers.

# %%
import numpy as np

from mtl_helpers.exercises import check

# %% [markdown]
# ## 06.1 Mix three experts
#
# The softmax does not change when the same number is subtracted from all logits. Subtracting the largest makes every exponential
# at most 1, so nothing overflows.


# %%
def mix(expert_outputs, logits):
    exponentials = np.exp(np.asarray(logits) - np.max(logits))
    weights = exponentials / exponentials.sum()
    return weights @ np.asarray(expert_outputs)


check("06.1", mix)

# %% [markdown]
# ## 06.2 One gate for two tasks
#
# With one gate, both towers read the same number. At $p = \pm 1$ both labels are functions of one direction, so one number is
# enough; in between it is not.

# %%
check("06.2", "b")

# %% [markdown]
# ## 06.3 Keeping experts alive
#
# Load balancing is a penalty on the loads themselves, from the first step on. Dropout only makes a gate keep a second choice.

# %%
check("06.3", "b")

# %% [markdown]
# ## 06.4 Count dead experts


# %%
def dead_experts(load):
    return int(np.sum(np.asarray(load) < 0.01))


check("06.4", dead_experts)

# %% [markdown]
# ## 06.5 Gates for a product of your own
#
# One answer of many.

# %%
answer = """
A recipe app predicts whether a recipe is saved and whether it is cooked within a week. They may disagree: showpieces are saved and
never cooked. I would look at the gates for new and for regular users, and for weekdays and weekends. If MMoE's gain over a shared bottom
on the cooked task has an interval that includes zero on the last month of data, I stay with the shared bottom. In production I would log
each expert's load every day and raise an alarm when one stays below one per cent.
"""
check("06.5", answer)
