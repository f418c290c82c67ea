"""The cells of records that are written as they should be, several times as fast as ``csv.reader``.

Where every quotation mark opens a cell at its beginning, closes it at its end or is doubled within it, cutting the text at
its quotation marks tells what is quoted and what is not, and what is left to do is cutting at line ends and delimiters. All
of that is done by C over the whole text, where ``csv.reader`` looks at each character by itself.
"""

from itertools import count

_CELL = "\0"  # stands for a quoted cell while lines are cut


def split_fast(text: str, delimiter: str) -> list[list[str]] | None:
    """Return the cells of each record in `text` as ``csv.reader`` does, an empty list for a blank line.

    Returns None where a quotation mark is anywhere else, or is never closed: ``csv.reader`` has to decide then.
    """
    if _CELL in text:
        return None
    pieces = text.split('"')
    if len(pieces) % 2 == 0:
        return None
    outside, inside = pieces[::2], pieces[1::2]
    if "" in outside[1:-1]:
        outside, inside = _joined_where_doubled(outside, inside)
    lines = _CELL.join(outside).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    records = [line.split(delimiter) if line else [] for line in lines]
    if not inside:
        return records
    return records if _fill(records, inside) else None


def _joined_where_doubled(outside: list[str], inside: list[str]) -> tuple[list[str], list[str]]:
    """Nothing between two quoted pieces: the quotation mark between them was doubled, and they are one cell."""
    kept, cells, parts = [outside[0]], [], list[str]()
    last = len(inside)
    for number, piece, after in zip(count(1), inside, outside[1:], strict=False):
        parts.append(piece)
        if after or number == last:
            kept.append(after)
            cells.append('"'.join(parts))
            parts = []
    return kept, cells


def _fill(records: list[list[str]], inside: list[str]) -> bool:
    """Put the quoted cells into their places; False if one of them shares its place with something else."""
    rest = iter(inside)
    for number, cells in enumerate(records):
        if _CELL in cells:
            # One pass over the record: looking for each cell from the record's start takes quadratic time.
            records[number] = [next(rest) if cell == _CELL else cell for cell in cells]
    return next(rest, None) is None
