"""The offline trainer: configuration and a labelled CSV in, an evaluated SavedModel out."""

import os

# TensorFlow reads it at import. Its native log lines would hide the progress; errors are raised
# too.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
