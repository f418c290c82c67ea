"""`/metrics`: figures for Prometheus."""

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
    """The route; only admins are told, since it says how much everybody does."""
    routes = described_routes("metrics", SERVICE)

    @routes.get(
        "/metrics",
        responses={
            200: file("Figures in Prometheus' text format.", "text/plain"),
            **problems("ADMIN_ONLY"),
        },
    )
    def get_metrics() -> Response:
        """How it goes, in figures"""
        if not caller().is_admin:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "ADMIN_ONLY",
                "These figures are about everybody's jobs; ask with an admin's key.",
            )
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    return routes
