"""Problem details (RFC 9457): every error as a status, a stable code and a sentence.

Only this module maps errors of other packages to HTTP statuses.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from http import HTTPStatus
from typing import NoReturn

import redis
import structlog
from flask import Flask, Response, json, request
from kombu.exceptions import OperationalError
from pydantic import BaseModel, Field, ValidationError
from werkzeug.exceptions import HTTPException

from api.http.logged_requests import logged_path
from api.http.problem_codes import CODES
from catalogue.errors import CatalogueError
from jobs.errors import (
    IdempotencyKeyLost,
    IllegalTransition,
    JobNotFound,
    TooManyOpenJobs,
    UploadLost,
)
from jobs.logs.masking import mask_secrets
from jobs.outage import MEMORY_FULL, refusal
from jobs.webhook_urls import WebhookUrlRefused

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 5
_QUOTA_RETRY_S = 30  # when a job will end is unknown

# Errors raised by Flask and werkzeug.
_HTTP_DETAILS: Mapping[int, tuple[str, str]] = {
    400: ("BAD_REQUEST", "The request cannot be read; check its syntax and its headers."),
    404: ("NOT_FOUND", "There is no resource at this path; jobs are at /v1/jobs."),
    405: (
        "METHOD_NOT_ALLOWED",
        "This method is not supported here; use one that the Allow header lists.",
    ),
    413: ("BODY_TOO_LARGE", "The request body is too large; send a smaller one."),
    416: (
        "RANGE_NOT_SATISFIABLE",
        "The range is outside the file; request a range within the length in the Content-Range "
        "header.",
    ),
}

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class ProblemDocument(BaseModel):
    """A problem as defined by RFC 9457. `code` is for programs, `detail` for people."""

    type: str = Field(description="Always about:blank; `code` distinguishes problems.")
    title: str = Field(description="The reason phrase of the status.")
    status: int
    code: str = Field(description="Stable: its meaning never changes.", pattern="^[A-Z_]+$")
    detail: str = Field(description="What is wrong, and what to do.")


class Problem(Exception):
    """Ends the request with a problem response."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        assert CODES[code].status is status, f"{code} is documented with another status"
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(retry_after_s)

    def response(self) -> Response:
        """Return the problem response."""
        document = ProblemDocument(
            type="about:blank",
            title=self.status.phrase,
            status=self.status.value,
            code=self.code,
            detail=self.detail,
        )
        return Response(
            json.dumps(document.model_dump()) + "\n",
            status=self.status.value,
            headers={**self.headers, "Cache-Control": "no-store"},
            content_type="application/problem+json",
        )


def register_problems(app: Flask) -> None:
    """Answer every error of `app` with a problem document."""
    app.register_error_handler(Exception, lambda error: problem_from(error).response())


def problem_from(error: Exception) -> Problem:
    """Translate an error to a problem. Details that the client must not see are logged."""
    match error:
        case Problem():
            return error
        case CatalogueError():
            return Problem(CODES[error.code].status, error.code, error.message)
        case JobNotFound():
            return Problem(HTTPStatus.NOT_FOUND, "JOB_NOT_FOUND", str(error))
        case IdempotencyKeyLost():
            return key_in_use()
        case UploadLost():
            return Problem(HTTPStatus.REQUEST_TIMEOUT, "UPLOAD_STALLED", str(error))
        case WebhookUrlRefused():
            return Problem(
                HTTPStatus.BAD_REQUEST,
                "INVALID_PARAMETER",
                f"'webhook_url' is not allowed: {error}.",
            )
        case TooManyOpenJobs():
            return Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "TOO_MANY_OPEN_JOBS",
                str(error),
                retry_after_s=_QUOTA_RETRY_S,
            )
        case IllegalTransition():
            return Problem(
                HTTPStatus.CONFLICT,
                "JOB_NOT_ENDED",
                f"The job is still {error.state}; cancel it or wait until it has ended.",
            )
        case redis.RedisError() | OperationalError() if reason := refusal(error):
            return _refused_write(reason, error)
        case redis.RedisError() | OperationalError():
            return _unavailable("SERVICE_UNAVAILABLE", "The job store cannot be reached", error)
        case OSError() if error.errno in _NO_SPACE:
            _log_error("storage_full", error)
            return Problem(
                HTTPStatus.INSUFFICIENT_STORAGE,
                "STORAGE_FULL",
                "The storage is full; delete ended jobs, or ask the operator for more space.",
            )
        case OSError():
            return _unavailable("STORAGE_UNAVAILABLE", "The storage cannot be used", error)
        case HTTPException(code=int(status)):
            return _from_http(error, HTTPStatus(status))
        case _:
            log.error("request_failed", **_logged_request(), exc_info=error)
            return Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "INTERNAL_ERROR",
                "The server failed to handle the request, and the error was logged; try again "
                "later.",
            )


def key_in_use() -> Problem:
    """Return the problem of an idempotency key that another request holds."""
    return Problem(
        HTTPStatus.CONFLICT,
        "IDEMPOTENCY_KEY_IN_USE",
        "Another request with this Idempotency-Key is in progress; repeat yours after one second "
        "to get its response.",
        retry_after_s=1,
    )


def refuse_input(error: ValidationError) -> NoReturn:
    """Raise the problem of invalid input."""
    raise problem_of_input(error)


def problem_of_input(error: ValidationError) -> Problem:
    """Return the problem of invalid parameters, fields or JSON bodies."""
    first = error.errors(include_url=False, include_context=False)[0]
    name = ".".join(str(part) for part in first["loc"])[:64]
    if not name:
        return Problem(
            HTTPStatus.BAD_REQUEST,
            "INVALID_BODY",
            "The body must be a JSON object, sent as application/json; /docs describes it.",
        )
    if first["type"] == "extra_forbidden":
        return Problem(
            HTTPStatus.BAD_REQUEST,
            "UNKNOWN_PARAMETER",
            f"The parameter {name!r} is unknown; /docs lists the supported ones.",
        )
    message = first["msg"].removeprefix("Value error, ").removesuffix(".")
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "INVALID_PARAMETER",
        f"{name!r} cannot be {_format_value(first['input'])}: {message[:1].lower()}{message[1:]}.",
    )


def _format_value(value: object) -> str:
    """Return the start of a value with API keys masked; lists and objects are only named."""
    match value:
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return repr(mask_secrets(str(value))[:32])


def _log_error(event: str, error: Exception) -> None:
    log.error(event, **_logged_request(), error=error)


def _logged_request() -> dict[str, str]:
    return {"method": request.method, "path": logged_path(request.environ)}


def _refused_write(reason: str, error: Exception) -> Problem:
    log.error("write_refused", **_logged_request(), reason=reason, error=type(error).__name__)
    if reason == MEMORY_FULL:
        return Problem(
            HTTPStatus.INSUFFICIENT_STORAGE,
            "JOB_STORE_FULL",
            "The job store is full; delete ended jobs, or ask the operator for more memory.",
        )
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "SERVICE_UNAVAILABLE",
        f"The job store refuses writes; try again in {RETRY_AFTER_S} seconds, and ask the operator "
        "if that "
        "does not help.",
        retry_after_s=RETRY_AFTER_S,
    )


def _unavailable(code: str, sentence: str, error: Exception) -> Problem:
    _log_error(code.lower(), error)
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        code,
        f"{sentence}; try again in {RETRY_AFTER_S} seconds.",
        retry_after_s=RETRY_AFTER_S,
    )


def _from_http(error: HTTPException, status: HTTPStatus) -> Problem:
    if status.value not in _HTTP_DETAILS:
        status = HTTPStatus.BAD_REQUEST
    code, detail = _HTTP_DETAILS[status.value]
    # Keep headers such as Allow and Content-Range; drop those that describe werkzeug's own HTML
    # page.
    headers = {
        name: value
        for name, value in error.get_response(request.environ).headers.items()
        if not name.lower().startswith("content-") or name.lower() == "content-range"
    }
    return Problem(status, code, detail, headers=headers)
