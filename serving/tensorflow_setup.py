"""How this process wants gRPC and TensorFlow: both read the environment while they are imported."""

from __future__ import annotations

import logging
import os
import sys
from types import ModuleType


def suppress_native_logs() -> None:
    """Keeps both from printing beside the log; call it before either is imported.

    What goes wrong reaches the log as an exception. A value that the operator has set stays.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def import_tensorflow() -> None:
    """Imports TensorFlow without Keras and without GPUs.

    TensorFlow imports Keras at once although a SavedModel needs none of it: half of the start-up time, and
    130 MB. The embedded server is for laptops and tests; it computes on the CPU, as everywhere the same.
    """
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    # None makes `import keras` fail, which TensorFlow takes as "not installed".
    sys.modules["keras"] = None  # type: ignore[assignment]  # typeshed does not know that use of None
    import tensorflow as tf

    del sys.modules["keras"]
    tf.get_logger().setLevel(logging.ERROR)
    _let_the_first_session_talk_to_nobody(tf)


def _let_the_first_session_talk_to_nobody(tf: ModuleType) -> None:
    """TensorFlow's first session prints notices that no setting silences; each only once."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            session.run(tf.constant(0))
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
