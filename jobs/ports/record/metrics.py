"""The port to the metrics of the workers' work.

They are counted by the methods that do the work: `StepLeases.claim` (queue wait, retries, lease
losses), `StepLeases.find_abandoned` (lease losses), `ChunkLedger.commit` (all that is about rows
and chunks) and `WebhookStore.record` (webhook attempts), each in its atomic step. A refused commit
counts nothing, so no chunk counts twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from jobs.metrics import WorkerMetrics


class MetricsReader(ABC):
    """Reads the metrics."""

    @abstractmethod
    def read(self) -> WorkerMetrics:
        """The metrics now."""
