"""TensorFlow Serving's gRPC services on top of the version registry."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import grpc
import structlog
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
from serving.versions.registry import VersionRegistry

log = structlog.get_logger(__name__)

Response = TypeVar("Response")
Registry = VersionRegistry[SavedModelSession]

PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
MODEL_SERVICE = "tensorflow.serving.ModelService"

# Signatures that return a constant. Workers call them at the end of every chunk; they bypass the
# queue of predictions.
_CONSTANT_SIGNATURES = frozenset({"describe"})

# Client errors and transient conditions; any other status is logged.
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
    """Predict and GetModelMetadata; the other methods return UNIMPLEMENTED."""

    def __init__(self, registry: Registry, limiter: ConcurrencyLimiter) -> None:
        self._registry = registry
        self._limiter = limiter

    def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Run a signature of a version."""

        def respond() -> predict_pb2.PredictResponse:
            queued = request.model_spec.signature_name not in _CONSTANT_SIGNATURES
            slot = self._limiter.acquire(context.time_remaining()) if queued else nullcontext()
            with slot, _use(self._registry, request) as (version, model):
                if not context.is_active():
                    raise DeadlineExceeded("the client cancelled this prediction")
                response = model.predict(request, timeout_s=context.time_remaining())
            response.model_spec.name = request.model_spec.name
            response.model_spec.version.value = version
            return response

        return _respond(respond, context)

    def GetModelMetadata(
        self,
        request: get_model_metadata_pb2.GetModelMetadataRequest,
        context: grpc.ServicerContext,
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Return the signatures of a version."""

        def respond() -> get_model_metadata_pb2.GetModelMetadataResponse:
            if not request.metadata_field:
                raise InvalidRequest(
                    "GetModelMetadataRequest must specify at least one metadata_field"
                )
            for field in request.metadata_field:
                if field != "signature_def":
                    raise InvalidRequest(f"Metadata field {field} is not supported")
            signatures = get_model_metadata_pb2.SignatureDefMap()
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            with _use(self._registry, request) as (version, model):
                for name, definition in model.signatures.items():
                    signatures.signature_def[name].CopyFrom(definition)
            response.metadata["signature_def"].Pack(signatures)
            response.model_spec.name = request.model_spec.name
            response.model_spec.version.value = version
            return response

        return _respond(respond, context)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]  # generated, untyped
    """GetModelStatus. Versions are changed through the model folder only."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def GetModelStatus(
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Return the state of one version, or of all versions since the start."""

        def respond() -> get_model_status_pb2.GetModelStatusResponse:
            response = get_model_status_pb2.GetModelStatusResponse()
            for status in self._registry.statuses(*_requested(request)):
                entry = response.model_version_status.add()
                entry.version = status.version
                entry.state = status.state.value
                entry.status.error_code = status.code.value[0]
                entry.status.error_message = status.message
            return response

        return _respond(respond, context)


def _requested(request: Any) -> tuple[str, int | None]:
    """The name of the model and the version, None for the newest."""
    if not request.HasField("model_spec"):
        raise InvalidRequest("Missing ModelSpec")
    spec: model_pb2.ModelSpec = request.model_spec
    if not spec.name:
        raise InvalidRequest("ModelSpec has no name specified.")
    if spec.version_label:
        raise InvalidRequest(f"Unrecognized servable version label: {spec.version_label}")
    return spec.name, spec.version.value if spec.HasField("version") else None


def _use(registry: Registry, request: Any) -> AbstractContextManager[tuple[int, SavedModelSession]]:
    return registry.use(*_requested(request))


def _respond(respond: Callable[[], Response], context: grpc.ServicerContext) -> Response:
    try:
        return respond()
    except ServingError as error:
        if error.code not in _EXPECTED:
            log.warning("prediction_failed", code=error.code.name, error=one_line(error))
        context.abort(error.code, str(error))
