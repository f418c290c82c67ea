"""Writes the result and the list of row errors.

The result is UTF-8 with the delimiter and line end of the input. It has a byte order mark, which
Excel needs, unless the input was UTF-8 without one. Input cells keep their values, formulas
included. Added cells never begin like a formula.
"""

from collections.abc import Sequence

from catalogue.labelled.csv_writer import encode_lines, line
from catalogue.labelled.labels import (
    NO_OPTIONAL_COLUMNS,
    OptionalColumns,
    Outcome,
    RowError,
    label_cells,
    label_columns,
)
from catalogue.parsing.encoding import Encoding
from catalogue.parsing.rows import Row
from catalogue.parsing.schema import CatalogueSchema

_BOM = "\ufeff"
_ERROR_COLUMNS = ("row", "row_error", "row_error_detail", "message")


def output_header(
    schema: CatalogueSchema, optional: OptionalColumns = NO_OPTIONAL_COLUMNS
) -> tuple[str, ...]:
    """Return the column names of the result: input columns, then added ones."""
    return schema.header + label_columns(schema.header, optional)


def begins_with_bom(schema: CatalogueSchema) -> bool:
    """Return whether the result has a byte order mark: not if the input was UTF-8 without one."""
    return schema.dialect.bom or schema.dialect.encoding is not Encoding.UTF_8


def encode_header(
    schema: CatalogueSchema, optional: OptionalColumns = NO_OPTIONAL_COLUMNS
) -> bytes:
    """Return the byte order mark, if any, and the header line."""
    dialect = schema.dialect
    head = line(output_header(schema, optional), dialect.delimiter, dialect.line_end)
    return encode_lines([_BOM + head if begins_with_bom(schema) else head])


def encode_rows(
    schema: CatalogueSchema,
    rows: Sequence[Row],
    outcomes: Sequence[Outcome],
    optional: OptionalColumns = NO_OPTIONAL_COLUMNS,
) -> bytes:
    """Return the lines of the result for `rows` and their outcomes.

    A line has the cells of the row, the added cells, then cells beyond the header, so that every
    cell is in its column.

    Raises:
        ValueError: the outcomes do not match the rows.
    """
    delimiter, end, width = schema.dialect.delimiter, schema.dialect.line_end, len(schema.header)
    lines: list[str] = []
    for row, outcome in zip(rows, outcomes, strict=True):
        if row.blank is not (outcome is None):
            raise ValueError("A blank line must have no outcome, and every row must have one.")
        if outcome is None:
            lines.append(end)
        else:
            added = label_cells(outcome, optional)
            cells = (*row.cells[:width], *added, *row.cells[width:])
            lines.append(line(cells, delimiter, end))
    return encode_lines(lines)


def encode_errors_header() -> bytes:
    """Return the header line of the error list, ASCII with commas."""
    return encode_lines([line(_ERROR_COLUMNS, ",", "\n")])


def encode_errors(rows: Sequence[Row], outcomes: Sequence[Outcome], *, first_row: int) -> bytes:
    """Return the lines of the error list for `rows`, b"" if there are no errors.

    `first_row` is the number of the first row: 1 below the header; blank lines are not counted.

    Raises:
        ValueError: there are not as many outcomes as rows.
    """
    lines: list[str] = []
    number = first_row
    for row, outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, RowError):
            cells = (str(number), outcome.code.value, outcome.detail, outcome.message)
            lines.append(line(cells, ",", "\n"))
        number += not row.blank
    return encode_lines(lines)
