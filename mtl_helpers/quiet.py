"""Imports TensorFlow without the lines it writes to the error stream before its own log filter is up.

TensorFlow reports "no CUDA driver found" and the like straight to file descriptor 2, where no Python setting reaches.
A notebook would keep them as a red block under its first cell. Real failures are exceptions and pass through.
"""

import gc
import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mtl_helpers.memory import use_one_arena


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Sends what native code writes to the error stream nowhere for the duration of a ``with`` block.

    Example:
        >>> with silent_stderr():
        ...     _ = os.write(2, b"not seen")
    """
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


if "tensorflow" not in sys.modules:
    use_one_arena()
    if multiprocessing.parent_process() is not None:
        # One of several worker processes: a core each, or they push one another aside.
        for threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ.setdefault(threads, "1")
    with silent_stderr():
        import tensorflow as tf

        tf.zeros(1)  # the first tensor makes it look for devices, which it reports as well
    # Tracing a model makes objects by the hundred thousand, and for every round of the garbage collector that follows
    # it would walk through all that TensorFlow has just brought, which stays for good: a tenth of a chapter's time.
    gc.freeze()
