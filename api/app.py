"""The Flask app over its services; makes no connection and reads no environment."""

from __future__ import annotations

from flask import Response
from flask_openapi3.openapi import OpenAPI
from prometheus_client import CollectorRegistry, ProcessCollector
from werkzeug.middleware.proxy_fix import ProxyFix

from api.callers.access import Access, register_access
from api.callers.audit import register_audit
from api.callers.request_limits import register_request_limits
from api.callers.session_routes import session_routes
from api.health.health import health_routes
from api.health.metrics_routes import metrics_routes
from api.health.record_metrics import RecordCollector
from api.http.bodies import register_bodies
from api.http.json_bodies import StrictJson
from api.http.measuring import Measuring, register_measuring
from api.http.problems import register_problems
from api.jobs.callback_routes import callback_routes
from api.jobs.callers_jobs import CallersJobs
from api.jobs.event_routes import event_routes
from api.jobs.following import Seats
from api.jobs.job_routes import job_routes
from api.jobs.recent_answers import RecentAnswers
from api.jobs.recent_looks import RecentLooks
from api.labels.asking import Asking
from api.labels.label_routes import label_routes
from api.openapi import described_app
from api.results.result_routes import result_routes
from api.results.review_routes import review_routes
from api.security import register_security
from api.services import Services
from api.settings import ApiSettings
from api.uploads.preview_routes import preview_routes

# Among the app's extensions: what the server may send again by itself.
RECENT_ANSWERS = "recent_answers"


def create_app(settings: ApiSettings, services: Services) -> OpenAPI:
    """The whole HTTP surface: `/v1`, the health endpoints and the page."""
    app = described_app("api")
    app.json = StrictJson(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    registry = CollectorRegistry()
    measuring = Measuring(registry)
    register_measuring(app, measuring)
    access = Access(settings, services.keys)
    register_problems(app)
    register_bodies(app)
    register_security(app, only_this_machine=not settings.keys_required)
    register_audit(app)
    register_access(app, access)
    if settings.keys_required:
        register_request_limits(app, services.counts_url)
    looks = RecentLooks()
    if not settings.keys_required:
        app.extensions[RECENT_ANSWERS] = RecentAnswers(looks, measuring)
    jobs, storage = CallersJobs(services.store, recent=looks), services.storage
    corrections = services.corrections
    # Threads that wait must leave as many that do not.
    seats = Seats(min(settings.api_waiting, max(1, settings.api_threads // 2)))
    app.register_api(job_routes(settings, jobs, storage, services.messages, seats))
    app.register_api(preview_routes(settings, jobs, storage))
    app.register_api(result_routes(jobs, storage, corrections))
    app.register_api(event_routes(jobs, seats))
    app.register_api(review_routes(jobs, storage, corrections))
    app.register_api(callback_routes(jobs, services.callbacks))
    app.register_api(session_routes(access))
    # Not the same seats: streams of events keep theirs for minutes.
    asking = Asking(
        services.store,
        services.questions,
        services.messages,
        Seats(max(1, settings.api_threads // 4)),
        deadline_s=settings.label_deadline_s,
    )
    app.register_api(label_routes(asking))
    app.register_api(health_routes(services.store, storage))
    ProcessCollector(registry=registry)
    registry.register(RecordCollector(services.store, services.messages, storage))
    app.register_api(metrics_routes(registry))

    @app.get("/", doc_ui=False)
    def page() -> Response:
        return app.send_static_file("index.html")

    # Once, before there are threads.
    app.generate_spec_json()  # type: ignore[no-untyped-call]
    return app
