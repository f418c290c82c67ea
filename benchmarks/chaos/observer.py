"""Observes all jobs from outside: progress, invariants that always hold, time to resume."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import redis

from benchmarks.chaos.cluster_state import ClusterState, Step
from benchmarks.local_stack import LocalStack
from jobs.errors import JobNotFound
from jobs.job import Job

_INTERVAL_S = 0.03


@dataclass
class Fault:
    """One injected fault and its consequences. Times are monotonic seconds."""

    kind: str
    at: float
    restored_at: float | None = None  # the process runs again, the disk has space again
    pending_steps: set[Step] = field(
        default_factory=set
    )  # in progress at the fault, not done since
    had_steps: bool = False
    next_progress_at: float | None = None
    steps_done_at: float | None = None

    @property
    def resume_s(self) -> float | None:
        """Seconds from the restoration until the next commit of any job."""
        return _since(self.restored_at, self.next_progress_at)

    @property
    def repair_s(self) -> float | None:
        """Seconds from the restoration until all steps of the fault are done; None without any."""
        return _since(self.restored_at, self.steps_done_at) if self.had_steps else None


def _since(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else max(end - start, 0.0)


class Observer:
    """A thread that reads the state periodically and collects violations of invariants."""

    def __init__(
        self, stack: LocalStack, *, result_size: Callable[[str], int | None], stall_s: float
    ) -> None:
        self.violations: list[str] = []
        self.active_jobs = 0
        self._stack = stack
        self._result_size = result_size  # of the job's reference result; None: unknown
        self._stall_s = stall_s
        self._cluster = ClusterState(stack)
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._claimed: set[Step] = set()
        self._progress: dict[str, tuple[object, float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer")

    def __enter__(self) -> Observer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def start_fault(self, kind: str, *, also: Iterable[Step] = ()) -> Fault:
        """Record a fault that is injected now. `also`: affected steps that are not claimed."""
        with self._lock:
            steps = self._claimed | set(also)
            fault = Fault(kind, time.monotonic(), pending_steps=steps, had_steps=bool(steps))
            self._faults.append(fault)
            return fault

    def add_steps(self, fault: Fault, steps: Iterable[Step]) -> None:
        """Add affected steps, which are known for certain once the process has stopped."""
        with self._lock:
            fault.pending_steps |= set(steps)
            fault.had_steps = fault.had_steps or bool(fault.pending_steps)
            if fault.pending_steps:
                fault.steps_done_at = None

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL_S):
            try:
                self._observe()
            except (redis.RedisError, JobNotFound, OSError):
                continue  # Redis is not available, or a job has just ended

    def _observe(self) -> None:
        jobs = self._cluster.active()
        self.active_jobs = len(jobs)
        now = time.monotonic()
        progressed = self._update_progress(jobs, now)
        claimed = self._cluster.all_claimed()
        with self._lock:
            self._claimed = claimed
            faults = [f for f in self._faults if f.next_progress_at is None or f.pending_steps]
        for fault in faults:
            if fault.next_progress_at is None and progressed and fault.at < now - _INTERVAL_S:
                fault.next_progress_at = now
            done = {step for step in tuple(fault.pending_steps) if self._is_done(step)}
            with self._lock:
                fault.pending_steps -= done
                if done and not fault.pending_steps:
                    fault.steps_done_at = time.monotonic()

    def _update_progress(self, jobs: list[Job], now: float) -> bool:
        progressed = False
        ids = {job.id for job in jobs}
        for job in jobs:
            counts = job.row_counts
            if counts.labelled + counts.failed + counts.pending != counts.total:
                self.violations.append(f"{job.id}: row counts do not add up: {counts}")
            size, expected = self._cluster.result_size(job.id), self._result_size(job.id)
            if size is not None and expected is not None and size != expected:
                self.violations.append(f"{job.id}: {size} of {expected} bytes under the final name")
            mark = (job.state, job.chunks_done, job.chunks)
            before = self._progress.get(job.id)
            if before is None or before[0] != mark:
                progressed = progressed or before is not None
                self._progress[job.id] = (mark, now)
            elif now - before[1] > self._stall_s:
                self.violations.append(
                    f"{job.id} made no progress for {self._stall_s:.0f} s at {mark}"
                )
                self._progress[job.id] = (mark, now)
        for ended in self._progress.keys() - ids:
            del self._progress[ended]
            progressed = True
        return progressed

    def _is_done(self, step: Step) -> bool:
        try:
            return self._cluster.is_done(step)
        except JobNotFound:
            return True
