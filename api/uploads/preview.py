"""Previews a file without creating a job: format, columns and first rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import BinaryIO

import redis

from api.http.problems import Problem
from api.jobs.job_ids import new_job_id
from api.jobs.scoped_store import ScopedJobStore
from api.uploads.preview_schemas import (
    WORKBOOK,
    PreviewDocument,
    PreviewQuery,
    RowCountDocument,
    preview_document,
    text_format,
)
from api.uploads.request_stream import Upload
from api.uploads.sniff import SniffedStream, touch_while_reading
from catalogue.compressed.compression import Compression, gunzip
from catalogue.compressed.xlsx_reader import last_row, xlsx_to_csv
from catalogue.compressed.zip_archive import ZipArchive
from catalogue.errors import CorruptArchive
from catalogue.parsing.columns import ColumnNames
from catalogue.parsing.sampling import Sample, take_sample
from catalogue.parsing.schema import read_head
from jobs.files.storage import Storage, job_folder, upload_path

_SAMPLE_BYTES = 1 << 20
_PIECE_BYTES = 16 * 1024
_SHOWN_ROWS = 10


def preview(
    upload: Upload,
    query: PreviewQuery,
    *,
    content_length: int | None,
    store: ScopedJobStore,
    storage: Storage,
    max_unpacked: int,
) -> PreviewDocument:
    """Build the preview of a file.

    Args:
        content_length: size of the body if known, which approximates that of the file.

    Raises `Problem`, and `CatalogueError` for an invalid file.
    """
    stream = SniffedStream(upload.blocks())
    if stream.compression is Compression.ZIP:
        return _preview_archive(stream, upload, query, store, storage, max_unpacked)
    blocks: Iterator[bytes] = stream
    pieces = _Pieces(stream)
    if stream.compression is Compression.GZIP:
        blocks = gunzip(pieces, max_bytes=max_unpacked)
        if query.total_bytes is not None:
            blocks = _until_truncated(blocks)
    head, ended = read_head(blocks, more_than=_SAMPLE_BYTES)
    is_partial = query.total_bytes is not None and query.total_bytes > stream.count
    sample = take_sample(head, complete=ended and not is_partial, show=_SHOWN_ROWS)
    total = query.total_bytes or content_length
    # For a compressed file, extrapolate the compression ratio of the sample.
    size = total and round(total * len(head) / (pieces.count or stream.count))
    if upload.column_may_follow:
        for _ in stream:
            pass
    return preview_document(
        sample,
        text_format(sample, stream.compression),
        _row_count(sample, size),
        names=upload.options.columns,
    )


def _preview_archive(
    stream: SniffedStream,
    upload: Upload,
    query: PreviewQuery,
    store: ScopedJobStore,
    storage: Storage,
    max_unpacked: int,
) -> PreviewDocument:
    """The directory of a ZIP archive is at its end, so the archive is stored temporarily."""
    job_id = new_job_id()  # no job is created; the id lets recovery find the leftovers of a crash
    store.touch_upload(job_id)
    try:
        with storage.publish(upload_path(job_id)) as target:
            for block in touch_while_reading(stream, store=store, job_id=job_id):
                target.write(block)
        if query.total_bytes is not None and query.total_bytes > stream.count:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "PREVIEW_NEEDS_WHOLE_FILE",
                "A ZIP archive or workbook cannot be previewed from a part; send the whole file.",
            )
        with storage.open(upload_path(job_id)) as source:
            return _preview_member(source, max_unpacked, upload.options.columns)
    finally:
        with suppress(OSError, redis.RedisError):  # recovery of lost uploads deletes it
            storage.delete(job_folder(job_id))
            store.forget_upload(job_id)


def _preview_member(source: BinaryIO, max_unpacked: int, names: ColumnNames) -> PreviewDocument:
    archive = ZipArchive(source)
    if archive.is_workbook:
        head, complete = read_head(
            xlsx_to_csv(source, max_bytes=max_unpacked), more_than=_SAMPLE_BYTES
        )
        sample = take_sample(head, complete=complete, show=_SHOWN_ROWS)
        last = None if complete else last_row(source)
        rows = (
            _row_count(sample, None)
            if last is None
            else RowCountDocument(count=max(last - 1, sample.rows), exact=False)
        )
        return preview_document(sample, WORKBOOK, rows, names=names)
    name = archive.only_member()
    head, complete = read_head(archive.read(name, max_bytes=max_unpacked), more_than=_SAMPLE_BYTES)
    sample = take_sample(head, complete=complete, show=_SHOWN_ROWS)
    return preview_document(
        sample,
        text_format(sample, Compression.ZIP),
        _row_count(sample, archive.size(name)),
        names=names,
    )


def _row_count(sample: Sample, size: int | None) -> RowCountDocument:
    count = sample.rows if sample.complete else size and sample.rows_among(size)
    return RowCountDocument(count=count, exact=sample.complete)


class _Pieces(Iterator[bytes]):
    """Splits blocks into small pieces and counts their bytes."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.count = 0
        self._pieces = (
            block[start : start + _PIECE_BYTES]
            for block in blocks
            for start in range(0, len(block), _PIECE_BYTES)
        )

    def __next__(self) -> bytes:
        piece = next(self._pieces)
        self.count += len(piece)
        return piece


def _until_truncated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    with suppress(CorruptArchive):
        yield from blocks
