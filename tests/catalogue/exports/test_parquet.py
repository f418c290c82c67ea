"""Parquet is written while it is sent: what happens when writer or reader stops."""

import random
import threading
from collections.abc import Iterator

import pytest

from catalogue.exports.parquet import Pipe, as_parquet
from catalogue.exports.table import Batch, Table
from catalogue.labelled.labels import OptionalColumns
from catalogue.labelled.reader import ResultRow, chunk_output_schema
from catalogue.parsing.schema import inspect_head

TABLE = Table.of(
    chunk_output_schema(
        inspect_head(b"title,summary\nOne,words\n", complete=True), OptionalColumns()
    ),
    corrected=False,
)
WIDTH = len(TABLE.names) - 1


def batches(count: int) -> Iterator[Batch]:
    """Rows that hardly compress, about 100 kB each."""
    for number in range(count):
        text = random.Random(number).randbytes(50_000).hex()
        yield [ResultRow(number, ["title", text, *[""] * (WIDTH - 2)], end=0)], {}


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "parquet"]


def test_closing_a_download_ends_its_writer() -> None:
    file = as_parquet(TABLE, batches(10_000), row_bytes=100_000)
    assert next(file)
    assert len(writers()) == 1
    file.close()  # type: ignore[attr-defined]  # a generator
    assert writers() == []


def test_the_writer_waits_for_a_slow_reader() -> None:
    read = 0

    def counted_batches() -> Iterator[Batch]:
        nonlocal read
        for batch in batches(10_000):
            read += 1
            yield batch

    file = as_parquet(TABLE, counted_batches(), row_bytes=100_000)
    next(file)
    writers()[0].join(0.5)
    assert read < 500
    file.close()  # type: ignore[attr-defined]


def test_rows_that_cannot_be_read_end_the_download_with_an_error() -> None:
    def failing() -> Iterator[Batch]:
        yield from batches(3)
        raise OSError("the disk failed")

    with pytest.raises(Exception, match="the disk failed"):
        list(as_parquet(TABLE, failing(), row_bytes=100_000))
    assert writers() == []


class BrokenPipe(Pipe):
    def write(self, data: bytes) -> int:
        raise OSError(f"no room for {len(data)} bytes")  # makes the library panic


def test_a_panic_of_the_library_ends_the_download_with_an_error() -> None:
    errors: list[BaseException] = []

    def read() -> None:
        try:
            list(as_parquet(TABLE, batches(3), row_bytes=100_000, pipe=BrokenPipe()))
        except BaseException as error:
            errors.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(20)
    assert not reader.is_alive()
    # A server thread catches `Exception`, not all of `BaseException`.
    assert [isinstance(error, Exception) for error in errors] == [True]


def test_rows_much_longer_than_expected_do_not_fill_the_memory() -> None:
    max_characters = 9_500_000
    with pytest.raises(Exception, match="download CSV instead"):
        list(as_parquet(TABLE, batches(100), row_bytes=10, max_characters=max_characters))
    assert list(as_parquet(TABLE, batches(100), row_bytes=100_000, max_characters=max_characters))


def test_cells_beyond_the_header_count_too() -> None:
    row = ResultRow(1, ["title", *[""] * (WIDTH - 1), *["x"] * 1_000_000], end=0)
    with pytest.raises(Exception, match="download CSV instead"):
        list(as_parquet(TABLE, [([row] * 2, {})], row_bytes=10, max_characters=9_500_000))
