"""Streams the rows of a result with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from api.jobs.scoped_store import ScopedJobStore
from api.results.files import open_ended
from catalogue.labelled.reader import ResultRow, ResultSchema, inspect_result, read_result
from catalogue.parsing.schema import CatalogueSchema
from jobs.files.storage import Storage, result_path
from jobs.job import Job
from jobs.ports.corrections import CorrectionStore

_BLOCK_BYTES = 64 * 1024
# Corrections are read once per batch.
_BATCH_ROWS = 200
_BATCH_BYTES = 1 << 20

Batch = tuple[list[ResultRow], Mapping[int, str]]
"""Rows (including blank lines), and the corrected genres by row number."""


@dataclass(frozen=True)
class ResultReader:
    """An open result."""

    schema: CatalogueSchema
    result: ResultSchema
    size: int  # bytes
    _job_id: str
    _stream: BinaryIO
    _corrections: CorrectionStore

    def batches(self, *, start: int | None = None, number: int = 1) -> Iterator[Batch]:
        """Yield batches from byte `start`, where row `number` begins; None: from the first row."""
        start = self.result.data_start if start is None else start
        self._stream.seek(start)
        rows: list[ResultRow] = []
        begin = start
        blocks = _blocks(self._stream)
        for row in read_result(blocks, self.result, start=start, number=number):
            rows.append(row)
            if len(rows) == _BATCH_ROWS or row.end - begin > _BATCH_BYTES:
                yield self._with_corrections(rows)
                rows, begin = [], row.end
        if rows:
            yield self._with_corrections(rows)

    def begins_record(self, offset: int) -> bool:
        """Whether a record may begin at this byte: it follows a line end."""
        if not self.result.data_start <= offset <= self.size:
            return False
        self._stream.seek(offset - 1)
        return self._stream.read(1) in (b"\n", b"\r")

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _with_corrections(self, rows: list[ResultRow]) -> Batch:
        numbers = [row.number for row in rows if not row.blank]
        return rows, self._corrections.get_many(self._job_id, numbers)


def open_result(
    job: Job, store: ScopedJobStore, storage: Storage, corrections: CorrectionStore
) -> ResultReader:
    """Open the result of an ended job. Raises `Problem` if it does not exist (yet)."""
    stream, size = open_ended(job, storage, result_path(job.id))
    try:
        schema = store.schema(job)
        result = inspect_result(_blocks(stream), schema)
    except BaseException:
        stream.close()
        raise
    return ResultReader(schema, result, size, job.id, stream, corrections)


@contextmanager
def reading(
    job: Job, store: ScopedJobStore, storage: Storage, corrections: CorrectionStore
) -> Iterator[ResultReader]:
    """Context manager around `open_result`."""
    reader = open_result(job, store, storage, corrections)
    try:
        yield reader
    finally:
        reader.close()


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(_BLOCK_BYTES):
        yield block
