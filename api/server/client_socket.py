"""A client socket that waits for its client only while the request holds a permit."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class TransferBounds:
    """Timeouts of uploads and downloads."""

    idle_timeout_s: float  # without a single byte
    bytes_per_s: int  # minimum average over the time spent waiting

    def rate(self, clock: Callable[[], float] = time.monotonic) -> MinimumRate:
        """Start a measurement."""
        return MinimumRate(self, clock)


class MinimumRate:
    """Enforces the minimum transfer rate of a client.

    Only time spent waiting for the client counts, so a slow server cuts off no client. The average
    is reset after every `idle_timeout_s` seconds of waiting, so a fast start does not allow a
    trickle later.
    """

    def __init__(self, bounds: TransferBounds, clock: Callable[[], float]) -> None:
        self._bounds = bounds
        self._clock = clock
        self._waited_s = 0.0
        self._transferred = 0

    def record(self, count: int) -> None:
        """Count bytes that were sent or received."""
        self._transferred += count

    def wait(self, ready: Callable[[float], object]) -> None:
        """Wait for the client with `ready`, which takes a timeout in seconds and is falsy after it.

        Raises `TimeoutError` after the idle timeout, or if the rate is too low.
        """
        began = self._clock()
        if not ready(self._bounds.idle_timeout_s):
            raise TimeoutError(f"no bytes were transferred for {self._bounds.idle_timeout_s:g} s")
        self._waited_s += self._clock() - began
        if self._waited_s >= self._bounds.idle_timeout_s:
            if self._transferred < self._bounds.bytes_per_s * self._waited_s:
                raise TimeoutError(
                    f"{self._transferred} bytes in {self._waited_s:.0f} s are too few "
                    f"(SPINELABEL_API_MIN_BYTES_PER_S is {self._bounds.bytes_per_s})"
                )
            self._waited_s, self._transferred = 0.0, 0


class ClientSocket(socket.socket):
    """A non-blocking socket, whatever gunicorn sets it to.

    Reads and writes that would block raise `TimeoutError` unless `may_wait` is set for the request,
    so that a thread waits for a client only while the request holds a permit
    (`api.http.transfers`).
    """

    def __init__(self, accepted: socket.socket, bounds: TransferBounds) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        super().setblocking(False)
        self._bounds = bounds
        self.begin_request()

    def begin_request(self) -> None:
        """Reset permission and measurements for the next request."""
        self.may_wait = False
        self.body_follows = False
        self._incoming, self._outgoing = self._bounds.rate(), self._bounds.rate()

    def settimeout(self, value: float | None, /) -> None:
        """Ignored: `may_wait` decides."""

    def setblocking(self, flag: bool, /) -> None:
        """Ignored: `may_wait` decides."""

    def receive_now(self, size: int) -> bytes | None:
        """Return available bytes, b"" if the client has closed its side, None if there are none."""
        try:
            return super().recv(size)
        except BlockingIOError:
            return None

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Like `socket`, with the limits above."""
        while True:
            try:
                block = super().recv(bufsize, flags)
            except BlockingIOError:
                self._wait(select.POLLIN, self._incoming)
            else:
                self._incoming.record(len(block))
                return block

    def sendall(self, data: bytes, flags: int = 0, /) -> None:  # type: ignore[override]
        """Like `socket`, with the limits above."""
        rest = memoryview(data)
        while rest:
            try:
                sent = super().send(rest, flags)
            except BlockingIOError:
                self._wait(select.POLLOUT, self._outgoing)
            else:
                self._outgoing.record(sent)
                rest = rest[sent:]

    def _wait(self, event: int, rate: MinimumRate) -> None:
        if not self.may_wait:
            raise TimeoutError("the request would have to wait for its client and holds no permit")
        poller = select.poll()
        poller.register(self, event)
        rate.wait(lambda seconds: poller.poll(seconds * 1000))
