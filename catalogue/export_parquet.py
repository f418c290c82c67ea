"""A labelled catalogue as Parquet: typed columns, written while it is read.

pyarrow is loaded by the first request for it: some 60 MB of memory that a process pays which never needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from catalogue.export_table import Batch, Kind, Table, Value

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_ROWS = 10_000
_GROUP_CHARACTERS = 4 * 1024 * 1024


class _Sink:
    """Takes what the writer writes, until somebody fetches it."""

    closed = False

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: Any) -> int:
        before = len(self._written)
        self._written += data
        return len(self._written) - before

    def flush(self) -> None:
        """All is there already."""

    def close(self) -> None:
        self.closed = True

    def fetch(self) -> bytes:
        data = bytes(self._written)
        self._written.clear()
        return data


def as_parquet(table: Table, batches: Iterable[Batch]) -> Iterator[bytes]:
    """Yield the file in blocks of some megabytes; one row group each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = _Sink()
    schema = _schema(table)
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for group in _groups(table, batches):
            columns = list(zip(*group, strict=True))
            arrays = [pa.array(c, type=f.type) for c, f in zip(columns, schema, strict=True)]
            writer.write_table(pa.table(arrays, schema=schema), row_group_size=len(group))
            yield sink.fetch()
    yield sink.fetch()


def _schema(table: Table) -> pa.Schema:
    import pyarrow as pa

    types = {
        Kind.TEXT: pa.string(),
        Kind.WORD: pa.string(),
        Kind.NUMBER: pa.float64(),
        Kind.FLAG: pa.bool_(),
        Kind.LIST: pa.list_(pa.string()),
    }
    columns = zip(table.names, table.kinds, strict=True)
    return pa.schema([(name, types[kind]) for name, kind in columns])


def _groups(table: Table, batches: Iterable[Batch]) -> Iterator[list[list[Value]]]:
    group: list[list[Value]] = []
    size = 0
    for values in table.rows(batches):
        group.append(values)
        size += sum(len(value) for value in values if isinstance(value, str))
        if len(group) == _GROUP_ROWS or size > _GROUP_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group
