"""From the bytes of whole records to their cells."""

import csv
import io
from collections.abc import Iterator

from catalogue.limits import MAX_RECORD_BYTES
from catalogue.parsing.dialect import Dialect
from catalogue.parsing.encoding import decode


def read_cells(raw: bytes, dialect: Dialect, *, quoting: bool = True) -> Iterator[list[str]]:
    """Yield the cells of each record in `raw`, an empty list for a blank line.

    Args:
        raw: whole records as `scan_records` finds them.
        dialect: how they are written.
        quoting: False for broken records, in which a quote is a character like any other.
    """
    # The limit belongs to the process, and is far below what a record may hold. Raised, never
    # lowered; a cell cannot be longer than its record.
    if csv.field_size_limit() < MAX_RECORD_BYTES:
        csv.field_size_limit(MAX_RECORD_BYTES)
    return csv.reader(
        io.StringIO(decode(raw, dialect.encoding), newline=""),
        delimiter=dialect.delimiter,
        quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE,
    )
