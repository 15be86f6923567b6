"""Experiments too long for a notebook; each records its result in ``data/results/`` and names its command there."""
