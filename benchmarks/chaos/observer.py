"""Watches every job from outside, all the time: progress, invariants that hold at any moment, time to resume."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import redis

from benchmarks.chaos.cluster_state import Step, View
from benchmarks.local_stack import Laptop
from jobs.errors import JobNotFound
from jobs.job import Job

_LOOK_EVERY_S = 0.03


@dataclass
class Fault:
    """One injected fault and what became of it. Times are monotonic seconds."""

    kind: str
    at: float
    back_at: float | None = None  # the process runs again, the disk has room again
    waiting: set[Step] = field(default_factory=set)  # steps under way at the fault, not done since
    had_steps: bool = False
    next_progress_at: float | None = None
    steps_done_at: float | None = None

    @property
    def resume_s(self) -> float | None:
        """From the process being back until the next commit of any job."""
        return _since(self.back_at, self.next_progress_at)

    @property
    def repair_s(self) -> float | None:
        """From the process being back until every step that was under way is done; None if there was none."""
        return _since(self.back_at, self.steps_done_at) if self.had_steps else None


def _since(back: float | None, then: float | None) -> float | None:
    return None if back is None or then is None else max(then - back, 0.0)


class Observer:
    """A thread of its own; `violations` grows when something is seen that must never be seen."""

    def __init__(
        self, stack: Laptop, *, result_size: Callable[[str], int | None], stall_s: float
    ) -> None:
        self.violations: list[str] = []
        self.active_jobs = 0
        self._stack = stack
        self._result_size = result_size  # of the job's undisturbed result; None while unknown
        self._stall_s = stall_s
        self._view = View(stack)
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._held: set[Step] = set()
        self._progress: dict[str, tuple[object, float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer")

    def __enter__(self) -> Observer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def begin(self, kind: str, *, also: Iterable[Step] = ()) -> Fault:
        """A fault happens now. `also`: steps that it concerns although no process holds them."""
        with self._lock:
            waiting = self._held | set(also)
            fault = Fault(kind, time.monotonic(), waiting=waiting, had_steps=bool(waiting))
            self._faults.append(fault)
            return fault

    def concern(self, fault: Fault, steps: Iterable[Step]) -> None:
        """The fault also concerns these steps, as is known now that the process has stopped."""
        with self._lock:
            fault.waiting |= set(steps)
            fault.had_steps = fault.had_steps or bool(fault.waiting)
            if fault.waiting:
                fault.steps_done_at = None

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            try:
                self._look()
            except (redis.RedisError, JobNotFound, OSError):
                continue  # away, or a job has just ended: look again

    def _look(self) -> None:
        jobs = self._view.active()
        self.active_jobs = len(jobs)
        now = time.monotonic()
        moved = self._note_progress(jobs, now)
        held = self._view.all_held()
        with self._lock:
            self._held = held
            faults = [f for f in self._faults if f.next_progress_at is None or f.waiting]
        for fault in faults:
            if fault.next_progress_at is None and moved and fault.at < now - _LOOK_EVERY_S:
                fault.next_progress_at = now
            done = {step for step in tuple(fault.waiting) if self._is_done(step)}
            with self._lock:
                fault.waiting -= done
                if done and not fault.waiting:
                    fault.steps_done_at = time.monotonic()

    def _note_progress(self, jobs: list[Job], now: float) -> bool:
        moved = False
        ids = {job.id for job in jobs}
        for job in jobs:
            counts = job.row_counts
            if counts.labelled + counts.failed + counts.pending != counts.total:
                self.violations.append(f"{job.id}: row counts do not add up: {counts}")
            size, expected = self._view.result_size(job.id), self._result_size(job.id)
            if size is not None and expected is not None and size != expected:
                self.violations.append(f"{job.id}: {size} of {expected} bytes under the final name")
            mark = (job.state, job.chunks_done, job.chunks)
            before = self._progress.get(job.id)
            if before is None or before[0] != mark:
                moved = moved or before is not None
                self._progress[job.id] = (mark, now)
            elif now - before[1] > self._stall_s:
                self.violations.append(f"{job.id} stands still for {self._stall_s:.0f} s at {mark}")
                self._progress[job.id] = (mark, now)
        for gone in self._progress.keys() - ids:
            del self._progress[gone]
            moved = True
        return moved

    def _is_done(self, step: Step) -> bool:
        try:
            return self._view.is_done(step)
        except JobNotFound:
            return True
