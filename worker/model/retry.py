"""Retry policy of the model client: a pure function from failure to decision; it never sleeps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

# The server is unreachable, starting, reloading, overloaded or slow; a retry can succeed.
# A server that shuts down ends calls that it cannot finish with CANCELLED.
TRANSIENT = frozenset(
    {"UNAVAILABLE", "NOT_FOUND", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "CANCELLED"}
)
# The request itself is wrong and will be wrong again.
PERMANENT = frozenset({"INVALID_ARGUMENT", "OUT_OF_RANGE"})
# A fault in the server or the model: either transient or specific to this input.
AMBIGUOUS = frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS"})


class RetryAction(Enum):
    """What the client does after a failed call."""

    RETRY = auto()
    UNAVAILABLE = auto()
    REJECTED = auto()
    MISMATCH = auto()


@dataclass(frozen=True, kw_only=True)
class RetryDecision:
    """The action, and for a retry the pause before it in seconds."""

    action: RetryAction
    wait_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff within a time budget that starts at the first failure.

    Attributes:
        retry_for_s: retry budget in seconds; after it the model counts as unavailable.
        first_wait_s: backoff after the first failure, in seconds; it doubles with each failure.
        max_wait_s: longest backoff, in seconds.
        max_ambiguous: number of ambiguous failures after which the input is rejected.
    """

    retry_for_s: float
    first_wait_s: float = 0.1
    max_wait_s: float = 2.0
    max_ambiguous: int = 3

    def classify(
        self, code: str, *, failures: int, failing_for_s: float, jitter: float
    ) -> RetryDecision:
        """Classify a failure: whether to retry, and after which wait.

        Args:
            code: gRPC status name of the failure.
            failures: failures so far, including this one; at least 1.
            failing_for_s: seconds since the first failure.
            jitter: random number in [0, 1), so that many workers do not retry at the same time.
        """
        if code in PERMANENT:
            return RetryDecision(action=RetryAction.REJECTED)
        if code == "FAILED_PRECONDITION":  # TensorFlow Serving's status for a missing signature
            return RetryDecision(action=RetryAction.MISMATCH)
        if code in AMBIGUOUS and failures >= self.max_ambiguous:
            return RetryDecision(action=RetryAction.REJECTED)
        remaining_s = self.retry_for_s - failing_for_s
        if code not in TRANSIENT | AMBIGUOUS or remaining_s <= 0:
            return RetryDecision(action=RetryAction.UNAVAILABLE)
        # The exponent is capped because 2.0**1024 overflows.
        backoff_s = min(self.max_wait_s, self.first_wait_s * 2.0 ** min(failures - 1, 32))
        # Clipped so that the last attempt is made at the end of the budget, not before it.
        wait_s = min(backoff_s * (0.5 + jitter / 2), remaining_s)
        return RetryDecision(action=RetryAction.RETRY, wait_s=wait_s)
