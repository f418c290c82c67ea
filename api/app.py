"""The Flask app over its services; makes no connection and reads no environment."""

from __future__ import annotations

from flask import Response
from flask.json.provider import DefaultJSONProvider
from flask_openapi3.openapi import OpenAPI

from api.bodies import register_bodies
from api.event_routes import event_routes
from api.following import Seats
from api.health import health_routes
from api.job_routes import job_routes
from api.openapi import described_app
from api.problems import register_problems
from api.result_routes import result_routes
from api.review_routes import review_routes
from api.security import register_security
from api.settings import ApiSettings
from jobs.corrections import CorrectionStore
from jobs.messages import Messages
from jobs.storage import Storage
from jobs.store import JobStore


class _JsonInOrder(DefaultJSONProvider):
    sort_keys = False  # documents read as they are documented
    ensure_ascii = False


def create_app(
    settings: ApiSettings,
    store: JobStore,
    storage: Storage,
    messages: Messages,
    corrections: CorrectionStore,
) -> OpenAPI:
    """The whole HTTP surface: `/v1`, the health endpoints and the page."""
    app = described_app("api")
    app.json = _JsonInOrder(app)
    register_problems(app)
    register_bodies(app)
    register_security(app)
    # Threads that wait must leave as many that do not.
    seats = Seats(min(settings.api_waiting, max(1, settings.api_threads // 2)))
    app.register_api(job_routes(settings, store, storage, messages, seats))
    app.register_api(result_routes(store, storage, corrections))
    app.register_api(event_routes(store, storage, seats))
    app.register_api(review_routes(store, storage, corrections))
    app.register_api(health_routes(store, storage))

    @app.get("/", doc_ui=False)
    def page() -> Response:
        return app.send_static_file("index.html")

    # Once, before there are threads.
    app.generate_spec_json()  # type: ignore[no-untyped-call]
    return app
