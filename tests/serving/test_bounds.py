"""The limits on predictions, and the lifetime of versions."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from serving.concurrency_limiter import ConcurrencyLimiter
from serving.errors import DeadlineExceeded, NotServed, QueueFull
from serving.versions.registry import State, VersionRegistry


def test_more_predictions_than_slots_wait_until_their_deadline() -> None:
    limiter = ConcurrencyLimiter(running=2, waiting=1)
    with (
        limiter.acquire(None),
        limiter.acquire(None),
        pytest.raises(DeadlineExceeded),
        limiter.acquire(0.01),
    ):
        pass


def test_a_full_queue_rejects_at_once() -> None:
    limiter = ConcurrencyLimiter(running=1, waiting=0)
    with limiter.acquire(None), pytest.raises(QueueFull), limiter.acquire(None):
        pass


def test_a_slot_is_released_after_a_failure() -> None:
    limiter = ConcurrencyLimiter(running=1, waiting=0)
    with pytest.raises(KeyError), limiter.acquire(None):
        raise KeyError
    with limiter.acquire(0.0):
        pass


class Resource:
    """A fake loaded model that counts how often it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_a_withdrawn_version_is_closed_after_its_last_request() -> None:
    registry: VersionRegistry[Resource] = VersionRegistry("genre")
    model = Resource()
    registry.publish(1, model)
    with ExitStack() as last:
        with registry.use("genre", 1):
            last.enter_context(registry.use("genre", None))
            registry.withdraw(1)
            with pytest.raises(NotServed), registry.use("genre", 1):
                pass
        assert model.closed == 0
        assert [status.state for status in registry.statuses("genre", 1)] == [State.UNLOADING]
    assert model.closed == 1
    assert [status.state for status in registry.statuses("genre", 1)] == [State.END]


def test_a_version_that_returns_is_not_closed_with_its_predecessor() -> None:
    registry: VersionRegistry[Resource] = VersionRegistry("genre")
    before, after = Resource(), Resource()
    registry.publish(1, before)
    with registry.use("genre", 1):
        registry.withdraw(1)
        registry.publish(1, after)
    assert (before.closed, after.closed) == (1, 0)
    with registry.use("genre", 1) as (_, model):
        assert model is after
