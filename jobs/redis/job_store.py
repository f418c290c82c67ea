"""The Redis adapters of the ports to the job record, over one client."""

from __future__ import annotations

import redis

from jobs.ports.job_store import JobStore
from jobs.redis.record.chunk_ledger import RedisChunkLedger
from jobs.redis.record.idempotency import RedisIdempotencyStore
from jobs.redis.record.job_repository import RedisJobRepository
from jobs.redis.record.metrics import RedisMetricsReader
from jobs.redis.record.stats import RedisStatsReader
from jobs.redis.record.step_leases import RedisStepLeases
from jobs.redis.record.upload_registry import RedisUploadRegistry
from jobs.redis.record.worker_registry import RedisWorkerRegistry


def redis_job_store(client: redis.Redis) -> JobStore:
    """The ports to the job record. Sends nothing yet."""
    jobs = RedisJobRepository(client)
    return JobStore(
        jobs=jobs,
        leases=RedisStepLeases(client),
        chunks=RedisChunkLedger(client, jobs),
        uploads=RedisUploadRegistry(client),
        workers=RedisWorkerRegistry(client),
        stats=RedisStatsReader(client),
        metrics=RedisMetricsReader(client),
        idempotency=RedisIdempotencyStore(client),
    )
