"""Logs a persistent fault once an hour instead of at every attempt that meets it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

_INTERVAL_S = 3600.0
_MAX_KEYS = 10_000


class LogOnce:
    """Drops repeated error events. Safe for threads; each process has its own memory."""

    def __init__(
        self,
        log: structlog.stdlib.BoundLogger,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._logged_at: dict[str, float] = {}

    def error(self, key: str, event: str, **values: object) -> None:
        """Log the event unless one with this key was logged within the last hour."""
        now = self._clock()
        with self._lock:
            if now - self._logged_at.get(key, float("-inf")) < _INTERVAL_S:
                return
            if len(self._logged_at) >= _MAX_KEYS:
                self._logged_at.clear()
            self._logged_at[key] = now
        self._log.error(event, **values)

    def forget(self, key: str) -> None:
        """Log the next event with this key at once: the fault had ended."""
        with self._lock:
            self._logged_at.pop(key, None)
