"""When to restart a child that died. It decides and never sleeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RestartPolicy:
    """Backoff that doubles with each consecutive quick death, and the limit of tries.

    A death is quick if the child lived less than `short_life_s`, or died before it was ever ready.
    """

    short_life_s: float = 10.0
    first_delay_s: float = 0.2
    longest_delay_s: float = 30.0
    # Until the stack has been ready once, the cause of a quick death is probably a wrong setting,
    # which a restart does not fix. Later it is a shortage of memory or disk, so restarts continue
    # without limit.
    tries_at_start: int = 3
    # The exit code for a wrong argument or setting, which a restart does not change.
    fatal_exit_code: int = 2

    def is_quick(self, *, lived_s: float, was_ready: bool) -> bool:
        """Whether a death counts towards giving up."""
        return not was_ready or lived_s < self.short_life_s

    def delay(self, consecutive_crashes: int, *, code: int, stack_was_ready: bool) -> float | None:
        """Seconds before the restart after so many quick deaths in a row; None: give up."""
        hopeless = code == self.fatal_exit_code or consecutive_crashes >= self.tries_at_start
        if consecutive_crashes and hopeless and not stack_was_ready:
            return None
        return min(
            self.first_delay_s * 2.0 ** min(max(consecutive_crashes - 1, 0), 30),
            self.longest_delay_s,
        )
