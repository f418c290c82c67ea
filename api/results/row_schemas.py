"""Documents of result rows."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from catalogue.labelled.reader import ResultRow, ResultSchema
from catalogue.parsing.schema import CatalogueSchema

_MAX_CELL_CHARACTERS = 1000


class ColumnsDocument(BaseModel):
    """The columns of the rows."""

    columns: list[str]
    summary_column: int = Field(description="Index in `columns`, from 0.")
    title_column: int | None = Field(description="null if no title column is used.")


class RowDocument(BaseModel):
    """One row, named after the columns of the result. A row without a genre has a `row_error`."""

    row: int = Field(description="Counted from 1 below the header, without blank lines.")
    cells: list[str] = Field(
        description=f"The input's cells, cut after {_MAX_CELL_CHARACTERS:,} characters."
    )
    predicted_genre: str | None
    confidence: float | None
    second_genre: str | None
    second_confidence: float | None
    genre_set: list[str]
    needs_review: bool
    row_error: str | None
    row_error_detail: str | None = Field(
        description="For UNSUPPORTED_LANGUAGE the language of the summary, as an ISO 639-1 code."
    )
    corrected_genre: str | None


def columns_of(schema: CatalogueSchema) -> dict[str, Any]:
    """Return the fields of a `ColumnsDocument`."""
    return {
        "columns": list(schema.header),
        "summary_column": schema.summary_index,
        "title_column": schema.title_index,
    }


def row_document(row: ResultRow, result: ResultSchema, corrected: str | None) -> RowDocument:
    """Build the document of a row and its correction."""

    def label(column: str) -> str:
        return result.label(row.cells, column)

    def number(column: str) -> float | None:
        return float(label(column)) if label(column) else None

    return RowDocument(
        row=row.number,
        cells=[_display_text(cell) for cell in row.cells[: result.width]],
        predicted_genre=label("predicted_genre") or None,
        confidence=number("confidence"),
        second_genre=label("second_genre") or None,
        second_confidence=number("second_confidence"),
        genre_set=[genre for genre in label("genre_set").split("|") if genre],
        needs_review=label("needs_review") == "true",
        row_error=label("row_error") or None,
        row_error_detail=label("row_error_detail") or None,
        corrected_genre=corrected,
    )


def _display_text(cell: str) -> str:
    cut = cell if len(cell) <= _MAX_CELL_CHARACTERS else cell[: _MAX_CELL_CHARACTERS - 1] + "…"
    # Bytes that are not UTF-8 cannot be represented in JSON.
    return cut.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
