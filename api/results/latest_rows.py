"""The rows that were labelled last, while a job is under way."""

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
    """Some rows of the part that was finished last; none before the first is, and none when the job has ended."""

    rows: list[RowDocument]


def latest_rows(job: Job, store: ScopedJobStore, storage: Storage) -> LatestRowsDocument:
    """The last rows of the newest part. Holds some of its rows in memory."""
    layout = store.layout(job)
    result = chunk_output_schema(layout, job.options.columns)
    last: deque[ResultRow] = deque(maxlen=_ROWS)
    newest = store.latest_chunk_output(job.id)
    if newest is not None:
        chunk, seal = newest
        blocks = ChunkOutput.from_manifest(job.id, chunk.index, seal).rows(storage)
        try:
            for row in read_result(blocks, result, start=0, number=chunk.first_row):
                if not row.blank:
                    last.append(row)
        except ChunkOutputCorrupt:  # or gone, because the job ends just now
            last.clear()
    return LatestRowsDocument(
        **columns_of(layout), rows=[row_document(row, result, None) for row in reversed(last)]
    )
