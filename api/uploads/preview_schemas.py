"""Documents of the preview."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, NonNegativeInt
from pydantic.json_schema import SkipJsonSchema

from api.uploads.options import BlankIsNone, SubmitQuery, option
from catalogue.compressed.compression import Compression
from catalogue.errors import (
    CatalogueError,
    NoRows,
    NoSummaryColumn,
    SummaryColumnUnknown,
    TitleColumnUnknown,
)
from catalogue.parsing.columns import ColumnNames, choose_columns, explain_match
from catalogue.parsing.sampling import Sample

_MAX_CELL_CHARACTERS = 300
_NAMED = "It was named."
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}


class PreviewQuery(SubmitQuery):
    """Parameters of a preview: those of an upload, and the file size."""

    total_bytes: Annotated[NonNegativeInt | SkipJsonSchema[None], BlankIsNone] = option(
        "Size of the whole file, if only its beginning is sent."
    )


class FormatDocument(BaseModel):
    """The format of the file."""

    packing: Compression  # the compression; its name is part of the API
    kind: Literal["text", "workbook"]
    encoding: str | None = Field(description="null for a workbook")
    delimiter: str | None = Field(description="null for a workbook")
    delimiter_name: str | None


class RowCountDocument(BaseModel):
    """The number of rows."""

    count: int | None = Field(description="null if it cannot be estimated")
    exact: bool


class ColumnDocument(BaseModel):
    """A column that would be used."""

    name: str
    index: int
    why: str


class ObstacleDocument(BaseModel):
    """The problem with which an upload would be refused."""

    code: str
    message: str


class PreviewDocument(BaseModel):
    """The preview of a file."""

    format: FormatDocument
    columns: list[str]
    rows: RowCountDocument
    summary_column: ColumnDocument | None
    title_column: ColumnDocument | None = Field(
        description="null if no title column would be used."
    )
    obstacle: ObstacleDocument | None = Field(
        description="Why an upload would be refused; null if it would be accepted."
    )
    first_rows: list[list[str]] = Field(
        description=f"Up to ten rows; cells are cut after {_MAX_CELL_CHARACTERS} characters."
    )


def preview_document(
    sample: Sample, form: FormatDocument, rows: RowCountDocument, *, names: ColumnNames
) -> PreviewDocument:
    """Build the document of a sample; `names` are the columns that the caller has named."""
    summary, title, obstacle = _columns(sample, names)
    return PreviewDocument(
        format=form,
        columns=list(sample.probe.header),
        rows=rows,
        summary_column=summary,
        title_column=title,
        obstacle=obstacle and ObstacleDocument(code=obstacle.code, message=obstacle.message),
        first_rows=[[_display_text(cell) for cell in row] for row in sample.first_rows],
    )


def text_format(sample: Sample, compression: Compression) -> FormatDocument:
    """Build the format of a text file."""
    dialect = sample.probe.dialect
    return FormatDocument(
        packing=compression,
        kind="text",
        encoding=dialect.encoding.value,
        delimiter=dialect.delimiter,
        delimiter_name=_NAMES.get(dialect.delimiter),
    )


WORKBOOK = FormatDocument(
    packing=Compression.NONE, kind="workbook", encoding=None, delimiter=None, delimiter_name=None
)


def _columns(
    sample: Sample, names: ColumnNames
) -> tuple[ColumnDocument | None, ColumnDocument | None, CatalogueError | None]:
    header = sample.probe.header
    try:
        read = choose_columns(header, names)
    except (NoSummaryColumn, SummaryColumnUnknown, TitleColumnUnknown) as error:
        return None, None, error
    why = explain_match(header, read.summary) if names.summary is None else _NAMED
    summary = ColumnDocument(name=header[read.summary], index=read.summary, why=why)
    title = None
    if read.title is not None:
        why = "Its name is a word for a title." if names.title is None else _NAMED
        title = ColumnDocument(name=header[read.title], index=read.title, why=why)
    if sample.complete and not sample.rows:
        no_rows = NoRows("The file has a header but no rows; send at least one book.")
        return summary, title, no_rows
    return summary, title, None


def _display_text(cell: str) -> str:
    # Undecodable bytes cannot be represented in JSON.
    plain = cell.encode("utf-8", "replace").decode("utf-8")
    return plain if len(plain) <= _MAX_CELL_CHARACTERS else plain[:_MAX_CELL_CHARACTERS] + "…"
