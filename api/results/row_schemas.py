"""A row of a result as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from catalogue.labelled.reader import ResultRow, ResultSchema
from catalogue.parsing.schema import CatalogueSchema

_LONGEST_CELL = 1000


class ColumnsDocument(BaseModel):
    """What the cells of rows are."""

    columns: list[str]
    summary_column: int = Field(description="Which of the columns, from 0.")
    title_column: int | None = Field(description="null where no title is read.")


class RowDocument(BaseModel):
    """One row. Names are those of the result's columns. Without genre it has a `row_error`."""

    row: int = Field(description="1 for the first below the header; blank lines are not counted.")
    cells: list[str] = Field(
        description=f"The input's cells, cut after {_LONGEST_CELL:,} characters."
    )
    predicted_genre: str | None
    confidence: float | None
    second_genre: str | None
    second_confidence: float | None
    genre_set: list[str]
    needs_review: bool
    row_error: str | None
    corrected_genre: str | None


def columns_of(layout: CatalogueSchema) -> dict[str, Any]:
    """The fields of a `ColumnsDocument`."""
    return {
        "columns": list(layout.header),
        "summary_column": layout.summary_index,
        "title_column": layout.title_index,
    }


def row_document(row: ResultRow, result: ResultSchema, corrected: str | None) -> RowDocument:
    """The document of a row, and what a person said of it."""

    def label(column: str) -> str:
        return result.label(row.cells, column)

    def share(column: str) -> float | None:
        return float(label(column)) if label(column) else None

    return RowDocument(
        row=row.number,
        cells=[_shown(cell) for cell in row.cells[: result.width]],
        predicted_genre=label("predicted_genre") or None,
        confidence=share("confidence"),
        second_genre=label("second_genre") or None,
        second_confidence=share("second_confidence"),
        genre_set=[genre for genre in label("genre_set").split("|") if genre],
        needs_review=label("needs_review") == "true",
        row_error=label("row_error") or None,
        corrected_genre=corrected,
    )


def _shown(cell: str) -> str:
    cut = cell if len(cell) <= _LONGEST_CELL else cell[: _LONGEST_CELL - 1] + "…"
    # A byte that was no UTF-8 cannot be part of JSON.
    return cut.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
