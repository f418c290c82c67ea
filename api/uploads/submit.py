"""Turns an upload into a job: checks the header, stores the file, creates the record, enqueues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import redis

from api.http.filenames import safe_filename
from api.jobs.job_ids import new_job_id
from api.jobs.scoped_store import ScopedJobStore
from api.observability.worker_reports import check_evidence
from api.uploads.idempotency import ClaimedKey
from api.uploads.options import Options
from api.uploads.request_stream import Upload
from api.uploads.sniff import SniffedStream, touch_while_reading
from catalogue.compressed.compression import Compression, gunzip
from catalogue.compressed.xlsx_reader import xlsx_schema
from catalogue.compressed.zip_archive import ZipArchive
from catalogue.errors import NoSummaryColumn
from catalogue.parsing.columns import ColumnNames
from catalogue.parsing.schema import CatalogueSchema, inspect_head, read_head
from jobs.errors import JobError
from jobs.files.storage import Storage, input_path, job_folder, upload_path
from jobs.job import Job, NewJob
from jobs.queue.task_queue import TaskQueue, enqueue_or_log
from jobs.webhook_urls import WebhookUrlRules

# Column names are part of every job document, and a header may contain one of 256 KiB.
_MAX_NAME_CHARACTERS = 500


def submit_upload(
    upload: Upload,
    *,
    store: ScopedJobStore,
    storage: Storage,
    task_queue: TaskQueue,
    rules: WebhookUrlRules,
    max_unpacked: int,
    claim: ClaimedKey | None = None,
) -> Job:
    """Create a job from an upload. A refused upload leaves nothing behind.

    The steps are: detect the compression, check header and options, store the file, check the
    options that followed the file, create the record, enqueue the planning step.

    Args:
        max_unpacked: maximum size of the unpacked file, in bytes.
        claim: the idempotency key, if the upload has one; renewed while blocks arrive or are
            unpacked.

    Raises `Problem` and `WebhookUrlRefused` for a bad request, `CatalogueError` for an invalid
    file, `OSError` of the storage, and the store's own error. After a lost connection to the store
    the job may exist, so its input is kept.
    """
    store.ensure_quota()
    stream = SniffedStream(upload.blocks(), claim.observe if claim else None)
    is_zip = stream.compression is Compression.ZIP
    blocks: Iterator[bytes] = stream
    if stream.compression is Compression.GZIP:
        blocks = gunzip(stream, max_bytes=max_unpacked)
    head, complete = (b"", False) if is_zip else read_head(blocks)
    options = upload.options
    _check_options(options, store, rules)
    schema = None if is_zip else _inspect(head, complete, upload)
    job_id = new_job_id()
    touch = partial(
        touch_while_reading, store=store, job_id=job_id, renew=claim.renew if claim else None
    )
    # Before the first byte is stored, so that the leftovers of a crash are found.
    store.touch_upload(job_id)
    try:
        path = upload_path(job_id) if is_zip else input_path(job_id)
        with storage.publish(path) as target:
            target.write(head)
            for block in touch(blocks):
                target.write(block)
        if upload.options != options:  # form fields may follow the file
            _check_options(upload.options, store, rules)
        if is_zip:
            schema = _unpack(
                storage, job_id, names=upload.options.columns, touch=touch, max_bytes=max_unpacked
            )
        elif schema is None or upload.options.columns != options.columns:
            schema = _inspect(head, complete, upload)
        assert schema is not None  # the body has been read completely
        new = _new_job(job_id, upload, schema, input_bytes=stream.count)
        completion = claim.completion(upload) if claim else None
    except BaseException:
        _discard(store, storage, job_id)
        raise
    try:
        job = store.create(new, completion=completion)
    except (JobError, redis.ResponseError):
        _discard(store, storage, job_id)
        raise
    # After any other error the job may exist although the reply was lost, so its input is kept. The
    # upload is still announced: if there is no job, recovery of lost uploads deletes the input.
    enqueue_or_log(task_queue.plan, job.id)
    return job


def _unpack(
    storage: Storage,
    job_id: str,
    *,
    names: ColumnNames,
    touch: Callable[[Iterator[bytes]], Iterator[bytes]],
    max_bytes: int,
) -> CatalogueSchema:
    """Unpack the stored ZIP archive into the input of its job; a workbook is left to planning.

    Returns the schema of the job's input.

    Args:
        names: columns that the caller has named.
        touch: wraps the unpacked blocks, so that the upload is not considered lost.
        max_bytes: maximum unpacked size.

    Raises `CatalogueError`, and `OSError` of the storage.
    """
    with storage.open(upload_path(job_id)) as source:
        archive = ZipArchive(source)
        if archive.is_workbook:
            return xlsx_schema(source, max_bytes=max_bytes, names=names)
        unpacked = archive.read(archive.only_member(), max_bytes=max_bytes)
        head, complete = read_head(unpacked)
        schema = inspect_head(head, complete=complete, names=names)
        with storage.publish(input_path(job_id)) as target:
            target.write(head)
            for block in touch(unpacked):
                target.write(block)
    storage.delete(upload_path(job_id))
    return schema


def _new_job(job_id: str, upload: Upload, schema: CatalogueSchema, *, input_bytes: int) -> NewJob:
    title = schema.title_index
    return NewJob(
        id=job_id,
        filename=safe_filename(upload.filename),
        input_bytes=input_bytes,
        schema=schema,
        summary_column=_shortened(schema.header[schema.summary_index]),
        title_column=None if title is None else _shortened(schema.header[title]),
        options=upload.options.job_options,
    )


def _discard(store: ScopedJobStore, storage: Storage, job_id: str) -> None:
    """Delete the files of an upload that did not become a job."""
    with suppress(OSError, redis.RedisError):  # report the original error
        storage.delete(job_folder(job_id))
        store.forget_upload(job_id)


def _shortened(column: str) -> str:
    """A column name for job documents; the schema has the full name."""
    return (
        column if len(column) <= _MAX_NAME_CHARACTERS else column[: _MAX_NAME_CHARACTERS - 1] + "…"
    )


def _check_options(options: Options, store: ScopedJobStore, rules: WebhookUrlRules) -> None:
    if options.webhook_url is not None:
        rules.check_url(options.webhook_url)
    if options.evidence:
        check_evidence(store.workers)


def _inspect(head: bytes, complete: bool, upload: Upload) -> CatalogueSchema | None:
    """Return the schema; None if there is no summary column yet but a later field may name one."""
    try:
        return inspect_head(head, complete=complete, names=upload.options.columns)
    except NoSummaryColumn:
        if upload.column_may_follow:
            return None
        raise
