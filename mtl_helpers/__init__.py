"""Helpers of the multi-task learning course: data sets, layers, models, comparisons over seeds, figures and widgets."""

import os

# Before TensorFlow is imported (quiet.py does that): the CPU everywhere, and arithmetic without oneDNN's rearranging.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # so that memory.release gives back what reading took
