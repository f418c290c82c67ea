"""The model server: its gRPC services, health status, start and shutdown."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.concurrency_limiter import ConcurrencyLimiter
from serving.model import SavedModelSession
from serving.servicers import MODEL_SERVICE, PREDICTION_SERVICE, ModelService, PredictionService
from serving.settings import ServingSettings
from serving.versions.manager import VersionManager
from serving.versions.registry import VersionRegistry

# Time for gRPC to finish cancelled calls.
_CANCELLING_S = 2.0
_HEALTH_NAMES = (health.OVERALL_HEALTH, PREDICTION_SERVICE, MODEL_SERVICE)


class ModelServer:
    """One model served over one gRPC server."""

    def __init__(self, settings: ServingSettings, server: grpc.Server) -> None:
        """Register the services on `server`, which is bound but not started."""
        self._settings = settings
        self._server = server
        self._health = health.HealthServicer()
        self._set_health(False)
        registry: VersionRegistry[SavedModelSession] = VersionRegistry(settings.model_name)
        limiter = ConcurrencyLimiter(running=settings.executions, waiting=settings.serving_queue)
        self._versions = VersionManager(settings, registry, self._set_health)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(registry), server)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(registry, limiter), server
        )

    def start(self) -> None:
        """Accept calls. Predictions return NOT_FOUND until the first version is loaded."""
        self._server.start()
        self._versions.start()

    def stop(self) -> None:
        """Reject new calls, wait for running ones within the grace period, free the versions."""
        self._health.enter_graceful_shutdown()
        grace_s = self._settings.serving_grace_s
        # gRPC may wait for the thread of a cancelled call, and a running prediction ignores it.
        self._server.stop(grace_s).wait(grace_s + _CANCELLING_S)
        self._versions.stop()

    def _set_health(self, serving: bool) -> None:
        status = (
            health_pb2.HealthCheckResponse.SERVING
            if serving
            else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        for name in _HEALTH_NAMES:
            self._health.set(name, status)
