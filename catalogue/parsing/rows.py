"""Parses records into rows, and detects row errors."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from catalogue.labelled.labels import RowError
from catalogue.limits import MAX_RECORD_BYTES, MAX_SUMMARY_CHARACTERS
from catalogue.parsing.csv_fast_path import split_fast
from catalogue.parsing.csv_reader import read_cells
from catalogue.parsing.dialect import Dialect
from catalogue.parsing.encoding import decode
from catalogue.parsing.record_scanner import scan_records
from catalogue.parsing.schema import CatalogueSchema
from catalogue.text.language import foreign_language


# Not frozen, which would take three times as long to construct.
@dataclass(slots=True)
class Row:
    """A record, or a blank line, which is not counted as a row."""

    cells: tuple[str, ...]
    """At least as many as in the header, padded with ""."""
    title: str
    """"" if the catalogue has no title column."""
    summary: str
    error: RowError | None
    """Why the row cannot be labelled: MALFORMED_ROW, SUMMARY_TOO_LONG, EMPTY_SUMMARY or
    UNSUPPORTED_LANGUAGE.
    """
    blank: bool = False

    @classmethod
    def of_book(cls, title: str, summary: str) -> "Row":
        """Return a row for a single book, checked by the same rules as a row of a file."""
        return cls(cells=(title, summary), title=title, summary=summary, error=_error_of(summary))


_BLANK = Row(cells=(), title="", summary="", error=None, blank=True)


def parse_records(raw: bytes, schema: CatalogueSchema) -> list[Row]:
    """Return the rows and blank lines of `raw`, which holds whole records.

    A row is MALFORMED_ROW if a quote is not closed, if it has no summary cell, or if a cell beyond
    the header is not empty, because an unquoted delimiter has then shifted the cells. A summary of
    white space is EMPTY_SUMMARY, one in another language than English UNSUPPORTED_LANGUAGE.
    Summaries without tokens after cleaning are left to the caller.
    """
    text = decode(raw, schema.dialect.encoding)
    records = split_fast(text, schema.dialect.delimiter)
    # A record that is too long is broken, which only the scanner detects.
    if records is not None and (len(raw) <= MAX_RECORD_BYTES or _within_limit(records)):
        return [_row(cells, schema, broken=False) if cells else _BLANK for cells in records]
    return [
        _row(cells, schema, broken=broken) if cells else _BLANK
        for cells, broken in _scanned(raw, schema.dialect)
    ]


def _within_limit(records: list[list[str]]) -> bool:
    """Whether no record can be too long: 4 bytes per character, and all doubled quotes at worst."""
    longest = max(8 * sum(map(len, cells)) + 8 * (len(cells) + 1) for cells in records)
    return longest <= MAX_RECORD_BYTES


def _scanned(raw: bytes, dialect: Dialect) -> Iterator[tuple[list[str], bool]]:
    """Yield the cells of each record and whether it is broken."""
    start = 0
    for broken, run in groupby(scan_records([raw], dialect), key=lambda span: span.broken):
        end = max(span.end for span in run)  # not a list: there may be many blank lines
        for cells in read_cells(raw[start:end], dialect, quoting=not broken):
            yield cells, broken
        start = end


def _row(cells: list[str], schema: CatalogueSchema, *, broken: bool) -> Row:
    width, index = len(schema.header), schema.summary_index
    summary = cells[index] if index < len(cells) else ""
    error: RowError | None
    if broken or index >= len(cells) or (len(cells) > width and any(cells[width:])):
        error = RowError.MALFORMED_ROW
    else:
        error = _error_of(summary)
    if len(cells) < width:
        cells.extend([""] * (width - len(cells)))
    title = "" if schema.title_index is None else cells[schema.title_index]
    return Row(cells=tuple(cells), title=title, summary=summary, error=error)


def _error_of(summary: str) -> RowError | None:
    if len(summary) > MAX_SUMMARY_CHARACTERS:
        return RowError.SUMMARY_TOO_LONG
    if not summary or summary.isspace():
        return RowError.EMPTY_SUMMARY
    # The title does not count: the blurb of a foreign book is often English, and the other way
    # round.
    language = foreign_language(summary)
    return RowError.unsupported_language(language) if language else None
