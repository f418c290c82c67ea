"""Concurrency limits, minimum rates and request parsing, which bound slow clients."""

from __future__ import annotations

import threading

import pytest
from gunicorn.http.errors import LimitRequestHeaders

from api.http.concurrency import ConcurrencyLimiter
from api.server.arrival import SMALL_BODY_BYTES, Arrival
from api.server.client_socket import TransferBounds


def test_permits_are_limited_per_key_and_released_once() -> None:
    limiter = ConcurrencyLimiter(2)
    first, second = limiter.try_acquire("anna"), limiter.try_acquire("anna")
    assert first is not None
    assert second is not None
    assert limiter.try_acquire("anna") is None
    assert limiter.try_acquire("eve") is not None
    first()
    first()
    assert limiter.try_acquire("anna") is not None
    assert limiter.try_acquire("anna") is None


def test_a_permit_also_takes_and_releases_one_of_the_outer_limiter() -> None:
    outer = ConcurrencyLimiter(1)
    one, other = ConcurrencyLimiter(5, within=outer), ConcurrencyLimiter(5, within=outer)
    release = one.try_acquire()
    assert release is not None
    assert other.try_acquire() is None
    release()
    assert other.try_acquire() is not None


def test_concurrent_threads_never_exceed_the_limit() -> None:
    limiter = ConcurrencyLimiter(3, within=ConcurrencyLimiter(2))
    permits, peak, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal permits, peak
        for _ in range(2000):
            if (release := limiter.try_acquire()) is not None:
                with lock:
                    permits += 1
                    peak = max(peak, permits)
                with lock:
                    permits -= 1
                release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= peak <= 2
    assert [limiter.try_acquire() is not None for _ in range(3)] == [True, True, False]


class Clock:
    """A clock that advances by waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> bool:
        self.now += seconds
        return True


def test_a_client_below_the_minimum_rate_times_out() -> None:
    for moved, is_served in ((1000, True), (990, False)):
        clock = Clock()
        rate = TransferBounds(idle_timeout_s=10, bytes_per_s=1000).rate(clock)
        for _ in range(9):
            rate.record(moved)
            rate.wait(lambda _, clock=clock: clock.advance(1.0))  # type: ignore[misc]
        rate.record(moved)
        if is_served:
            rate.wait(lambda _, clock=clock: clock.advance(1.0))  # type: ignore[misc]
        else:
            with pytest.raises(TimeoutError, match="SPINELABEL_API_MIN_BYTES_PER_S"):
                rate.wait(lambda _, clock=clock: clock.advance(1.0))  # type: ignore[misc]


def test_an_initial_burst_does_not_excuse_a_slow_transfer() -> None:
    clock = Clock()
    rate = TransferBounds(idle_timeout_s=10, bytes_per_s=1000).rate(clock)
    rate.record(1_000_000)
    for _ in range(10):
        rate.wait(lambda _: clock.advance(1.0))
    with pytest.raises(TimeoutError):
        for _ in range(10):
            rate.record(1)
            rate.wait(lambda _: clock.advance(1.0))


def test_time_spent_by_the_server_does_not_count() -> None:
    clock = Clock()
    rate = TransferBounds(idle_timeout_s=10, bytes_per_s=1000).rate(clock)
    for _ in range(30):
        rate.record(500)
        clock.advance(100.0)
        rate.wait(lambda _: clock.advance(0.1))


HEAD = b"POST /v1/label HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "body_follows"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", False),
        (HEAD + b"Content-Length: 0\r\n\r\n", False),
        (HEAD + b"content-length:11\r\n\r\nhello world", False),
        (HEAD + b"Content-Length: %d\r\n\r\n" % (SMALL_BODY_BYTES + 1), True),
        (HEAD + b"Content-Length: 11\r\nExpect: 100-continue\r\n\r\n", True),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", True),
        # gunicorn refuses these at once, so there is nothing to wait for.
        (b"GET / HTTP/1.1\n", False),
        (b"\r\n\r\n", False),
    ],
)
def test_a_request_is_ready_with_its_last_byte_in_any_segmentation(
    request_bytes: bytes, body_follows: bool
) -> None:
    for size in (1, 2, 3, 5, len(request_bytes)):
        arrival = Arrival()
        for start in range(0, len(request_bytes), size):
            assert not arrival.is_ready
            arrival.add(request_bytes[start : start + size])
        assert arrival.is_ready
        assert arrival.body_follows is body_follows
        assert arrival.received == request_bytes


def test_an_endless_head_is_refused() -> None:
    arrival = Arrival()
    with pytest.raises(LimitRequestHeaders):
        for _ in range(1000):
            arrival.add(b"X-A: " + b"a" * 1000 + b"\r\n")
    assert len(arrival.received) < 40_000


def test_a_client_that_closes_early_is_not_waited_for() -> None:
    arrival = Arrival()
    arrival.add(b"GET / HT")
    arrival.add(b"")
    assert arrival.is_ready
    assert not arrival.has_head


@pytest.mark.parametrize(
    ("line", "probe"),
    [
        (b"GET /healthz HTTP/1.1", b"healthz"),
        (b"HEAD /readyz HTTP/1.1", b"readyz"),
        (b"GET /readyz?x=1 HTTP/1.1", b"readyz"),
        (b"GET /healthzz HTTP/1.1", None),
        (b"POST /healthz HTTP/1.1", None),
        (b"GET /v1/jobs HTTP/1.1", None),
    ],
)
def test_probes_are_recognised_by_their_request_line(line: bytes, probe: bytes | None) -> None:
    arrival = Arrival()
    arrival.add(line + b"\r\n\r\n")
    assert arrival.probe == probe
