"""Helpers of the multi-task learning course: data sets, layers, models, comparisons over seeds, figures and widgets."""

import os

# Before TensorFlow is imported: the CPU everywhere, and arithmetic that does not depend on oneDNN. quiet.py imports it without its log noise.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
