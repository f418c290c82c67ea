"""HTTP request metrics of this process, and the route `/metrics`.

One process serves HTTP (`api.server`), so counters in its memory are complete. Several APIs are
scraped separately.
"""

from __future__ import annotations

import time
from http import HTTPStatus

from flask import Flask, Response, g, request
from flask_openapi3.blueprint import APIBlueprint
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from api.auth.caller import caller
from api.http.openapi_responses import file, problems
from api.http.problems import Problem
from api.openapi import SERVICE, described_routes

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
# Reading a job takes about a millisecond; an upload takes as long as its sender.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)


class RequestMetrics:
    """Request counter and duration histogram, by method and route."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "spinelabel_http_requests",
            "Responses by method, route and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "spinelabel_http_request_duration_seconds",
            "Time from the request headers to the first byte of the response, including an "
            "upload's body.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=registry,
        )

    def observe(self, method: str, route: str, status: int, *, seconds: float | None) -> None:
        """Count one response; `seconds` is None if its start time is unknown."""
        self._requests.labels(method, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(method, route).observe(seconds)


def register_request_metrics(app: Flask, metrics: RequestMetrics) -> None:
    """Measure every request.

    Register this hook first, so that refused requests are measured too.
    """

    @app.before_request
    def begin() -> None:
        g.started_at = time.perf_counter()

    @app.after_request
    def measure(response: Response) -> Response:
        # Labels never contain client input: each distinct value would create a series.
        method = request.method if request.method in _METHODS else "other"
        route = request.url_rule.rule if request.url_rule is not None else "none"
        started_at = g.get("started_at")
        seconds = None if started_at is None else time.perf_counter() - started_at
        metrics.observe(method, route, response.status_code, seconds=seconds)
        return response


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
