"""Outages of Redis during a step: the step waits, and its attempt is not counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from jobs.outage import is_outage, refusal
from jobs.ports.record.step_leases import Claim, StepLeases

log = structlog.get_logger(__name__)

# A pool process cannot do other work without Redis. After this wait the attempt stays counted.
_MAX_WAIT_S = 1800.0
_RETRY_INTERVAL_S = 0.5


@contextmanager
def uncounted_outages(
    leases: StepLeases,
    claim: Claim,
    *,
    max_wait_s: float = _MAX_WAIT_S,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] = time.sleep,
) -> Iterator[None]:
    """Leave the block at an outage of Redis; release the claim once Redis accepts writes again.

    Recovery enqueues the step again. Other errors propagate.
    """
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            raise
        log.warning(
            "step_waits_for_redis",
            job_id=claim.job_id,
            step=claim.step,
            error=refusal(error) or error,
        )
        _release(leases, claim, until=clock() + max_wait_s, clock=clock, pause=pause)


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
                log.error("step_not_released", job_id=claim.job_id, step=claim.step, error=error)
                return
        else:
            log.info("step_released", job_id=claim.job_id, step=claim.step)
            return
        pause(_RETRY_INTERVAL_S)
