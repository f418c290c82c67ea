"""Converts the first visible sheet of an Excel workbook (.xlsx) to CSV, row by row.

The CSV is UTF-8 with a byte order mark, commas and LF, which Excel opens correctly. Whole numbers
are written without an exponent, dates in ISO 8601, formulas as their cached value. Rows without
cells become blank lines, except below the last row with cells.

`openpyxl` interprets parts and cells. Its own iteration keeps data for every row in memory, so rows
are parsed one at a time here, and shared strings are kept compressed.
"""

from __future__ import annotations

import datetime as dt
import importlib
import io
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO

from catalogue.compressed.compression import DecompressionLimit
from catalogue.compressed.decode_errors import translate_decode_errors
from catalogue.compressed.shared_strings import SharedStrings
from catalogue.compressed.xlsx_package import MAIN, WorkbookPackage
from catalogue.compressed.xml_elements import elements
from catalogue.errors import EmptyFile, NoRows, TooManyColumns, WorkbookUnreadable
from catalogue.labelled.csv_writer import encode_lines, line
from catalogue.limits import MAX_COLUMNS, MAX_RECORD_BYTES, MAX_ROWS, MAX_SHARED_TEXT_BYTES
from catalogue.parsing.columns import FIND_COLUMNS, ColumnNames, choose_columns
from catalogue.parsing.dialect import Dialect
from catalogue.parsing.encoding import Encoding
from catalogue.parsing.schema import CatalogueSchema, check_header

_BOM = b"\xef\xbb\xbf"
_DIALECT = Dialect(encoding=Encoding.UTF_8, delimiter=",", bom=True)
_SHEET_DATA, _ROW = f"{MAIN}sheetData", f"{MAIN}row"
# The escape for characters that XML would lose, such as a carriage return.
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_DIMENSION = re.compile(rb'<dimension ref="[A-Z]+\d+:[A-Z]+(\d{1,7})"')
_BEFORE_DATA = 4096  # bytes of a sheet
_FLUSH_BYTES = 256 * 1024
_LOADING = threading.Lock()


def xlsx_schema(
    stream: BinaryIO, *, max_bytes: int, names: ColumnNames = FIND_COLUMNS
) -> CatalogueSchema:
    """Return the schema of the CSV that `xlsx_to_csv` makes of the workbook.

    Args:
        stream: seekable; it is not closed.
        max_bytes: maximum decompressed size of the sheet.
        names: the columns that the caller chose.

    Raises:
        WorkbookUnreadable, UnpackedTooLarge, TooManyColumns, HeaderUnreadable, EmptyFile, NoRows,
        NoSummaryColumn, SummaryColumnUnknown, TitleColumnUnknown: see `catalogue.errors`.
    """
    rows = _rows(stream, max_bytes, MAX_SHARED_TEXT_BYTES)
    header = next((row for row in rows if row), None)
    if header is None:
        raise EmptyFile(
            "The workbook's first sheet is empty; put a header and one book per row on it."
        )
    check_header(header)
    columns = choose_columns(header, names)
    if next((row for row in rows if row), None) is None:
        raise NoRows("The workbook's first sheet has a header but no rows; send at least one book.")
    start = len(_BOM) + len(_record(header))
    return CatalogueSchema(
        dialect=_DIALECT,
        header=header,
        summary_index=columns.summary,
        title_index=columns.title,
        data_start=start,
    )


def xlsx_to_csv(
    stream: BinaryIO, *, max_bytes: int, max_text_bytes: int = MAX_SHARED_TEXT_BYTES
) -> Iterator[bytes]:
    """Yield the first visible sheet as CSV, header included, in blocks of bounded size.

    Args:
        stream: seekable; it is not closed.
        max_bytes: maximum size of the sheet, decompressed and as CSV.
        max_text_bytes: maximum size of the shared strings.

    Raises:
        WorkbookUnreadable, UnpackedTooLarge, TooManyColumns.
    """
    limit, packed = DecompressionLimit(max_bytes), stream.seek(0, io.SEEK_END)
    block = bytearray(_BOM)
    blank, width = 0, 0
    for row in _rows(stream, max_bytes, max_text_bytes):
        if not row:
            blank += width > 0
            continue
        width = width or len(row)  # the header's
        # A sheet does not store empty cells at the end of a row: pad to the width of the header.
        block += b"\n" * blank + _record(row + ("",) * (width - len(row)))
        blank = 0
        if len(block) >= _FLUSH_BYTES:
            # Many cells may share one string, so the size of the sheet does not limit the output.
            limit.consume(len(block), packed_so_far=packed)
            yield bytes(block)
            block.clear()
    yield bytes(block)


def last_row(stream: BinaryIO) -> int | None:
    """Return the number of the last row according to the workbook, None if it is not stated."""
    with translate_decode_errors(_unreadable):
        package = WorkbookPackage(stream)
        with package.open(package.sheet, max_bytes=package.size(package.sheet)) as source:
            dimension = _DIMENSION.search(source.read(_BEFORE_DATA))
    return int(dimension[1]) if dimension else None


def _rows(stream: BinaryIO, max_bytes: int, max_text_bytes: int) -> Iterator[tuple[str, ...]]:
    """The cells of each row as text, without trailing empty ones; () for an empty row."""
    with translate_decode_errors(_unreadable):
        yield from _cells(stream, max_bytes, max_text_bytes)


def _cells(stream: BinaryIO, max_bytes: int, max_text_bytes: int) -> Iterator[tuple[str, ...]]:
    _load_openpyxl()
    from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH
    from openpyxl.worksheet._reader import WorkSheetParser

    package = WorkbookPackage(stream)
    formats = package.formats()
    shared = package.shared_texts(max_bytes=max_bytes)
    texts = _RowTexts(SharedStrings(shared, max_bytes=max_text_bytes))
    with package.open(package.sheet, max_bytes=max_bytes) as source:
        parser = WorkSheetParser(
            source,
            texts,
            data_only=True,
            epoch=MAC_EPOCH if package.counts_from_1904 else WINDOWS_EPOCH,
            date_formats=formats.dates,
            timedelta_formats=formats.durations,
        )
        expected = 1
        for element in elements(source, {(_SHEET_DATA, _ROW)}, until=_SHEET_DATA):
            texts.begin_row()
            number, cells = parser.parse_row(element)  # type: ignore[arg-type]  # the stubs expect lxml elements
            parser.row_dimensions.clear()
            # Rows out of order could yield a million blank lines repeatedly.
            if not expected <= number <= MAX_ROWS:
                raise _unreadable()
            for _ in range(expected, number):
                yield ()
            expected = number + 1
            yield _texts(cells)


class _RowTexts:
    """The shared strings, with limits on their number and length per row."""

    def __init__(self, table: SharedStrings) -> None:
        self._table = table
        self.begin_row()

    def begin_row(self) -> None:
        self._cells, self._characters = 0, 0

    def __getitem__(self, number: int) -> str:
        text = self._table[number]
        self._cells += 1
        self._characters += len(text)
        if self._cells > MAX_COLUMNS:
            raise _too_many_columns()
        if self._characters > MAX_RECORD_BYTES:
            raise WorkbookUnreadable(
                f"A row of the sheet is longer than {MAX_RECORD_BYTES:,} characters; shorten its "
                "texts."
            )
        return text


def _load_openpyxl() -> None:
    """Import openpyxl as a whole, under a lock.

    Its modules import each other: two threads that start with different ones would deadlock.
    """
    with _LOADING:
        if "openpyxl" not in sys.modules:
            importlib.import_module("openpyxl")
            # Once, because filters are global. openpyxl warns about every invalid date.
            warnings.filterwarnings("ignore", module=r"openpyxl\.")


def _texts(cells: list[dict[str, Any]]) -> tuple[str, ...]:
    texts: list[str] = []
    for cell in cells:
        text = _text(cell["value"])
        if not text:
            continue
        column = cell["column"]
        if column > MAX_COLUMNS:
            raise _too_many_columns()
        if column <= len(texts):
            raise _unreadable()
        texts += [""] * (column - 1 - len(texts))
        texts.append(text)
    return tuple(texts)


def _record(cells: tuple[str, ...]) -> bytes:
    return encode_lines([line(cells, _DIALECT.delimiter, _DIALECT.line_end)])


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return _ESCAPED.sub(_character, value)
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case dt.datetime() if value.time() == dt.time():
            return value.date().isoformat()
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)


def _character(code: re.Match[str]) -> str:
    character = chr(int(code[1], 16))
    return "\ufffd" if "\ud800" <= character <= "\udfff" else character


def _too_many_columns() -> TooManyColumns:
    return TooManyColumns(
        f"The sheet has more than {MAX_COLUMNS:,} columns; delete those that do not belong to the "
        "catalogue."
    )


def _unreadable() -> WorkbookUnreadable:
    return WorkbookUnreadable(
        "The workbook cannot be read; open it in the spreadsheet program, save it again as .xlsx "
        "or as “CSV UTF-8”, and "
        "send that."
    )
