"""Excel workbooks (.xlsx) as catalogues: the first visible sheet, row by row, written as CSV.

The CSV is UTF-8 with a byte order mark, commas and LF, so that Excel takes the result as its own. A number is written
without an exponent as long as it is whole, a date as ISO 8601; a formula is its last value. Rows without any
cell become blank lines; those below the last row that has cells are left out.

`openpyxl` knows what the parts and cells mean. Its own way through a sheet keeps a trace of each row for ever, so
rows are taken one at a time here, and the texts shared between cells are kept packed.
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
from catalogue.labelled.csv_writer import encoded, line
from catalogue.limits import MAX_COLUMNS, MAX_RECORD_BYTES, MAX_ROWS, MAX_SHARED_TEXT_BYTES
from catalogue.parsing.columns import FIND_COLUMNS, ColumnNames, choose_columns
from catalogue.parsing.dialect import Dialect
from catalogue.parsing.encoding import Encoding
from catalogue.parsing.schema import CatalogueSchema, check_header

_BOM = b"\xef\xbb\xbf"
_DIALECT = Dialect(encoding=Encoding.UTF_8, delimiter=",", bom=True)
_SHEET_DATA, _ROW = f"{MAIN}sheetData", f"{MAIN}row"
# How the format spells characters that XML would lose, a carriage return for instance.
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_DIMENSION = re.compile(rb'<dimension ref="[A-Z]+\d+:[A-Z]+(\d{1,7})"')
_BEFORE_DATA = 4096  # bytes of a sheet
_FLUSH_BYTES = 256 * 1024
_LOADING = threading.Lock()


def xlsx_schema(
    stream: BinaryIO, *, most_bytes: int, names: ColumnNames = FIND_COLUMNS
) -> CatalogueSchema:
    """Return the layout of the CSV that `xlsx_to_csv` makes of the workbook.

    Args:
        stream: seekable; stays the caller's.
        most_bytes: as large a sheet may be, unpacked.
        names: what the caller calls the columns.

    Raises:
        WorkbookUnreadable, UnpackedTooLarge, TooManyColumns, HeaderUnreadable, EmptyFile, NoRows, NoSummaryColumn,
        SummaryColumnUnknown, TitleColumnUnknown.
    """
    rows = _rows(stream, most_bytes, MAX_SHARED_TEXT_BYTES)
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
    stream: BinaryIO, *, most_bytes: int, most_text_bytes: int = MAX_SHARED_TEXT_BYTES
) -> Iterator[bytes]:
    """Yield the first visible sheet as CSV, header included, in blocks of bounded size.

    Args:
        stream: seekable; stays the caller's.
        most_bytes: as large a sheet may be, unpacked, and as CSV.
        most_text_bytes: as large the texts may be that cells share.

    Raises:
        WorkbookUnreadable, UnpackedTooLarge, TooManyColumns.
    """
    allowance, packed = DecompressionLimit(most_bytes), stream.seek(0, io.SEEK_END)
    block = bytearray(_BOM)
    blank, width = 0, 0
    for row in _rows(stream, most_bytes, most_text_bytes):
        if not row:
            blank += width > 0
            continue
        width = width or len(row)  # the header's
        # A sheet does not tell empty cells at a row's end from none: such a row is not cut short.
        block += b"\n" * blank + _record(row + ("",) * (width - len(row)))
        blank = 0
        if len(block) >= _FLUSH_BYTES:
            # Many cells may share one text, so that the sheet's size does not bound what comes out of it.
            allowance.spend(len(block), packed_so_far=packed)
            yield bytes(block)
            block.clear()
    yield bytes(block)


def last_row(stream: BinaryIO) -> int | None:
    """Return the number of the sheet's last row as the workbook says, None if it does not."""
    with translate_decode_errors(_unreadable):
        package = WorkbookPackage(stream)
        with package.open(package.sheet, most_bytes=package.size(package.sheet)) as source:
            said = _DIMENSION.search(source.read(_BEFORE_DATA))
    return int(said[1]) if said else None


def _rows(stream: BinaryIO, most_bytes: int, most_text_bytes: int) -> Iterator[tuple[str, ...]]:
    """The cells of each row as text, without empty ones at its end; () for a row without any."""
    with translate_decode_errors(_unreadable):
        yield from _cells(stream, most_bytes, most_text_bytes)


def _cells(stream: BinaryIO, most_bytes: int, most_text_bytes: int) -> Iterator[tuple[str, ...]]:
    _load_openpyxl()
    from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH
    from openpyxl.worksheet._reader import WorkSheetParser

    package = WorkbookPackage(stream)
    formats = package.formats()
    shared = package.shared_texts(most_bytes=most_bytes)
    texts = _RowTexts(SharedStrings(shared, most_bytes=most_text_bytes))
    with package.open(package.sheet, most_bytes=most_bytes) as source:
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
            number, cells = parser.parse_row(element)  # type: ignore[arg-type]  # the stubs know lxml's elements only
            parser.row_dimensions.clear()
            # In order: else a short file could make a million blank lines again and again.
            if not expected <= number <= MAX_ROWS:
                raise _unreadable()
            for _ in range(expected, number):
                yield ()
            expected = number + 1
            yield _texts(cells)


class _RowTexts:
    """The texts that cells share, for one row at a time: so many and so much of them as a row may have."""

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
                f"A row of the sheet is longer than {MAX_RECORD_BYTES:,} characters; shorten its texts."
            )
        return text


def _load_openpyxl() -> None:
    """Import it whole, unless that is done: its parts import each other.

    Two threads that begin with different parts at once would wait for each other, and one of them, or all from then on, would fail.
    """
    with _LOADING:
        if "openpyxl" not in sys.modules:
            importlib.import_module("openpyxl")
            # Once, since filters belong to the process. It warns of each date that is none, of which a sheet may be full.
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
    return encoded([line(cells, _DIALECT.delimiter, _DIALECT.line_end)])


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
        f"The sheet has more than {MAX_COLUMNS:,} columns; delete those that do not belong to the catalogue."
    )


def _unreadable() -> WorkbookUnreadable:
    return WorkbookUnreadable(
        "The workbook cannot be read; open it in the spreadsheet program, save it again as .xlsx or as “CSV UTF-8”, and "
        "send that."
    )
