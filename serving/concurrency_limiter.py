"""Limits concurrent predictions and the length of their queue."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import DeadlineExceeded, QueueFull


class ConcurrencyLimiter:
    """Runs as many predictions as there are slots; more of them queue, up to a limit.

    More concurrent predictions than CPUs slow each other down; queued ones only cost memory.
    """

    def __init__(self, *, running: int, waiting: int) -> None:
        self._slots = threading.Semaphore(running)
        self._admitted = threading.Semaphore(running + waiting)
        self._queue_full = f"{waiting} predictions are queued; try again later"

    @contextmanager
    def acquire(self, timeout_s: float | None) -> Iterator[None]:
        """Wait for a slot, at most `timeout_s` seconds (None: without a limit), and hold it.

        Raises:
            QueueFull: the queue is full.
            DeadlineExceeded: no slot was free in time.
        """
        if not self._admitted.acquire(blocking=False):
            raise QueueFull(self._queue_full)
        try:
            if not self._slots.acquire(timeout=timeout_s):
                raise DeadlineExceeded("the deadline passed while the prediction was queued")
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._admitted.release()
