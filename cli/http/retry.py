"""How long a client retries while a server is unavailable."""

from __future__ import annotations

import time
from collections.abc import Callable

_FIRST_DELAY_S, _MAX_DELAY_S = 0.1, 2.0
# Rate limits, and what a server or its proxy answers while it starts or cannot reach its Redis.
_RETRYABLE = frozenset({429, 502, 503, 504})


def is_retryable(status: int) -> bool:
    """Whether the same request may succeed a little later."""
    return status in _RETRYABLE


class RetryBudget:
    """Exponential backoff within a total time, counted from the first failure.

    It computes delays and never sleeps, so that `Client` and `AsyncClient` share it.
    """

    def __init__(
        self,
        seconds: float,
        *,
        on_waiting: Callable[[Exception], None],
        to_final_error: Callable[[Exception], Exception],
    ) -> None:
        """
        Args:
            on_waiting: called before each delay; may raise to give up earlier.
            to_final_error: makes the error that is raised when the budget is exhausted.
        """
        self._seconds = seconds
        self._on_waiting = on_waiting
        self._to_final_error = to_final_error
        self._delay = _FIRST_DELAY_S
        self._deadline: float | None = None

    @property
    def exhausted(self) -> bool:
        """Whether no time is left; with a budget of 0 from the beginning."""
        if self._deadline is None:
            return self._seconds <= 0
        return time.monotonic() >= self._deadline

    def next_delay_s(self, error: Exception) -> float:
        """Seconds until the next attempt. Raises the final error if the budget is exhausted."""
        if self.exhausted:
            raise self._to_final_error(error) from error
        if self._deadline is None:
            self._deadline = time.monotonic() + self._seconds
        self._on_waiting(error)
        delay = self._delay
        self._delay = min(delay * 2, _MAX_DELAY_S)
        return delay

    def reset(self) -> None:
        """Start over after progress: the next failure counts as the first."""
        self._delay, self._deadline = _FIRST_DELAY_S, None
