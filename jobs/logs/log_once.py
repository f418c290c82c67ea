"""Logs a fault that persists once an hour, not at every attempt that meets it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

_AGAIN_AFTER_S = 3600.0
_MOST_KEYS = 10_000


class LogOnce:
    """Remembers what was logged lately. Safe for threads; each process has its own memory."""

    def __init__(self, log: logging.Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._logged_at: dict[str, float] = {}

    def error(self, key: str, message: str, *args: object, exc_info: bool = False) -> None:
        """Log the message unless one with this key was logged within the last hour."""
        now = self._clock()
        with self._lock:
            if now - self._logged_at.get(key, float("-inf")) < _AGAIN_AFTER_S:
                return
            if len(self._logged_at) >= _MOST_KEYS:
                self._logged_at.clear()
            self._logged_at[key] = now
        self._log.error(message, *args, exc_info=exc_info)

    def forget(self, key: str) -> None:
        """The fault is over: should it come back, it is logged at once."""
        with self._lock:
            self._logged_at.pop(key, None)
