"""TensorFlow Serving's gRPC services over the served versions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.concurrency_limiter import ConcurrencyLimiter
from serving.errors import DeadlineExceeded, InvalidRequest, ServingError, one_line
from serving.model import SavedModelSession
from serving.version_registry import VersionRegistry

log = logging.getLogger(__name__)

Response = TypeVar("Response")
Table = VersionRegistry[SavedModelSession]

PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
MODEL_SERVICE = "tensorflow.serving.ModelService"

# Signatures that answer with a constant. The worker asks for it at the end of each chunk, and must not wait there for
# the batches of others.
_NO_COMPUTATION = frozenset({"describe"})

# The client's own mistakes, and what passes by itself; anything else deserves a line in the log.
_EXPECTED = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc]  # generated, untyped
    """Predict and GetModelMetadata; the other methods answer UNIMPLEMENTED."""

    def __init__(self, table: Table, gate: ConcurrencyLimiter) -> None:
        self._table = table
        self._gate = gate

    def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs a signature of a version."""

        def answer() -> predict_pb2.PredictResponse:
            waits = request.model_spec.signature_name not in _NO_COMPUTATION
            turn = self._gate.enter(context.time_remaining()) if waits else nullcontext()
            with turn, _use(self._table, request) as (version, model):
                if not context.is_active():
                    raise DeadlineExceeded("the client no longer waits for this prediction")
                response = model.predict(request, timeout_s=context.time_remaining())
            response.model_spec.name = request.model_spec.name
            response.model_spec.version.value = version
            return response

        return _answer(answer, context)

    def GetModelMetadata(
        self,
        request: get_model_metadata_pb2.GetModelMetadataRequest,
        context: grpc.ServicerContext,
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """The signatures of a version."""

        def answer() -> get_model_metadata_pb2.GetModelMetadataResponse:
            if not request.metadata_field:
                raise InvalidRequest(
                    "GetModelMetadataRequest must specify at least one metadata_field"
                )
            for field in request.metadata_field:
                if field != "signature_def":
                    raise InvalidRequest(f"Metadata field {field} is not supported")
            signatures = get_model_metadata_pb2.SignatureDefMap()
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            with _use(self._table, request) as (version, model):
                for name, definition in model.signatures.items():
                    signatures.signature_def[name].CopyFrom(definition)
            response.metadata["signature_def"].Pack(signatures)
            response.model_spec.name = request.model_spec.name
            response.model_spec.version.value = version
            return response

        return _answer(answer, context)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]  # generated, untyped
    """GetModelStatus; the served set changes through the model folder only."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def GetModelStatus(
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """The state of one version, or of every version seen since the start."""

        def answer() -> get_model_status_pb2.GetModelStatusResponse:
            response = get_model_status_pb2.GetModelStatusResponse()
            for status in self._table.statuses(*_wanted(request)):
                entry = response.model_version_status.add()
                entry.version = status.version
                entry.state = status.state.value
                entry.status.error_code = status.code.value[0]
                entry.status.error_message = status.message
            return response

        return _answer(answer, context)


def _wanted(request: Any) -> tuple[str, int | None]:
    """The model's name and, where it is pinned, the version."""
    if not request.HasField("model_spec"):
        raise InvalidRequest("Missing ModelSpec")
    spec: model_pb2.ModelSpec = request.model_spec
    if not spec.name:
        raise InvalidRequest("ModelSpec has no name specified.")
    if spec.version_label:
        raise InvalidRequest(f"Unrecognized servable version label: {spec.version_label}")
    return spec.name, spec.version.value if spec.HasField("version") else None


def _use(table: Table, request: Any) -> AbstractContextManager[tuple[int, SavedModelSession]]:
    return table.use(*_wanted(request))


def _answer(answer: Callable[[], Response], context: grpc.ServicerContext) -> Response:
    try:
        return answer()
    except ServingError as error:
        if error.code not in _EXPECTED:
            log.warning("a prediction failed: %s: %s", error.code.name, one_line(error))
        context.abort(error.code, str(error))
