"""What a chunk does instead of labelling when it kills its workers or its model is gone."""

from __future__ import annotations

import logging

from catalogue.parsing.chunking import plan_chunks
from catalogue.parsing.schema import CatalogueSchema
from jobs.job import Chunk, Job
from jobs.ports.chunk_ledger import Commit
from jobs.ports.step_leases import Claim
from worker.dependencies import Services
from worker.model.client import ModelError, ModelUnavailable
from worker.model.retry import AMBIGUOUS

log = logging.getLogger(__name__)

_PERHAPS_ANOTHER_MODEL = AMBIGUOUS | {"NOT_FOUND"}


def split_failing_chunk(
    services: Services, claim: Claim, job: Job, chunk: Chunk, raw: bytes, layout: CatalogueSchema
) -> Commit:
    """Replace a chunk of several rows by its halves, each of which may kill one more worker.

    Halving goes on until the guilty rows stand alone. Raises `LeaseLost`.
    """
    settings = services.settings
    first = next(
        plan_chunks([raw], layout, start=chunk.start, max_rows=chunk.rows // 2, max_bytes=len(raw))
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
        "%s chunk %d ended %d workers: halved at row %d",
        job.id,
        chunk.index,
        claim.attempt - 1,
        right.first_row,
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
    """Start the job over with the newest model when the pinned one is gone; None if it is not.

    It is gone when its version is not served any more, and when another model serves under its number. A fault and an
    answer of another shape may come from such a model too. Raises `ModelUnavailable` when no version serves, `ModelMismatch` when none
    can be used, `LeaseLost`.
    """
    if isinstance(error, ModelUnavailable) and error.code not in _PERHAPS_ANOTHER_MODEL:
        return None
    newest = services.models.newest_usable()
    if newest.pinned == job.model:
        return None
    log.warning(
        "%s: starting over with model version %d (%.12s): %s",
        job.id,
        newest.version,
        newest.description.digest,
        error,
    )
    return services.store.chunks.restart_with_model(
        claim, model=newest.pinned, window=services.settings.max_queued_chunks_per_job
    )
