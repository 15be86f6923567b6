# %% [markdown]
# # Worked solutions of chapter 09
#
# Try the exercises first; nothing in the chapter needs this notebook.

# %%
import numpy as np

from mtl_helpers.exercises import check, summary

# %% [markdown]
# **09.1** An I goes on only if the last span ends just before it. A stray I begins a span, as CoNLL's scorer has it: no prediction is thrown away.


# %%
def spans(tags):
    found = []
    for at, tag in enumerate(tags):
        if tag == "I" and found and found[-1][1] == at:
            found[-1][1] = at + 1
        elif tag != "O":
            found.append([at, at + 1])
    return found


check("09.1", spans)

# %% [markdown]
# **09.2** Distance 0 is the entity.

# %%
check("09.2", "c")

# %% [markdown]
# **09.3** `logaddexp` takes the largest number out first, so that nothing overflows.


# %%
def forward_step(sums, transitions, scores):
    ways = np.asarray(sums)[:, None] + np.asarray(transitions)
    return np.asarray(scores) + np.logaddexp.reduce(ways, axis=0)


check("09.3", forward_step)

# %% [markdown]
# **09.4** One answer of many.

# %%
answer = """
Which of the two answers does the product show, and will the firms and products be marked when it runs, or must they be found first? How many
sentences are labelled with relations, and what do entity labels cost us? I would compare relation only, tagging only and joint on the same
sentences, the same training time and the same tuning, with at least five seeds and an interval of the paired difference, at our number of
sentences and at half of it. Before that I would put a pretrained encoder in place of the embeddings: it is the larger step.
"""
check("09.4", answer)

# %%
summary("09")
