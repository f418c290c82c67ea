"""Takes an upload in: head inspected, object published, *then* the record, *then* the message."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import redis

from api.callers_jobs import CallersJobs
from api.filenames import safe_filename
from api.job_ids import new_job_id
from api.model_reports import check_evidence
from api.telling import tell
from api.uploads import Upload
from catalogue.errors import NoSummaryColumn
from catalogue.layout import HEAD_BYTES, Layout, inspect_head
from jobs.callback_address import CallbackRules
from jobs.job import Job, NewJob
from jobs.messages import Messages
from jobs.requests import Settlement
from jobs.storage import Storage, input_path, job_folder

_ANNOUNCE_EVERY_S = 10.0


def accept(
    upload: Upload,
    *,
    store: CallersJobs,
    storage: Storage,
    messages: Messages,
    rules: CallbackRules,
    settle: Callable[[], Settlement] | None = None,
) -> Job:
    """Make a job of the upload. Whatever is raised, nothing of it is left behind.

    `settle` is asked, once the upload has been read, for the key under which it may be repeated.

    Raises `Problem` and `CallbackRefused` for a bad request, `CatalogueError` for a file that is no catalogue, `OSError` of the
    storage and the store's own error.
    """
    blocks = upload.blocks()
    head, complete = _read_head(blocks)
    _check_callback(upload, rules)
    column = upload.options.summary_column
    layout = _inspect(head, complete, upload)
    if asked := upload.options.evidence:
        check_evidence(store)
    job_id = new_job_id()
    # Before the first byte, so that whatever a death leaves behind is found.
    store.announce_upload(job_id)
    try:
        with storage.publish(input_path(job_id)) as stream:
            size = stream.write(head)
            for block in _heard_of(blocks, store, job_id):
                size += stream.write(block)
            _check_callback(upload, rules)  # which may have come after the file
            if layout is None or upload.options.summary_column != column:
                layout = _inspect(head, complete, upload)
                assert layout is not None  # the body has been read to its end
            if upload.options.evidence and not asked:
                check_evidence(store)
        job = store.create(
            NewJob(
                id=job_id,
                filename=safe_filename(upload.filename),
                input_bytes=size,
                layout=layout.to_dict(),
                error_threshold=upload.options.error_threshold,
                callback=upload.options.callback,
                evidence=bool(upload.options.evidence),
            ),
            settlement=settle() if settle else None,
        )
    except BaseException:
        with suppress(OSError, redis.RedisError):  # the first error is the one to report
            storage.delete(job_folder(job_id))
            store.forget_upload(job_id)
        raise
    tell(messages.plan, job.id)
    return job


def _heard_of(blocks: Iterator[bytes], store: CallersJobs, job_id: str) -> Iterator[bytes]:
    """The same blocks; while they come, the upload does not count as lost. Raises `UploadLost`."""
    due = time.monotonic() + _ANNOUNCE_EVERY_S
    for block in blocks:
        if time.monotonic() >= due:
            due = time.monotonic() + _ANNOUNCE_EVERY_S
            # An upload outlives a short absence of the record.
            with suppress(redis.RedisError):
                store.announce_upload(job_id)
        yield block


def _check_callback(upload: Upload, rules: CallbackRules) -> None:
    if upload.options.callback is not None:
        rules.check_url(upload.options.callback)


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
