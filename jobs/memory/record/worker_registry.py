"""Reports of workers in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from jobs.memory.record.state import MemoryState
from jobs.ports.record.worker_registry import WorkerRegistry, WorkerReport


class MemoryWorkerRegistry(WorkerRegistry):
    """Over a `MemoryState`; passes the same contract suite as Redis."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def report(self, name: str, model: Mapping[str, object] | None) -> None:
        self._state.reports[name] = WorkerReport(
            name=name, reported_at=self._state.clock(), model=model
        )

    def report_progress(self, name: str, *, age_s: float) -> None:
        self._state.worker_progress[name] = self._state.clock() - age_s

    def active(self, *, within_s: float) -> Sequence[WorkerReport]:
        now, progress = self._state.clock(), self._state.worker_progress
        return [
            replace(r, seconds_since_progress=now - progress[r.name]) if r.name in progress else r
            for r in self._state.reports.values()
            if now - r.reported_at <= within_s
        ]
