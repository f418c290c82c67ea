"""Recovery of a chunk that crashes its workers, and of a job whose model is gone."""

from __future__ import annotations

import structlog

from catalogue.parsing.chunking import plan_chunks
from catalogue.parsing.schema import CatalogueSchema
from jobs.job import Chunk, Job
from jobs.ports.record.chunk_ledger import Commit
from jobs.ports.record.step_leases import Claim
from worker.dependencies import Services
from worker.model.client import ModelError, ModelUnavailable
from worker.model.retry import AMBIGUOUS

log = structlog.get_logger(__name__)

_MODEL_MAY_BE_GONE = AMBIGUOUS | {"NOT_FOUND"}


def split_failing_chunk(
    services: Services, claim: Claim, job: Job, chunk: Chunk, raw: bytes, schema: CatalogueSchema
) -> Commit:
    """Replace a chunk of several rows by its halves, each of which gets one more attempt.

    Repeated halving isolates the rows that crash workers.

    Raises:
        LeaseLost: another worker has claimed the chunk, or the job has ended.
    """
    settings = services.settings
    first = next(
        plan_chunks([raw], schema, start=chunk.start, max_rows=chunk.rows // 2, max_bytes=len(raw))
    )
    left = Chunk(
        index=chunk.index,
        start=chunk.start,
        end=first.end,
        first_row=chunk.first_row,
        rows=first.rows,
    )
    right = Chunk(
        index=job.chunks,
        start=first.end,
        end=chunk.end,
        first_row=chunk.first_row + first.rows,
        rows=chunk.rows - first.rows,
    )
    log.error(
        "chunk_split",
        crashed_workers=claim.attempt - 1,
        rows=chunk.rows,
        at_row=right.first_row,
    )
    return services.store.chunks.split(
        claim,
        left,
        right,
        attempts=settings.max_attempts - 1,
        window=settings.max_queued_chunks_per_job,
    )


def restart_with_newest_model(
    services: Services, claim: Claim, job: Job, error: ModelError
) -> Commit | None:
    """Restart the job with the newest model if the pinned one is gone; return None if it is not.

    It is gone when its version is no longer served, or when another model is served under its
    number. Server faults and responses of the wrong shape may come from such a model too.

    Raises:
        ModelUnavailable: no version is served.
        ModelMismatch: no served version can be used.
        LeaseLost: another worker has claimed the step, or the job has ended.
    """
    if isinstance(error, ModelUnavailable) and error.code not in _MODEL_MAY_BE_GONE:
        return None
    newest = services.models.newest_usable()
    if newest.pinned == job.model:
        return None
    log.warning(
        "job_restarted_with_newest_model",
        version=newest.version,
        digest=newest.description.digest[:12],
        error=error,
    )
    return services.store.chunks.restart_with_model(
        claim, model=newest.pinned, window=services.settings.max_queued_chunks_per_job
    )
