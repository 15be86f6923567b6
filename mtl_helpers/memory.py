"""Keeps a kernel small: student hubs give 1 GB, and TensorFlow takes .7 of it when imported."""

from __future__ import annotations

import ctypes
import gc
import sys
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


def release() -> None:
    """Collects what is no longer used and gives it back to the operating system.

    Example:
        >>> release()
    """
    gc.collect()
    if sys.platform == "linux":
        getattr(ctypes.CDLL(None), "malloc_trim", lambda *_: 0)(0)
