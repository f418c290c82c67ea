"""Reads a labelled catalogue again, with bounded memory, from its beginning or from any row.

Rows are counted as in the list of errors: 1 for the first below the header, blank lines not counted.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from catalogue.labelled.labels import LABEL_COLUMNS, OptionalColumns, RowError
from catalogue.labelled.writer import begins_with_bom, output_header
from catalogue.limits import MAX_RECORD_BYTES
from catalogue.parsing.csv_reader import read_cells
from catalogue.parsing.dialect import Dialect
from catalogue.parsing.encoding import Encoding
from catalogue.parsing.record_scanner import RecordSpan, scan_records
from catalogue.parsing.schema import CatalogueSchema

# A record of the input in UTF-8, with its quotation marks doubled, and the labels.
_LONGEST_RECORD = 3 * MAX_RECORD_BYTES + 64 * 1024
_BOM = "\ufeff".encode()
_ERRORS = frozenset(error.value for error in RowError)
_SHARE = re.compile(r"(?:[01]\.[0-9]{4})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultSchema:
    """All that is needed to read a labelled catalogue from any of its rows."""

    dialect: Dialect
    header: tuple[str, ...]
    """All column names: the input's, then the added ones."""
    width: int
    """How many columns are the input's."""
    data_start: int
    """Byte offset of the first record after the header."""

    def label(self, cells: list[str], column: str) -> str:
        """Return the cell of one of `LABEL_COLUMNS`, whatever its name became in this file."""
        return cells[self.width + LABEL_COLUMNS.index(column)]

    def is_row(self, cells: list[str]) -> bool:
        """Whether these are the cells of a row of this result, as far as its label columns tell.

        They are not where reading began within a record, for instance behind a line break in a quoted cell.
        """
        if len(cells) < len(self.header):
            return False
        error = self.label(cells, "row_error")
        shares = self.label(cells, "confidence"), self.label(cells, "second_confidence")
        return (
            self.label(cells, "needs_review") in ("true", "false")
            and (not error or error in _ERRORS)
            and all(map(_SHARE.fullmatch, shares))
        )


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A row of a labelled catalogue, or a blank line, which is no row but keeps its place."""

    number: int
    """Of a blank line: that of the row after it."""
    cells: list[str]
    """At least as many as the header has; those beyond come from a row that had too many. None for a blank line."""
    end: int
    """Byte offset in the file at which the next record begins."""

    @property
    def blank(self) -> bool:
        """Whether it is a blank line."""
        return not self.cells


def inspect_result(blocks: Iterable[bytes], layout: CatalogueSchema) -> ResultSchema:
    """Return the layout of the labelled catalogue whose bytes `blocks` begin.

    Args:
        blocks: the file's bytes from its beginning; no more is read than the header needs.
        layout: the layout of the catalogue that was labelled.
    """
    bom = begins_with_bom(layout)
    start = len(_BOM) if bom else 0
    dialect = replace(layout.dialect, encoding=Encoding.UTF_8, bom=bom)
    span, header = next(_records(_without(start, blocks), dialect, start))
    return ResultSchema(
        dialect=dialect, header=tuple(header), width=len(layout.header), data_start=span.end
    )


def part_layout(layout: CatalogueSchema, extras: OptionalColumns) -> ResultSchema:
    """Return the layout of some rows of a labelled catalogue that stand alone, without a header.

    Args:
        layout: the layout of the catalogue.
        extras: what was asked for beyond the labels.
    """
    return ResultSchema(
        dialect=replace(layout.dialect, encoding=Encoding.UTF_8, bom=False),
        header=output_header(layout, extras),
        width=len(layout.header),
        data_start=0,
    )


def read_result(
    blocks: Iterable[bytes], result: ResultSchema, *, start: int, number: int = 1
) -> Iterator[ResultRow]:
    """Yield the rows and blank lines, each as soon as its end is known.

    Args:
        blocks: the file's bytes from `start` to its end, cut anywhere.
        result: the file's layout.
        start: the layout's `data_start`, or the end of an earlier row.
        number: the number of the first row here.
    """
    for span, cells in _records(blocks, result.dialect, start):
        yield ResultRow(number, cells, span.end)
        number += not span.blank


def _without(count: int, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks without their first `count` bytes."""
    for block in blocks:
        yield block[count:]
        count -= min(count, len(block))


def _records(
    blocks: Iterable[bytes], dialect: Dialect, start: int
) -> Iterator[tuple[RecordSpan, list[str]]]:
    held = bytearray()
    origin = start  # file offset of held[0]
    done = start

    def holding() -> Iterator[bytes]:
        nonlocal origin
        for block in blocks:
            del held[: done - origin]
            origin = done
            held.extend(block)
            yield block

    for span in scan_records(holding(), dialect, start=start, longest_bytes=_LONGEST_RECORD):
        raw = bytes(held[span.start - origin : span.end - origin])
        yield span, next(read_cells(raw, dialect, quoting=not span.broken), [])
        done = span.end
