"""Generates workbooks with parts that no spreadsheet program writes."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Mapping

from openpyxl import Workbook

from benchmarks.fuzz.compressed import Upload
from benchmarks.fuzz.generators import Expected

_SHEET, _STYLES, _WORKBOOK = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml"
_TEXT = b"\xef\xbb\xbfid,summary\n1,a murder in the old castle\n"
_DATA, _END = b"<sheetData>", b"</sheetData>"

Parts = dict[str, bytes]


def malformed_workbooks(random_: random.Random) -> Upload:
    """A workbook of two rows with one malformation."""
    malform, expected = _MALFORMATIONS[random_.choice(list(_MALFORMATIONS))]
    parts = _valid_parts()
    malform(parts, random_)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return Upload(stream.getvalue(), _TEXT, expected)


def _valid_parts() -> Parts:
    book, stream = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    sheet.append(["id", "summary"])
    sheet.append([1, "a murder in the old castle"])
    book.save(stream)
    with zipfile.ZipFile(stream) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _insert_before_rows(parts: Parts, xml: bytes) -> None:
    parts[_SHEET] = parts[_SHEET].replace(_DATA, xml + _DATA)


def _insert_after_rows(parts: Parts, xml: bytes) -> None:
    parts[_SHEET] = parts[_SHEET].replace(_END, xml + _END)


def _elements(parts: Parts, random_: random.Random) -> None:
    _insert_before_rows(parts, b"<a/>" * random_.choice((1_500_000, 3_000_000)))


def _nested(parts: Parts, _random: random.Random) -> None:
    _insert_before_rows(parts, b"<a>" * 10_000 + b"</a>" * 10_000)


def _attribute(parts: Parts, random_: random.Random) -> None:
    _insert_before_rows(parts, b'<a b="' + b"x" * random_.choice((500_000, 20_000_000)) + b'"/>')


def _comment(parts: Parts, random_: random.Random) -> None:
    _insert_before_rows(parts, b"<!--" + b"x" * random_.choice((500_000, 20_000_000)) + b"-->")


def _document_type(parts: Parts, _random: random.Random) -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><worksheet '
    parts[_SHEET] = parts[_SHEET].replace(b"<worksheet ", laughs)


def _long_text(parts: Parts, _random: random.Random) -> None:
    text = b"x" * 6_000_000
    cell = b'<row><c t="inlineStr"><is><t>' + text + b"</t></is></c></row>"
    parts[_SHEET] = parts[_SHEET].replace(_DATA, _DATA + cell)


def _formats(parts: Parts, _random: random.Random) -> None:
    parts[_STYLES] = parts[_STYLES].replace(b"</cellXfs>", b"<xf/>" * 500_000 + b"</cellXfs>")


def _renamed(parts: Parts, _random: random.Random) -> None:
    for part in ("[Content_Types].xml", "_rels/.rels"):
        parts[part] = parts[part].replace(b"xl/workbook.xml", b"xl/book.xml")
    parts["xl/book.xml"] = parts.pop(_WORKBOOK)
    parts["xl/_rels/book.xml.rels"] = parts.pop("xl/_rels/workbook.xml.rels")


def _large_under_another_name(parts: Parts, random_: random.Random) -> None:
    parts[_WORKBOOK] = parts[_WORKBOOK].replace(b"<sheets>", b"<a/>" * 3_000_000 + b"<sheets>")
    _renamed(parts, random_)


def _rows_again(parts: Parts, random_: random.Random) -> None:
    _insert_after_rows(parts, b'<row r="1048576"/><row r="1"/>' * random_.randint(1, 1000))


def _wide_row(parts: Parts, random_: random.Random) -> None:
    cells = b'<c t="inlineStr"><is><t>x</t></is></c>' * random_.choice((2_001, 16_384, 70_000))
    _insert_after_rows(parts, b'<row r="3">' + cells + b"</row>")


_MALFORMATIONS: Mapping[str, tuple[Callable[[Parts, random.Random], None], Expected]] = {
    "elements": (_elements, Expected.REFUSED),
    "nested": (_nested, Expected.REFUSED),
    "attribute": (_attribute, Expected.REFUSED),
    "comment": (_comment, Expected.REFUSED),
    "document type": (_document_type, Expected.REFUSED),
    "long text": (_long_text, Expected.REFUSED),
    "formats": (_formats, Expected.REFUSED),
    "renamed": (_renamed, Expected.ACCEPTED),
    "large under another name": (_large_under_another_name, Expected.REFUSED),
    # After the rows that are read during the upload, so that the job fails.
    "rows again": (_rows_again, Expected.EITHER),
    "wide row": (_wide_row, Expected.EITHER),
}
