"""Rows of a result as JSON, page by page, for people who look through them."""

from __future__ import annotations

import re
from enum import StrEnum
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from api.http.problems import Problem
from api.results.result_reader import ResultReader
from api.results.row_schemas import ColumnsDocument, RowDocument, columns_of, row_document
from api.uploads.options import option
from catalogue.labelled.reader import ResultRow

# A request reads no more than this, so that looking for rare rows in a huge result takes several short ones.
MOST_BYTES = 8 << 20
_CURSOR = re.compile(r"([0-9]{1,15})-([0-9]{1,12})", re.ASCII)


class Which(StrEnum):
    """Which rows."""

    ALL = "all"
    NEEDS_REVIEW = "needs_review"
    ERRORS = "errors"
    CORRECTED = "corrected"


class RowsQuery(BaseModel):
    """Which rows, and how many of them."""

    model_config = ConfigDict(extra="forbid")

    filter: Which = Field(
        Which.ALL,
        description="`needs_review` leaves out rows that a person has corrected already.",
    )
    genre: str | SkipJsonSchema[None] = option("The model's genre, or the one that a person gave.")
    search: str | SkipJsonSchema[None] = option("Words that a cell has to hold, in whatever case.")
    limit: int = Field(25, ge=1, le=100, description="Rows on a page, at most.")
    after: str | SkipJsonSchema[None] = option("The `next` of the page before.")


class RowsDocument(ColumnsDocument):
    """One page of rows, in the order of the catalogue. A page may be empty although others follow."""

    corrections: int = Field(description="Rows of the job that have a correction.")
    rows: list[RowDocument]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last.")
    read: float = Field(description="Share of the result that has been looked through, 0 to 1.")


def rows_document(
    reader: ResultReader, query: RowsQuery, *, corrections: int, most_bytes: int = MOST_BYTES
) -> RowsDocument:
    """The page that the query asks for, of at most `most_bytes` of the result and one record.

    Raises `Problem` for an invalid cursor.
    """
    start, number = _place(query.after, reader)
    found: list[RowDocument] = []
    at, following = start, number
    for rows, genres in reader.batches(start=start, number=number):
        for row in rows:
            at, following = row.end, row.number + (not row.blank)
            if not row.blank:
                if not reader.result.is_row(row.cells):
                    raise _invalid_cursor()  # it points into a record
                document = row_document(row, reader.result, genres.get(row.number))
                if _matches(query, document, row):
                    found.append(document)
            if len(found) == query.limit or at - start > most_bytes:
                break
        else:
            continue
        break
    return RowsDocument(
        **columns_of(reader.layout),
        corrections=corrections,
        rows=found,
        next=f"{at}-{following}" if at < reader.size else None,
        read=round(at / reader.size, 4),
    )


def _place(after: str | None, reader: ResultReader) -> tuple[int, int]:
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
        "'after' is not the 'next' of a page of this job's rows; start again without it.",
    )


def _matches(query: RowsQuery, document: RowDocument, row: ResultRow) -> bool:
    match query.filter:
        case Which.NEEDS_REVIEW:
            wanted = document.needs_review and document.corrected_genre is None
        case Which.ERRORS:
            wanted = document.row_error is not None
        case Which.CORRECTED:
            wanted = document.corrected_genre is not None
        case Which.ALL:
            wanted = True
    if query.genre is not None:
        wanted = wanted and query.genre in (document.predicted_genre, document.corrected_genre)
    if query.search is not None:
        words = query.search.casefold()
        wanted = wanted and any(words in cell.casefold() for cell in row.cells)
    return wanted
