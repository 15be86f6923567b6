"""The two-tower network: one network for the user, one for the item, and a head per objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_helpers.datasets.base import Categorical, MultiTaskData, Numeric, require_known
from mtl_helpers.layers import FeatureEmbedding, SelectColumns
from mtl_helpers.layers.arguments import Tensor, widths
from mtl_helpers.models.parts import dense_stack, joined, make_inputs, towers


def two_tower(
    data: MultiTaskData,
    *,
    user_features: Sequence[str],
    item_features: Sequence[str],
    hidden_units: Sequence[int] = (32, 8),
    tower_units: Sequence[int] = (16, 8),
    embedding_dim: int = 4,
    activation: str | None = "relu",
) -> keras.Model:
    """Builds a user network and an item network, joined under a tower an objective.

    Huang et al. 2013, "Learning deep structured semantic models for web search using clickthrough data",
    DOI 10.1145/2505515.2505665, has the two towers and compares their vectors; here each task's own tower reads both.

    Both lower networks are shared by all tasks. Their outputs are the layers "user_vector" and "item_vector", which can
    be read off, for instance to store the items' vectors beforehand.

    Args:
        data: Names inputs and tasks.
        user_features: Columns, categorical or numeric, that describe the user (and the query).
        item_features: Columns that describe the item. A column in neither list is not read.
        hidden_units: Widths of the layers of the user and the item network.
        tower_units: Widths of each task's own layers.
        embedding_dim: Width of a category's vector.
        activation: Activation of all hidden layers.

    Returns:
        A model with an output a task.

    Raises:
        ValueError: If a column is unknown or in both lists, or a list is empty.

    Example:
        >>> model = two_tower(
        ...     shop_log(), user_features=["user_id", "store_id"], item_features=["sku_id", "brand_id"]
        ... )
        >>> model.get_layer("item_vector").output.shape
        (None, 8)
    """
    inputs = make_inputs(data)
    if both := sorted(set(user_features) & set(item_features)):
        raise ValueError(f"item_features={list(item_features)} holds {both}, which user_features has too; choose one.")
    hidden = widths("hidden_units", hidden_units)
    user = _columns(data, inputs, "user_features", user_features, embedding_dim)
    item = _columns(data, inputs, "item_features", item_features, embedding_dim)
    user_vector = dense_stack(user, hidden, activation, name="user_vector")
    item_vector = dense_stack(item, hidden, activation, name="item_vector")
    lower = keras.layers.Concatenate()([user_vector, item_vector])
    outputs = towers(data, inputs, [lower] * len(data.tasks), tower_units, activation)
    return keras.Model(inputs, outputs, name="two_tower")


def _columns(
    data: MultiTaskData, inputs: Mapping[str, Tensor], argument: str, names: Sequence[str], embedding_dim: int
) -> Tensor:
    """Embeds the named categorical columns and appends the named numeric ones: ``[batch, features]``."""
    known = {column: kind for kind in data.inputs.values() for column in getattr(kind, "columns", ())}
    wanted = require_known(argument, names, known)
    parts = []
    for input_name, kind in data.inputs.items():
        chosen = [i for i, column in enumerate(getattr(kind, "columns", ())) if column in wanted]
        if not chosen:
            continue
        columns = SelectColumns(chosen)(inputs[input_name])
        if isinstance(kind, Categorical):
            embedding = FeatureEmbedding([kind.sizes[i] for i in chosen], embedding_dim)
            parts.append(keras.layers.Flatten()(embedding(columns)))
        elif isinstance(kind, Numeric):
            parts.append(columns)
    return joined(parts)
