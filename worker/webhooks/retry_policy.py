"""Retry policy of webhooks: a pure function from the result of an attempt to a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.ports.webhooks import Outcome

_MAX_RETRY_AFTER_S = 86_400.0
_SPREAD = 0.2
_GONE = 410
_RETRY_AFTER_STATUSES = frozenset({429, 503})  # statuses whose Retry-After is honoured


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The receiver answered with this HTTP status."""

    status: int
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Failed:
    """There was no response."""

    detail: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The URL is not permitted."""

    detail: str


Result = Answered | Failed | Refused


@dataclass(frozen=True, kw_only=True)
class DeliveryDecision:
    """What to record of the attempt, and whether and when to retry."""

    outcome: Outcome
    detail: str
    again_in_s: float | None


def decide(
    result: Result, *, number: int, retries_s: Sequence[float], chance: float
) -> DeliveryDecision:
    """Decide what follows attempt `number` (1-based).

    Args:
        retries_s: seconds before the second, third, … attempt; after the last, delivery has failed.
        chance: 0 to 1, drawn by the caller; spreads the attempts of receivers that went away together.
    """
    if isinstance(result, Refused):
        return DeliveryDecision(outcome="refused", detail=result.detail, again_in_s=None)
    if isinstance(result, Answered):
        if 200 <= result.status < 300:
            return DeliveryDecision(outcome="delivered", detail="", again_in_s=None)
        if result.status == _GONE:
            detail = "The receiver says that it is gone for good; it is not called again."
            return DeliveryDecision(outcome="failed", detail=detail, again_in_s=None)
    detail = _detail(result)
    if number > len(retries_s):
        return DeliveryDecision(
            outcome="failed", detail=f"{detail} This was the last attempt.", again_in_s=None
        )
    wait = retries_s[number - 1] * (1 + _SPREAD * chance)
    if isinstance(result, Answered) and result.status in _RETRY_AFTER_STATUSES:
        wait = max(wait, min(result.retry_after_s or 0.0, _MAX_RETRY_AFTER_S))
    return DeliveryDecision(outcome="failed", detail=detail, again_in_s=wait)


def _detail(result: Answered | Failed) -> str:
    if isinstance(result, Failed):
        return result.detail
    if 300 <= result.status < 400:
        return f"The receiver answered {result.status}; redirects are not followed."
    return f"The receiver answered {result.status}; a status from 200 to 299 would mean success."
