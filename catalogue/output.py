"""Writes the labelled catalogue and the list of the rows in error.

The result is UTF-8 in the delimiter and line end of the input; with a byte order mark, by which
Excel knows UTF-8, unless the input was UTF-8 without one. Read again as CSV, each cell of the
input has the value that it had, formulas included: neutralising them would change it.
The cells that are added never begin with a sign that a spreadsheet runs as a formula.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from catalogue.encoding import Encoding
from catalogue.labels import Outcome, RowError, label_cells, label_columns
from catalogue.layout import Layout
from catalogue.records import Row

_BOM = "\ufeff"
_ERROR_COLUMNS = ("row", "row_error", "message")


def output_header(layout: Layout) -> tuple[str, ...]:
    """Return the column names of the result: the input's, then the label columns."""
    return layout.header + label_columns(layout.header)


def encode_header(layout: Layout) -> bytes:
    """Return how the result begins: the byte order mark, if any, and the header line."""
    dialect = layout.dialect
    plain = dialect.encoding is Encoding.UTF_8 and not dialect.bom
    line = _line(output_header(layout), dialect.delimiter, dialect.line_end)
    return _encoded([line if plain else _BOM + line])


def encode_rows(layout: Layout, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> bytes:
    """Return the lines of the result for `rows` and what became of them, one outcome each.

    A row's cells, the label cells, then the cells that it has beyond the header, so that each
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
            cells = (*row.cells[:width], *label_cells(outcome), *row.cells[width:])
            lines.append(_line(cells, delimiter, end))
    return _encoded(lines)


def encode_errors_header() -> bytes:
    """Return the header line of the error list, which is plain ASCII with commas."""
    return _encoded([_line(_ERROR_COLUMNS, ",", "\n")])


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
            lines.append(_line((str(number), outcome.value, outcome.message), ",", "\n"))
        number += not row.blank
    return _encoded(lines)


@lru_cache(maxsize=16)
def _special(delimiter: str) -> re.Pattern[str]:
    return re.compile(f'["\r\n{re.escape(delimiter)}]')


def _line(cells: Iterable[str], delimiter: str, end: str) -> str:
    # Not csv.writer: before Python 3.13 it leaves a lone CR unquoted when the line end is LF.
    special = _special(delimiter)
    written = [
        '"' + cell.replace('"', '""') + '"' if special.search(cell) else cell for cell in cells
    ]
    return delimiter.join(written) + end


def _encoded(lines: list[str]) -> bytes:
    return "".join(lines).encode("utf-8", "surrogateescape")
