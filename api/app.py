"""The Flask app, wired from its services. Opens no connections and reads no environment."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response
from flask_openapi3.openapi import OpenAPI
from prometheus_client import CollectorRegistry, ProcessCollector
from werkzeug.middleware.proxy_fix import ProxyFix

from api.auth.audit import register_audit
from api.auth.authentication import Authenticator, register_authentication
from api.auth.rate_limit import register_rate_limit
from api.auth.session_routes import session_routes
from api.dependencies import Services
from api.http.bodies import StrictJson, register_body_limit
from api.http.concurrency import ConcurrencyLimiter
from api.http.problems import register_problems
from api.http.transfers import Transfers, register_transfers
from api.jobs.event_routes import event_routes
from api.jobs.job_routes import job_routes
from api.jobs.scoped_store import ScopedJobStore
from api.jobs.snapshot_cache import SnapshotCache
from api.jobs.webhook_routes import webhook_routes
from api.label.client import LabelClient
from api.label.label_routes import label_routes
from api.observability.health import health_routes
from api.observability.metrics import (
    RequestMetrics,
    metrics_routes,
    register_request_metrics,
)
from api.observability.request_id import RequestIdMiddleware
from api.observability.store_metrics import StoreCollector
from api.openapi import described_app
from api.results.result_routes import result_routes
from api.results.review_routes import review_routes
from api.security import register_security
from api.settings import ApiSettings
from api.uploads.preview_routes import preview_routes


def create_app(settings: ApiSettings, services: Services) -> OpenAPI:
    """Create the app: `/v1`, health and metrics, the page and the OpenAPI description."""
    app = described_app("api")
    app.json = StrictJson(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    app.wsgi_app = RequestIdMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    registry = CollectorRegistry()
    request_metrics = RequestMetrics(registry)
    register_request_metrics(app, request_metrics)
    authenticator = Authenticator(settings, services.keys)
    register_problems(app)
    register_body_limit(app)
    register_security(app, only_this_machine=not settings.keys_required)
    register_audit(app)
    register_authentication(app, authenticator)
    if settings.keys_required:
        register_rate_limit(app, services.rate_limit_url, key_prefix=services.rate_limit_key_prefix)
    limits = _limits(settings)
    register_transfers(app, limits.transfers)
    jobs, storage = ScopedJobStore(services.store, snapshots=SnapshotCache()), services.storage
    corrections = services.corrections
    app.register_api(job_routes(settings, jobs, storage, services.task_queue, limits.long_polls))
    app.register_api(preview_routes(settings, jobs, storage))
    app.register_api(result_routes(jobs, storage, corrections))
    app.register_api(event_routes(jobs, limits.long_polls))
    app.register_api(review_routes(jobs, storage, corrections))
    app.register_api(webhook_routes(jobs, services.webhooks))
    app.register_api(session_routes(authenticator))
    label_client = LabelClient(
        services.store.workers,
        services.label_requests,
        services.task_queue,
        limits.labels,
        timeout_s=settings.label_timeout_s,
    )
    app.register_api(label_routes(label_client))
    app.register_api(health_routes(services.store, storage))
    ProcessCollector(registry=registry)
    registry.register(StoreCollector(services.store, services.task_queue, storage))
    app.register_api(metrics_routes(registry))

    @app.get("/", doc_ui=False)
    def page() -> Response:
        return app.send_static_file("index.html")

    # Once, before threads are started.
    app.generate_spec_json()  # type: ignore[no-untyped-call]
    return app


@dataclass(frozen=True)
class _Limits:
    long_polls: ConcurrencyLimiter  # event streams and `Prefer: wait`
    labels: ConcurrencyLimiter  # label requests; separate, since event streams last minutes
    transfers: Transfers


def _limits(settings: ApiSettings) -> _Limits:
    """Limits of requests that occupy threads for long; they leave an eighth of the threads free."""
    threads = settings.api_threads
    busy = ConcurrencyLimiter(max(1, threads - max(1, threads // 8)))
    half = max(1, threads // 2)
    transfers = min(settings.api_max_transfers, half)
    # Without API keys all requests have the same owner.
    per_owner = settings.api_max_transfers_per_owner if settings.keys_required else transfers
    return _Limits(
        long_polls=ConcurrencyLimiter(min(settings.api_max_long_polls, half), within=busy),
        labels=ConcurrencyLimiter(max(1, threads // 4), within=busy),
        transfers=Transfers(
            per_owner=ConcurrencyLimiter(per_owner),
            total=ConcurrencyLimiter(transfers, within=busy),
        ),
    )
