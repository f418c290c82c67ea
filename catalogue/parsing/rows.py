"""From bytes to rows: the cells of each record, and what is wrong with it."""

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


# Not frozen: it would take three times as long to make one.
@dataclass(slots=True)
class Row:
    """A record, or a blank line, which is no row but keeps its place."""

    cells: tuple[str, ...]
    """As many as the header has, padded with ""; more where the record had more."""
    title: str
    """"" where the catalogue has none."""
    summary: str
    problem: RowError | None
    """Why the row cannot be labelled: MALFORMED_ROW, SUMMARY_TOO_LONG or EMPTY_SUMMARY."""
    blank: bool = False

    @classmethod
    def of_book(cls, title: str, summary: str) -> "Row":
        """Return the row of a book that comes alone, held to the same rules as one in a file."""
        return cls(
            cells=(title, summary), title=title, summary=summary, problem=_problem_of(summary)
        )


_BLANK = Row(cells=(), title="", summary="", problem=None, blank=True)


def parse_records(raw: bytes, layout: CatalogueSchema) -> list[Row]:
    """Return the rows and blank lines of `raw`, whole records as `plan_chunks` cuts them.

    A row is MALFORMED_ROW if its quote is never closed, if it lacks the summary cell, or if a cell
    beyond the header's is not empty, since an unquoted delimiter has shifted the cells then. White
    space alone is EMPTY_SUMMARY; whether cleaning leaves anything is for the caller to see.
    """
    text = decode(raw, layout.dialect.encoding)
    records = split_fast(text, layout.dialect.delimiter)
    # A record that would be longer than allowed is broken, which only scanning finds out.
    if records is not None and (len(raw) <= MAX_RECORD_BYTES or _surely_allowed(records)):
        return [_row(cells, layout, broken=False) if cells else _BLANK for cells in records]
    return [
        _row(cells, layout, broken=broken) if cells else _BLANK
        for cells, broken in _scanned(raw, layout.dialect)
    ]


def _surely_allowed(records: list[list[str]]) -> bool:
    """Whether no record can be longer than allowed: four bytes a character at most, all of them quotation marks at worst."""
    longest = max(8 * sum(map(len, cells)) + 8 * (len(cells) + 1) for cells in records)
    return longest <= MAX_RECORD_BYTES


def _scanned(raw: bytes, dialect: Dialect) -> Iterator[tuple[list[str], bool]]:
    """The cells of each record, and whether it is broken."""
    start = 0
    for broken, run in groupby(scan_records([raw], dialect), key=lambda span: span.broken):
        end = max(span.end for span in run)  # not a list of them: blank lines may be many
        for cells in read_cells(raw[start:end], dialect, quoting=not broken):
            yield cells, broken
        start = end


def _row(cells: list[str], layout: CatalogueSchema, *, broken: bool) -> Row:
    width, index = len(layout.header), layout.summary_index
    summary = cells[index] if index < len(cells) else ""
    problem: RowError | None
    if broken or index >= len(cells) or (len(cells) > width and any(cells[width:])):
        problem = RowError.MALFORMED_ROW
    else:
        problem = _problem_of(summary)
    if len(cells) < width:
        cells.extend([""] * (width - len(cells)))
    title = "" if layout.title_index is None else cells[layout.title_index]
    return Row(cells=tuple(cells), title=title, summary=summary, problem=problem)


def _problem_of(summary: str) -> RowError | None:
    if len(summary) > MAX_SUMMARY_CHARACTERS:
        return RowError.SUMMARY_TOO_LONG
    return RowError.EMPTY_SUMMARY if not summary or summary.isspace() else None
