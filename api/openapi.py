"""The OpenAPI description, generated from the routes, and its page without external resources."""

from __future__ import annotations

from http import HTTPStatus
from importlib import resources
from typing import Any

from flask import Blueprint, Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.info import Info
from flask_openapi3.models.tag import Tag
from flask_openapi3.openapi import OpenAPI

from api.http.openapi_responses import problems
from api.http.problems import ProblemDocument, refuse_input

JOBS = Tag(name="jobs", description="Label catalogues.")
LABELS = Tag(name="labels", description="Label a few summaries synchronously.")
WEBHOOKS = Tag(name="webhooks", description="Signed notifications of ended jobs.")
SERVICE = Tag(name="service", description="Health, metrics, sessions and the model.")

# Servers that only their own machine can reach require no key.
_SECURITY: list[dict[str, list[Any]]] = [{"key": []}, {}]

_INFO = Info(
    title="Spinelabel",
    version="1",
    summary="Bulk genre labelling for book catalogues",
    description="Upload a catalogue, follow its job, download it with a genre on every row. "
    "Every error is a problem document (RFC 9457) with a stable `code`; all codes are in "
    "`docs/errors.md`.",
)


def described_routes(name: str, tag: Tag, prefix: str = "") -> APIBlueprint:
    """Create a blueprint with OpenAPI descriptions and the problems that every route shares."""
    return APIBlueprint(
        name,
        __name__,
        url_prefix=prefix or None,
        abp_tags=[tag],
        abp_security=_SECURITY,
        abp_responses=problems(
            "UNAUTHENTICATED",
            "INVALID_API_KEY",
            "TOO_MANY_REQUESTS",
            "TOO_MANY_TRANSFERS",
            "REQUEST_STALLED",
            "SERVER_BUSY",
            "HOST_NOT_ALLOWED",
            "PROXY_WITHOUT_KEYS",
            "URI_TOO_LONG",
            "HEADERS_TOO_LARGE",
            "INTERNAL_ERROR",
            "SERVICE_UNAVAILABLE",
            "STORAGE_UNAVAILABLE",
        ),
        operation_id_callback=_operation_id,
    )


def described_app(name: str) -> OpenAPI:
    """Create a Flask app that collects the OpenAPI description and refuses invalid input."""
    app = OpenAPI(
        name,
        info=_INFO,
        doc_ui=False,
        security_schemes={"key": {"type": "http", "scheme": "bearer"}},
        static_folder="static",
        static_url_path="/static",
        # Operations list their own problems; a status that all of them share adds no further
        # response.
        validation_error_status=HTTPStatus.INTERNAL_SERVER_ERROR,
        validation_error_model=ProblemDocument,
        validation_error_callback=refuse_input,
    )
    app.register_blueprint(_pages(app))
    return app


def _pages(app: OpenAPI) -> Blueprint:
    swagger_ui = resources.files("flask_openapi3_swagger") / "templates" / "swagger"
    pages = Blueprint(
        "docs", __name__, static_folder=str(swagger_ui), static_url_path="/docs/assets"
    )

    @pages.get("/openapi.json")
    def description() -> dict[str, Any]:
        return app.spec_json

    @pages.get("/docs")
    def docs() -> Response:
        return app.send_static_file("docs.html")

    return pages


def _operation_id(*, name: str, path: str, method: str) -> str:
    del path, method  # function names are unique, which a test checks
    return name
