"""Estimates from a catalogue's first rows whether most predictions are cached."""

from __future__ import annotations

from catalogue.parsing.chunking import plan_chunks
from catalogue.parsing.rows import parse_records
from catalogue.parsing.schema import CatalogueSchema
from jobs.files.storage import input_path
from jobs.job import Job, State
from worker.dependencies import Services
from worker.pipeline.label_rows import books_of
from worker.pipeline.prediction_cache import cache_hit_ratio

_ROWS = 100
_HEAD_BYTES = 256 * 1024
_MOSTLY = 0.8


def is_mostly_cached(services: Services, job: Job, schema: CatalogueSchema) -> bool:
    """Whether most of the first rows are cache hits.

    Depends on the file and on what was remembered before the job began, so that a plan that is made again is the same.
    Raises `FileNotFoundError`, `ModelUnavailable`.
    """
    start = schema.data_start
    head = services.storage.read_range(input_path(job.id), start, start + _HEAD_BYTES)
    ranges = plan_chunks([head], schema, start=start, max_rows=_ROWS, max_bytes=len(head))
    first = next(ranges, None)
    if first is None:
        return False
    assert job.model is not None  # planning pins it first
    model = services.models.pinned(job.model)
    books = books_of(parse_records(head[: first.end - start], schema), model.description)
    share = cache_hit_ratio(
        services,
        model,
        list(books.values()),
        owner=job.owner,
        as_of=job.state_times[State.QUEUED],
    )
    return share >= _MOSTLY
