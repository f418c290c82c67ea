"""Metrics of the workers' work, in a `MemoryState`."""

from __future__ import annotations

from jobs.memory.record.state import MemoryState
from jobs.metrics import WorkerMetrics
from jobs.ports.record.metrics import MetricsReader


class MemoryMetricsReader(MetricsReader):
    """Over a `MemoryState`; passes the same contract suite as Redis."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def read(self) -> WorkerMetrics:
        with self._state.lock:
            fields = self._state.metrics + self._state.webhooks.metrics
            return WorkerMetrics.of(fields, labelled_rows=dict(self._state.genre_rows))
