"""Imports TensorFlow and gRPC with this server's settings, which both read from the environment."""

from __future__ import annotations

import logging
import os
import sys
from types import ModuleType


def suppress_native_logs() -> None:
    """Silence the native logs of both. Call it before either is imported.

    Errors still arrive as exceptions. Variables that are set already are kept.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def import_tensorflow() -> None:
    """Import TensorFlow without Keras and without GPUs.

    A SavedModel does not need Keras, which takes half of the start-up time and 130 MB. The embedded
    server is for laptops and tests, and computes on the CPU.
    """
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    # None makes `import keras` fail, which TensorFlow treats as "not installed".
    sys.modules["keras"] = None  # type: ignore[assignment]  # typeshed does not allow None
    import tensorflow as tf

    del sys.modules["keras"]
    tf.get_logger().setLevel(logging.ERROR)
    _silence_first_session(tf)


def _silence_first_session(tf: ModuleType) -> None:
    """Discard the notices that the first session prints to stderr; no setting disables them."""
    sys.stderr.flush()
    stderr = os.dup(2)
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 2)
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            session.run(tf.constant(0))
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(devnull)
