"""Files of an ended job over HTTP: streamed, with ranges, ETag and conditions."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import quote

from flask import Response, request
from werkzeug.wsgi import wrap_file

from api.http.filenames import download_name
from api.http.problems import Problem
from jobs.files.storage import Storage
from jobs.job import Job

_BLOCK_BYTES = 64 * 1024


def download(job: Job, storage: Storage, *, path: str, kind: str) -> Response:
    """The file at `path` as `NAME.KIND.csv`. Raises `Problem` when it is not there, or not yet."""
    stream, size = open_ended(job, storage, path)
    response = Response(
        wrap_file(request.environ, stream, _BLOCK_BYTES),
        content_type="text/csv; charset=utf-8",
        direct_passthrough=True,
    )
    try:
        response.content_length = size
        # The file of an ended job never changes, so the job's id and the length identify its bytes.
        response.set_etag(f"{job.id}-{kind}-{size}")
        response.last_modified = datetime.fromtimestamp(job.state_times[job.state], UTC)
        attachment(response, download_name(job.filename, kind))
        response.make_conditional(request.environ, accept_ranges=True, complete_length=size)
    except BaseException:
        stream.close()
        raise
    return response


def open_ended(job: Job, storage: Storage, path: str) -> tuple[BinaryIO, int]:
    """A file of an ended job and its length in bytes. Raises `Problem` when it is not there, or not yet."""
    if not job.is_terminal:
        raise Problem(
            HTTPStatus.CONFLICT,
            "RESULT_NOT_READY",
            f"The job is {job.state}; ask again when it has ended, or cancel it to get what is done.",
            retry_after_s=1,
        )
    if job.files_deleted_at is not None:
        raise Problem(
            HTTPStatus.GONE,
            "RESULT_EXPIRED",
            "The files of this job were deleted when their retention ended; upload the catalogue again.",
        )
    try:
        size = storage.size(path)
        return storage.open(path), size
    except FileNotFoundError:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "RESULT_MISSING",
            f"The job {job.state} without leaving this file; upload the catalogue again.",
        ) from None


def attachment(response: Response, filename: str) -> None:
    """Offer the answer for saving under this name."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers.set("Content-Disposition", "attachment", **_names(filename))


def _names(name: str) -> dict[str, str]:
    """The name as RFC 6266 has it: plain where it is ASCII, else a likeness and RFC 5987's spelling."""
    if name.isascii():
        return {"filename": name}
    likeness = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return {"filename": likeness, "filename*": f"UTF-8''{quote(name, safe='')}"}
