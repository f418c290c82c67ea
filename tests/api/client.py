"""Flask's test client with types: `json` of a response is a document, never None."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class ApiResponse(TestResponse):
    """A response whose `json` is a document; Flask's own type allows None."""

    json: Any


class ApiClient(FlaskClient):
    """Requests to one app, without a server."""

    def open(self, *args: Any, **named: Any) -> ApiResponse:
        return cast(ApiResponse, super().open(*args, **named))

    def get(self, *args: Any, **named: Any) -> ApiResponse:
        return cast(ApiResponse, super().get(*args, **named))

    def head(self, *args: Any, **named: Any) -> ApiResponse:
        return cast(ApiResponse, super().head(*args, **named))

    def post(self, *args: Any, **named: Any) -> ApiResponse:
        return cast(ApiResponse, super().post(*args, **named))

    def put(self, *args: Any, **named: Any) -> ApiResponse:
        return cast(ApiResponse, super().put(*args, **named))

    def delete(self, *args: Any, **named: Any) -> ApiResponse:
        return cast(ApiResponse, super().delete(*args, **named))


def client_of(app: Flask) -> ApiClient:
    """A client of this app, with cookies of its own."""
    return ApiClient(app, app.response_class)
