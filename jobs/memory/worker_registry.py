"""Reports of workers in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.memory.state import MemoryState
from jobs.ports.worker_registry import WorkerRegistry, WorkerReport


class MemoryWorkerRegistry(WorkerRegistry):
    """Over a `MemoryState`; passes the same contract suite as Redis."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def report(self, name: str, model: Mapping[str, object] | None) -> None:
        self._state.reports[name] = WorkerReport(
            name=name, reported_at=self._state.clock(), model=model
        )

    def active(self, *, within_s: float) -> Sequence[WorkerReport]:
        now = self._state.clock()
        return [r for r in self._state.reports.values() if now - r.reported_at <= within_s]
