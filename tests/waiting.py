"""Wait for conditions, not for time: the deadline only ends a test that would hang."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Enough for what takes a second on an idle machine, also at a load of eight per core.
WITHIN_S = 120.0


def eventually(
    condition: Callable[[], T | None],
    *,
    within_s: float = WITHIN_S,
    every_s: float = 0.02,
    what: Callable[[], object] = lambda: "the condition does not become true",
) -> T:
    """Evaluate `condition` every `every_s` seconds and return its first true value.

    Raises `AssertionError` with the value of `what` after `within_s` seconds.
    """
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"after {within_s:.0f} s: {what()}"
        time.sleep(every_s)
    return value
