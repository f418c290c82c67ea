"""The port to the prediction cache: key → value, both opaque bytes.

A reader states a time and gets only entries that were put before it. A job reads as of its own start,
so the hits do not depend on its speed, on other jobs, or on repeated steps.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

KEY_BYTES = 16


class PredictionCache(ABC):
    """Keys are `KEY_BYTES` long. Methods do not raise: an unreachable or full cache has no entries."""

    @abstractmethod
    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:
        """The entries of these keys that were put before the second of `before` (Unix seconds)."""

    @abstractmethod
    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Add entries. An existing entry keeps its value and its time."""


class NullPredictionCache(PredictionCache):
    """A disabled cache."""

    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:  # noqa: ARG002
        return {}

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Does nothing."""


class MemoryPredictionCache(PredictionCache):
    """A cache in memory, for tests; passes the same contract suite as Redis."""

    def __init__(
        self, *, max_entries: int, ttl_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._max_entries = max_entries
        self._ttl_s = ttl_s
        self._clock = clock
        self._values: dict[bytes, tuple[int, bytes]] = {}

    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:
        oldest = self._clock() - self._ttl_s
        found = {key: self._values[key] for key in keys if key in self._values}
        return {key: v for key, (at, v) in found.items() if oldest < at < int(before)}

    def put(self, values: Mapping[bytes, bytes]) -> None:
        now = self._clock()
        for key, value in values.items():
            at, kept = self._values.pop(key, (0, b""))
            self._values[key] = (at, kept) if at > now - self._ttl_s else (int(now), value)
        for key in list(self._values)[: max(0, len(self._values) - self._max_entries)]:
            del self._values[key]
