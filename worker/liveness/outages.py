"""What a step does when Redis goes away or refuses writes while it is under way: it waits, and is not counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jobs.ports.step_leases import Claim, StepLeases
from jobs.redis.outage import is_outage, refusal

log = logging.getLogger(__name__)

# A pool process has nothing else to do without Redis. After this the attempt stays counted, once for the outage.
_PATIENCE_S = 1800.0
_RETRY_EVERY_S = 0.5


@contextmanager
def uncounted_outages(
    leases: StepLeases,
    claim: Claim,
    *,
    patience_s: float = _PATIENCE_S,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] = time.sleep,
) -> Iterator[None]:
    """End the block at an outage of Redis, and release the claim once Redis takes writes again.

    Recovery enqueues the step again. Any other error is raised as it is.
    """
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            raise
        log.warning("%s %s: waits: %s", claim.job_id, claim.step, refusal(error) or error)
        _release(leases, claim, until=clock() + patience_s, clock=clock, pause=pause)


def _release(
    leases: StepLeases,
    claim: Claim,
    *,
    until: float,
    clock: Callable[[], float],
    pause: Callable[[float], object],
) -> None:
    while True:
        try:
            leases.release(claim)
        except Exception as error:
            if not is_outage(error):
                raise
            if clock() > until:
                log.error("%s %s: given up waiting for Redis: %s", claim.job_id, claim.step, error)
                return
        else:
            log.info("%s %s: given back uncounted", claim.job_id, claim.step)
            return
        pause(_RETRY_EVERY_S)
