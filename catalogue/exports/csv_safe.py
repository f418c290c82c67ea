"""Exports a result as CSV in which no cell runs as a formula in a spreadsheet.

Cells that begin like a formula are prefixed with an apostrophe, except plain numbers. Because this
changes values, it is opt-in.
"""

import re
from collections.abc import Iterable, Iterator

from catalogue.exports.table import Batch
from catalogue.labelled.corrections import CORRECTION_COLUMN
from catalogue.labelled.csv_writer import encode_lines, line
from catalogue.labelled.formulas import begins_as_formula
from catalogue.labelled.labels import unique_name
from catalogue.labelled.reader import ResultSchema

_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*")


def to_formula_safe_csv(
    result: ResultSchema, batches: Iterable[Batch], *, corrected: bool
) -> Iterator[bytes]:
    """Yield the result with escaped cells, one block per batch.

    Args:
        result: the schema of the result.
        batches: its rows with their corrections.
        corrected: whether to add the column of corrections.
    """
    delimiter, end, width = result.dialect.delimiter, result.dialect.line_end, len(result.header)
    names = [*result.header]
    if corrected:
        used = {name.strip().casefold() for name in names}
        names.append(unique_name(CORRECTION_COLUMN, used))
    bom = "\ufeff" if result.dialect.bom else ""
    yield encode_lines([bom + line(map(_escape, names), delimiter, end)])
    for rows, genres in batches:
        lines: list[str] = []
        for row in rows:
            cells = row.cells[:width]
            if corrected and not row.blank:
                cells.append(genres.get(row.number, ""))
            cells += row.cells[width:]
            lines.append(line(map(_escape, cells), delimiter, end) if cells else end)
        yield encode_lines(lines)


def _escape(cell: str) -> str:
    return f"'{cell}" if begins_as_formula(cell) and not _NUMBER.fullmatch(cell) else cell
