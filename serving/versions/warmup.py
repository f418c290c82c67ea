"""Warm-up: a version's first predictions, which are slow, are made before it is served."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.model import DEFAULT_SIGNATURE, SavedModelSession

# As in TensorFlow Serving.
RECORDS = Path("assets.extra", "tf_serving_warmup_requests")
MAX_RECORDS = 1000


class WarmUpFailed(Exception):
    """The warm-up requests of a version are invalid."""


def warm_up(model: SavedModelSession, folder: Path) -> int:
    """Run the warm-up requests of the version, or a single row if it has none.

    Returns:
        The number of requests.

    Raises:
        WarmUpFailed: there are too many requests, or one is not a prediction.
        ServingError: a request failed.
        tensorflow.errors.DataLossError: the file is damaged.
    """
    records = folder / RECORDS
    if not records.exists():
        request = _smallest_request(model)
        if request is None:
            return 0
        model.predict(request, timeout_s=None)
        return 1
    count = 0
    for record in tf.compat.v1.io.tf_record_iterator(str(records)):
        count += 1
        if count > MAX_RECORDS:
            raise WarmUpFailed(f"{records} holds more than {MAX_RECORDS} records")
        log = prediction_log_pb2.PredictionLog.FromString(record)
        if not log.HasField("predict_log"):
            raise WarmUpFailed(f"record {count} of {records} is not a Predict request")
        model.predict(log.predict_log.request, timeout_s=None)
    return count


def _smallest_request(model: SavedModelSession) -> predict_pb2.PredictRequest | None:
    """One row for the default signature; None if its inputs are not texts."""
    signature = model.signatures.get(DEFAULT_SIGNATURE)
    if signature is None:
        return None
    request = predict_pb2.PredictRequest()
    for name, info in signature.inputs.items():
        if not _is_text_list(info):
            return None
        request.inputs[name].CopyFrom(tf.make_tensor_proto([b"warm"]))
    return request


def _is_text_list(info: meta_graph_pb2.TensorInfo) -> bool:
    shape = tf.TensorShape(info.tensor_shape)
    return bool(info.dtype == tf.string.as_datatype_enum and shape.is_compatible_with([1]))
