"""The ports to the job record, bundled for wiring."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.ports.record.chunk_ledger import ChunkLedger
from jobs.ports.record.idempotency import IdempotencyStore
from jobs.ports.record.job_repository import JobRepository
from jobs.ports.record.metrics import MetricsReader
from jobs.ports.record.stats import StatsReader
from jobs.ports.record.step_leases import StepLeases
from jobs.ports.record.upload_registry import UploadRegistry
from jobs.ports.record.worker_registry import WorkerRegistry


@dataclass(frozen=True, kw_only=True)
class JobStore:
    """Adapters of one technology over the same record. Code that needs one port takes that port."""

    jobs: JobRepository
    leases: StepLeases
    chunks: ChunkLedger
    uploads: UploadRegistry
    workers: WorkerRegistry
    stats: StatsReader
    metrics: MetricsReader
    idempotency: IdempotencyStore
