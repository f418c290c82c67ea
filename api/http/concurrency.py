"""Concurrency limits: how many requests may do something at a time that holds a thread for long."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable

Release = Callable[[], None]


class ConcurrencyLimiter:
    """Grants a bounded number of permits at a time, for each key apart. Several threads may use it."""

    def __init__(self, limit: int, *, within: ConcurrencyLimiter | None = None) -> None:
        """
        Args:
            limit: permits at a time for one key.
            within: grants a permit for each of these as well, or none is granted.
        """
        self._limit = limit
        self._within = within
        self._lock = threading.Lock()
        self._granted: Counter[Hashable] = Counter()

    def try_acquire(self, key: Hashable = None) -> Release | None:
        """A permit, as the function that releases it (a second call does nothing). None when all are granted."""
        with self._lock:
            if self._granted[key] >= self._limit:
                return None
            outer = self._within.try_acquire() if self._within else None
            if self._within and outer is None:
                return None
            self._granted[key] += 1
        held = [key]

        def release() -> None:
            with self._lock:
                if not held:
                    return
                held.clear()
                self._granted[key] -= 1
                if not self._granted[key]:
                    del self._granted[key]
            if outer is not None:
                outer()

        return release
