"""Reads a result with bounded memory, from its beginning or from any row.

Row numbers are those of the error list: 1 for the first row; blank lines are not counted.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from catalogue.labelled.labels import LABEL_COLUMNS, OptionalColumns, RowErrorCode
from catalogue.labelled.writer import begins_with_bom, output_header
from catalogue.limits import MAX_RECORD_BYTES
from catalogue.parsing.csv_reader import read_cells
from catalogue.parsing.dialect import Dialect
from catalogue.parsing.encoding import Encoding
from catalogue.parsing.record_scanner import RecordSpan, scan_records
from catalogue.parsing.schema import CatalogueSchema

# An input record in UTF-8 with doubled quotation marks, plus the labels.
_MAX_RECORD_BYTES = 3 * MAX_RECORD_BYTES + 64 * 1024
_BOM = "\ufeff".encode()
_ERRORS = frozenset(error.value for error in RowErrorCode)
_PROBABILITY = re.compile(r"(?:[01]\.[0-9]{4})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultSchema:
    """Everything needed to read a result from any of its rows."""

    dialect: Dialect
    header: tuple[str, ...]
    """All column names: input columns, then added ones."""
    width: int
    """Number of input columns."""
    data_start: int
    """Byte offset of the first record after the header."""

    def label(self, cells: list[str], column: str) -> str:
        """Return the cell of one of `LABEL_COLUMNS`, whatever suffix its name has here."""
        return cells[self.width + LABEL_COLUMNS.index(column)]

    def is_row(self, cells: list[str]) -> bool:
        """Return whether the label columns of these cells are valid.

        They are not if reading began inside a record, for instance after a quoted line break.
        """
        if len(cells) < len(self.header):
            return False
        error = self.label(cells, "row_error")
        probabilities = self.label(cells, "confidence"), self.label(cells, "second_confidence")
        return (
            self.label(cells, "needs_review") in ("true", "false")
            and (not error or error in _ERRORS)
            and all(map(_PROBABILITY.fullmatch, probabilities))
        )


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A row of a result, or a blank line, which is not counted."""

    number: int
    """For a blank line: the number of the next row."""
    cells: list[str]
    """At least as many as in the header, more with extra cells; empty for a blank line."""
    end: int
    """Byte offset of the next record."""

    @property
    def blank(self) -> bool:
        """Whether it is a blank line."""
        return not self.cells


def inspect_result(blocks: Iterable[bytes], schema: CatalogueSchema) -> ResultSchema:
    """Return the schema of a result.

    Args:
        blocks: the file from its beginning; only the header is read.
        schema: the schema of the labelled catalogue.
    """
    bom = begins_with_bom(schema)
    start = len(_BOM) if bom else 0
    dialect = replace(schema.dialect, encoding=Encoding.UTF_8, bom=bom)
    span, header = next(_records(_without(start, blocks), dialect, start))
    return ResultSchema(
        dialect=dialect, header=tuple(header), width=len(schema.header), data_start=span.end
    )


def chunk_output_schema(schema: CatalogueSchema, optional: OptionalColumns) -> ResultSchema:
    """Return the schema of chunk outputs, which have no header.

    Args:
        schema: the schema of the catalogue.
        optional: the optional columns.
    """
    return ResultSchema(
        dialect=replace(schema.dialect, encoding=Encoding.UTF_8, bom=False),
        header=output_header(schema, optional),
        width=len(schema.header),
        data_start=0,
    )


def read_result(
    blocks: Iterable[bytes], result: ResultSchema, *, start: int, number: int = 1
) -> Iterator[ResultRow]:
    """Yield rows and blank lines.

    Args:
        blocks: the bytes of the file from `start` to its end, in any sizes.
        result: the schema of the file.
        start: `data_start`, or the end of a row.
        number: the number of the first row.
    """
    for span, cells in _records(blocks, result.dialect, start):
        yield ResultRow(number, cells, span.end)
        number += not span.blank


def _without(count: int, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Drop the first `count` bytes."""
    for block in blocks:
        yield block[count:]
        count -= min(count, len(block))


def _records(
    blocks: Iterable[bytes], dialect: Dialect, start: int
) -> Iterator[tuple[RecordSpan, list[str]]]:
    buffer = bytearray()
    origin = start  # file offset of buffer[0]
    done = start

    def buffered() -> Iterator[bytes]:
        nonlocal origin
        for block in blocks:
            del buffer[: done - origin]
            origin = done
            buffer.extend(block)
            yield block

    for span in scan_records(buffered(), dialect, start=start, longest_bytes=_MAX_RECORD_BYTES):
        raw = bytes(buffer[span.start - origin : span.end - origin])
        yield span, next(read_cells(raw, dialect, quoting=not span.broken), [])
        done = span.end
