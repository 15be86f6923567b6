"""The published recipes of the synthetic pair relate their labels as their authors' generators do."""

import numpy as np
import pytest

from mtl_helpers.datasets import RECIPES, task_pair


def correlations(recipe, cosine, seeds):
    pairs = (task_pair(cosine, rows=5_000, recipe=recipe, seed=seed) for seed in range(seeds))
    return np.array([np.corrcoef(*pair.train.truth.values())[0, 1] for pair in pairs])


@pytest.mark.parametrize(("cosine", "expected"), [(0.5, 0.22), (0.9, 0.46)])
def test_googles_labels_correlate_alike_for_every_seed(cosine, expected):
    found = correlations("google", cosine, 3)
    assert found.mean() == pytest.approx(expected, abs=0.03)
    assert found.std() < 0.05


@pytest.mark.parametrize("recipe", ["ple", "keras_mmoe"])
def test_the_others_depend_on_the_frequencies_drawn(recipe):
    low, high = correlations(recipe, 0.5, 8), correlations(recipe, 0.9, 8)
    assert low.std() > 0.05  # the same cosine means other label correlations for other sine terms
    assert (high > low).all()
    assert 0.2 < low.mean() < 0.6
    assert 0.5 < high.mean() < 1.0


def test_recipes_keep_their_authors_constants():
    assert {name: (recipe.inputs, recipe.scale, recipe.terms, recipe.noise) for name, recipe in RECIPES.items()} == {
        "google": (100, 1.0, 10, 0.01),
        "ple": (512, 1.0, 10, 0.01),
        "keras_mmoe": (100, 0.3, 5, 0.1),
    }
