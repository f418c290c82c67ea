"""The Redis adapters of the ports to the job record, over one client."""

from __future__ import annotations

import redis

from jobs.ports.job_store import JobStore
from jobs.redis.chunk_ledger import RedisChunkLedger
from jobs.redis.idempotency import RedisIdempotencyStore
from jobs.redis.job_repository import RedisJobRepository
from jobs.redis.metrics import RedisMetricsReader
from jobs.redis.stats import RedisStatsReader
from jobs.redis.step_leases import RedisStepLeases
from jobs.redis.upload_registry import RedisUploadRegistry
from jobs.redis.worker_registry import RedisWorkerRegistry


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
