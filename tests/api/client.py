"""Flask's test client, with types: whoever reads `json` of an answer expects a document."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class Answer(TestResponse):
    """An answer as tests read it; Flask's own type says that every `json` may be None."""

    json: Any


class ApiClient(FlaskClient):
    """Requests to one app, without a server."""

    def open(self, *args: Any, **named: Any) -> Answer:
        return cast(Answer, super().open(*args, **named))

    def get(self, *args: Any, **named: Any) -> Answer:
        return cast(Answer, super().get(*args, **named))

    def head(self, *args: Any, **named: Any) -> Answer:
        return cast(Answer, super().head(*args, **named))

    def post(self, *args: Any, **named: Any) -> Answer:
        return cast(Answer, super().post(*args, **named))

    def put(self, *args: Any, **named: Any) -> Answer:
        return cast(Answer, super().put(*args, **named))

    def delete(self, *args: Any, **named: Any) -> Answer:
        return cast(Answer, super().delete(*args, **named))


def client_of(app: Flask) -> ApiClient:
    """A client of this app, with cookies of its own."""
    return ApiClient(app, app.response_class)
