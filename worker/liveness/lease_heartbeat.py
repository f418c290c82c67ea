"""Heartbeat: renews the lease of a step while it is executed, and reports when it is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

import redis
import structlog

from jobs.errors import LeaseLost
from jobs.ports.record.step_leases import Claim, StepLeases

log = structlog.get_logger(__name__)

# A cancellation reaches the work with the next renewal, so renew often.
RENEWAL_INTERVAL_S = 0.5


class LeaseHeartbeat:
    """Renews a claim from a thread for the duration of a `with` block."""

    def __init__(
        self,
        leases: StepLeases,
        claim: Claim,
        *,
        lease_s: float,
        renewal_interval_s: float = RENEWAL_INTERVAL_S,
        on_step: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Renews nothing yet.

        Args:
            renewal_interval_s: seconds between renewals; at most a third of the lease.
            on_step: called by `check`, so between units of work; renewals go on even if work hangs.
            clock: monotonic seconds.
        """
        self._leases = leases
        self._claim = claim
        self._lease_s = lease_s
        self._renewal_interval_s = min(renewal_interval_s, lease_s / 3)
        self._on_step = on_step
        self._clock = clock
        self._stop = threading.Event()
        self._lost: LeaseLost | redis.RedisError | None = None
        self._thread = threading.Thread(
            target=self._renew_until_stopped, name="lease-heartbeat", daemon=True
        )

    def __enter__(self) -> LeaseHeartbeat:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """Return if the lease is valid. Call it between units of work.

        Raises:
            LeaseLost: another worker has claimed the step, or the job has ended.
            redis.RedisError: Redis was unreachable for so long that the lease has expired.
        """
        self._on_step()
        if self._lost is not None:
            raise self._lost

    def confirm(self) -> None:
        """Renew the lease now. Call it directly before an irreversible step.

        Raises:
            LeaseLost: another worker has claimed the step, or the job has ended.
            redis.RedisError: Redis did not answer.
        """
        self.check()
        self._leases.renew(self._claim, lease_s=self._lease_s)

    def _renew_until_stopped(self) -> None:
        valid_until = self._clock() + self._lease_s
        while not self._stop.wait(self._renewal_interval_s):
            started_at = self._clock()
            try:
                self._leases.renew(self._claim, lease_s=self._lease_s)
                valid_until = started_at + self._lease_s
            except LeaseLost as error:
                self._lost = error
                return
            except redis.RedisError as error:
                # Commits are fenced, so continuing is safe, but after the lease it is wasted work.
                if self._clock() > valid_until:
                    log.warning(
                        "lease_lost",
                        job_id=self._claim.job_id,
                        step=self._claim.step,
                        error=error,
                    )
                    self._lost = error
                    return
