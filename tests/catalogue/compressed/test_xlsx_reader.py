"""Workbooks as CSV: each cell under its header, as a user would type it, in bounded memory."""

from __future__ import annotations

import csv
import datetime as dt
import io
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from catalogue.compressed.shared_strings import SharedStrings
from catalogue.compressed.xlsx_reader import xlsx_schema, xlsx_to_csv
from catalogue.errors import (
    CatalogueError,
    EmptyFile,
    NoRows,
    NoSummaryColumn,
    SummaryColumnUnknown,
    TooManyColumns,
    UnpackedTooLarge,
    WorkbookUnreadable,
)
from catalogue.parsing.columns import ColumnNames
from catalogue.parsing.schema import inspect_head

MAX_BYTES = 1 << 30
HEADER = ("title", "summary", "price")


def book(*rows: Sequence[object], inline: bool = False) -> io.BytesIO:
    """A workbook with these rows; with `inline`, texts are in their cells, else shared."""
    stream = io.BytesIO()
    if inline:
        workbook = openpyxl.Workbook(write_only=True)
        sheet: Any = workbook.create_sheet("books")
        for row in rows:
            sheet.append(row)
        workbook.save(stream)
        return stream
    with xlsxwriter.Workbook(stream, {"remove_timezone": True}) as workbook_file:
        dates = workbook_file.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet = workbook_file.add_worksheet("books")
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                style = [dates] if isinstance(value, dt.datetime | dt.time) else []
                sheet.write(number, column, value, *style)
    return stream


def as_rows(stream: io.BytesIO) -> list[list[str]]:
    text = b"".join(xlsx_to_csv(stream, max_bytes=MAX_BYTES)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("inline", [False, True])
def test_every_row_has_its_cells(inline: bool) -> None:
    rows = [[f"Title {n}", f'words, "and"\nmore {n % 7}', n] for n in range(3000)]
    parsed = as_rows(book(HEADER, *rows, inline=inline))
    assert parsed == [list(HEADER), *[[a, b, str(c)] for a, b, c in rows]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9780141439518, "9780141439518"),
        (12.0, "12"),
        (0.1, "0.1"),
        (True, "TRUE"),
        (dt.datetime(2024, 2, 29), "2024-02-29"),
        (dt.datetime(2024, 2, 29, 12, 30), "2024-02-29T12:30:00"),
        (dt.time(12, 30), "12:30:00"),
        ("0012", "0012"),
        (" padded ", " padded "),
        ("_x000D_", "_x000D_"),
        ("=1+1", "0"),  # the value of the formula when the workbook was saved
        ("#N/A", "#N/A"),
        ("Ünïcode 目录 😀", "Ünïcode 目录 😀"),
        ("line\r\nend", "line\r\nend"),
    ],
)
def test_a_cell_is_written_as_a_user_would_type_it(value: object, text: str) -> None:
    assert as_rows(book(HEADER, ("A", "words", value)))[1][2:] == ([text] if text else [])


def test_empty_rows_are_kept_except_at_the_end() -> None:
    rows = as_rows(book((), HEADER, ("A", "words"), (), (), ("B", "words"), (), ("", "", "")))
    assert rows == [list(HEADER), ["A", "words", ""], [], [], ["B", "words", ""]]


def test_trailing_empty_cells_and_cells_beyond_the_header_are_kept() -> None:
    rows = as_rows(book(("title", "summary"), ("A",), ("B", ""), ("C", "words", "extra")))
    assert rows[1:] == [["A", ""], ["B", ""], ["C", "words", "extra"]]


def test_the_schema_is_that_of_the_converted_csv() -> None:
    stream = book(HEADER, ("A", "words", 1))
    schema = xlsx_schema(stream, max_bytes=MAX_BYTES)
    converted = b"".join(xlsx_to_csv(stream, max_bytes=MAX_BYTES))
    assert schema == inspect_head(converted, complete=True)
    assert schema.summary_index == 1


def test_the_first_visible_sheet_is_the_catalogue() -> None:
    workbook = openpyxl.Workbook()
    workbook.worksheets[0].append(("hidden",))
    workbook.worksheets[0].sheet_state = "hidden"
    for row in (HEADER, ("A", "words", 1)):
        workbook.create_sheet("books" if row is HEADER else "other").append(row)
    workbook["books"].append(("A", "words", 1))
    workbook.active = 1
    stream = io.BytesIO()
    workbook.save(stream)
    assert as_rows(stream)[0] == list(HEADER)


@pytest.mark.parametrize(
    ("rows", "column", "error"),
    [
        ([], None, EmptyFile),
        ([HEADER], None, NoRows),
        ([("title", "remarks"), ("A", "B")], None, NoSummaryColumn),
        ([HEADER, ("A", "B")], "plot", SummaryColumnUnknown),
        ([[*["x"] * 2001, "summary"], ("A", "B")], None, TooManyColumns),
    ],
)
def test_a_workbook_that_is_no_catalogue_is_refused(
    rows: list[Sequence[object]], column: str | None, error: type[CatalogueError]
) -> None:
    with pytest.raises(error):
        xlsx_schema(book(*rows), max_bytes=MAX_BYTES, names=ColumnNames(summary=column))


def with_changed_part(stream: io.BytesIO, part: str, old: bytes, new: bytes) -> io.BytesIO:
    """The workbook with one part changed."""
    result = io.BytesIO()
    with zipfile.ZipFile(stream) as before, zipfile.ZipFile(result, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            assert name != part or old in content
            after.writestr(name, content.replace(old, new) if name == part else content)
    return result


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        (SHEET, b"</row>", b""),
        (SHEET, b'r="2"', b'r="99999999"'),
        (SHEET, b'r="2"', b'r="two"'),
        (SHEET, b"<v>0</v>", b"<v>99</v>"),
        ("xl/workbook.xml", b"<sheets>", b"<sheets"),
        ("xl/sharedStrings.xml", b"</si>", b""),
        ("[Content_Types].xml", b"spreadsheetml.sheet.main", b"nothing"),
    ],
)
def test_a_damaged_workbook_is_refused(part: str, old: bytes, new: bytes) -> None:
    with pytest.raises(WorkbookUnreadable):
        as_rows(with_changed_part(book(HEADER, ("A", "words", 1)), part, old, new))


def test_a_workbook_with_a_flipped_bit_in_its_directory_is_refused(tmp_path: Path) -> None:
    whole, path = book(["summary"], ["some words"]).getvalue(), tmp_path / "broken.xlsx"
    end = whole.rindex(b"PK\x05\x06")  # the record with the position of the directory
    refused = 0
    for position in range(end * 8, len(whole) * 8):
        broken = bytearray(whole)
        broken[position // 8] ^= 1 << position % 8
        path.write_bytes(broken)
        try:
            # A real file, because its own errors are not errors of the workbook.
            with path.open("rb") as file:
                list(xlsx_to_csv(file, max_bytes=MAX_BYTES))
        except CatalogueError:
            refused += 1
    assert refused > 22


@pytest.mark.parametrize("trailing_bytes", [0, 1_000_000])  # of the sheet, after its rows
def test_a_text_with_a_wrong_checksum_is_refused(trailing_bytes: int) -> None:
    original = book(HEADER, ("A", "some words", 1), inline=True)
    longer = with_changed_part(
        original, SHEET, b"</sheetData>", b"</sheetData>" + b" " * trailing_bytes
    ).getvalue()
    with pytest.raises(WorkbookUnreadable):
        as_rows(io.BytesIO(longer.replace(b"some words", b"some wards")))


def test_nested_xml_entities_are_refused() -> None:
    entities = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><worksheet '
    stream = with_changed_part(book(HEADER, ("A", "words", 1)), SHEET, b"<worksheet ", entities)
    with pytest.raises(WorkbookUnreadable):
        as_rows(stream)


def test_sheets_and_texts_above_their_limits_are_refused() -> None:
    stream = book(HEADER, *[("A", f"words {n}", n) for n in range(100)])
    with pytest.raises(UnpackedTooLarge):
        list(xlsx_to_csv(stream, max_bytes=1000))
    with pytest.raises(UnpackedTooLarge, match="texts"):
        list(xlsx_to_csv(stream, max_bytes=MAX_BYTES, max_text_bytes=1000))


def test_a_storage_error_is_not_reported_as_damage() -> None:
    class FailingFile(io.BytesIO):
        available = True

        def read(self, size: int | None = -1, /) -> bytes:
            if not self.available:
                raise OSError(5, "Input/output error")
            return super().read(size)

    stream = FailingFile(
        book(HEADER, *[("A", f"words {n}" * 99, n) for n in range(9999)]).getvalue()
    )
    blocks = xlsx_to_csv(stream, max_bytes=MAX_BYTES)
    next(blocks)
    stream.available = False
    with pytest.raises(OSError, match="Input/output"):
        list(blocks)


_FIRST_READS_OF_A_PROCESS = """
import io, sys, threading, time
from catalogue.compressed.xlsx_reader import last_row, xlsx_schema

class SlowImports:
    def find_spec(self, name, path=None, target=None):
        time.sleep(0.2 if name in ("openpyxl", "openpyxl.reader", "openpyxl.reader.excel") else 0)

sys.meta_path.insert(0, SlowImports())
content = sys.stdin.buffer.read()
functions = [last_row, lambda stream: xlsx_schema(stream, max_bytes=1 << 30)] * 2
results = []
threads = [threading.Thread(target=lambda function=function: results.append(function(io.BytesIO(content)))) for function in functions]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(results) == len(functions)
"""


def test_the_first_workbooks_of_a_process_can_be_read_concurrently() -> None:
    content = book(HEADER, ("A", "words", 1)).getvalue()
    subprocess.run(
        [sys.executable, "-c", _FIRST_READS_OF_A_PROCESS], input=content, check=True, timeout=60
    )


def test_shared_texts_are_read_lazily() -> None:
    texts = iter([f"text {n} " * 10 for n in range(100_000)])
    table = SharedStrings(texts, max_bytes=MAX_BYTES)
    assert table[0] == "text 0 " * 10
    assert next(texts) != "text 1 " * 10
    assert next(texts).startswith("text ")
    with pytest.raises(IndexError):
        table[100_001]
    with pytest.raises(IndexError):
        table[-1]


def test_shared_texts_can_be_read_in_any_order() -> None:
    expected = [f"{n}:{'é' * (n % 50)}" for n in range(20_000)]
    table = SharedStrings(iter(expected), max_bytes=MAX_BYTES)
    for number in [19_999, 0, 7, 12_345, *range(0, 20_000, 333), *range(19_999, 0, -777)]:
        assert table[number] == expected[number]
