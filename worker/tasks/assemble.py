"""Task `assemble`: concatenate chunk outputs, publish result and errors, end the job."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from catalogue.labelled.writer import encode_errors_header, encode_header
from jobs.errors import JobNotFound, LeaseLost
from jobs.files.chunk_output import ChunkOutput, ChunkOutputCorrupt
from jobs.files.storage import (
    chunk_outputs_folder,
    errors_path,
    input_path,
    job_folder,
    result_path,
)
from jobs.job import State
from jobs.ports.record.step_leases import ASSEMBLE, Claim
from worker.dependencies import Services
from worker.liveness.lease_heartbeat import LeaseHeartbeat
from worker.liveness.outages import uncounted_outages
from worker.tasks.dispatch import dispatch

log = structlog.get_logger(__name__)


def assemble_job(services: Services, job_id: str) -> None:
    """Publish the committed rows. Does nothing if the job has ended or the step is claimed.

    Chunks whose output is corrupt are labelled again, and assembly runs after that.
    """
    store, settings = services.store, services.settings
    claim = store.leases.claim(job_id, ASSEMBLE, lease_s=settings.lease_s)
    if claim is None:
        return
    with uncounted_outages(store.leases, claim):
        _assemble(services, claim)


def _assemble(services: Services, claim: Claim) -> None:
    store, storage, settings = services.store, services.storage, services.settings
    job_id = claim.job_id
    try:
        with LeaseHeartbeat(
            store.leases, claim, lease_s=settings.lease_s, on_step=services.progress.touch
        ) as heartbeat:
            # Both exist if an earlier attempt died after publishing them.
            if not (storage.exists(result_path(job_id)) and storage.exists(errors_path(job_id))):
                try:
                    _publish(services, job_id, _outputs(services, job_id), heartbeat)
                except ChunkOutputCorrupt as error:
                    log.error("chunk_output_corrupt", error=error)
                    _reopen_corrupt_chunks(services, claim)
                    return
            heartbeat.confirm()
            # Before `finish`: after a crash between the two, files would be left over.
            _delete_leftovers(services, job_id)
            job = store.chunks.finish(claim)
    except LeaseLost:
        log.info("assembly_aborted", reason="lease lost")
        _delete_if_job_is_gone(services, job_id)
        return
    except OSError as error:
        store.leases.release(claim)
        log.warning("assembly_released", error=error)
        return
    counts = job.row_counts
    log.info(
        "job_ended",
        state=job.state,
        rows=counts.total,
        labelled=counts.labelled,
        failed=counts.failed,
        pending=counts.pending,
    )


def _delete_if_job_is_gone(services: Services, job_id: str) -> None:
    """Delete files published for a job that another claim finished and a client then deleted."""
    try:
        services.store.jobs.get(job_id)
    except JobNotFound:
        try:
            services.storage.delete(job_folder(job_id))
        except OSError as error:
            log.warning("files_left_to_orphan_cleanup", error=error)


def _delete_leftovers(services: Services, job_id: str) -> None:
    """Delete the chunk outputs and unfinished files of attempts that died."""
    storage = services.storage
    published = (input_path(job_id), result_path(job_id), errors_path(job_id))
    storage.delete(chunk_outputs_folder(job_id))
    for name in storage.names(job_folder(job_id)):
        if (path := f"{job_folder(job_id)}/{name}") not in published:
            storage.delete(path)


def _outputs(services: Services, job_id: str) -> list[ChunkOutput]:
    """Return the committed chunk outputs in input order.

    Raises:
        ChunkOutputCorrupt: the job counts as complete but a chunk is missing.
    """
    manifests = services.store.chunks.manifests(job_id)
    # The second half of a split chunk has the highest index but not the last position.
    planned = services.store.chunks.all(job_id)
    if len(manifests) < len(planned) and services.store.jobs.get(job_id).ending is State.COMPLETED:
        raise ChunkOutputCorrupt(
            f"{len(planned) - len(manifests)} of {len(planned)} chunks are missing"
        )
    return [
        ChunkOutput.from_manifest(job_id, c.index, manifests[c.index])
        for c in planned
        if c.index in manifests
    ]


def _publish(
    services: Services, job_id: str, outputs: Iterable[ChunkOutput], heartbeat: LeaseHeartbeat
) -> None:
    job = services.store.jobs.get(job_id)
    schema = services.store.jobs.schema(job_id)
    with (
        # A process that was stopped for longer than its lease must not publish.
        services.storage.publish(errors_path(job_id), confirm=heartbeat.confirm) as errors,
        services.storage.publish(result_path(job_id), confirm=heartbeat.confirm) as result,
    ):
        result.write(encode_header(schema, job.options.columns))
        errors.write(encode_errors_header())
        for output in outputs:
            heartbeat.check()
            for block in output.rows(services.storage):
                result.write(block)
            for block in output.errors(services.storage):
                errors.write(block)


def _reopen_corrupt_chunks(services: Services, claim: Claim) -> None:
    """Reopen chunks whose output is corrupt. A job that ends early goes without them."""
    store, job_id = services.store, claim.job_id
    manifests = store.chunks.manifests(job_id)
    intact = {
        index
        for index, manifest in manifests.items()
        if ChunkOutput.from_manifest(job_id, index, manifest).is_whole(services.storage)
    }
    corrupt = [chunk.index for chunk in store.chunks.all(job_id) if chunk.index not in intact]
    log.error("chunks_reopened", chunks=corrupt)
    dispatch(services, job_id, store.chunks.reopen(claim, corrupt))
