"""A client's connection, which waits for its client only where a request may."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class TransferBounds:
    """How long a client that sends or takes a file is waited for."""

    stall_s: float  # for a single byte
    bytes_per_s: int  # on average, over the time that was spent waiting

    def rate(self, clock: Callable[[], float] = time.monotonic) -> MinimumRate:
        """A measurement that begins now."""
        return MinimumRate(self, clock)


class MinimumRate:
    """What a client moves, against the time that the server waits for it.

    Only time spent waiting counts, so a server that is slow itself cuts nobody off. The average is taken anew each time
    `stall_s` seconds were waited: what was sent fast at first does not pay for a trickle afterwards.
    """

    def __init__(self, bounds: TransferBounds, clock: Callable[[], float]) -> None:
        self._bounds = bounds
        self._clock = clock
        self._waited_s = 0.0
        self._moved = 0

    def moved(self, count: int) -> None:
        """Note that so many bytes were sent or received."""
        self._moved += count

    def wait(self, ready: Callable[[float], object]) -> None:
        """Wait by `ready`, which takes the longest time in seconds and is falsy when that is over.

        Raises `TimeoutError` when nothing moves or too little has.
        """
        began = self._clock()
        if not ready(self._bounds.stall_s):
            raise TimeoutError(f"nothing moved for {self._bounds.stall_s:g} s")
        self._waited_s += self._clock() - began
        if self._waited_s >= self._bounds.stall_s:
            if self._moved < self._bounds.bytes_per_s * self._waited_s:
                raise TimeoutError(
                    f"{self._moved} bytes in {self._waited_s:.0f} s are too few "
                    f"(SPINELABEL_API_MIN_BYTES_PER_S is {self._bounds.bytes_per_s})"
                )
            self._waited_s, self._moved = 0.0, 0


class ClientSocket(socket.socket):
    """A connection that is never blocking, whatever gunicorn sets it to.

    Until `may_wait` is set, for one request at a time, a read or write that would have to wait raises `TimeoutError`:
    so a thread waits for a client only while the request holds a permit (`api.http.transfers`).
    """

    def __init__(self, accepted: socket.socket, bounds: TransferBounds) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        super().setblocking(False)
        self._bounds = bounds
        self.begin_request()

    def begin_request(self) -> None:
        """Forget what the last request was allowed, and what it moved."""
        self.may_wait = False
        self.body_follows = False
        self._incoming, self._outgoing = self._bounds.rate(), self._bounds.rate()

    def settimeout(self, value: float | None, /) -> None:
        """Ignored: `may_wait` decides."""

    def setblocking(self, flag: bool, /) -> None:
        """Ignored: `may_wait` decides."""

    def receive_now(self, size: int) -> bytes | None:
        """What is here; empty when the client will send no more, None when nothing is here yet."""
        try:
            return super().recv(size)
        except BlockingIOError:
            return None

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """As of any socket, with the bounds above."""
        while True:
            try:
                block = super().recv(bufsize, flags)
            except BlockingIOError:
                self._wait(select.POLLIN, self._incoming)
            else:
                self._incoming.moved(len(block))
                return block

    def sendall(self, data: bytes, flags: int = 0, /) -> None:  # type: ignore[override]
        """As of any socket, with the bounds above."""
        rest = memoryview(data)
        while rest:
            try:
                sent = super().send(rest, flags)
            except BlockingIOError:
                self._wait(select.POLLOUT, self._outgoing)
            else:
                self._outgoing.moved(sent)
                rest = rest[sent:]

    def _wait(self, event: int, rate: MinimumRate) -> None:
        if not self.may_wait:
            raise TimeoutError("the client has to be waited for, and this request holds no permit")
        poller = select.poll()
        poller.register(self, event)
        rate.wait(lambda seconds: poller.poll(seconds * 1000))
