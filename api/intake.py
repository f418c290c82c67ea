"""Takes an upload in: head inspected, object published, *then* the record, *then* the message."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain

import redis

from api.archives import store_archive
from api.callers_jobs import CallersJobs
from api.filenames import safe_filename
from api.job_ids import new_job_id
from api.model_reports import check_evidence
from api.telling import tell
from api.uploads import Upload
from catalogue.errors import NoSummaryColumn
from catalogue.layout import Layout, inspect_head, read_head
from catalogue.packing import Packing, gunzip, recognise_packing
from jobs.callback_address import CallbackRules
from jobs.job import Job, NewJob
from jobs.messages import Messages
from jobs.requests import Settlement
from jobs.storage import Storage, input_path, job_folder

_ANNOUNCE_EVERY_S = 10.0
_RECOGNISED_BY = 4  # bytes that tell how a file is packed


def accept(
    upload: Upload,
    *,
    store: CallersJobs,
    storage: Storage,
    messages: Messages,
    rules: CallbackRules,
    most_unpacked: int,
    settle: Callable[[], Settlement] | None = None,
) -> Job:
    """Make a job of the upload. Whatever is raised, nothing of it is left behind.

    A packed file may have `most_unpacked` bytes once it is unpacked.
    `settle` is asked, once the upload has been read, for the key under which it may be repeated.

    Raises `Problem` and `CallbackRefused` for a bad request, `CatalogueError` for a file that is no catalogue, `OSError` of the
    storage and the store's own error.
    """
    arriving = _Arriving(upload.blocks())
    blocks = gunzip(arriving, most_bytes=most_unpacked) if arriving.is_gzip else arriving
    column = upload.options.summary_column
    head, complete = (b"", False) if arriving.is_zip else read_head(blocks)
    _check_callback(upload, rules)
    layout = None if arriving.is_zip else _inspect(head, complete, upload)
    if asked := upload.options.evidence:
        check_evidence(store)
    job_id = new_job_id()
    # Before the first byte, so that whatever a death leaves behind is found.
    store.announce_upload(job_id)
    heard_of = partial(_heard_of, store=store, job_id=job_id)
    try:
        if arriving.is_zip:
            layout = store_archive(
                blocks,
                storage,
                job_id,
                column=lambda: upload.options.summary_column,
                heard_of=heard_of,
                most_bytes=most_unpacked,
            )
        else:
            with storage.publish(input_path(job_id)) as stream:
                stream.write(head)
                for block in heard_of(blocks):
                    stream.write(block)
                if layout is None or upload.options.summary_column != column:
                    layout = _inspect(head, complete, upload)
        _check_callback(upload, rules)  # which may have come after the file
        assert layout is not None  # the body has been read to its end
        if upload.options.evidence and not asked:
            check_evidence(store)
        job = store.create(
            NewJob(
                id=job_id,
                filename=safe_filename(upload.filename),
                input_bytes=arriving.count,
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


class _Arriving(Iterator[bytes]):
    """The blocks of a file, counted, and how it is packed."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.count = 0
        first = b""
        while len(first) < _RECOGNISED_BY and (block := next(blocks, None)) is not None:
            first += block
        packing = recognise_packing(first)
        self.is_gzip, self.is_zip = packing is Packing.GZIP, packing is Packing.ZIP
        self._blocks = chain([first] if first else [], blocks)

    def __next__(self) -> bytes:
        block = next(self._blocks)
        self.count += len(block)
        return block


def _heard_of(blocks: Iterator[bytes], *, store: CallersJobs, job_id: str) -> Iterator[bytes]:
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


def _inspect(head: bytes, complete: bool, upload: Upload) -> Layout | None:
    """The layout; None if no summary column was found but the caller may still name one."""
    try:
        return inspect_head(head, complete=complete, summary_column=upload.options.summary_column)
    except NoSummaryColumn:
        if upload.column_may_follow:
            return None
        raise
