"""Takes an upload in: head inspected, object published, *then* the record, *then* the message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from api.filenames import safe_filename
from api.job_ids import new_job_id
from api.telling import tell
from api.uploads import Upload
from catalogue.errors import NoSummaryColumn
from catalogue.layout import HEAD_BYTES, Layout, inspect_head
from jobs.job import Job, NewJob
from jobs.messages import Messages
from jobs.requests import Settlement
from jobs.storage import Storage, input_path, job_folder
from jobs.store import JobStore


def accept(
    upload: Upload,
    *,
    store: JobStore,
    storage: Storage,
    messages: Messages,
    settle: Callable[[], Settlement] | None = None,
) -> Job:
    """Make a job of the upload. Whatever is raised, nothing of it is left behind.

    `settle` is asked, once the upload has been read, for the key under which it may be repeated.

    Raises `Problem` for a bad request, `CatalogueError` for a file that is no catalogue, `OSError` of the
    storage and the store's own error.
    """
    blocks = upload.blocks()
    head, complete = _read_head(blocks)
    column = upload.options.summary_column
    layout = _inspect(head, complete, upload)
    job_id = new_job_id()
    try:
        with storage.publish(input_path(job_id)) as stream:
            size = stream.write(head)
            for block in blocks:
                size += stream.write(block)
            if layout is None or upload.options.summary_column != column:
                layout = _inspect(head, complete, upload)
                assert layout is not None  # the body has been read to its end
        job = store.create(
            NewJob(
                id=job_id,
                filename=safe_filename(upload.filename),
                input_bytes=size,
                layout=layout.to_dict(),
                error_threshold=upload.options.error_threshold,
            ),
            settlement=settle() if settle else None,
        )
    except BaseException:
        with suppress(OSError):  # the first error is the one to report
            storage.delete(job_folder(job_id))
        raise
    tell(messages.plan, job.id)
    return job


def _read_head(blocks: Iterator[bytes]) -> tuple[bytes, bool]:
    """The first bytes of the file, more than `HEAD_BYTES` unless they are all, and whether they are."""
    head = bytearray()
    for block in blocks:
        head += block
        if len(head) > HEAD_BYTES:
            return bytes(head), False
    return bytes(head), True


def _inspect(head: bytes, complete: bool, upload: Upload) -> Layout | None:
    """The layout; None if no summary column was found but the caller may still name one."""
    try:
        return inspect_head(
            head if complete else head[:HEAD_BYTES],
            complete=complete,
            summary_column=upload.options.summary_column,
        )
    except NoSummaryColumn:
        if upload.column_may_follow:
            return None
        raise
