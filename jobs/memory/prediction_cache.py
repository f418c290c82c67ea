"""The prediction cache in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from jobs.ports.prediction_cache import PredictionCache


class MemoryPredictionCache(PredictionCache):
    """Keeps the `max_entries` newest values, each for `ttl_s`; `clock` returns Unix seconds."""

    def __init__(
        self, *, max_entries: int, ttl_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._max_entries = max_entries
        self._ttl_s = ttl_s
        self._clock = clock
        self._entries: dict[bytes, tuple[int, bytes]] = {}  # time of the put, value

    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:
        expired_at = self._clock() - self._ttl_s
        hits: dict[bytes, bytes] = {}
        for key in keys:
            put_at, value = self._entries.get(key, (0, b""))
            if expired_at < put_at < int(before):
                hits[key] = value
        return hits

    def put(self, values: Mapping[bytes, bytes]) -> None:
        now = self._clock()
        for key, value in values.items():
            put_at, old = self._entries.pop(key, (0, b""))
            is_valid = put_at > now - self._ttl_s
            self._entries[key] = (put_at, old) if is_valid else (int(now), value)
        for key in list(self._entries)[: max(0, len(self._entries) - self._max_entries)]:
            del self._entries[key]
