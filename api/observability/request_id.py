"""Request ids: in `X-Request-ID`, and in each log line of the request."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from structlog.contextvars import bind_contextvars, clear_contextvars
from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware:
    """Binds `request_id` for the logs of one request, until its response is closed.

    A client's id is kept if it is 1 to 64 letters, digits, dots, underscores or hyphens. Otherwise
    the request gets a random one.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request_id = environ.get("HTTP_X_REQUEST_ID", "")
        if not _ACCEPTED.fullmatch(request_id):
            request_id = uuid.uuid4().hex
        # The server's threads serve many requests: nothing of the last one may remain.
        clear_contextvars()
        bind_contextvars(request_id=request_id)

        def start(
            status: str, headers: list[tuple[str, str]], *error: Any
        ) -> Callable[[bytes], object]:
            return start_response(status, [*headers, (HEADER, request_id)], *error)

        return ClosingIterator(self._app(environ, start), clear_contextvars)
