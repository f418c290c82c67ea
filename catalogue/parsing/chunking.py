"""Cuts a catalogue into chunks of whole records, by byte range, while it is being read."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from catalogue.parsing.record_scanner import scan_records
from catalogue.parsing.schema import CatalogueSchema


class ChunkRange(NamedTuple):
    """A range of whole records: byte offsets in the file, and its rows (blank lines are none)."""

    start: int
    end: int
    rows: int


def plan_chunks(
    blocks: Iterable[bytes], layout: CatalogueSchema, *, start: int, max_rows: int, max_bytes: int
) -> Iterator[ChunkRange]:
    """Yield the chunks of the file from `start` on, each as soon as the next one begins.

    The chunks are adjacent, and planning from the end of any of them gives the same chunks again.

    Args:
        blocks: the file's bytes from `start` to its end, cut anywhere.
        layout: the file's layout.
        start: the layout's `data_start`, or the end of an earlier chunk.
        max_rows: rows in a chunk, at most.
        max_bytes: bytes in a chunk, at most; a longer record is a chunk of its own.

    Raises:
        LineTooLong: see `scan_records`.
    """
    begin = end = start
    rows = 0
    for span in scan_records(blocks, layout.dialect, start=start):
        full = rows == max_rows and not span.blank
        if end > begin and (full or span.end - begin > max_bytes):
            yield ChunkRange(begin, end, rows)
            begin, rows = end, 0
        end = span.end
        rows += not span.blank
    if end > begin:
        yield ChunkRange(begin, end, rows)
