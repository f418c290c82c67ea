"""Keeps a claimed step alive while its work runs, and tells the work when it has lost the step."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType

import redis

from jobs.errors import LeaseLost
from jobs.store import Claim, JobStore

log = logging.getLogger(__name__)

# A cancellation reaches the work with the next renewal; people wait for it, so renew often.
RENEW_EVERY_S = 0.5


class Pulse:
    """Renews `claim` from a thread for the length of a `with` block."""

    def __init__(self, store: JobStore, claim: Claim, *, lease_s: float) -> None:
        self._store = store
        self._claim = claim
        self._lease_s = lease_s
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> Pulse:
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
        """Raises `LeaseLost` once the step is no longer ours. Call it between units of work."""
        if self._lost.is_set():
            raise LeaseLost(self._claim.job_id, self._claim.step)

    def _beat(self) -> None:
        good_until = time.monotonic() + self._lease_s
        while not self._stop.wait(min(RENEW_EVERY_S, self._lease_s / 3)):
            try:
                self._store.renew(self._claim, lease_s=self._lease_s)
                good_until = time.monotonic() + self._lease_s
            except LeaseLost:
                self._lost.set()
                return
            except redis.RedisError as error:
                # The commit is fenced, so going on is safe; past the lease it would only be wasted.
                if time.monotonic() > good_until:
                    log.warning("%s: lease not renewed in time: %s", self._claim.job_id, error)
                    self._lost.set()
                    return
