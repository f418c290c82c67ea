"""Task `label`: read a chunk's byte range, clean, predict, write the chunk output, commit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from catalogue.labelled.labels import Label, Outcome, RowError, needs_review
from catalogue.labelled.writer import encode_errors, encode_rows
from catalogue.parsing.rows import parse_records
from jobs.errors import JobNotFound, LeaseLost
from jobs.files.chunk_output import ChunkOutput, delete_chunk_output, write_chunk_output
from jobs.files.storage import input_path
from jobs.job import Chunk, Failure, Job, State
from jobs.metrics import ChunkMetrics
from jobs.ports.record.chunk_ledger import Commit
from jobs.ports.record.step_leases import Claim, label_step
from worker.dependencies import Services
from worker.liveness.lease_heartbeat import LeaseHeartbeat
from worker.liveness.outages import uncounted_outages
from worker.model.client import ModelMismatch, ModelUnavailable
from worker.pipeline.label_rows import label_rows
from worker.pipeline.measurements import Measurements
from worker.tasks.chunk_recovery import restart_with_newest_model, split_failing_chunk
from worker.tasks.dispatch import INPUT_MISSING, dispatch, fail_job

log = structlog.get_logger(__name__)


class _InputMissing(Exception):
    pass


def label_chunk(services: Services, job_id: str, index: int) -> None:
    """Label chunk `index` and dispatch the next steps.

    Does nothing if the chunk is committed, claimed by another worker, or its job has ended.
    """
    store, settings = services.store, services.settings
    claim = store.leases.claim(job_id, label_step(index), lease_s=settings.lease_s)
    if claim is None:
        return
    with uncounted_outages(store.leases, claim):
        _label(services, claim, index)


def _label(services: Services, claim: Claim, index: int) -> None:
    store, settings, job_id = services.store, services.settings, claim.job_id
    job = store.jobs.get(job_id)
    try:
        with LeaseHeartbeat(
            store.leases, claim, lease_s=settings.lease_s, on_step=services.progress.touch
        ) as heartbeat:
            commit = _label_and_commit(services, job, claim, index, heartbeat.check)
    except LeaseLost:
        _delete_uncommitted_output(services, claim, index)
        log.info("chunk_stopped", reason="lease lost")
        return
    except ModelMismatch as error:
        fail_job(services, job_id, Failure(code=error.failure_code, message=str(error)))
        return
    except _InputMissing:
        fail_job(services, job_id, INPUT_MISSING)
        return
    except (ModelUnavailable, OSError) as error:
        # The cause is outside the chunk (no model server, full disk): the attempt does not count,
        # and `recover_jobs` enqueues the chunk again.
        store.leases.release(claim)
        log.warning("chunk_released", error=error)
        return
    dispatch(services, job_id, commit)
    if job.options.error_threshold is not None:
        _stop_if_too_many_failed(services, job_id)


def _delete_uncommitted_output(services: Services, claim: Claim, index: int) -> None:
    """Delete the output of this claim unless it was committed: an ended job would keep it."""
    try:
        manifest = services.store.chunks.manifests(claim.job_id).get(index)
    except JobNotFound:  # it ended and was deleted
        manifest = None
    # A retried commit whose first reply was lost looks like a lost lease.
    if (
        manifest is None
        or ChunkOutput.from_manifest(claim.job_id, index, manifest).fence != claim.fence
    ):
        try:
            delete_chunk_output(services.storage, claim, index)
        except OSError as error:
            # Assembly deletes all outputs; after the job's end `delete_orphans` does.
            log.warning("chunk_output_not_deleted", error=error)


def _stop_if_too_many_failed(services: Services, job_id: str) -> None:
    job = services.store.jobs.get(job_id)
    if job.ending is None and job.too_many_failed:
        fail_job(services, job_id, _too_many_failed(job))


def _too_many_failed(job: Job) -> Failure:
    counts = job.row_counts
    return Failure(
        code="ERROR_THRESHOLD",
        message=(
            f"{counts.failed} of the first {counts.processed} rows could not be labelled, more "
            f"than the error threshold of {job.options.error_threshold}. The list of errors says "
            "why; correct the catalogue and upload it again."
        ),
    )


def _label_and_commit(
    services: Services, job: Job, claim: Claim, index: int, checkpoint: Callable[[], None]
) -> Commit:
    started_at = time.monotonic()
    chunk = services.store.chunks.get(claim.job_id, index)
    schema = services.store.jobs.schema(job.id)
    try:
        raw = services.storage.read_range(input_path(job.id), chunk.start, chunk.end)
    except FileNotFoundError as error:
        raise _InputMissing(input_path(job.id)) from error
    is_crashing = claim.attempt > services.settings.max_attempts
    if is_crashing and chunk.rows > 1:
        return split_failing_chunk(services, claim, job, chunk, raw, schema)
    rows = parse_records(raw, schema)
    measurements = Measurements()
    if is_crashing:
        log.error(
            "row_skipped", row=chunk.first_row, reason="it crashed every worker that tried it"
        )
        outcomes: list[Outcome] = [
            None if r.blank else r.error or RowError.PROCESSING_FAILED for r in rows
        ]
    else:
        try:
            assert job.model is not None  # planning pins it before any chunk exists
            outcomes = label_rows(
                services,
                services.models.pinned(job.model),
                rows,
                owner=job.owner,
                as_of=job.state_times[State.QUEUED],
                optional=job.options.columns,
                review_threshold=job.options.review_threshold,
                checkpoint=checkpoint,
                measurements=measurements,
            )
        except (ModelUnavailable, ModelMismatch) as error:
            if (commit := restart_with_newest_model(services, claim, job, error)) is None:
                raise
            return commit
    labelled, failed = _count(chunk, outcomes)
    errors = Counter(o.code.value for o in outcomes if isinstance(o, RowError))
    checkpoint()
    output = write_chunk_output(
        services.storage,
        claim,
        index,
        rows=encode_rows(schema, rows, outcomes, job.options.columns),
        errors=encode_errors(rows, outcomes, first_row=chunk.first_row),
    )
    commit = services.store.chunks.commit(
        claim,
        index,
        labelled=labelled,
        failed=failed,
        manifest=output.manifest,
        genres=Counter(outcome.genre for outcome in outcomes if isinstance(outcome, Label)),
        errors=errors,
        to_review=sum(needs_review(outcome) for outcome in outcomes),
        window=services.settings.max_queued_chunks_per_job,
        metrics=ChunkMetrics(
            duration_s=time.monotonic() - started_at,
            model_calls_s=measurements.model_calls_s,
            cache_hits=measurements.cache_hits,
            cache_misses=measurements.cache_misses,
        ),
    )
    seconds = round(time.monotonic() - started_at, 3)
    log.info("chunk_committed", labelled=labelled, failed=failed, seconds=seconds)
    return commit


def _count(chunk: Chunk, outcomes: Sequence[Outcome]) -> tuple[int, int]:
    failed = sum(isinstance(outcome, RowError) for outcome in outcomes)
    labelled = sum(outcome is not None for outcome in outcomes) - failed
    # Planner and parser must agree on the records; otherwise a row would be lost silently.
    if labelled + failed != chunk.rows:
        raise AssertionError(f"chunk {chunk.index} has {chunk.rows} rows, parsed {len(outcomes)}")
    return labelled, failed
