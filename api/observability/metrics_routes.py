"""`/metrics`: metrics for Prometheus."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from api.auth.caller import caller
from api.http.openapi_responses import file, problems
from api.http.problems import Problem
from api.openapi import SERVICE, described_routes


def metrics_routes(registry: CollectorRegistry) -> APIBlueprint:
    """Routes over the registry. Admins only, since the metrics cover all owners."""
    routes = described_routes("metrics", SERVICE)

    @routes.get(
        "/metrics",
        responses={
            200: file("Metrics in the Prometheus text format.", "text/plain"),
            **problems("ADMIN_ONLY"),
        },
    )
    def get_metrics() -> Response:
        """Metrics"""
        if not caller().is_admin:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "ADMIN_ONLY",
                "These metrics cover the jobs of all owners; use the API key of an admin.",
            )
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    return routes
