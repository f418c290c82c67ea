"""Downloads with corrections: the corrected result, and the corrected rows as training data.

Both are generated while they are sent, so they have an ETag but no length and no ranges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Response, request

from api.http.filenames import download_name
from api.jobs.scoped_store import ScopedJobStore
from api.results.files import attachment
from api.results.result_reader import ResultReader, open_result
from catalogue.labelled.corrections import (
    encode_corrected,
    encode_corrected_header,
    encode_training,
    encode_training_header,
)
from jobs.files.storage import Storage
from jobs.job import Job
from jobs.ports.corrections import CorrectionStore


def corrected_download(
    job: Job, store: ScopedJobStore, storage: Storage, corrections: CorrectionStore
) -> Response:
    """Return the result with the column `corrected_genre`.

    Raises `Problem` if there is no result (yet).
    """
    return _response(job, store, storage, corrections, kind="labelled", lines=_corrected)


def training_download(
    job: Job, store: ScopedJobStore, storage: Storage, corrections: CorrectionStore
) -> Response:
    """Return title, genre and summary of the corrected rows.

    Raises `Problem` like `corrected_download`.
    """
    return _response(job, store, storage, corrections, kind="corrections", lines=_training)


def _corrected(reader: ResultReader) -> Iterator[bytes]:
    yield encode_corrected_header(reader.result)
    for rows, genres in reader.batches():
        yield encode_corrected(reader.result, rows, genres)


def _training(reader: ResultReader) -> Iterator[bytes]:
    yield encode_training_header()
    for rows, genres in reader.batches():
        if genres:
            yield encode_training(reader.schema, rows, genres)


def _response(
    job: Job,
    store: ScopedJobStore,
    storage: Storage,
    corrections: CorrectionStore,
    *,
    kind: str,
    lines: Callable[[ResultReader], Iterator[bytes]],
) -> Response:
    # Read before the rows: a correction made in between belongs to the next revision, whether it is
    # sent or not.
    revision = corrections.summary(job.id).revision
    reader = open_result(job, store, storage, corrections)
    response = Response(
        lines(reader),
        content_type="text/csv; charset=utf-8",
        direct_passthrough=True,  # otherwise werkzeug would buffer it to compute the length
    )
    response.call_on_close(reader.close)
    response.set_etag(f"{job.id}-{kind}-corrected-{revision}")
    attachment(response, download_name(job.filename, kind))
    response.make_conditional(request.environ)
    return response
