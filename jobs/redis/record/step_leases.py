"""Leases on steps in Redis."""

from __future__ import annotations

from typing import Any, cast

import redis

from jobs.errors import LeaseLost
from jobs.metrics import QUEUE_WAIT_BOUNDS_S, bounds_text
from jobs.ports.record.step_leases import (
    ASSEMBLE,
    MAX_LEASE_S,
    PLAN,
    AbandonedSteps,
    Claim,
    StepLeases,
    label_step,
)
from jobs.redis.connection import load_script, run_for_job
from jobs.redis.keys import METRICS, JobKeys

_STEP_INDEX = len(label_step(0)) - 1
_QUEUE_WAIT_BOUNDS = bounds_text(QUEUE_WAIT_BOUNDS_S)


class RedisStepLeases(StepLeases):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._claim = load_script(client, "clock", "metrics", "claim_step")
        self._renew = load_script(client, "clock", "renew_lease")
        self._release = load_script(client, "release_step")
        self._find_abandoned = load_script(client, "clock", "metrics", "find_abandoned_steps")

    def claim(self, job_id: str, step: str, *, lease_s: float) -> Claim | None:
        keys = JobKeys(job_id)
        reply = run_for_job(
            self._claim,
            job_id,
            [
                keys.job,
                keys.leases,
                keys.attempts,
                keys.outputs,
                keys.chunks,
                keys.sent,
                METRICS,
            ],
            [step, round(lease_s * 1000), _QUEUE_WAIT_BOUNDS],
        )
        if reply is None:
            return None
        return Claim(job_id=job_id, step=step, fence=reply[0], attempt=reply[1])

    def renew(self, claim: Claim, *, lease_s: float) -> None:
        keys = JobKeys(claim.job_id)
        args: list[Any] = [claim.step, claim.fence, round(lease_s * 1000)]
        if not self._renew(keys=[keys.job, keys.leases], args=args):
            raise LeaseLost(claim.job_id, claim.step)

    def release(self, claim: Claim) -> None:
        keys = JobKeys(claim.job_id)
        self._release(keys=[keys.job, keys.leases, keys.attempts], args=[claim.step, claim.fence])

    def find_abandoned(
        self, job_id: str, *, idle_s: float, lease_s: float = MAX_LEASE_S
    ) -> AbandonedSteps:
        keys = JobKeys(job_id)
        steps = cast(
            list[str],
            run_for_job(
                self._find_abandoned,
                job_id,
                [keys.job, keys.leases, keys.sent, METRICS],
                [round(idle_s * 1000), round(lease_s * 1000)],
            ),
        )
        labels = [step for step in steps if step not in (PLAN, ASSEMBLE)]
        return AbandonedSteps(
            plan=PLAN in steps,
            assemble=ASSEMBLE in steps,
            chunks=tuple(sorted(int(step[_STEP_INDEX:]) for step in labels)),
        )
