"""What a chunk does instead of labelling when it kills its workers or its model version is gone."""

from __future__ import annotations

import logging

from catalogue import Layout, plan_chunks
from jobs.job import Chunk, Job, PinnedModel
from jobs.store import Claim, Commit
from worker.model_client import ModelUnavailable
from worker.services import Services

log = logging.getLogger(__name__)


def halve(
    services: Services, claim: Claim, job: Job, chunk: Chunk, raw: bytes, layout: Layout
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
    return services.store.split_chunk(
        claim, left, right, attempts=settings.max_attempts - 1, window=settings.window
    )


def change_model(
    services: Services, claim: Claim, job: Job, error: ModelUnavailable
) -> Commit | None:
    """Start the job over with the newest version when the pinned one was withdrawn; None if it was not.

    Raises `ModelUnavailable` when no version serves, `ModelMismatch` when none can be used, `LeaseLost`.
    """
    if error.code != "NOT_FOUND":
        return None
    newest = services.newest_usable_version()
    if newest == job.model_version:
        return None
    log.warning(
        "%s: model version %s was withdrawn, starting over with %d",
        job.id,
        job.model_version,
        newest,
    )
    model = PinnedModel(newest, services.describe(newest).digest)
    return services.store.repin(claim, model=model, window=services.settings.window)
