"""The port to what the model said before: key → value, both opaque bytes. Helps where it can, and never stands in the way.

Whoever reads names a moment, and is given only what was put before it. A job reads as of its own beginning, so what
it finds does not depend on how fast it or its neighbours are, nor on how often one of its steps is repeated.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

KEY_BYTES = 16


class PredictionCache(ABC):
    """Keys are `KEY_BYTES` long. No method raises for the cache's own sake: one that is away or full knows nothing."""

    @abstractmethod
    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:
        """What is known of these keys and was put before the second in which the moment `before` (Unix seconds) lies."""

    @abstractmethod
    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Remember these. A value that is there already stays, with the time at which it was put."""


class NullPredictionCache(PredictionCache):
    """Remembers nothing: the cache switched off."""

    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:  # noqa: ARG002
        return {}

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Forgotten at once."""


class MemoryPredictionCache(PredictionCache):
    """In this process's memory, for unit tests; passes the same contract suite as Redis."""

    def __init__(self, *, most: int, ttl_s: float, clock: Callable[[], float] = time.time) -> None:
        self._most = most
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
        for key in list(self._values)[: max(0, len(self._values) - self._most)]:
            del self._values[key]
