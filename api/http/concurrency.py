"""Concurrency limits for requests that occupy a thread for long."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable

Release = Callable[[], None]


class ConcurrencyLimiter:
    """Grants a bounded number of concurrent permits per key. Thread-safe."""

    def __init__(self, limit: int, *, within: ConcurrencyLimiter | None = None) -> None:
        """
        Args:
            limit: maximum concurrent permits per key.
            within: an outer limit, which must grant a permit as well.
        """
        self._limit = limit
        self._within = within
        self._lock = threading.Lock()
        self._granted: Counter[Hashable] = Counter()

    def try_acquire(self, key: Hashable = None) -> Release | None:
        """Acquire a permit without waiting.

        Returns the function that releases it (idempotent), or None if all permits are in use.
        """
        with self._lock:
            if self._granted[key] >= self._limit:
                return None
            outer = self._within.try_acquire() if self._within else None
            if self._within and outer is None:
                return None
            self._granted[key] += 1
        unreleased = [key]

        def release() -> None:
            with self._lock:
                if not unreleased:
                    return
                unreleased.clear()
                self._granted[key] -= 1
                if not self._granted[key]:
                    del self._granted[key]
            if outer is not None:
                outer()

        return release
