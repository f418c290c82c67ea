"""Concurrency limits of uploads and downloads, in which a thread may have to wait for its client.

A request whose body has arrived completely and whose response fits into the socket buffer needs no
permit, so slow clients cannot block requests for jobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request

from api.auth.authentication import OPEN_ENDPOINTS
from api.auth.caller import caller_or_none
from api.http.concurrency import ConcurrencyLimiter, Release
from api.http.problems import RETRY_AFTER_S, Problem

# The socket buffer takes a response of this size at once if it is empty.
_SMALL_RESPONSE_BYTES = 16 * 1024
# Their responses are large and expensive, so permits are acquired before.
_DOWNLOADS = frozenset(
    {"results.get_result", "results.get_errors", "review.list_rows", "review.get_corrections"}
)
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Transfers:
    """Limits of concurrent uploads and downloads."""

    per_owner: ConcurrencyLimiter
    total: ConcurrencyLimiter

    def begin(self, owner: str | None) -> Release:
        """Acquire a permit. Raises `Problem` if none is available."""
        release_owner = self.per_owner.try_acquire(owner)
        if release_owner is None:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "TOO_MANY_TRANSFERS",
                "Your maximum number of concurrent uploads and downloads is reached; "
                "try again when one of them has ended.",
                retry_after_s=RETRY_AFTER_S,
            )
        release_all = self.total.try_acquire()
        if release_all is None:
            release_owner()
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "SERVER_BUSY",
                "The server's maximum number of concurrent uploads and downloads is reached; "
                f"try again in {RETRY_AFTER_S} seconds.",
                retry_after_s=RETRY_AFTER_S,
            )

        def release() -> None:
            release_all()
            release_owner()

        return release


def register_transfers(app: Flask, transfers: Transfers) -> None:
    """Require permits. Register this hook last: it needs the caller."""

    @app.before_request
    def begin() -> None:
        body_follows = getattr(_client(), "body_follows", False)
        if request.endpoint in _DOWNLOADS or (
            body_follows and request.endpoint not in OPEN_ENDPOINTS
        ):
            _hold(transfers)
        elif body_follows and request.method not in _SAFE_METHODS:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "BODY_TOO_LARGE",
                "Without an API key a body is limited to 64 KiB and needs a Content-Length; send a "
                "key or a smaller body.",
            )

    @app.after_request
    def end(response: Response) -> Response:
        if "may_wait" not in g and not _is_small(response):
            try:
                _hold(transfers)
            except Problem as problem:
                response.close()
                return problem.response()
        if (release := g.pop("release_transfer", None)) is not None:
            # werkzeug does not call close hooks in direct passthrough mode.
            response.direct_passthrough = False
            response.call_on_close(release)
        return response


def wait_for_client() -> None:
    """Allow reads and writes of this request to wait for its client.

    The request must hold a permit.
    """
    g.may_wait = True
    if (client := _client()) is not None:
        client.may_wait = True


def _hold(transfers: Transfers) -> None:
    caller = caller_or_none()
    g.release_transfer = transfers.begin(caller.owner if caller else None)
    wait_for_client()


def _client() -> Any:
    """Return the `ClientSocket` of the request; None in tests without a server."""
    return request.environ.get("gunicorn.socket")


def _is_small(response: Response) -> bool:
    if request.method == "HEAD" or response.status_code in _WITHOUT_BODY:
        return True
    size = response.content_length
    if size is None:
        size = response.calculate_content_length()
    return size is not None and size <= _SMALL_RESPONSE_BYTES
