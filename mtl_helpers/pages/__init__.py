"""Notebooks as pages that need neither network nor kernel: what the static site and the slides are made of."""
