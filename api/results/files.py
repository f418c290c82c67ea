"""Downloads of stored files: streamed, with ranges, ETag and conditional requests."""

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
    """Return the file at `path` as `NAME.KIND.csv`. Raises `Problem` if it does not exist (yet)."""
    stream, size = open_ended(job, storage, path)
    response = Response(
        wrap_file(request.environ, stream, _BLOCK_BYTES),
        content_type="text/csv; charset=utf-8",
        direct_passthrough=True,
    )
    try:
        response.content_length = size
        # Files of ended jobs never change, so job id and length identify the content.
        response.set_etag(f"{job.id}-{kind}-{size}")
        response.last_modified = datetime.fromtimestamp(job.state_times[job.state], UTC)
        attachment(response, download_name(job.filename, kind))
        response.make_conditional(request.environ, accept_ranges=True, complete_length=size)
    except BaseException:
        stream.close()
        raise
    return response


def open_ended(job: Job, storage: Storage, path: str) -> tuple[BinaryIO, int]:
    """Open a file of an ended job; also returns its size in bytes.

    Raises `Problem` if it does not exist (yet).
    """
    if not job.is_terminal:
        raise Problem(
            HTTPStatus.CONFLICT,
            "RESULT_NOT_READY",
            f"The job is {job.state}; wait until it has ended, or cancel it to get the finished "
            "rows.",
            retry_after_s=1,
        )
    if job.files_deleted_at is not None:
        raise Problem(
            HTTPStatus.GONE,
            "RESULT_EXPIRED",
            "The files of this job were deleted at the end of their retention; upload the "
            "catalogue again.",
        )
    try:
        size = storage.size(path)
        return storage.open(path), size
    except FileNotFoundError:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "RESULT_MISSING",
            f"The job {job.state} without producing this file; upload the catalogue again.",
        ) from None


def attachment(response: Response, filename: str) -> None:
    """Set the headers of a download with this file name."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers.set("Content-Disposition", "attachment", **_names(filename))


def _names(name: str) -> dict[str, str]:
    """Return the RFC 6266 parameters: the name, or an ASCII fallback and the RFC 5987 form."""
    if name.isascii():
        return {"filename": name}
    fallback = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return {"filename": fallback, "filename*": f"UTF-8''{quote(name, safe='')}"}
