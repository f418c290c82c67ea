"""The in-memory adapters of the ports to the job record, over one state."""

from __future__ import annotations

from jobs.memory.record.chunk_ledger import MemoryChunkLedger
from jobs.memory.record.job_repository import MemoryJobRepository
from jobs.memory.record.metrics import MemoryMetricsReader
from jobs.memory.record.state import MemoryState
from jobs.memory.record.stats import MemoryStatsReader
from jobs.memory.record.step_leases import MemoryStepLeases
from jobs.memory.record.upload_registry import MemoryUploadRegistry
from jobs.memory.record.worker_registry import MemoryWorkerRegistry
from jobs.ports.job_store import JobStore


def memory_job_store(state: MemoryState | None = None) -> JobStore:
    """The ports to the job record, for tests."""
    state = state or MemoryState()
    return JobStore(
        jobs=MemoryJobRepository(state),
        leases=MemoryStepLeases(state),
        chunks=MemoryChunkLedger(state),
        uploads=MemoryUploadRegistry(state),
        workers=MemoryWorkerRegistry(state),
        stats=MemoryStatsReader(state),
        metrics=MemoryMetricsReader(state),
        idempotency=state.idempotency,
    )
