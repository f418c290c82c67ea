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
import re
import threading
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from catalogue.columns import FIND_COLUMNS, ColumnNames, choose_columns
from catalogue.damage import blaming_the_file
from catalogue.dialect import Dialect
from catalogue.encoding import Encoding
from catalogue.errors import EmptyFile, NoRows, WorkbookUnreadable
from catalogue.layout import Layout
from catalogue.lines import encoded, line
from catalogue.packing import Allowance
from catalogue.string_table import StringTable

if TYPE_CHECKING:
    from openpyxl.reader.excel import ExcelReader

_BOM = b"\xef\xbb\xbf"
_DIALECT = Dialect(encoding=Encoding.UTF_8, delimiter=",", bom=True)
_MOST_TEXT_BYTES = 256 * 1024 * 1024
_MOST_COLUMNS = 2_000
_MOST_ROWS = 1_048_576  # Excel's own limit
_MOST_PART_BYTES = 16 * 1024 * 1024  # of a part that is read as a whole
# How the format spells characters that XML would lose, a carriage return for instance.
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_DIMENSION = re.compile(rb'<dimension ref="[A-Z]+\d+:[A-Z]+(\d{1,7})"')
_BEFORE_DATA = 4096  # bytes of a sheet
_FLUSH_BYTES = 256 * 1024
_LOADING = threading.Lock()


def workbook_layout(
    stream: BinaryIO, *, most_bytes: int, names: ColumnNames = FIND_COLUMNS
) -> Layout:
    """Return the layout of the CSV that `workbook_as_csv` makes of the workbook.

    Args:
        stream: seekable; stays the caller's.
        most_bytes: as large a sheet may be, unpacked.
        names: what the caller calls the columns.

    Raises:
        WorkbookUnreadable, UnpackedTooLarge, EmptyFile, NoRows, NoSummaryColumn, SummaryColumnUnknown,
        TitleColumnUnknown.
    """
    rows = _rows(stream, most_bytes)
    header = next((row for row in rows if row), None)
    if header is None:
        raise EmptyFile(
            "The workbook's first sheet is empty; put a header and one book per row on it."
        )
    columns = choose_columns(header, names)
    if next((row for row in rows if row), None) is None:
        raise NoRows("The workbook's first sheet has a header but no rows; send at least one book.")
    start = len(_BOM) + len(_record(header))
    return Layout(
        dialect=_DIALECT,
        header=header,
        summary_index=columns.summary,
        title_index=columns.title,
        data_start=start,
    )


def workbook_as_csv(stream: BinaryIO, *, most_bytes: int) -> Iterator[bytes]:
    """Yield the first visible sheet as CSV, header included, in blocks of bounded size.

    Raises:
        WorkbookUnreadable, UnpackedTooLarge.
    """
    block = bytearray(_BOM)
    blank, width = 0, 0
    for row in _rows(stream, most_bytes):
        if not row:
            blank += width > 0
            continue
        width = width or len(row)  # the header's
        # A sheet does not tell empty cells at a row's end from none: such a row is not cut short.
        block += b"\n" * blank + _record(row + ("",) * (width - len(row)))
        blank = 0
        if len(block) >= _FLUSH_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def last_row(stream: BinaryIO) -> int | None:
    """Return the number of the sheet's last row as the workbook says, None if it does not."""
    reader, path = _open(stream)
    with reader.archive.open(path) as source:
        said = _DIMENSION.search(source.read(_BEFORE_DATA))
    return int(said[1]) if said else None


def _rows(stream: BinaryIO, most_bytes: int) -> Iterator[tuple[str, ...]]:
    """The cells of each row as text, without empty ones at its end; () for a row without any."""
    with blaming_the_file(_unreadable):
        yield from _cells(stream, most_bytes)


def _cells(stream: BinaryIO, most_bytes: int) -> Iterator[tuple[str, ...]]:
    reader, path = _open(stream)
    from openpyxl.worksheet._reader import DATA_TAG, ROW_TAG, WorkSheetParser
    from openpyxl.xml.functions import iterparse

    _check_size(reader, path, most_bytes)
    book: Any = reader.wb  # the stubs leave out what only readers use
    with reader.archive.open(path) as source:
        parser = WorkSheetParser(
            source,
            StringTable(_shared_texts(reader), most_bytes=_MOST_TEXT_BYTES),
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        expected = 1
        rows: Any = None
        for event, element in iterparse(source, events=("start", "end")):
            if element.tag == DATA_TAG:
                if event == "end":
                    # What comes after is not the catalogue's, but the part's checksum is looked at where it ends.
                    while source.read(_FLUSH_BYTES):
                        pass
                    return
                rows = element
            elif event == "end" and element.tag == ROW_TAG and rows is not None:
                number, cells = parser.parse_row(element)
                rows.clear()
                parser.row_dimensions.clear()
                if number > _MOST_ROWS:
                    raise _unreadable()
                for _ in range(expected, number):
                    yield ()
                expected = number + 1
                yield _texts(cells)


def _open(stream: BinaryIO) -> tuple[ExcelReader, str]:
    """A reader that knows the styles, and the path of the first visible sheet."""
    _load_openpyxl()
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.styles.stylesheet import apply_stylesheet

    warnings.filterwarnings("ignore", module=r"openpyxl\.")  # it tells of what it passes over
    reader = ExcelReader(stream, read_only=True, data_only=True, keep_links=False)
    for part in reader.archive.infolist():
        is_whole = part.filename.endswith((".rels", "Types].xml", "workbook.xml", "styles.xml"))
        if is_whole and part.file_size > _MOST_PART_BYTES:
            raise _unreadable()
    reader.read_manifest()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    for sheet, relation in reader.parser.find_sheets():
        if "chartsheet" not in relation.Type and sheet.state == "visible":
            return reader, relation.target
    raise EmptyFile("The workbook has no visible sheet; put the catalogue on one.")


def _load_openpyxl() -> None:
    """Import it whole, unless that is done: its parts import each other.

    Two threads that begin with different parts at once would wait for each other, and one of them, or all from then on, would fail.
    """
    with _LOADING:
        importlib.import_module("openpyxl")


def _check_size(reader: ExcelReader, path: str, most_bytes: int) -> None:
    sheet = reader.archive.getinfo(path)
    Allowance(most_bytes).spend(sheet.file_size, packed_so_far=sheet.compress_size)


def _shared_texts(reader: ExcelReader) -> Iterator[str]:
    from openpyxl.cell.text import Text
    from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
    from openpyxl.xml.functions import iterparse

    package: Any = reader.package
    part = package.find(SHARED_STRINGS)
    if part is None:
        return
    table: Any = None
    with reader.archive.open(part.PartName[1:]) as source:
        for event, element in iterparse(source, events=("start", "end")):
            if table is None:
                table = element
            elif event == "end" and element.tag == f"{{{SHEET_MAIN_NS}}}si":
                text: Any = Text.from_tree(element)
                yield text.content
                table.clear()


def _texts(cells: list[dict[str, Any]]) -> tuple[str, ...]:
    texts: list[str] = []
    for cell in cells:
        text = _text(cell["value"])
        if not text:
            continue
        column = cell["column"]
        if column > _MOST_COLUMNS:
            raise WorkbookUnreadable(
                f"The sheet has more than {_MOST_COLUMNS:,} columns; delete what does not belong to the catalogue."
            )
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


def _unreadable() -> WorkbookUnreadable:
    return WorkbookUnreadable(
        "The workbook cannot be read; open it in the spreadsheet program, save it again as .xlsx or as “CSV UTF-8”, and "
        "send that."
    )
