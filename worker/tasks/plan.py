"""Plans a job: pins the model version and cuts the input into chunks, one streaming pass."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import BinaryIO

from catalogue.errors import CatalogueError
from catalogue.parsing.chunking import plan_chunks
from catalogue.parsing.schema import CatalogueSchema
from jobs.errors import LeaseLost
from jobs.files.storage import input_path
from jobs.job import Chunk, Failure
from jobs.ports.step_leases import PLAN, Claim
from worker.dependencies import INPUT_MISSING, Services
from worker.liveness.lease_heartbeat import LeaseHeartbeat
from worker.liveness.outages import uncounted_outages
from worker.model.client import ModelError, ModelMismatch, ModelUnavailable
from worker.pipeline.cache_probe import is_mostly_cached
from worker.tasks.chunk_recovery import restart_with_newest_model
from worker.tasks.xlsx_conversion import convert_workbook

log = logging.getLogger(__name__)

_BLOCK_BYTES = 1 << 20
# Chunks are recorded in groups: a huge catalogue costs few round trips, a small one starts at once.
_LARGEST_GROUP = 64
# A file below this is one chunk: two would cost more than they gain.
_WORTH_SHARING = 250_000
_RECORD_BYTES = 10_000
# Of a catalogue that has mostly been labelled before, chunks are so many times as large: the few new rows of a chunk make
# small batches, which cost the model up to twice as much a row, and are over in a fraction of the time all the same.
_KNOWN_TIMES = 4


def plan_job(services: Services, job_id: str) -> None:
    """Plan from where an earlier attempt stopped; nothing if planning is done or held."""
    store, settings = services.store, services.settings
    claim = store.leases.claim(job_id, PLAN, lease_s=settings.lease_s)
    if claim is None:
        return
    with uncounted_outages(store.leases, claim):
        if claim.attempt > settings.max_attempts:
            services.fail(job_id, Failure(code="PLANNING_FAILED", message=_PLANNING_FAILED))
        else:
            _plan(services, claim)


def _plan(services: Services, claim: Claim) -> None:
    store, settings, job_id = services.store, services.settings, claim.job_id
    try:
        with LeaseHeartbeat(store.leases, claim, lease_s=settings.lease_s) as pulse:
            _pin_model(services, claim)
            convert_workbook(services, job_id, pulse.check)
            for group, last in _groups(services, job_id):
                pulse.check()
                services.follow(
                    job_id,
                    store.chunks.add(
                        claim, group, last=last, window=settings.max_queued_chunks_per_job
                    ),
                )
    except LeaseLost:
        log.info("%s: planning stopped, it is no longer wanted here", job_id)
        return
    except ModelMismatch as error:
        services.fail(job_id, Failure(code=error.failure_code, message=str(error)))
        return
    except CatalogueError as error:
        services.fail(job_id, Failure(code=error.code, message=str(error)))
        return
    except FileNotFoundError:
        services.fail(job_id, INPUT_MISSING)
        return
    except (ModelUnavailable, OSError) as error:
        # Model server or storage away: nothing is wrong with the job, so the attempt does not count.
        store.leases.release(claim)
        log.warning("%s: planning waits: %s", job_id, error)
        return
    job = store.jobs.get(job_id)
    log.info("%s: planned, %d rows in %d chunks", job_id, job.row_counts.total, job.chunks)


_PLANNING_FAILED = (
    "The file could not be read after several attempts, each of which ended a worker. Look at the worker's "
    "log, and check the file for damage near the rows where the result stops."
)


def _pin_model(services: Services, claim: Claim) -> None:
    newest = services.models.newest_usable()
    pinned = services.store.chunks.begin_planning(claim, model=newest.pinned)
    job = services.store.jobs.get(claim.job_id)
    try:
        model = services.models.pinned(pinned)
        if job.options.evidence:
            services.models.require_evidence(model)
    except ModelError as error:
        if (commit := restart_with_newest_model(services, claim, job, error)) is None:
            raise
        services.follow(job.id, commit)


def _groups(services: Services, job_id: str) -> Iterator[tuple[list[Chunk], bool]]:
    """Groups of new chunks, and whether the group is the last (which may be empty)."""
    job = services.store.jobs.get(job_id)
    layout = CatalogueSchema.from_dict(services.store.jobs.layout(job_id))
    larger = _KNOWN_TIMES if is_mostly_cached(services, job, layout) else 1
    known = services.store.chunks.all(job_id)
    index = len(known)
    start = known[-1].end if known else layout.data_start
    row = known[-1].first_row + known[-1].rows if known else 1
    group: list[Chunk] = []
    size = 1
    with services.storage.open(input_path(job_id)) as stream:
        stream.seek(start)
        for found in plan_chunks(
            _blocks(stream),
            layout,
            start=start,
            max_rows=services.settings.chunk_rows * larger,
            max_bytes=chunk_bytes(
                services.storage.size(input_path(job_id)), services.settings.chunk_bytes * larger
            ),
        ):
            if len(group) == size:
                yield group, False
                group, size = [], min(size * 2, _LARGEST_GROUP)
            group.append(
                Chunk(index=index, start=found.start, end=found.end, first_row=row, rows=found.rows)
            )
            index += 1
            row += found.rows
    yield group, True


def chunk_bytes(size: int, most: int) -> int:
    """The longest chunk of a file of `size` bytes, `most` at most: so that an even number of them makes up the file.

    With three chunks one of two workers would end long before the other. Depends on the file alone, because chunks that
    are cut again have to be the same.
    """
    if size < _WORTH_SHARING:
        return most
    pairs = -(-size // (2 * most))
    # A little more than their share: chunks are cut between records, and should not leave a crumb at the end.
    return min(most, size // (2 * pairs) + _RECORD_BYTES)


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(_BLOCK_BYTES):
        yield block
