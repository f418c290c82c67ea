"""Rows of a result as JSON, page by page, for people who look through them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from api.options import option
from api.problems import Problem
from api.result_rows import ResultReader
from catalogue.columns import find_title_column
from catalogue.results import ResultRow

# A request reads no more than this, so that looking for rare rows in a huge result takes several short ones.
_MOST_BYTES = 8 << 20
_LONGEST_CELL = 1000
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


class RowDocument(BaseModel):
    """One row. Without genre it has a `row_error`."""

    row: int = Field(description="1 for the first below the header; blank lines are not counted.")
    cells: list[str] = Field(
        description=f"The input's cells, cut after {_LONGEST_CELL:,} characters."
    )
    genre: str | None
    confidence: float | None
    second_genre: str | None
    second_confidence: float | None
    genre_set: list[str]
    needs_review: bool
    row_error: str | None
    corrected_genre: str | None


class RowsDocument(BaseModel):
    """One page of rows, in the order of the catalogue. A page may be empty although others follow."""

    columns: list[str]
    summary_column: int = Field(description="Which of the columns, from 0.")
    title_column: int | None
    corrections: int = Field(description="Rows of the job that have a correction.")
    rows: list[RowDocument]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last.")
    read: float = Field(description="Share of the result that has been looked through, 0 to 1.")


def rows_document(reader: ResultReader, query: RowsQuery, *, corrections: int) -> RowsDocument:
    """The page that the query asks for. Raises `Problem` for a cursor that is none."""
    start, number = _place(query.after, reader)
    found: list[RowDocument] = []
    at, following = start, number
    for rows, genres in reader.batches(start=start, number=number):
        for row in rows:
            at, following = row.end, row.number + (not row.blank)
            if not row.blank:
                document = _document(row, reader, genres)
                if _matches(query, document, row):
                    found.append(document)
            if len(found) == query.limit or at - start > _MOST_BYTES:
                break
        else:
            continue
        break
    return RowsDocument(
        columns=list(reader.layout.header),
        summary_column=reader.layout.summary_index,
        title_column=find_title_column(reader.layout.header),
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
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "INVALID_CURSOR",
            "'after' is not the 'next' of a page of this job's rows; start again without it.",
        )
    return int(parsed[1]), int(parsed[2])


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
        wanted = wanted and query.genre in (document.genre, document.corrected_genre)
    if query.search is not None:
        words = query.search.casefold()
        wanted = wanted and any(words in cell.casefold() for cell in row.cells)
    return wanted


def _document(row: ResultRow, reader: ResultReader, genres: Mapping[int, str]) -> RowDocument:
    def label(column: str) -> str:
        return reader.result.label(row.cells, column)

    def share(column: str) -> float | None:
        return float(label(column)) if label(column) else None

    return RowDocument(
        row=row.number,
        cells=[_shown(cell) for cell in row.cells[: reader.result.width]],
        genre=label("predicted_genre") or None,
        confidence=share("confidence"),
        second_genre=label("second_genre") or None,
        second_confidence=share("second_confidence"),
        genre_set=[genre for genre in label("genre_set").split("|") if genre],
        needs_review=label("needs_review") == "true",
        row_error=label("row_error") or None,
        corrected_genre=genres.get(row.number),
    )


def _shown(cell: str) -> str:
    cut = cell if len(cell) <= _LONGEST_CELL else cell[: _LONGEST_CELL - 1] + "…"
    # A byte that was no UTF-8 cannot be part of JSON.
    return cut.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
