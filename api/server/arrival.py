"""A request on its way in, as far as it has to be here before a thread is spent on it."""

from __future__ import annotations

import re

from gunicorn.http.errors import LimitRequestHeaders

# A larger body is read by the thread that serves the request, while it holds a permit.
SMALL_BODY_BYTES = 64 * 1024
# More than the longest request line and the headers that people send; gunicorn's own limits hold within it.
_LONGEST_HEAD_BYTES = 32 * 1024

# A line feed alone never ends a head, and gunicorn refuses it as soon as it sees one.
_END_OF_HEAD = re.compile(rb"\r\n\r\n|(?<!\r)\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,19})[ \t]*\r\n", re.IGNORECASE)
# A client that expects "100 Continue" sends nothing before a thread has answered.
_BODY_LATER = re.compile(rb"\r\n(?:transfer-encoding|expect)[ \t]*:", re.IGNORECASE)
_PROBE = re.compile(rb"(?:GET|HEAD) /(healthz|readyz)[ ?]")


class RequestLate(Exception):
    """The head of a request, or a small body, did not arrive in time."""


class Arrival:
    """The bytes of a connection's next request that have come so far.

    The head is searched and not parsed; gunicorn parses it, in a thread, from these same bytes.
    """

    def __init__(self, received: bytes = b"") -> None:
        self.received = bytearray()
        self.body_follows = (
            False  # known with the head: too large, or of unknown length, to wait for
        )
        self._needed: int | None = None  # bytes of head and body together, once the head is here
        self._ended = False
        if received:
            self.add(received)

    def add(self, block: bytes) -> None:
        """Take what the client sent next; no bytes mean that it will send no more.

        Raises gunicorn's `LimitRequestHeaders` when the head is too long.
        """
        self._ended = not block
        searched = len(self.received)
        self.received += block
        if self._needed is not None:
            return
        found = _END_OF_HEAD.search(self.received, max(0, searched - 3))
        if found is not None:
            self._measure(found.end())
        elif len(self.received) > _LONGEST_HEAD_BYTES:
            raise LimitRequestHeaders("the head is too long")

    @property
    def has_head(self) -> bool:
        """Whether the head is complete."""
        return self._needed is not None

    @property
    def is_ready(self) -> bool:
        """Whether a thread can serve the request without waiting for the client, or has to tell it that it cannot."""
        return self._ended or (self._needed is not None and len(self.received) >= self._needed)

    @property
    def probe(self) -> bytes | None:
        """`healthz` or `readyz`, if it asks for one of these."""
        found = _PROBE.match(self.received)
        return found and found[1]

    def _measure(self, head: int) -> None:
        length = _LENGTH.search(self.received, 0, head)
        body = int(length[1]) if length else 0
        self.body_follows = (
            body > SMALL_BODY_BYTES or _BODY_LATER.search(self.received, 0, head) is not None
        )
        self._needed = head if self.body_follows else head + body
