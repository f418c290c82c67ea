"""The gRPC channel of one process to the model servers. It connects at the first call."""

from __future__ import annotations

import json

import grpc

from worker.protos.tensorflow_serving.apis import get_model_status_pb2 as status_messages
from worker.protos.tensorflow_serving.apis import predict_pb2 as predict_messages

_CHANNEL_OPTIONS: list[tuple[str, int | str]] = [
    ("grpc.max_send_message_length", 2**31 - 1),
    ("grpc.max_receive_message_length", 2**31 - 1),
    # Balances calls over all addresses of a `dns:///` name; a single address is used as it is.
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
    # `worker.model.retry` does the retries; gRPC's own would keep a copy of each message.
    ("grpc.enable_retries", 0),
    # gRPC's default backoff of up to two minutes is too long for a server that restarts.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # Detects a lost server while a call is waiting. TensorFlow Serving closes connections that
    # ping often, so there are no pings without calls.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
]


class ModelChannel:
    """The two RPCs that the worker calls.

    gRPC channels do not survive a fork: create one per process, after the fork.

    Attributes:
        predict: `PredictionService.Predict`.
        status: `ModelService.GetModelStatus`.
    """

    def __init__(self, target: str) -> None:
        """Does not connect yet. `target` is a gRPC target such as `127.0.0.1:8500`."""
        self._channel = grpc.insecure_channel(target, options=_CHANNEL_OPTIONS)
        self.predict = self._channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict",
            request_serializer=predict_messages.PredictRequest.SerializeToString,
            response_deserializer=predict_messages.PredictResponse.FromString,
        )
        self.status = self._channel.unary_unary(
            "/tensorflow.serving.ModelService/GetModelStatus",
            request_serializer=status_messages.GetModelStatusRequest.SerializeToString,
            response_deserializer=status_messages.GetModelStatusResponse.FromString,
        )

    def close(self) -> None:
        """Close the channel and cancel its running calls."""
        self._channel.close()
