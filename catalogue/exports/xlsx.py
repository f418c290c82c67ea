"""Exports a result as an Excel workbook, in a stream.

XLSX libraries write the sheet to a temporary file first; this needs neither memory nor disk. Texts
are stored as strings, so that no cell is a formula and an ISBN keeps its zeros.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from catalogue.exports.table import Batch, Table, Value

MAX_ROWS = 1_048_575
"""Rows below the header (Excel's own limit)."""

_MAX_CELL_CHARACTERS = 32_767  # Excel's own limit
_MAX_CSV_BYTES_WITHOUT_ZIP64 = 1 << 30  # the XML is a few times as large

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0d-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><bookViews><workbookView/></bookViews>'
    '<sheets><sheet name="Labelled" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
_SHEET_BEGIN = (
    f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_SHEET_END = "</sheetData></worksheet>"


class _Sink:
    """Buffers what the archive writes."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""

    def fetch(self) -> bytes:
        data = bytes(self._written)
        self._written.clear()
        return data


def as_xlsx(table: Table, batches: Iterable[Batch], *, csv_bytes: int) -> Iterator[bytes]:
    """Yield the workbook in blocks. Cells beyond the header follow the last column.

    Args:
        table: the columns.
        batches: at most `MAX_ROWS` rows.
        csv_bytes: size of the result as CSV.
    """
    sink = _Sink()
    letters = [_letters(place) for place in range(len(table.names))]
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]  # the stream need not be seekable
        for name, content in _PARTS.items():
            archive.writestr(name, _HEAD + content)
        sheet = "xl/worksheets/sheet1.xml"
        with archive.open(sheet, "w", force_zip64=csv_bytes > _MAX_CSV_BYTES_WITHOUT_ZIP64) as part:
            header: list[Value] = list(table.names[:-1])
            part.write((_SHEET_BEGIN + _row(1, header, letters)).encode())
            number = 2
            for batch in batches:
                lines = []
                for values in table.rows([batch]):
                    lines.append(_row(number, values, letters))
                    number += 1
                part.write("".join(lines).encode())
                yield sink.fetch()
            part.write(_SHEET_END.encode())
    yield sink.fetch()


def _row(number: int, values: list[Value], letters: list[str]) -> str:
    cells: list[str] = []
    for place, value in enumerate(values):
        at = f"{letters[place]}{number}"
        match value:
            case None | "" | []:
                continue
            case bool():
                cells.append(f'<c r="{at}" t="b"><v>{int(value)}</v></c>')
            case float():
                cells.append(f'<c r="{at}"><v>{value!r}</v></c>')
            case list():
                cells.append(_text(at, "|".join(value)))
            case _:
                cells.append(_text(at, value))
    return f'<row r="{number}">{"".join(cells)}</row>'


def _text(at: str, text: str) -> str:
    if len(text) > _MAX_CELL_CHARACTERS:
        text = text[: _MAX_CELL_CHARACTERS - 1] + "…"
    text = _NOT_XML.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _letters(place: int) -> str:
    """The letters of column `place`, from 0: A, B, … Z, AA, …"""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
