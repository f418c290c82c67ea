"""Takes an upload in: head inspected, object published, *then* the record, *then* the message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import redis

from api.http.filenames import safe_filename
from api.jobs.enqueue import enqueue_or_log
from api.jobs.job_ids import new_job_id
from api.jobs.scoped_store import ScopedJobStore
from api.observability.worker_reports import check_evidence
from api.uploads.idempotency import HeldKey
from api.uploads.request_stream import Upload
from api.uploads.sniff import SniffedStream, touch_while_reading
from api.uploads.zip_upload import store_archive
from catalogue.compressed.compression import Compression, gunzip
from catalogue.errors import NoSummaryColumn
from catalogue.parsing.schema import CatalogueSchema, inspect_head, read_head
from jobs.errors import JobError
from jobs.files.storage import Storage, input_path, job_folder
from jobs.job import Job, NewJob
from jobs.queue.task_queue import TaskQueue
from jobs.webhook_urls import WebhookUrlRules

# Names of columns are in every document of a job and in every list; a header may have one of 256 KiB.
_LONGEST_NAME = 500


def accept(
    upload: Upload,
    *,
    store: ScopedJobStore,
    storage: Storage,
    messages: TaskQueue,
    rules: WebhookUrlRules,
    most_unpacked: int,
    key: HeldKey | None = None,
) -> Job:
    """Make a job of the upload. Nothing is left behind of one that is refused.

    A packed file may have `most_unpacked` bytes once it is unpacked.
    `key` is the one under which the upload may be repeated; it is renewed as long as blocks arrive or are unpacked.

    Raises `Problem` and `WebhookUrlRefused` for a bad request, `CatalogueError` for a file that is no catalogue, `OSError` of the
    storage and the store's own error. After a lost connection to the store the job may exist, and its input is kept.
    """
    store.ensure_quota()
    arriving = SniffedStream(upload.blocks())
    is_zip = arriving.packing is Compression.ZIP
    blocks: Iterator[bytes] = arriving
    if arriving.packing is Compression.GZIP:
        blocks = gunzip(arriving, max_bytes=most_unpacked)
    names = upload.options.columns
    head, complete = (b"", False) if is_zip else read_head(blocks)
    _check_webhook_url(upload, rules)
    layout = None if is_zip else _inspect(head, complete, upload)
    if asked := upload.options.evidence:
        check_evidence(store.workers)
    job_id = new_job_id()
    # Before the first byte, so that whatever a death leaves behind is found.
    store.announce_upload(job_id)
    listen = partial(
        touch_while_reading, store=store, job_id=job_id, renew=key.renew if key else None
    )
    try:
        if is_zip:
            layout = store_archive(
                blocks,
                storage,
                job_id,
                names=lambda: upload.options.columns,
                touch_while_reading=listen,
                max_bytes=most_unpacked,
            )
        else:
            with storage.publish(input_path(job_id)) as stream:
                stream.write(head)
                for block in listen(blocks):
                    stream.write(block)
                if layout is None or upload.options.columns != names:
                    layout = _inspect(head, complete, upload)
        _check_webhook_url(upload, rules)  # which may have come after the file
        assert layout is not None  # the body has been read to its end
        if upload.options.evidence and not asked:
            check_evidence(store.workers)
        title = layout.title_index
        new = NewJob(
            id=job_id,
            filename=safe_filename(upload.filename),
            input_bytes=arriving.count,
            layout=layout.to_dict(),
            summary_column=_shown(layout.header[layout.summary_index]),
            title_column=None if title is None else _shown(layout.header[title]),
            options=upload.options.job_options,
        )
        settlement = key.settle() if key else None
    except BaseException:
        _discard(store, storage, job_id)
        raise
    try:
        job = store.create(new, completion=settlement)
    except (JobError, redis.ResponseError):
        _discard(store, storage, job_id)
        raise
    # Any other error leaves open whether the job was made before the reply got lost, so its input stays. It is still
    # announced: if there is no job, the sweep of lost uploads removes it.
    enqueue_or_log(messages.plan, job.id)
    return job


def _discard(store: ScopedJobStore, storage: Storage, job_id: str) -> None:
    """Remove what was stored of an upload of which no job was made."""
    with suppress(OSError, redis.RedisError):  # the error that led here is the one to report
        storage.delete(job_folder(job_id))
        store.forget_upload(job_id)


def _shown(column: str) -> str:
    """A column's name as documents show it; the layout has it in full."""
    return column if len(column) <= _LONGEST_NAME else column[: _LONGEST_NAME - 1] + "…"


def _check_webhook_url(upload: Upload, rules: WebhookUrlRules) -> None:
    if upload.options.webhook_url is not None:
        rules.check_url(upload.options.webhook_url)


def _inspect(head: bytes, complete: bool, upload: Upload) -> CatalogueSchema | None:
    """The layout; None if no summary column was found but the caller may still name one."""
    try:
        return inspect_head(head, complete=complete, names=upload.options.columns)
    except NoSummaryColumn:
        if upload.column_may_follow:
            return None
        raise
