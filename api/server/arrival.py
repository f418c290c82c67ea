"""The part of a request that must have arrived before it gets a thread."""

from __future__ import annotations

import re

from gunicorn.http.errors import LimitRequestHeaders

# Larger bodies are read by the thread that serves the request, which holds a permit.
SMALL_BODY_BYTES = 64 * 1024
# More than realistic requests need; gunicorn enforces its own, smaller limits.
_MAX_HEAD_BYTES = 32 * 1024

# A bare line feed is invalid; gunicorn refuses it.
_END_OF_HEAD = re.compile(rb"\r\n\r\n|(?<!\r)\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,19})[ \t]*\r\n", re.IGNORECASE)
# A client that expects "100 Continue" sends its body only after a thread has responded.
_BODY_LATER = re.compile(rb"\r\n(?:transfer-encoding|expect)[ \t]*:", re.IGNORECASE)
_PROBE = re.compile(rb"(?:GET|HEAD) /(healthz|readyz)[ ?]")


class RequestLate(Exception):
    """The head of a request, or a small body, did not arrive within its timeout."""


class Arrival:
    """The received bytes of a connection's next request.

    Only the end of the head is searched; gunicorn parses the same bytes later, in a thread.
    """

    def __init__(self, received: bytes = b"") -> None:
        self.received = bytearray()
        self.body_follows = False  # set with the head: the body is large or of unknown length
        self._needed: int | None = None  # size of head and body in bytes, once the head is complete
        self._ended = False
        if received:
            self.add(received)

    def add(self, block: bytes) -> None:
        """Append received bytes; an empty block means that the client has closed its side.

        Raises gunicorn's `LimitRequestHeaders` if the head is too long.
        """
        self._ended = not block
        searched = len(self.received)
        self.received += block
        if self._needed is not None:
            return
        end = _END_OF_HEAD.search(self.received, max(0, searched - 3))
        if end is not None:
            self._measure(end.end())
        elif len(self.received) > _MAX_HEAD_BYTES:
            raise LimitRequestHeaders("the head is too long")

    @property
    def has_head(self) -> bool:
        """Whether the head is complete."""
        return self._needed is not None

    @property
    def is_ready(self) -> bool:
        """Whether a thread can serve the request, or refuse it, without waiting for the client."""
        return self._ended or (self._needed is not None and len(self.received) >= self._needed)

    @property
    def probe(self) -> bytes | None:
        """`healthz` or `readyz` if the request is for one of these."""
        match = _PROBE.match(self.received)
        return match and match[1]

    def _measure(self, head: int) -> None:
        length = _LENGTH.search(self.received, 0, head)
        body = int(length[1]) if length else 0
        self.body_follows = (
            body > SMALL_BODY_BYTES or _BODY_LATER.search(self.received, 0, head) is not None
        )
        self._needed = head if self.body_follows else head + body
