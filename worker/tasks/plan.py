"""Task `plan`: pin the model and split the catalogue into chunks in one streaming pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import structlog

from catalogue.compressed.xlsx_reader import xlsx_to_csv
from catalogue.errors import CatalogueError
from catalogue.parsing.chunking import plan_chunks
from catalogue.parsing.rows import parse_records
from catalogue.parsing.schema import CatalogueSchema
from jobs.errors import LeaseLost
from jobs.files.storage import input_path, upload_path
from jobs.job import Chunk, Failure, Job, State
from jobs.ports.record.step_leases import PLAN, Claim
from worker.dependencies import Services
from worker.liveness.lease_heartbeat import LeaseHeartbeat
from worker.liveness.outages import uncounted_outages
from worker.model.client import ModelError, ModelMismatch, ModelUnavailable
from worker.pipeline.label_rows import books_of
from worker.pipeline.prediction_cache import cache_hit_ratio
from worker.tasks.chunk_recovery import restart_with_newest_model
from worker.tasks.dispatch import INPUT_MISSING, dispatch, fail_job

log = structlog.get_logger(__name__)

_PLANNING_FAILED = (
    "Reading the file crashed a worker several times. See the worker's log, and check the file for "
    "damage near the rows where the result stops."
)

_BLOCK_BYTES = 1 << 20
# Chunks are recorded in groups of doubling size: labelling starts at once, and a large catalogue
# costs few round trips.
_MAX_GROUP = 64
# A smaller file is one chunk: a second one would cost more than it gains.
_MIN_SHARED_BYTES = 250_000
_RECORD_BYTES = 10_000
# Chunks of a mostly cached catalogue are larger: the few uncached rows of a normal chunk would make
# small batches, which cost the model up to twice as much per row.
_CACHED_FACTOR = 4
_MOSTLY_CACHED = 0.8  # share of cache hits among the first rows
_PROBE_ROWS = 100
_PROBE_BYTES = 256 * 1024


def plan_job(services: Services, job_id: str) -> None:
    """Plan from where an earlier attempt stopped.

    Does nothing if planning is done or claimed by another worker.
    """
    store, settings = services.store, services.settings
    claim = store.leases.claim(job_id, PLAN, lease_s=settings.lease_s)
    if claim is None:
        return
    with uncounted_outages(store.leases, claim):
        if claim.attempt > settings.max_attempts:
            fail_job(services, job_id, Failure(code="PLANNING_FAILED", message=_PLANNING_FAILED))
        else:
            _plan(services, claim)


def _plan(services: Services, claim: Claim) -> None:
    store, settings, job_id = services.store, services.settings, claim.job_id
    try:
        with LeaseHeartbeat(
            store.leases, claim, lease_s=settings.lease_s, on_step=services.progress.touch
        ) as heartbeat:
            _pin_model(services, claim)
            convert_workbook(services, job_id, heartbeat.check)
            for group, last in _groups(services, job_id):
                heartbeat.check()
                dispatch(
                    services,
                    job_id,
                    store.chunks.add(
                        claim, group, last=last, window=settings.max_queued_chunks_per_job
                    ),
                )
    except LeaseLost:
        log.info("planning_stopped", reason="lease lost")
        return
    except ModelMismatch as error:
        fail_job(services, job_id, Failure(code=error.failure_code, message=str(error)))
        return
    except CatalogueError as error:
        fail_job(services, job_id, Failure(code=error.code, message=str(error)))
        return
    except FileNotFoundError:
        fail_job(services, job_id, INPUT_MISSING)
        return
    except (ModelUnavailable, OSError) as error:
        # The model server or the storage is unavailable: the attempt does not count.
        store.leases.release(claim)
        log.warning("planning_released", error=error)
        return
    job = store.jobs.get(job_id)
    log.info("job_planned", rows=job.row_counts.total, chunks=job.chunks)


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
        dispatch(services, job.id, commit)


def _groups(services: Services, job_id: str) -> Iterator[tuple[list[Chunk], bool]]:
    """Yield groups of new chunks and whether the group is the last one, which may be empty."""
    job = services.store.jobs.get(job_id)
    schema = services.store.jobs.schema(job_id)
    factor = _CACHED_FACTOR if _is_mostly_cached(services, job, schema) else 1
    planned = services.store.chunks.all(job_id)
    index = len(planned)
    start = planned[-1].end if planned else schema.data_start
    row = planned[-1].first_row + planned[-1].rows if planned else 1
    group: list[Chunk] = []
    size = 1
    with services.storage.open(input_path(job_id)) as stream:
        stream.seek(start)
        for span in plan_chunks(
            _blocks(stream),
            schema,
            start=start,
            max_rows=services.settings.chunk_rows * factor,
            max_bytes=chunk_bytes(
                services.storage.size(input_path(job_id)), services.settings.chunk_bytes * factor
            ),
        ):
            if len(group) == size:
                yield group, False
                group, size = [], min(size * 2, _MAX_GROUP)
            group.append(
                Chunk(index=index, start=span.start, end=span.end, first_row=row, rows=span.rows)
            )
            index += 1
            row += span.rows
    yield group, True


def _is_mostly_cached(services: Services, job: Job, schema: CatalogueSchema) -> bool:
    """Whether most of the first rows are cache hits.

    Depends on the file and on the cache before the job began, so that planning again gives the same
    chunks. Raises `FileNotFoundError`, `ModelUnavailable`.
    """
    start = schema.data_start
    head = services.storage.read_range(input_path(job.id), start, start + _PROBE_BYTES)
    chunks = plan_chunks([head], schema, start=start, max_rows=_PROBE_ROWS, max_bytes=len(head))
    first = next(chunks, None)
    if first is None:
        return False
    assert job.model is not None  # planning pins it first
    model = services.models.pinned(job.model)
    books = books_of(parse_records(head[: first.end - start], schema), model.description)
    ratio = cache_hit_ratio(
        services,
        model,
        list(books.values()),
        owner=job.owner,
        as_of=job.state_times[State.QUEUED],
    )
    return ratio >= _MOSTLY_CACHED


def chunk_bytes(size: int, max_bytes: int) -> int:
    """Return the largest chunk size, in bytes, for a file of `size` bytes: at most `max_bytes`.

    It makes the number of chunks even, so that two workers finish at about the same time. It
    depends on the file alone, so that planning again gives the same chunks.
    """
    if size < _MIN_SHARED_BYTES:
        return max_bytes
    pairs = -(-size // (2 * max_bytes))
    # More than an equal share, since chunks end between records: no tiny chunk is left over.
    return min(max_bytes, size // (2 * pairs) + _RECORD_BYTES)


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(_BLOCK_BYTES):
        yield block


def convert_workbook(services: Services, job_id: str, checkpoint: Callable[[], None]) -> None:
    """Write an uploaded workbook as CSV to the job's input path; does nothing for other uploads.

    `checkpoint` is called between blocks and may raise to stop the work.

    Raises:
        CatalogueError: the workbook is unreadable or too large.
        OSError: the storage cannot be used.
    """
    storage = services.storage
    if storage.exists(input_path(job_id)) or not storage.exists(upload_path(job_id)):
        return
    size = 0
    with storage.open(upload_path(job_id)) as source, storage.publish(input_path(job_id)) as target:
        for block in xlsx_to_csv(source, max_bytes=services.settings.max_unpacked_bytes):
            checkpoint()
            size += target.write(block)
    log.info("workbook_converted", csv_bytes=size)
