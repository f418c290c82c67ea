"""Reads the cells of whole records."""

import csv
import io
from collections.abc import Iterator

from catalogue.limits import MAX_RECORD_BYTES
from catalogue.parsing.dialect import Dialect
from catalogue.parsing.encoding import decode


def read_cells(raw: bytes, dialect: Dialect, *, quoting: bool = True) -> Iterator[list[str]]:
    """Yield the cells of each record in `raw`, an empty list for a blank line.

    Args:
        raw: whole records, as found by `scan_records`.
        dialect: their encoding and delimiter.
        quoting: False for broken records, in which quotes are literal.
    """
    # The limit is global and lower than the longest record. It is only ever raised.
    if csv.field_size_limit() < MAX_RECORD_BYTES:
        csv.field_size_limit(MAX_RECORD_BYTES)
    return csv.reader(
        io.StringIO(decode(raw, dialect.encoding), newline=""),
        delimiter=dialect.delimiter,
        quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE,
    )
