"""Keys and times for tests of the prediction cache."""

from __future__ import annotations

import time

from jobs.ports.prediction_cache import KEY_BYTES


def cache_keys(*numbers: int) -> list[bytes]:
    """Cache keys made from numbers."""
    return [number.to_bytes(KEY_BYTES, "big") for number in numbers]


def later() -> float:
    """A time after all entries that were put until now."""
    return time.time() + 2
