"""The services on a bound gRPC server: started at once, healthy when a version serves, stopped in order."""

from __future__ import annotations

import logging

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.concurrency_limiter import ConcurrencyLimiter
from serving.model import SavedModelSession
from serving.servicers import MODEL_SERVICE, PREDICTION_SERVICE, ModelService, PredictionService
from serving.settings import ServingSettings
from serving.version_manager import VersionManager
from serving.version_registry import VersionRegistry

log = logging.getLogger(__name__)

# What cancelled calls may take to be gone from gRPC's books.
_CANCELLING_S = 2.0
_HEALTH_NAMES = (health.OVERALL_HEALTH, PREDICTION_SERVICE, MODEL_SERVICE)


class ModelServer:
    """One model served over one gRPC server."""

    def __init__(self, settings: ServingSettings, server: grpc.Server) -> None:
        """Puts the services on `server`, which is bound and not started."""
        self._settings = settings
        self._server = server
        self._health = health.HealthServicer()
        self._tell_health(False)
        table: VersionRegistry[SavedModelSession] = VersionRegistry(settings.model_name)
        gate = ConcurrencyLimiter(running=settings.executions, waiting=settings.serving_queue)
        self._keeper = VersionManager(settings, table, self._tell_health)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(table), server)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(table, gate), server
        )

    def start(self) -> None:
        """Answers from now on; predictions are NOT_FOUND until the first version is loaded."""
        self._server.start()
        self._keeper.start()

    def stop(self) -> None:
        """Refuses new calls, lets those under way finish within the grace, frees the versions."""
        self._health.enter_graceful_shutdown()
        grace_s = self._settings.serving_grace_s
        # gRPC may wait for the thread of a call that it has cancelled, and no prediction ends when it is cancelled.
        self._server.stop(grace_s).wait(grace_s + _CANCELLING_S)
        self._keeper.stop()

    def _tell_health(self, serves: bool) -> None:
        status = (
            health_pb2.HealthCheckResponse.SERVING
            if serves
            else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        for name in _HEALTH_NAMES:
            self._health.set(name, status)
