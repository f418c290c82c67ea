"""How many requests a key may send in a minute, counted in Redis for all processes together."""

from __future__ import annotations

from flask import Flask, request
from flask_limiter import ApplicationLimit, Limiter

from api.access import OPEN_ENDPOINTS
from api.callers import caller
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
        headers_enabled=True,
    )
    limiter.request_filter(lambda: request.endpoint in OPEN_ENDPOINTS)
