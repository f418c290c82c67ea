"""What a client is told whose request cannot be parsed, or does not arrive: no app is asked."""

from __future__ import annotations

import json
from http import HTTPStatus

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine

from api.http.problems import ProblemDocument
from api.server.arrival import RequestLate


def parse_error_response(error: Exception) -> tuple[int, bytes]:
    """The status, and the whole answer, after which the connection is closed."""
    match error:
        case LimitRequestLine():
            status, code = HTTPStatus.REQUEST_URI_TOO_LONG, "URI_TOO_LONG"
            detail = "The address with its parameters is too long; send options as fields of a form instead."
        case LimitRequestHeaders():
            status, code = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "HEADERS_TOO_LARGE"
            detail = "The headers are too many or too long; send fewer or shorter ones."
        case RequestLate():
            status, code = HTTPStatus.REQUEST_TIMEOUT, "REQUEST_STALLED"
            detail = "The request did not arrive in time; check the connection and send it again."
        case _:
            status, code = HTTPStatus.BAD_REQUEST, "BAD_REQUEST"
            detail = "The request cannot be read; check its syntax and its headers."
    problem = ProblemDocument(
        type="about:blank", title=status.phrase, status=status.value, code=code, detail=detail
    )
    body = (json.dumps(problem.model_dump()) + "\n").encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nCache-Control: no-store\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return status.value, head.encode("ascii") + body
