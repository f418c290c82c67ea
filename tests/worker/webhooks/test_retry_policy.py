"""The decision after a delivery attempt."""

from __future__ import annotations

import pytest

from worker.webhooks.retry_policy import (
    AttemptResult,
    DeliveryDecision,
    ForbiddenUrl,
    HttpResponse,
    NoResponse,
    next_attempt,
)

DELAYS_S = (5.0, 60.0)


def decision_after(
    result: AttemptResult, attempt: int = 1, jitter: float = 0.0
) -> DeliveryDecision:
    return next_attempt(result, attempt=attempt, delays_s=DELAYS_S, jitter=jitter)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_a_success_ends_the_delivery(status: int) -> None:
    assert decision_after(HttpResponse(status=status)) == DeliveryDecision(
        outcome="delivered", detail="", retry_in_s=None
    )


@pytest.mark.parametrize("status", [199, 301, 307, 400, 401, 404, 409, 429, 500, 503])
def test_any_other_status_is_retried(status: int) -> None:
    decision = decision_after(HttpResponse(status=status))
    assert (decision.outcome, decision.retry_in_s) == ("failed", 5.0)
    assert str(status) in decision.detail


def test_each_delay_is_used_once_and_then_the_delivery_ends() -> None:
    delays = [
        decision_after(NoResponse(detail="No."), number).retry_in_s for number in (1, 2, 3, 4)
    ]
    assert delays == [5.0, 60.0, None, None]
    assert "last attempt" in decision_after(NoResponse(detail="No."), 3).detail


def test_status_410_is_not_retried() -> None:
    decision = decision_after(HttpResponse(status=410))
    assert (decision.outcome, decision.retry_in_s) == ("failed", None)


def test_a_refused_address_is_not_retried() -> None:
    decision = decision_after(ForbiddenUrl(detail="private"))
    assert decision == DeliveryDecision(outcome="refused", detail="private", retry_in_s=None)


def test_retry_after_may_lengthen_the_delay_up_to_a_day() -> None:
    def delay(status: int, retry_after_s: float) -> float | None:
        return decision_after(HttpResponse(status=status, retry_after_s=retry_after_s)).retry_in_s

    assert [delay(503, 30), delay(429, 30), delay(503, 1), delay(503, 1e9)] == [30, 30, 5, 86_400]
    assert delay(500, 30) == 5


def test_jitter_lengthens_the_delay_by_a_fifth_at_most() -> None:
    assert decision_after(NoResponse(detail="No."), jitter=0.5).retry_in_s == pytest.approx(5.5)
    assert decision_after(NoResponse(detail="No."), jitter=1.0).retry_in_s == pytest.approx(6.0)
