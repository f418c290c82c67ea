"""The Flask app over its services; makes no connection and reads no environment."""

from __future__ import annotations

from flask import Flask, Response
from flask.json.provider import DefaultJSONProvider

from api.health import health_routes
from api.job_routes import job_routes
from api.problems import register_problems
from api.security import register_security
from api.settings import ApiSettings
from jobs.messages import Messages
from jobs.storage import Storage
from jobs.store import JobStore


class _JsonInOrder(DefaultJSONProvider):
    sort_keys = False  # documents read as they are documented
    ensure_ascii = False


def create_app(
    settings: ApiSettings, store: JobStore, storage: Storage, messages: Messages
) -> Flask:
    """The whole HTTP surface: `/v1`, the health endpoints and the page."""
    app = Flask("api", static_folder="static", static_url_path="/static")
    app.json = _JsonInOrder(app)
    register_problems(app)
    register_security(app)
    app.register_blueprint(job_routes(settings, store, storage, messages))
    app.register_blueprint(health_routes(store, storage))

    @app.get("/")
    def page() -> Response:
        return app.send_static_file("index.html")

    return app
