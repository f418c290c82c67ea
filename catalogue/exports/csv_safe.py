"""A labelled catalogue as CSV in which no cell runs as a formula when a spreadsheet opens it.

This changes values: a cell that begins with a sign by which spreadsheets know formulas gets an apostrophe in front.
Plain numbers are left alone. So it is done where it is asked for only.
"""

import re
from collections.abc import Iterable, Iterator

from catalogue.exports.table import Batch
from catalogue.labelled.corrections import CORRECTION_COLUMN
from catalogue.labelled.csv_writer import encoded, line
from catalogue.labelled.formulas import begins_as_formula
from catalogue.labelled.labels import unique_name
from catalogue.labelled.reader import ResultSchema

_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*")


def to_formula_safe_csv(
    result: ResultSchema, batches: Iterable[Batch], *, corrected: bool
) -> Iterator[bytes]:
    """Yield the result with harmless cells, a block for each batch; `corrected` adds the column of corrections."""
    delimiter, end, width = result.dialect.delimiter, result.dialect.line_end, len(result.header)
    names = [*result.header]
    if corrected:
        taken = {name.strip().casefold() for name in names}
        names.append(unique_name(CORRECTION_COLUMN, taken))
    bom = "\ufeff" if result.dialect.bom else ""
    yield encoded([bom + line(map(_harmless, names), delimiter, end)])
    for rows, genres in batches:
        lines: list[str] = []
        for row in rows:
            cells = row.cells[:width]
            if corrected and not row.blank:
                cells.append(genres.get(row.number, ""))
            cells += row.cells[width:]
            lines.append(line(map(_harmless, cells), delimiter, end) if cells else end)
        yield encoded(lines)


def _harmless(cell: str) -> str:
    return f"'{cell}" if begins_as_formula(cell) and not _NUMBER.fullmatch(cell) else cell
