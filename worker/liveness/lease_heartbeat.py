"""Keeps a claimed step alive while its work runs, and tells the work when it has lost the step."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType

import redis

from jobs.errors import LeaseLost
from jobs.ports.step_leases import Claim, StepLeases

log = logging.getLogger(__name__)

# A cancellation reaches the work with the next renewal; people wait for it, so renew often.
RENEW_EVERY_S = 0.5


class LeaseHeartbeat:
    """Renews `claim` from a thread for the length of a `with` block."""

    def __init__(
        self,
        leases: StepLeases,
        claim: Claim,
        *,
        lease_s: float,
        renew_every_s: float = RENEW_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Renews nothing yet.

        Args:
            renew_every_s: but at least three times within a lease.
            clock: seconds that never go back.
        """
        self._leases = leases
        self._claim = claim
        self._lease_s = lease_s
        self._renew_every_s = min(renew_every_s, lease_s / 3)
        self._clock = clock
        self._stop = threading.Event()
        self._lost: LeaseLost | redis.RedisError | None = None
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

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
        """Return while the lease holds. Call it between units of work.

        Raises `LeaseLost` once the step is no longer this claim's, `redis.RedisError` when Redis kept the lease from
        being renewed until it ran out.
        """
        if self._lost is not None:
            raise self._lost

    def confirm(self) -> None:
        """Like `check`, but asks the store, which extends the lease: for the moment before what cannot be taken back.

        Raises `LeaseLost`, `redis.RedisError`.
        """
        self.check()
        self._leases.renew(self._claim, lease_s=self._lease_s)

    def _beat(self) -> None:
        good_until = self._clock() + self._lease_s
        while not self._stop.wait(self._renew_every_s):
            began = self._clock()
            try:
                self._leases.renew(self._claim, lease_s=self._lease_s)
                good_until = began + self._lease_s
            except LeaseLost as error:
                self._lost = error
                return
            except redis.RedisError as error:
                # The commit is fenced, so going on is safe; past the lease it would only be wasted.
                if self._clock() > good_until:
                    log.warning("%s: lease not renewed in time: %s", self._claim.job_id, error)
                    self._lost = error
                    return
