"""Bounds how many predictions run at a time and how many may wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import DeadlineExceeded, QueueFull


class ConcurrencyLimiter:
    """More predictions at a time than CPUs are slower for everyone; waiting ones cost only memory."""

    def __init__(self, *, running: int, waiting: int) -> None:
        self._free = threading.Semaphore(running)
        self._places = threading.Semaphore(running + waiting)
        self._full = f"{waiting} predictions wait already; try again later"

    @contextmanager
    def enter(self, timeout_s: float | None) -> Iterator[None]:
        """Waits for a turn, at most `timeout_s` seconds (None: for ever), and holds it.

        Raises:
            QueueFull: too many wait already.
            DeadlineExceeded: the time was up first.
        """
        if not self._places.acquire(blocking=False):
            raise QueueFull(self._full)
        try:
            if not self._free.acquire(timeout=timeout_s):
                raise DeadlineExceeded("the deadline passed before the prediction's turn came")
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._places.release()
