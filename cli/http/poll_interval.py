"""How often jobs are looked at."""

from __future__ import annotations

import time

# The first answers come quickly, so that a small catalogue is not waited for; later ones need not.
_FIRST_S, _LATER_S, _SETTLED_S = 0.2, 1.0, 20.0


class PollInterval:
    """Quick at first, slower by and by."""

    def __init__(self) -> None:
        self.quicken()

    def quicken(self) -> None:
        """Something new is looked at from now on."""
        self._began = time.monotonic()

    def wait(self) -> None:
        """Sleep until the next look."""
        settled = min((time.monotonic() - self._began) / _SETTLED_S, 1.0)
        time.sleep(_FIRST_S + (_LATER_S - _FIRST_S) * settled)
