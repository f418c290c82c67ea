"""Permits for uploads and downloads: whatever makes a thread wait for a client needs one.

A request whose body was here before a thread took it, and whose answer the kernel takes at once, needs none, so looks at
jobs are answered however many clients are slow.
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

# The kernel takes as much of an answer at once on any connection that has nothing else to send.
_SMALL_ANSWER_BYTES = 16 * 1024
# Their answers are large, and cost time to make: what is refused is refused before.
_DOWNLOADS = frozenset(
    {"results.get_result", "results.get_errors", "review.list_rows", "review.get_corrections"}
)
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Transfers:
    """The limits on uploads and downloads under way."""

    of_one_owner: ConcurrencyLimiter
    in_all: ConcurrencyLimiter

    def begin(self, owner: str | None) -> Release:
        """A permit for one more. Raises `Problem` when there is none."""
        release_owner = self.of_one_owner.try_acquire(owner)
        if release_owner is None:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "TOO_MANY_TRANSFERS",
                "As many of your uploads and downloads are under way as may be at a time; "
                "try again when one of them has ended.",
                retry_after_s=RETRY_AFTER_S,
            )
        release_all = self.in_all.try_acquire()
        if release_all is None:
            release_owner()
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "SERVER_BUSY",
                "As many uploads and downloads are under way as the server takes at a time; "
                f"try again in {RETRY_AFTER_S} seconds.",
                retry_after_s=RETRY_AFTER_S,
            )

        def release() -> None:
            release_all()
            release_owner()

        return release


def register_transfers(app: Flask, transfers: Transfers) -> None:
    """Require permits. Register it last: it needs to know the caller, and what it refuses is an answer like any other."""

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
                "Without a key, a body has at most 64 KiB and comes with Content-Length.",
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
            # werkzeug calls nothing at the end of an answer that is passed through as it is.
            response.direct_passthrough = False
            response.call_on_close(release)
        return response


def wait_for_client() -> None:
    """From now on reads and writes of this request may wait for its client; it has to hold a permit of some kind."""
    g.may_wait = True
    if (client := _client()) is not None:
        client.may_wait = True


def _hold(transfers: Transfers) -> None:
    who = caller_or_none()
    g.release_transfer = transfers.begin(who.owner if who else None)
    wait_for_client()


def _client() -> Any:
    """The `ClientSocket` of the request; None without the server, as in tests."""
    return request.environ.get("gunicorn.socket")


def _is_small(response: Response) -> bool:
    if request.method == "HEAD" or response.status_code in _WITHOUT_BODY:
        return True
    size = response.content_length
    if size is None:
        size = response.calculate_content_length()
    return size is not None and size <= _SMALL_ANSWER_BYTES
