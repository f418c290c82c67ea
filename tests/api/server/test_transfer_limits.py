"""The parts of which the bounds on slow clients are made."""

from __future__ import annotations

import threading

import pytest
from gunicorn.http.errors import LimitRequestHeaders

from api.http.concurrency import ConcurrencyLimiter
from api.server.arrival import SMALL_BODY_BYTES, Arrival
from api.server.client_socket import TransferBounds


def test_permits_are_bounded_for_each_key_and_released_once() -> None:
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


def test_a_permit_needs_one_of_the_outer_limiter_too_and_gives_it_back() -> None:
    outer = ConcurrencyLimiter(1)
    one, other = ConcurrencyLimiter(5, within=outer), ConcurrencyLimiter(5, within=outer)
    release = one.try_acquire()
    assert release is not None
    assert other.try_acquire() is None
    release()
    assert other.try_acquire() is not None


def test_many_threads_never_hold_more_permits_than_there_are() -> None:
    limiter = ConcurrencyLimiter(3, within=ConcurrencyLimiter(2))
    held, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal held, most
        for _ in range(2000):
            if (release := limiter.try_acquire()) is not None:
                with lock:
                    held += 1
                    most = max(most, held)
                with lock:
                    held -= 1
                release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 2
    assert [limiter.try_acquire() is not None for _ in range(3)] == [True, True, False]


class Clock:
    """Time that passes by being waited for."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> bool:
        self.now += seconds
        return True


def test_a_client_at_the_minimum_rate_is_waited_for_and_a_slower_one_is_not() -> None:
    for moved, is_served in ((1000, True), (990, False)):
        clock = Clock()
        rate = TransferBounds(idle_timeout_s=10, bytes_per_s=1000).rate(clock)
        for _ in range(9):
            rate.moved(moved)
            rate.wait(lambda _, clock=clock: clock.pass_by(1.0))  # type: ignore[misc]
        rate.moved(moved)
        if is_served:
            rate.wait(lambda _, clock=clock: clock.pass_by(1.0))  # type: ignore[misc]
        else:
            with pytest.raises(TimeoutError, match="SPINELABEL_API_MIN_BYTES_PER_S"):
                rate.wait(lambda _, clock=clock: clock.pass_by(1.0))  # type: ignore[misc]


def test_what_came_fast_at_first_does_not_pay_for_a_trickle() -> None:
    clock = Clock()
    rate = TransferBounds(idle_timeout_s=10, bytes_per_s=1000).rate(clock)
    rate.moved(1_000_000)
    for _ in range(10):
        rate.wait(lambda _: clock.pass_by(1.0))
    with pytest.raises(TimeoutError):
        for _ in range(10):
            rate.moved(1)
            rate.wait(lambda _: clock.pass_by(1.0))


def test_time_in_which_the_server_works_does_not_count() -> None:
    clock = Clock()
    rate = TransferBounds(idle_timeout_s=10, bytes_per_s=1000).rate(clock)
    for _ in range(30):
        rate.moved(500)
        clock.pass_by(100.0)
        rate.wait(lambda _: clock.pass_by(0.1))


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
        # Nothing that gunicorn would wait for: it refuses these as soon as it sees them.
        (b"GET / HTTP/1.1\n", False),
        (b"\r\n\r\n", False),
    ],
)
def test_a_request_is_ready_with_its_last_byte_however_it_is_cut(
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


def test_a_head_without_an_end_is_refused() -> None:
    arrival = Arrival()
    with pytest.raises(LimitRequestHeaders):
        for _ in range(1000):
            arrival.add(b"X-A: " + b"a" * 1000 + b"\r\n")
    assert len(arrival.received) < 40_000


def test_a_client_that_ends_early_is_not_waited_for() -> None:
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
def test_probes_are_known_by_their_first_line(line: bytes, probe: bytes | None) -> None:
    arrival = Arrival()
    arrival.add(line + b"\r\n\r\n")
    assert arrival.probe == probe
