"""The most recently labelled rows of a running job."""

from __future__ import annotations

from collections import deque

from api.jobs.scoped_store import ScopedJobStore
from api.results.row_schemas import ColumnsDocument, RowDocument, columns_of, row_document
from catalogue.labelled.reader import ResultRow, chunk_output_schema, read_result
from jobs.files.chunk_output import ChunkOutput, ChunkOutputCorrupt
from jobs.files.storage import Storage
from jobs.job import Job

_ROWS = 8


class LatestRowsDocument(ColumnsDocument):
    """Rows of the latest chunk output; empty before the first one and after the end of the job."""

    rows: list[RowDocument]


def latest_rows(job: Job, store: ScopedJobStore, storage: Storage) -> LatestRowsDocument:
    """Return the last rows of the latest chunk output. Holds a few rows in memory."""
    schema = store.schema(job)
    result = chunk_output_schema(schema, job.options.columns)
    last: deque[ResultRow] = deque(maxlen=_ROWS)
    newest = store.latest_chunk_output(job.id)
    if newest is not None:
        chunk, seal = newest
        blocks = ChunkOutput.from_manifest(job.id, chunk.index, seal).rows(storage)
        try:
            for row in read_result(blocks, result, start=0, number=chunk.first_row):
                if not row.blank:
                    last.append(row)
        except ChunkOutputCorrupt:  # or deleted, because the job is ending
            last.clear()
    return LatestRowsDocument(
        **columns_of(schema), rows=[row_document(row, result, None) for row in reversed(last)]
    )
