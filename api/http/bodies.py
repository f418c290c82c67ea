"""How much of a request's body is read: of an upload all, of anything else a bounded piece."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask, Response, after_this_request, request
from werkzeug.wrappers import Request

from api.uploads.uploads import BLOCK_BYTES

_STREAMED = frozenset({"jobs.submit_job", "preview.preview_catalogue"})
_LARGEST_BYTES = 1 << 20
_DRAIN_S = 10.0


def register_bodies(app: Flask) -> None:
    """Bound what is read into memory; uploads bound themselves."""

    @app.before_request
    def bound() -> None:
        if request.endpoint in _STREAMED:
            after_this_request(_take_the_rest(request))
        else:
            request.max_content_length = _LARGEST_BYTES


def _take_the_rest(request: Request) -> Callable[[Response], Response]:
    """Read what is left of the body once the answer is out.

    Closed with unread bytes, the connection would be reset, and many clients would report that
    instead of the answer that explains why their upload was refused.
    """
    stream, connection = request.stream, request.environ.get("gunicorn.socket")

    def drain() -> None:
        deadline = time.monotonic() + _DRAIN_S
        try:
            while (left := deadline - time.monotonic()) > 0:
                if connection is not None:
                    connection.settimeout(left)
                if not stream.read(BLOCK_BYTES):
                    return
        except Exception:  # the answer is out, and the connection is of no further use
            return

    def register(response: Response) -> Response:
        response.call_on_close(drain)
        return response

    return register
