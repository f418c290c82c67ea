"""Counts what this process answers, and how long answers take to begin.

One process serves HTTP (`api.server`), so its own memory is the right place to count. Several APIs are scraped one by one.
"""

from __future__ import annotations

import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
# A look at a job takes a millisecond, an upload as long as its sender.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)


class RequestMetrics:
    """The two series of every answer."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "spinelabel_http_requests",
            "Requests answered, by method, route and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "spinelabel_http_request_seconds",
            "Seconds from a request's headers to the beginning of its answer, an upload's body included.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=registry,
        )

    def count(self, method: str, route: str, status: int, *, seconds: float | None) -> None:
        """One answer more; `seconds` is None where its beginning was not seen."""
        self._requests.labels(method, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(method, route).observe(seconds)


def register_request_metrics(app: Flask, measuring: RequestMetrics) -> None:
    """Measure every request. Register it first, so that what others refuse is measured too."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def measure(response: Response) -> Response:
        # Never what the client wrote: that would be a series for each guess.
        method = request.method if request.method in _METHODS else "other"
        route = request.url_rule.rule if request.url_rule is not None else "none"
        began = g.get("began")
        seconds = None if began is None else time.perf_counter() - began
        measuring.count(method, route, response.status_code, seconds=seconds)
        return response
