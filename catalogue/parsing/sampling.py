"""A look at the first rows of a catalogue, and a guess at how many there are."""

from dataclasses import dataclass

from catalogue.parsing.csv_reader import read_cells
from catalogue.parsing.record_scanner import RecordSpan, scan_records
from catalogue.parsing.schema import HeaderProbe, probe_header


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the first bytes of a catalogue hold."""

    beginning: HeaderProbe
    first_rows: tuple[tuple[str, ...], ...]
    rows: int
    """In these bytes; a row that the end cuts off is not counted."""
    bytes_per_row: float | None
    """None while there is no whole row."""
    complete: bool
    """Whether these bytes are the whole file."""

    def rows_among(self, size: int) -> int | None:
        """Return how many rows a file of `size` bytes like this may have; None where that cannot be told."""
        if self.complete:
            return self.rows
        if self.bytes_per_row is None:
            return None
        return max(self.rows, round((size - self.beginning.data_start) / self.bytes_per_row))


def take_sample(head: bytes, *, complete: bool, show: int) -> Sample:
    """Return what `head` holds, with its first `show` rows.

    Args:
        head: the file's first bytes, or all of them.
        complete: whether they are all.

    Raises:
        EmptyFile, NotText, HeaderUnreadable, TooManyColumns.
    """
    beginning = probe_header(head, complete=complete)
    start = beginning.data_start
    first: list[RecordSpan] = []
    rows, end = 0, start
    last: RecordSpan | None = None
    for span in scan_records([head[start:]], beginning.dialect, start=start):
        if span.blank:
            continue
        if last is not None:
            rows, end = rows + 1, last.end
        last = span
        if len(first) < show:
            first.append(span)
    if last is not None and complete:
        rows, end = rows + 1, last.end
    shown = [
        tuple(next(read_cells(head[s.start : s.end], beginning.dialect, quoting=not s.broken), []))
        for s in first[:rows]
    ]
    return Sample(
        beginning=beginning,
        first_rows=tuple(shown),
        rows=rows,
        bytes_per_row=(end - start) / rows if rows else None,
        complete=complete,
    )
