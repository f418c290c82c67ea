"""Leases on steps in memory."""

from __future__ import annotations

from jobs.memory.record.state import JobRecord, MemoryState, index_of
from jobs.metrics import (
    QUEUE_WAIT_BOUNDS_S,
    lease_losses,
    observations,
    queue_wait,
    retries,
    step_kind,
)
from jobs.ports.record.step_leases import (
    ASSEMBLE,
    MAX_LEASE_S,
    PLAN,
    AbandonedSteps,
    Claim,
    StepLeases,
)


class MemoryStepLeases(StepLeases):
    """Over a `MemoryState`; passes the same contract suite as Redis."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def claim(self, job_id: str, step: str, *, lease_s: float) -> Claim | None:
        with self._state.open(job_id) as record:
            now = self._state.clock()
            if not record.is_due(step) or record.is_held(step, now, lease_s):
                return None
            self._count_claim(record, step, now)
            record.fence += 1
            record.fences[step] = record.fence
            record.attempts[step] = record.attempts.get(step, 0) + 1
            record.leases[step] = now + lease_s
            return Claim(
                job_id=job_id, step=step, fence=record.fence, attempt=record.attempts[step]
            )

    def _count_claim(self, record: JobRecord, step: str, now: float) -> None:
        kind, metrics = step_kind(step), self._state.metrics
        if step in record.leases:
            metrics[lease_losses(kind)] += 1
        if step in record.attempts:
            metrics[retries(kind)] += 1
        if (sent := record.sent.get(step)) is not None:
            waited_s = max(0.0, now - sent)
            metrics.update(observations(queue_wait(kind), QUEUE_WAIT_BOUNDS_S, [waited_s]))

    def renew(self, claim: Claim, *, lease_s: float) -> None:
        with self._state.claimed(claim) as record:
            record.leases[claim.step] = self._state.clock() + lease_s

    def release(self, claim: Claim) -> None:
        with self._state.lock:
            record = self._state.records.get(claim.job_id)
            if record is None or claim.step not in record.attempts:
                return
            if record.released.get(claim.step, 0) >= claim.fence:
                return
            record.released[claim.step] = claim.fence
            record.attempts[claim.step] -= 1
            if record.fences.get(claim.step) == claim.fence:
                record.drop(claim.step)

    def find_abandoned(
        self, job_id: str, *, idle_s: float, lease_s: float = MAX_LEASE_S
    ) -> AbandonedSteps:
        with self._state.open(job_id) as record:
            now = self._state.clock()
            expired = [step for step in record.leases if not record.is_held(step, now, lease_s)]
            idle = [
                step
                for step, at in record.sent.items()
                if at <= now - idle_s or at > now + 1 or step in expired
            ]
            steps = [
                step
                for step in idle
                if record.is_due(step) and not record.is_held(step, now, lease_s)
            ]
            for step in expired:
                del record.leases[step]
                if step in steps:
                    self._state.metrics[lease_losses(step_kind(step))] += 1
            record.sent.update(dict.fromkeys(steps, now))
            return AbandonedSteps(
                plan=PLAN in steps,
                assemble=ASSEMBLE in steps,
                chunks=tuple(sorted(index_of(s) for s in steps if s not in (PLAN, ASSEMBLE))),
            )
