"""Exports a result as Parquet with typed columns, in a stream."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Queue
from typing import Any

from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema, list_array
from arro3.io import write_parquet

from catalogue.exports.table import Batch, Kind, Table, Value

_BATCH_ROWS = 1_000
_GROUP_ROWS = 10_000
_GROUP_BYTES = 8 * 1024 * 1024
_MAX_GROUP_CHARACTERS = 256 * 1024 * 1024
_VALUE_CHARACTERS = 8  # overhead per value
_BLOCK_BYTES = 256 * 1024
_BLOCKS_AHEAD = 4

_WORDS = DataType.list(Field("item", DataType.string(), nullable=True))
_TYPES = {
    Kind.TEXT: DataType.string(),
    Kind.WORD: DataType.string(),
    Kind.NUMBER: DataType.float64(),
    Kind.FLAG: DataType.bool(),
    Kind.LIST: _WORDS,
}


def as_parquet(
    table: Table,
    batches: Iterable[Batch],
    *,
    row_bytes: float,
    max_characters: int = _MAX_GROUP_CHARACTERS,
    pipe: Pipe | None = None,
) -> Iterator[bytes]:
    """Yield the file in blocks.

    arro3 pulls rows and pushes bytes in one call, which therefore runs in a thread. The thread is
    at most a few blocks ahead of the reader and ends with it. One row group is held in memory; the
    library limits groups by rows only.

    Args:
        row_bytes: mean size of a row as CSV, which determines the rows per group.
        max_characters: maximum characters of a row group.
        pipe: the file object that the library writes to; a new one if None.

    Raises:
        ValueError: some rows are so long that a row group would not fit into memory.
    """
    group_rows = max(1, min(_GROUP_ROWS, int(_GROUP_BYTES / max(row_bytes, 1))))
    schema = Schema(
        [
            Field(name, _TYPES[kind], nullable=True)
            for name, kind in zip(table.names, table.kinds, strict=True)
        ]
    )
    pipe = pipe or Pipe()

    def record_batches() -> Iterator[RecordBatch]:
        for rows in _bounded(table.rows(batches), group_rows, max_characters):
            if pipe.abandoned:
                return
            yield _record_batch(schema, table, rows)

    def write() -> None:
        try:
            rows = RecordBatchReader.from_batches(schema, record_batches())
            write_parquet(rows, pipe, compression="zstd(3)", max_row_group_size=group_rows)  # type: ignore[arg-type]  # implements what it uses of a file
        except Exception as error:
            pipe.end(error)
        except BaseException as panic:  # of the Rust library; otherwise the reader would hang
            pipe.end(RuntimeError(f"Parquet could not be written: {panic}"))
        else:
            pipe.end()

    writer = threading.Thread(target=write, name="parquet", daemon=True)
    writer.start()
    try:
        yield from pipe.blocks()
    finally:
        pipe.abandon()
        writer.join()


class Pipe:
    """One thread writes to it as a file, another reads blocks from it."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._written = 0
        self._blocks: Queue[bytes | Exception | None] = Queue(_BLOCKS_AHEAD)
        self.abandoned = False
        """Whether the reader has stopped."""

    def write(self, data: bytes) -> int:
        """Write bytes; block while the reader is behind.

        Never raises, or the library would panic.
        """
        self._pending += data
        self._written += len(data)
        if len(self._pending) >= _BLOCK_BYTES:
            self._flush_block()
        return len(data)

    def tell(self) -> int:
        """The number of bytes written."""
        return self._written

    def seek(self, *_position: Any) -> int:
        """Required by the library, which only appends."""
        return self._written

    read = flush = seek

    def end(self, error: Exception | None = None) -> None:
        """End the stream, with an error if the file is incomplete."""
        if self.abandoned:
            return
        if error is None and self._pending:
            self._blocks.put(bytes(self._pending))
        self._blocks.put(error)

    def blocks(self) -> Iterator[bytes]:
        """Yield the written blocks until the end; raise the writer's error."""
        while (block := self._blocks.get()) is not None:
            if isinstance(block, Exception):
                raise block
            yield block

    def abandon(self) -> None:
        """Stop reading: a blocked writer continues, and its output is discarded."""
        self.abandoned = True
        while True:
            try:
                self._blocks.get_nowait()
            except Empty:
                return

    def _flush_block(self) -> None:
        if not self.abandoned:
            self._blocks.put(bytes(self._pending))
        self._pending.clear()


def _record_batch(schema: Schema, table: Table, rows: list[list[Value]]) -> RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [_array(list(c), kind) for c, kind in zip(columns, table.kinds, strict=True)]
    return RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: list[Any], kind: Kind) -> Array:
    if kind is not Kind.LIST:
        return Array(values, _TYPES[kind])
    ends = [0]
    for words in values:
        ends.append(ends[-1] + len(words))
    words = [word for words in values for word in words]
    return list_array(Array(ends, DataType.int32()), Array(words, DataType.string()), type=_WORDS)


def _characters(value: Value) -> int:
    if isinstance(value, list):
        return sum(map(_characters, value))
    return _VALUE_CHARACTERS + (len(value) if isinstance(value, str) else 0)


def _bounded(
    rows: Iterable[list[Value]], group_rows: int, max_characters: int
) -> Iterator[list[list[Value]]]:
    """Yield the rows in batches that do not cross group boundaries."""
    batch_rows = min(group_rows, _BATCH_ROWS)
    batch: list[list[Value]] = []
    characters = 0
    for number, values in enumerate(rows):
        if number % group_rows == 0:
            characters = 0
        batch.append(values)
        characters += sum(map(_characters, values))
        if characters > max_characters:
            raise ValueError(
                "some rows are too long for a Parquet file of bounded memory; download CSV instead"
            )
        if len(batch) == batch_rows or (number + 1) % group_rows == 0:
            yield batch
            batch = []
    if batch:
        yield batch
