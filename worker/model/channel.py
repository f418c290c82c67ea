"""One process's gRPC channel to the model servers. Nothing connects before the first call."""

from __future__ import annotations

import json
import os

import grpc

from worker.protos.tensorflow_serving.apis import get_model_status_pb2 as status_messages
from worker.protos.tensorflow_serving.apis import predict_pb2 as predict_messages

_CHANNEL_OPTIONS: list[tuple[str, int | str]] = [
    ("grpc.max_send_message_length", 2**31 - 1),
    ("grpc.max_receive_message_length", 2**31 - 1),
    # Spreads calls over all addresses behind a `dns:///` name; one address is simply used.
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
    # Retrying is this module's: gRPC's own would also keep a copy of each message for it.
    ("grpc.enable_retries", 0),
    # A server that comes back is found within these, not within gRPC's default of up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # Notices a server that vanished without a word while a call waits for it. Pinged only then, and
    # seldom: TensorFlow Serving ends connections that ping it often.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
]


class _Connection:
    """One process's channel to the model servers."""

    def __init__(self, target: str) -> None:
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
        self._channel.close()


class ModelChannel:
    """The two methods the worker calls, on a channel that belongs to the calling process."""

    def __init__(self, target: str) -> None:
        """Connects to nothing yet; `target` is a gRPC target such as `127.0.0.1:8500`.

        The methods raise RuntimeError in a process forked from one that has called them: gRPC would
        answer most of the time there, and hang now and then.
        """
        self._target = target
        self._connections: dict[int, _Connection] = {}

    @property
    def predict(
        self,
    ) -> grpc.UnaryUnaryMultiCallable[
        predict_messages.PredictRequest, predict_messages.PredictResponse
    ]:
        """`PredictionService.Predict`."""
        return self._own().predict

    @property
    def status(
        self,
    ) -> grpc.UnaryUnaryMultiCallable[
        status_messages.GetModelStatusRequest, status_messages.GetModelStatusResponse
    ]:
        """`ModelService.GetModelStatus`."""
        return self._own().status

    def close(self) -> None:
        """Closes this process's channel, if it has opened one; the next call opens another."""
        connection = self._connections.pop(os.getpid(), None)
        if connection is not None:
            connection.close()

    def _own(self) -> _Connection:
        # No lock, because a fork could copy it locked; `setdefault` is atomic.
        pid = os.getpid()
        if pid not in self._connections:
            if self._connections:
                raise RuntimeError(
                    "the model was called before this process was forked; call it in the children only,"
                    " or close the client before forking"
                )
            fresh = _Connection(self._target)
            if self._connections.setdefault(pid, fresh) is not fresh:
                fresh.close()
        return self._connections[pid]
