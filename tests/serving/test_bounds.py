"""The bounds inside the server: how many predictions run, and how long a version stays open."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from serving.concurrency_limiter import ConcurrencyLimiter
from serving.errors import DeadlineExceeded, NotServed, QueueFull
from serving.version_registry import State, VersionRegistry


def test_as_many_enter_the_gate_as_may_run_and_one_more_is_too_late() -> None:
    gate = ConcurrencyLimiter(running=2, waiting=1)
    with gate.enter(None), gate.enter(None), pytest.raises(DeadlineExceeded), gate.enter(0.01):
        pass


def test_who_finds_all_waiting_places_taken_is_sent_away_at_once() -> None:
    gate = ConcurrencyLimiter(running=1, waiting=0)
    with gate.enter(None), pytest.raises(QueueFull), gate.enter(None):
        pass


def test_the_gate_is_free_again_after_failures() -> None:
    gate = ConcurrencyLimiter(running=1, waiting=0)
    with pytest.raises(KeyError), gate.enter(None):
        raise KeyError
    with gate.enter(0.0):
        pass


class Resource:
    """Stands for a loaded model: something that is closed once."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_a_withdrawn_version_stays_open_until_its_last_request_is_done() -> None:
    table: VersionRegistry[Resource] = VersionRegistry("genre")
    model = Resource()
    table.publish(1, model)
    with ExitStack() as last:
        with table.use("genre", 1):
            last.enter_context(table.use("genre", None))
            table.withdraw(1)
            with pytest.raises(NotServed), table.use("genre", 1):
                pass
        assert model.closed == 0
        assert [status.state for status in table.statuses("genre", 1)] == [State.UNLOADING]
    assert model.closed == 1
    assert [status.state for status in table.statuses("genre", 1)] == [State.END]


def test_a_version_that_comes_back_is_not_closed_with_its_predecessor() -> None:
    table: VersionRegistry[Resource] = VersionRegistry("genre")
    before, after = Resource(), Resource()
    table.publish(1, before)
    with table.use("genre", 1):
        table.withdraw(1)
        table.publish(1, after)
    assert (before.closed, after.closed) == (1, 0)
    with table.use("genre", 1) as (_, model):
        assert model is after
