"""Keeps a kernel small: student hubs give 1 GB, and TensorFlow takes .7 of it when imported."""

from __future__ import annotations

import ctypes
import gc
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

M_ARENA_MAX = -8  # the number glibc's mallopt has for this setting


def use_one_arena() -> None:
    """Makes all threads share one heap, so that memory freed by one thread serves another. Linux only; else nothing."""
    if sys.platform == "linux":
        getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)(M_ARENA_MAX, 1)


def on_one_device(optimizer: Any) -> Any:
    """Keeps a Keras optimizer from summing gradients over devices, of which there is one.

    TensorFlow registers the gradient of that sum and never forgets it: every training program would be kept for ever.

    Args:
        optimizer: A Keras optimizer.

    Returns:
        The same optimizer.
    """
    optimizer._all_reduce_sum_gradients = list
    return optimizer


@contextmanager
def gradients_forgotten_with_graph() -> Iterator[None]:
    """Lets the graph own the gradients of ``tf.custom_gradient`` that are registered in a ``with`` block.

    TensorFlow keeps them in a list that never shrinks, and each holds the graph it was made in: 40 MB a program of
    chapter 09's reader. Here the list gets a weak reference and the graph the function itself, so both go together.

    Example:
        >>> with gradients_forgotten_with_graph():
        ...     pass
    """
    import tensorflow as tf
    from tensorflow.python.framework import ops

    registry = getattr(ops.gradient_registry, "_registry", {})  # private: without it, programs are kept as ever
    known = set(registry)
    yield
    graph = tf.compat.v1.get_default_graph()
    for name in set(registry) - known:
        function = registry[name]["type"]
        graph.add_to_collection("gradients_owned", function)
        registry[name]["type"] = _weak(function)


def _weak(function: Any) -> Any:
    """Gives a function that calls another without keeping it alive."""
    reference = weakref.ref(function)

    def call(*arguments: Any) -> Any:
        kept = reference()
        assert kept is not None, "a gradient outlived its graph"
        return kept(*arguments)

    return call


def release() -> None:
    """Collects what is no longer used and gives it back to the operating system.

    Example:
        >>> release()
    """
    gc.collect()
    if sys.platform == "linux":
        getattr(ctypes.CDLL(None), "malloc_trim", lambda *_: 0)(0)
