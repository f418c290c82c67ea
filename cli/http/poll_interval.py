"""How often a job is polled."""

from __future__ import annotations

import time

# Short at first, so that a small catalogue is not delayed.
_FIRST_S, _LAST_S, _RAMP_S = 0.2, 1.0, 20.0


class PollInterval:
    """Grows from 0.2 s to 1 s during the first 20 seconds. Computes intervals; never sleeps."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start over with short intervals, because a new job is polled."""
        self._started_at = time.monotonic()

    def seconds(self) -> float:
        """Seconds until the next poll."""
        ramp = min((time.monotonic() - self._started_at) / _RAMP_S, 1.0)
        return _FIRST_S + (_LAST_S - _FIRST_S) * ramp
