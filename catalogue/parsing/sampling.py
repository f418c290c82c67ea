"""Samples the first rows of a catalogue and estimates their number."""

from dataclasses import dataclass

from catalogue.parsing.csv_reader import read_cells
from catalogue.parsing.record_scanner import RecordSpan, scan_records
from catalogue.parsing.schema import HeaderProbe, probe_header


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The first rows of a catalogue."""

    probe: HeaderProbe
    first_rows: tuple[tuple[str, ...], ...]
    rows: int
    """Whole rows in the sample."""
    bytes_per_row: float | None
    """None without a whole row."""
    complete: bool
    """Whether the sample is the whole file."""

    def rows_among(self, size: int) -> int | None:
        """Estimate the number of rows of a file of `size` bytes; None if unknown."""
        if self.complete:
            return self.rows
        if self.bytes_per_row is None:
            return None
        return max(self.rows, round((size - self.probe.data_start) / self.bytes_per_row))


def take_sample(head: bytes, *, complete: bool, show: int) -> Sample:
    """Return a sample of `head` with its first `show` rows.

    Args:
        head: the first bytes of the file, or all.
        complete: whether `head` is the whole file.
        show: maximum of rows to return.

    Raises:
        EmptyFile, NotText, HeaderUnreadable, TooManyColumns.
    """
    probe = probe_header(head, complete=complete)
    start = probe.data_start
    first: list[RecordSpan] = []
    rows, end = 0, start
    last: RecordSpan | None = None
    for span in scan_records([head[start:]], probe.dialect, start=start):
        if span.blank:
            continue
        if last is not None:
            rows, end = rows + 1, last.end
        last = span
        if len(first) < show:
            first.append(span)
    if last is not None and complete:
        rows, end = rows + 1, last.end
    first_rows = [
        tuple(next(read_cells(head[s.start : s.end], probe.dialect, quoting=not s.broken), []))
        for s in first[:rows]
    ]
    return Sample(
        probe=probe,
        first_rows=tuple(first_rows),
        rows=rows,
        bytes_per_row=(end - start) / rows if rows else None,
        complete=complete,
    )
