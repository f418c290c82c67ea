"""Retry policy of webhooks: a pure function from the result of an attempt to a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.ports.webhooks import Outcome

_MAX_RETRY_AFTER_S = 86_400.0
_MAX_JITTER = 0.2
_GONE = 410
_RETRY_AFTER_STATUSES = frozenset({429, 503})  # statuses whose Retry-After is honoured


@dataclass(frozen=True, kw_only=True)
class HttpResponse:
    """The receiver answered with this HTTP status."""

    status: int
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class NoResponse:
    """There was no response."""

    detail: str


@dataclass(frozen=True, kw_only=True)
class ForbiddenUrl:
    """The URL is not permitted."""

    detail: str


AttemptResult = HttpResponse | NoResponse | ForbiddenUrl


@dataclass(frozen=True, kw_only=True)
class DeliveryDecision:
    """What to record of the attempt, and whether and when to retry."""

    outcome: Outcome
    detail: str
    retry_in_s: float | None  # None: no further attempt


def next_attempt(
    result: AttemptResult, *, attempt: int, delays_s: Sequence[float], jitter: float
) -> DeliveryDecision:
    """Decide what follows an attempt.

    Args:
        result: the result of the attempt.
        attempt: its number, from 1.
        delays_s: seconds before the second, third, … attempt; after the last, delivery has failed.
        jitter: random number, 0 to 1, so that attempts after an outage are spread.
    """
    if isinstance(result, ForbiddenUrl):
        return DeliveryDecision(outcome="refused", detail=result.detail, retry_in_s=None)
    if isinstance(result, HttpResponse):
        if 200 <= result.status < 300:
            return DeliveryDecision(outcome="delivered", detail="", retry_in_s=None)
        if result.status == _GONE:
            detail = "The receiver answered 410 (gone); there are no further attempts."
            return DeliveryDecision(outcome="failed", detail=detail, retry_in_s=None)
    detail = _detail(result)
    if attempt > len(delays_s):
        return DeliveryDecision(
            outcome="failed", detail=f"{detail} This was the last attempt.", retry_in_s=None
        )
    delay_s = delays_s[attempt - 1] * (1 + _MAX_JITTER * jitter)
    if isinstance(result, HttpResponse) and result.status in _RETRY_AFTER_STATUSES:
        delay_s = max(delay_s, min(result.retry_after_s or 0.0, _MAX_RETRY_AFTER_S))
    return DeliveryDecision(outcome="failed", detail=detail, retry_in_s=delay_s)


def _detail(result: HttpResponse | NoResponse) -> str:
    if isinstance(result, NoResponse):
        return result.detail
    if 300 <= result.status < 400:
        return f"The receiver answered {result.status}; redirects are not followed."
    return f"The receiver answered {result.status}; success is a status from 200 to 299."
