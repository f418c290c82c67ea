"""How long a server that is away is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

_FIRST_S, _LONGEST_S = 0.1, 2.0
# What a server, or a proxy before it, answers while it is starting or away from its own services, or to a key that
# asks too often.
_RETRYABLE = frozenset({429, 502, 503, 504})


def retryable(status: int) -> bool:
    """Whether the same request may be answered well a little later."""
    return status in _RETRYABLE


class RetryBudget:
    """Longer and longer waits, up to a bound that counts from the first failure."""

    def __init__(
        self,
        seconds: float,
        *,
        on_waiting: Callable[[Exception], None],
        give_up: Callable[[Exception], Exception],
    ) -> None:
        self._seconds = seconds
        self._on_waiting = on_waiting
        self._give_up = give_up
        self._delay = _FIRST_S
        self._deadline: float | None = None

    @property
    def exhausted(self) -> bool:
        """Whether the bound has been reached; never before the first wait."""
        if self._deadline is None:
            return self._seconds <= 0
        return time.monotonic() >= self._deadline

    def wait(self, error: Exception) -> None:
        """Sleep before the next try. Raises what `give_up` makes of the error if none is left."""
        if self.exhausted:
            raise self._give_up(error) from error
        if self._deadline is None:
            self._deadline = time.monotonic() + self._seconds
        self._on_waiting(error)
        time.sleep(self._delay)
        self._delay = min(self._delay * 2, _LONGEST_S)

    def start_again(self) -> None:
        """Something came through: the next failure is a first one."""
        self._delay, self._deadline = _FIRST_S, None
