"""Writes cells as lines of a CSV in UTF-8."""

import re
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=16)
def _special(delimiter: str) -> re.Pattern[str]:
    return re.compile(f'["\r\n{re.escape(delimiter)}]')


def line(cells: Iterable[str], delimiter: str, end: str) -> str:
    """Return the line of one record, with cells quoted where necessary."""
    # Not csv.writer: before Python 3.13 it leaves a lone CR unquoted when the line end is LF.
    special = _special(delimiter)
    written = [
        '"' + cell.replace('"', '""') + '"' if special.search(cell) else cell for cell in cells
    ]
    return delimiter.join(written) + end


def encode_lines(lines: list[str]) -> bytes:
    """Return lines as UTF-8; lone surrogates become the bytes that they stand for."""
    return "".join(lines).encode("utf-8", "surrogateescape")
