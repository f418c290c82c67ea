"""Responses to requests that cannot be parsed or do not arrive; they do not reach the app."""

from __future__ import annotations

import json
from http import HTTPStatus

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine

from api.http.problems import ProblemDocument
from api.server.arrival import RequestLate


def parse_error_response(error: Exception) -> tuple[int, bytes]:
    """Return the status and the complete response, after which the connection is closed."""
    match error:
        case LimitRequestLine():
            status, code = HTTPStatus.REQUEST_URI_TOO_LONG, "URI_TOO_LONG"
            detail = "The URI is too long; send options as form fields instead."
        case LimitRequestHeaders():
            status, code = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "HEADERS_TOO_LARGE"
            detail = "There are too many headers, or one is too long; send fewer or shorter ones."
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
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nCache-Control: "
        "no-store\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return status.value, head.encode("ascii") + body
