"""A CSV parser for well-formed text, several times as fast as ``csv.reader``.

If every quotation mark opens, closes or is doubled inside a cell, splitting at quotation marks
separates quoted from unquoted text; unquoted text is then split at line ends and delimiters. These
are `str.split` calls over the whole text, where ``csv.reader`` processes single characters.
"""

from itertools import count

_CELL = "\0"  # placeholder for a quoted cell


def split_fast(text: str, delimiter: str) -> list[list[str]] | None:
    """Return the cells of each record as ``csv.reader`` does, an empty list for a blank line.

    None if a quotation mark is elsewhere or not closed: use ``csv.reader`` then.
    """
    if _CELL in text:
        return None
    pieces = text.split('"')
    if len(pieces) % 2 == 0:
        return None
    outside, inside = pieces[::2], pieces[1::2]
    if "" in outside[1:-1]:
        outside, inside = _join_doubled_quotes(outside, inside)
    lines = _CELL.join(outside).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    records = [line.split(delimiter) if line else [] for line in lines]
    if not inside:
        return records
    return records if _fill(records, inside) else None


def _join_doubled_quotes(outside: list[str], inside: list[str]) -> tuple[list[str], list[str]]:
    """Join quoted pieces with nothing between them: the quotation mark was doubled."""
    unquoted, cells, parts = [outside[0]], [], list[str]()
    last = len(inside)
    for number, piece, after in zip(count(1), inside, outside[1:], strict=False):
        parts.append(piece)
        if after or number == last:
            unquoted.append(after)
            cells.append('"'.join(parts))
            parts = []
    return unquoted, cells


def _fill(records: list[list[str]], inside: list[str]) -> bool:
    """Replace the placeholders; False if a quoted piece is only a part of a cell."""
    rest = iter(inside)
    for number, cells in enumerate(records):
        if _CELL in cells:
            # One pass: searching for each placeholder from the start would take quadratic time.
            records[number] = [next(rest) if cell == _CELL else cell for cell in cells]
    return next(rest, None) is None
