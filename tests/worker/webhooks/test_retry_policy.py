"""What follows from an attempt to call back."""

from __future__ import annotations

import pytest

from worker.webhooks.retry_policy import Answered, DeliveryDecision, Failed, Refused, Result, decide

WAITS = (5.0, 60.0)


def decided(result: Result, number: int = 1, chance: float = 0.0) -> DeliveryDecision:
    return decide(result, number=number, retries_s=WAITS, chance=chance)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_a_success_ends_it(status: int) -> None:
    assert decided(Answered(status=status)) == DeliveryDecision(
        outcome="delivered", detail="", again_in_s=None
    )


@pytest.mark.parametrize("status", [199, 301, 307, 400, 401, 404, 409, 429, 500, 503])
def test_any_other_status_is_tried_again(status: int) -> None:
    decision = decided(Answered(status=status))
    assert (decision.outcome, decision.again_in_s) == ("failed", 5.0)
    assert str(status) in decision.detail


def test_each_wait_is_used_once_and_then_it_is_over() -> None:
    waits = [decided(Failed(detail="No."), number).again_in_s for number in (1, 2, 3, 4)]
    assert waits == [5.0, 60.0, None, None]
    assert "last attempt" in decided(Failed(detail="No."), 3).detail


def test_a_receiver_that_is_gone_for_good_is_not_called_again() -> None:
    decision = decided(Answered(status=410))
    assert (decision.outcome, decision.again_in_s) == ("failed", None)


def test_an_address_that_must_not_be_called_is_not_tried_again() -> None:
    decision = decided(Refused(detail="private"))
    assert decision == DeliveryDecision(outcome="refused", detail="private", again_in_s=None)


def test_a_busy_receiver_may_ask_for_a_longer_wait_but_not_for_a_shorter_or_endless_one() -> None:
    def wait(status: int, wish: float) -> float | None:
        return decided(Answered(status=status, retry_after_s=wish)).again_in_s

    assert [wait(503, 30), wait(429, 30), wait(503, 1), wait(503, 1e9)] == [30, 30, 5, 86_400]
    assert wait(500, 30) == 5


def test_chance_spreads_the_attempts_by_a_fifth_at_most() -> None:
    assert decided(Failed(detail="No."), chance=0.5).again_in_s == pytest.approx(5.5)
    assert decided(Failed(detail="No."), chance=1.0).again_in_s == pytest.approx(6.0)
