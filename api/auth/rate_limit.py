"""Rate limit per API key, counted in Redis for all API processes."""

from __future__ import annotations

import math
import time
from http import HTTPStatus
from typing import Any, NoReturn

import redis
import structlog
from flask import Flask, request
from flask_limiter import ApplicationLimit, Limiter, RequestLimit
from limits.storage import RedisStorage

from api.auth.authentication import OPEN_ENDPOINTS
from api.auth.caller import caller
from api.http.problems import Problem
from jobs.logs.log_once import LogOnce
from jobs.outage import refusal

log = structlog.get_logger(__name__)
_faults = LogOnce(log)

_MEMORY = "memory://"
_SCHEME = "counts+"
# Not limited while Redis refuses writes.
_UNCOUNTED = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


class _RedisCounters(RedisStorage):
    """The counters in Redis; the moving-window strategy calls `acquire_entry` per request."""

    STORAGE_SCHEME = [f"{_SCHEME}redis", f"{_SCHEME}rediss", f"{_SCHEME}redis+unix"]  # noqa: RUF012

    def __init__(self, uri: str, **options: Any) -> None:
        super().__init__(uri.removeprefix(_SCHEME), **options)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        try:
            return bool(super().acquire_entry(key, limit, expiry, amount))
        except redis.RedisError as error:
            if request.method not in _UNCOUNTED or (reason := refusal(error)) is None:
                raise
            _faults.error(reason, "rate_limit_unavailable", reason=reason)
            return True


def register_rate_limit(app: Flask, url: str, *, key_prefix: str) -> None:
    """Answer 429 with Retry-After above the caller's rate limit.

    While Redis cannot be reached, requests fail; they could not be authenticated either. While
    Redis refuses writes, requests that read or delete pass uncounted, since deleting jobs frees
    memory.

    Args:
        url: URL of Redis, or `memory://` for tests.
        key_prefix: prefix of the keys in Redis.
    """
    limiter = Limiter(
        lambda: caller().key_id or "",
        app=app,
        application_limits=[ApplicationLimit(lambda: f"{caller().requests_per_minute}/minute")],
        strategy="moving-window",
        storage_uri=_storage_uri(url),
        storage_options=(
            {} if url == _MEMORY else {"key_prefix": key_prefix, "socket_timeout": 10}
        ),
        on_breach=_refuse,
    )
    limiter.request_filter(lambda: request.endpoint in OPEN_ENDPOINTS)


def _storage_uri(url: str) -> str:
    if url == _MEMORY:
        return url
    return _SCHEME + url.replace("unix://", "redis+unix://", 1)


def _refuse(limit: RequestLimit) -> NoReturn:
    wait = max(1, math.ceil(limit.reset_at - time.time()))
    raise Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "TOO_MANY_REQUESTS",
        f"The rate limit of {limit.limit.amount:,} requests per minute is exceeded; "
        f"try again in {wait} seconds.",
        retry_after_s=wait,
    )
