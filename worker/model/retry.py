"""When to ask the model again: a pure policy that returns a decision and never sleeps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

# The server is away, restarting, reloading, full or slow; the same request can succeed later.
# CANCELLED is how a server that shuts down ends what it can no longer finish.
TRANSIENT = frozenset(
    {"UNAVAILABLE", "NOT_FOUND", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "CANCELLED"}
)
# The request itself is wrong; it will be wrong again.
PERMANENT = frozenset({"INVALID_ARGUMENT", "OUT_OF_RANGE"})
# A fault inside the server or the model: perhaps once, perhaps for this input always.
AMBIGUOUS = frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS"})


class Verdict(Enum):
    """What to do after a failure."""

    RETRY = auto()
    UNAVAILABLE = auto()
    REJECTED = auto()
    MISMATCH = auto()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A verdict, and for a retry the pause before it in seconds."""

    verdict: Verdict
    wait_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Exponential back-off, bounded by the time that has passed since the first failure.

    Attributes:
        retry_for_s: how long failures may go on, in seconds, before the model counts as unavailable.
        first_wait_s: the pause after the first failure; it doubles with each further one.
        longest_wait_s: the longest pause.
        doubtful_failures: failures of the doubtful kind after which the input counts as guilty.
    """

    retry_for_s: float
    first_wait_s: float = 0.1
    longest_wait_s: float = 2.0
    doubtful_failures: int = 3

    def decide(self, code: str, *, failures: int, failing_for_s: float, jitter: float) -> Decision:
        """The decision after a failure.

        Args:
            code: gRPC status name of the failure.
            failures: how many there have been, this one included; at least 1.
            failing_for_s: seconds since the first of them.
            jitter: a random number in [0, 1), so that many workers do not come back at the same moment.
        """
        if code in PERMANENT:
            return Decision(verdict=Verdict.REJECTED)
        if code == "FAILED_PRECONDITION":  # TensorFlow Serving's word for a missing signature
            return Decision(verdict=Verdict.MISMATCH)
        if code in AMBIGUOUS and failures >= self.doubtful_failures:
            return Decision(verdict=Verdict.REJECTED)
        left_s = self.retry_for_s - failing_for_s
        if code not in TRANSIENT | AMBIGUOUS or left_s <= 0:
            return Decision(verdict=Verdict.UNAVAILABLE)
        # The exponent is capped because 2.0**1024 overflows, long after it stopped mattering.
        longest = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(failures - 1, 32))
        # Clipped to what is left, so that the last attempt falls on the bound and not short of it.
        return Decision(verdict=Verdict.RETRY, wait_s=min(longest * (0.5 + jitter / 2), left_s))
