"""Rows for review: pages of a result with filters, and the latest rows of a running job."""

from __future__ import annotations

import re
from collections import deque
from enum import StrEnum
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from api.http.problems import Problem
from api.jobs.scoped_store import ScopedJobStore
from api.results.result_reader import ResultReader
from api.results.row_schemas import ColumnsDocument, RowDocument, columns_of, row_document
from api.uploads.options import option
from catalogue.labelled.reader import ResultRow, chunk_output_schema, read_result
from jobs.files.chunk_output import ChunkOutput, ChunkOutputCorrupt
from jobs.files.storage import Storage
from jobs.job import Job

# Bounds the time of one request; finding rare rows in a huge result takes several requests.
MAX_BYTES = 8 << 20
_LATEST_ROWS = 8
_CURSOR = re.compile(r"([0-9]{1,15})-([0-9]{1,12})", re.ASCII)


class RowFilter(StrEnum):
    """Filter of rows."""

    ALL = "all"
    NEEDS_REVIEW = "needs_review"
    ERRORS = "errors"
    CORRECTED = "corrected"


class RowsQuery(BaseModel):
    """Filters and page of the row list."""

    model_config = ConfigDict(extra="forbid")

    filter: RowFilter = Field(
        RowFilter.ALL,
        description="`needs_review` omits rows that have been corrected.",
    )
    genre: str | SkipJsonSchema[None] = option("Rows with this predicted or corrected genre.")
    search: str | SkipJsonSchema[None] = option(
        "Rows with a cell that contains this text, ignoring case."
    )
    limit: int = Field(25, ge=1, le=100, description="Maximum rows per page.")
    after: str | SkipJsonSchema[None] = option("The `next` of the previous page.")


class RowsDocument(ColumnsDocument):
    """One page of rows, in catalogue order. A page may be empty although more follow."""

    corrections: int = Field(description="Rows of the job that have a correction.")
    rows: list[RowDocument]
    next: str | None = Field(
        description="Pass it as `after` to get the next page; null on the last page."
    )
    read: float = Field(description="Share of the result that has been searched, 0 to 1.")


class LatestRowsDocument(ColumnsDocument):
    """Rows of the latest chunk output; empty before the first one and after the end of the job."""

    rows: list[RowDocument]


def rows_document(
    reader: ResultReader, query: RowsQuery, *, corrections: int, max_bytes: int = MAX_BYTES
) -> RowsDocument:
    """Build the requested page, reading at most `max_bytes` of the result and one record.

    Raises `Problem` for an invalid cursor.
    """
    start, number = _position(query.after, reader)
    page: list[RowDocument] = []
    end, following = start, number
    for rows, genres in reader.batches(start=start, number=number):
        for row in rows:
            end, following = row.end, row.number + (not row.blank)
            if not row.blank:
                if not reader.result.is_row(row.cells):
                    raise _invalid_cursor()  # it points into the middle of a record
                document = row_document(row, reader.result, genres.get(row.number))
                if _matches(query, document, row):
                    page.append(document)
            if len(page) == query.limit or end - start > max_bytes:
                break
        else:
            continue
        break
    return RowsDocument(
        **columns_of(reader.schema),
        corrections=corrections,
        rows=page,
        next=f"{end}-{following}" if end < reader.size else None,
        read=round(end / reader.size, 4),
    )


def latest_rows(job: Job, store: ScopedJobStore, storage: Storage) -> LatestRowsDocument:
    """Return the last rows of the latest chunk output. Holds a few rows in memory."""
    schema = store.schema(job)
    result = chunk_output_schema(schema, job.options.columns)
    last: deque[ResultRow] = deque(maxlen=_LATEST_ROWS)
    latest = store.latest_chunk_output(job.id)
    if latest is not None:
        chunk, manifest = latest
        blocks = ChunkOutput.from_manifest(job.id, chunk.index, manifest).rows(storage)
        try:
            for row in read_result(blocks, result, start=0, number=chunk.first_row):
                if not row.blank:
                    last.append(row)
        except ChunkOutputCorrupt:  # or deleted, because the job is ending
            last.clear()
    return LatestRowsDocument(
        **columns_of(schema), rows=[row_document(row, result, None) for row in reversed(last)]
    )


def _position(after: str | None, reader: ResultReader) -> tuple[int, int]:
    if after is None:
        return reader.result.data_start, 1
    parsed = _CURSOR.fullmatch(after)
    if parsed is None or not reader.begins_record(int(parsed[1])):
        raise _invalid_cursor()
    return int(parsed[1]), int(parsed[2])


def _invalid_cursor() -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "INVALID_CURSOR",
        "The cursor in 'after' is not valid for this job; start again without it.",
    )


def _matches(query: RowsQuery, document: RowDocument, row: ResultRow) -> bool:
    match query.filter:
        case RowFilter.NEEDS_REVIEW:
            matches = document.needs_review and document.corrected_genre is None
        case RowFilter.ERRORS:
            matches = document.row_error is not None
        case RowFilter.CORRECTED:
            matches = document.corrected_genre is not None
        case RowFilter.ALL:
            matches = True
    if query.genre is not None:
        matches = matches and query.genre in (document.predicted_genre, document.corrected_genre)
    if query.search is not None:
        text = query.search.casefold()
        matches = matches and any(text in cell.casefold() for cell in row.cells)
    return matches
