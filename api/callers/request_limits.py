"""How many requests a key may send in a minute, counted in Redis for all processes together."""

from __future__ import annotations

import math
import time
from http import HTTPStatus
from typing import NoReturn

from flask import Flask, request
from flask_limiter import ApplicationLimit, Limiter, RequestLimit

from api.callers.access import OPEN_ENDPOINTS
from api.callers.callers import caller
from api.http.problems import Problem
from jobs.redis_keys import REQUEST_COUNTS


def register_request_limits(app: Flask, counts_url: str) -> None:
    """Answer 429 with Retry-After beyond a caller's limit.

    When the counts cannot be reached, requests are not let through uncounted; whoever could not be counted could not
    be recognised either, since the keys are kept in the same place.

    Args:
        counts_url: Redis as in the settings, or `memory://` for tests.
    """
    limiter = Limiter(
        lambda: caller().key_id or "",
        app=app,
        application_limits=[ApplicationLimit(lambda: f"{caller().requests_per_minute}/minute")],
        strategy="moving-window",
        storage_uri=counts_url.replace("unix://", "redis+unix://", 1),
        storage_options=(
            {}
            if counts_url == "memory://"
            else {"key_prefix": REQUEST_COUNTS, "socket_timeout": 10}
        ),
        on_breach=_refuse,
    )
    limiter.request_filter(lambda: request.endpoint in OPEN_ENDPOINTS)


def _refuse(limit: RequestLimit) -> NoReturn:
    wait = max(1, math.ceil(limit.reset_at - time.time()))
    raise Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "TOO_MANY_REQUESTS",
        f"This key has sent {limit.limit.amount:,} requests within a minute, which is all it may; "
        f"go on in {wait} seconds.",
        retry_after_s=wait,
    )
