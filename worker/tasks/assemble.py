"""Puts the parts together, publishes result and errors, and ends the job."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from catalogue.labelled.writer import encode_errors_header, encode_header
from catalogue.parsing.schema import CatalogueSchema
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
from jobs.ports.step_leases import ASSEMBLE, Claim
from worker.dependencies import Services
from worker.liveness.lease_heartbeat import LeaseHeartbeat
from worker.liveness.outages import uncounted_outages

log = logging.getLogger(__name__)


def assemble_job(services: Services, job_id: str) -> None:
    """Publish what was labelled, all or part of it; nothing if that is done or held.

    Chunks whose parts were damaged since are labelled again, and the job is assembled after that.
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
        with LeaseHeartbeat(store.leases, claim, lease_s=settings.lease_s) as pulse:
            # Both are there when an earlier attempt was cut short between here and the job's end.
            if not (storage.exists(result_path(job_id)) and storage.exists(errors_path(job_id))):
                try:
                    _publish(services, job_id, _parts(services, job_id), pulse)
                except ChunkOutputCorrupt as error:
                    log.error("%s: %s", job_id, error)
                    _label_again(services, claim)
                    return
            pulse.confirm()
            # Before the end, or a death between the two would leave them for ever.
            _tidy_up(services, job_id)
            job = store.chunks.finish(claim)
    except LeaseLost:
        log.info("%s: assembly stopped, its claim is lost", job_id)
        _withdraw(services, job_id)
        return
    except OSError as error:
        store.leases.release(claim)
        log.warning("%s: assembly waits: %s", job_id, error)
        return
    counts = job.row_counts
    log.info(
        "%s: %s, %d rows: %d labelled, %d failed, %d pending",
        job_id, job.state, counts.total, counts.labelled, counts.failed, counts.pending,
    )  # fmt: skip


def _withdraw(services: Services, job_id: str) -> None:
    """Delete what was published for a job that was finished by another claim and deleted in the same instant."""
    try:
        services.store.jobs.get(job_id)
    except JobNotFound:
        try:
            services.storage.delete(job_folder(job_id))
        except OSError as error:
            log.warning("%s: its files are left to `delete_orphans`: %s", job_id, error)


def _tidy_up(services: Services, job_id: str) -> None:
    """Remove the parts, and whatever attempts that died have left unfinished."""
    storage = services.storage
    kept = (input_path(job_id), result_path(job_id), errors_path(job_id))
    storage.delete(chunk_outputs_folder(job_id))
    for name in storage.names(job_folder(job_id)):
        if (path := f"{job_folder(job_id)}/{name}") not in kept:
            storage.delete(path)


def _parts(services: Services, job_id: str) -> list[ChunkOutput]:
    """The parts of what was labelled, in the order of the input. Raises `ChunkOutputCorrupt` if a complete job lacks one."""
    seals = services.store.chunks.manifests(job_id)
    # A chunk that was halved has its second half at the end of the numbers.
    planned = services.store.chunks.all(job_id)
    if len(seals) < len(planned) and services.store.jobs.get(job_id).ending is State.COMPLETED:
        raise ChunkOutputCorrupt(
            f"{len(planned) - len(seals)} of {len(planned)} chunks are not there"
        )
    return [
        ChunkOutput.from_manifest(job_id, c.index, seals[c.index])
        for c in planned
        if c.index in seals
    ]


def _publish(
    services: Services, job_id: str, parts: Iterable[ChunkOutput], pulse: LeaseHeartbeat
) -> None:
    job = services.store.jobs.get(job_id)
    layout = CatalogueSchema.from_dict(services.store.jobs.layout(job_id))
    with (
        # A process that was stopped for longer than its lease learns of it here, before it publishes.
        services.storage.publish(errors_path(job_id), confirm=pulse.confirm) as errors,
        services.storage.publish(result_path(job_id), confirm=pulse.confirm) as result,
    ):
        result.write(encode_header(layout, job.options.columns))
        errors.write(encode_errors_header())
        for part in parts:
            pulse.check()
            for block in part.rows(services.storage):
                result.write(block)
            for block in part.errors(services.storage):
                errors.write(block)


def _label_again(services: Services, claim: Claim) -> None:
    """Take damaged chunks back. A job that ends early does without them: it keeps what is whole."""
    store, job_id = services.store, claim.job_id
    seals = store.chunks.manifests(job_id)
    whole = {
        index
        for index, seal in seals.items()
        if ChunkOutput.from_manifest(job_id, index, seal).is_whole(services.storage)
    }
    damaged = [chunk.index for chunk in store.chunks.all(job_id) if chunk.index not in whole]
    log.error("%s: chunks %s are labelled again", job_id, damaged)
    services.follow(job_id, store.chunks.reopen(claim, damaged))
