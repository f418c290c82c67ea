"""Splits a catalogue into chunks of whole records, by byte range, in one streaming pass."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from catalogue.parsing.record_scanner import scan_records
from catalogue.parsing.schema import CatalogueSchema


class ChunkRange(NamedTuple):
    """A range of whole records: byte offsets and number of rows, without blank lines."""

    start: int
    end: int
    rows: int


def plan_chunks(
    blocks: Iterable[bytes], schema: CatalogueSchema, *, start: int, max_rows: int, max_bytes: int
) -> Iterator[ChunkRange]:
    """Yield the chunks of the file from `start`, each as soon as the next one begins.

    Chunks are adjacent. Planning from the end of any chunk yields the same following chunks.

    Args:
        blocks: the bytes of the file from `start` to its end, in any sizes.
        schema: the schema of the file.
        start: `data_start`, or the end of a chunk.
        max_rows: maximum of rows in a chunk.
        max_bytes: maximum size of a chunk; a longer record gets its own chunk.

    Raises:
        LineTooLong: see `scan_records`.
    """
    begin = end = start
    rows = 0
    for span in scan_records(blocks, schema.dialect, start=start):
        full = rows == max_rows and not span.blank
        if end > begin and (full or span.end - begin > max_bytes):
            yield ChunkRange(begin, end, rows)
            begin, rows = end, 0
        end = span.end
        rows += not span.blank
    if end > begin:
        yield ChunkRange(begin, end, rows)
