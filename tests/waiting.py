"""Waiting for a condition, never for a time: a deadline here only ends a test that would hang."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Enough for what takes a second on an idle machine, on one whose cores eight other processes want as well.
WITHIN_S = 120.0


def eventually(
    condition: Callable[[], T | None],
    *,
    within_s: float = WITHIN_S,
    every_s: float = 0.02,
    what: Callable[[], object] = lambda: "the condition does not become true",
) -> T:
    """The first true value of `condition`, which is asked every `every_s` seconds.

    Raises `AssertionError` with what `what` returns when it is still false after `within_s` seconds.
    """
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"after {within_s:.0f} s: {what()}"
        time.sleep(every_s)
    return found
