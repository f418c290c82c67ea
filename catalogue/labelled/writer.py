"""Writes the labelled catalogue and the list of the rows in error.

The result is UTF-8 in the delimiter and line end of the input; with a byte order mark, by which
Excel knows UTF-8, unless the input was UTF-8 without one. Read again as CSV, each cell of the
input has the value that it had, formulas included: neutralising them would change it.
The cells that are added never begin with a sign that a spreadsheet runs as a formula.
"""

from collections.abc import Sequence

from catalogue.labelled.csv_writer import encoded, line
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
_ERROR_COLUMNS = ("row", "row_error", "message")


def output_header(
    layout: CatalogueSchema, extras: OptionalColumns = NO_OPTIONAL_COLUMNS
) -> tuple[str, ...]:
    """Return the column names of the result: the input's, then the added ones."""
    return layout.header + label_columns(layout.header, extras)


def begins_with_bom(layout: CatalogueSchema) -> bool:
    """Return whether the result has a byte order mark: unless the input was UTF-8 without one."""
    return layout.dialect.bom or layout.dialect.encoding is not Encoding.UTF_8


def encode_header(layout: CatalogueSchema, extras: OptionalColumns = NO_OPTIONAL_COLUMNS) -> bytes:
    """Return how the result begins: the byte order mark, if any, and the header line."""
    dialect = layout.dialect
    head = line(output_header(layout, extras), dialect.delimiter, dialect.line_end)
    return encoded([_BOM + head if begins_with_bom(layout) else head])


def encode_rows(
    layout: CatalogueSchema,
    rows: Sequence[Row],
    outcomes: Sequence[Outcome],
    extras: OptionalColumns = NO_OPTIONAL_COLUMNS,
) -> bytes:
    """Return the lines of the result for `rows` and what became of them, one outcome each.

    A row's cells, the added cells, then the cells that it has beyond the header, so that each
    column is under its name.

    Raises:
        ValueError: the outcomes do not match the rows.
    """
    delimiter, end, width = layout.dialect.delimiter, layout.dialect.line_end, len(layout.header)
    lines: list[str] = []
    for row, outcome in zip(rows, outcomes, strict=True):
        if row.blank is not (outcome is None):
            raise ValueError("A blank line has no outcome, and every other row has one.")
        if outcome is None:
            lines.append(end)
        else:
            added = label_cells(outcome, extras)
            cells = (*row.cells[:width], *added, *row.cells[width:])
            lines.append(line(cells, delimiter, end))
    return encoded(lines)


def encode_errors_header() -> bytes:
    """Return the header line of the error list, which is plain ASCII with commas."""
    return encoded([line(_ERROR_COLUMNS, ",", "\n")])


def encode_errors(rows: Sequence[Row], outcomes: Sequence[Outcome], *, first_row: int) -> bytes:
    """Return the lines of the error list for `rows`, b"" if none is in error.

    `first_row` is the number of the first row here: 1 for the first below the header; blank lines
    are not counted.

    Raises:
        ValueError: there are not as many outcomes as rows.
    """
    lines: list[str] = []
    number = first_row
    for row, outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, RowError):
            lines.append(line((str(number), outcome.value, outcome.message), ",", "\n"))
        number += not row.blank
    return encoded(lines)
