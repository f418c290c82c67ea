"""Does the embedded model server in this container serve a version? Exit status 0 if it does."""

from __future__ import annotations

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TARGET = "127.0.0.1:8500"

with grpc.insecure_channel(TARGET) as channel:
    try:
        answer = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(service=""), timeout=4
        )
    except grpc.RpcError as error:
        print(f"{TARGET}: {error.code()}")
        sys.exit(1)
print(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
sys.exit(answer.status != health_pb2.HealthCheckResponse.SERVING)
