"""Small workbooks with large content: refused, or read in bounded memory."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from catalogue.compressed.xlsx_reader import last_row, xlsx_schema, xlsx_to_csv
from catalogue.errors import CatalogueError, HeaderUnreadable, TooManyColumns, WorkbookUnreadable
from tests.catalogue.compressed.workbooks import (
    MAIN,
    OPEN,
    SHEET,
    SHEET_CONTENT,
    STYLES,
    TEXTS,
    TEXTS_CONTENT,
    TYPES,
    WORKBOOK,
    RepeatedContent,
    make_workbook,
)

MAX_BYTES = 8 << 30
MIB = 1 << 20
_SHEET_START, _SHEET_END = SHEET_CONTENT.split("<sheetData>")
_TEXTS_START = TEXTS_CONTENT.removesuffix("</sst>")
_ROWS = _SHEET_END.removesuffix("</sheetData></worksheet>")
_FORMAT = '<xf numFmtId="14"/>'

BOMBS: dict[str, Mapping[str, str | RepeatedContent]] = {
    "a shared text of 256 MiB": {TEXTS: (f"{_TEXTS_START}<si><t>", "A", 256 * MIB, "</t></si></sst>")},
    "a first shared text of 15 MiB": {TEXTS: (f'<sst xmlns="{MAIN}"><si><t>', "A", 15 * MIB, "</t></si></sst>")},
    "elements before the shared texts": {TEXTS: (f'<sst xmlns="{MAIN}">', "<x/>", 15 * MIB // 4, "</sst>")},
    "elements within a shared text": {TEXTS: (f'<sst xmlns="{MAIN}"><si>', "<x/>", 15 * MIB // 4, "</si></sst>")},
    "elements before the rows": {SHEET: (_SHEET_START, "<a/>", 15 * MIB // 4, "<sheetData/></worksheet>")},
    "elements within a row": {SHEET: (f'{_SHEET_START}<sheetData><row r="1">', "<c/>", 15 * MIB // 4, "</row></sheetData></worksheet>")},
    "elements within a cell": {SHEET: (f'{_SHEET_START}<sheetData><row r="1"><c>', "<f/>", 15 * MIB // 4 // 4, "</c></row></sheetData></worksheet>")},
    "elements within each other": {SHEET: (_SHEET_START, "<a>", 15 * MIB // 3, "")},
    "an attribute of 15 MiB": {SHEET: (f'{_SHEET_START}<a b="', "x", 15 * MIB, '"/><sheetData/></worksheet>')},
    "a comment of 15 MiB": {SHEET: (f"{_SHEET_START}<!--", "x", 15 * MIB, "--><sheetData/></worksheet>")},
    "white space": {SHEET: (_SHEET_START, " ", 15 * MIB, "<sheetData/></worksheet>")},
    "a tag that never ends": {SHEET: (f"{_SHEET_START}<a", " ", 15 * MIB, "")},
    "a workbook part of elements": {WORKBOOK: (f'<workbook xmlns="{MAIN}">', "<a/>", 15 * MIB // 4, "</workbook>")},
    "contents of elements": {TYPES: (f'<Types xmlns="{OPEN}/package/2006/content-types">', "<a/>", 15 * MIB // 4, "</Types>")},
    "styles of elements": {STYLES: (f'<styleSheet xmlns="{MAIN}">', "<a/>", 15 * MIB // 4, "</styleSheet>")},
    "a million cell formats": {STYLES: (f'<styleSheet xmlns="{MAIN}"><cellXfs>', _FORMAT, 800_000, "</cellXfs></styleSheet>")},
    "a number format of brackets": {STYLES: (f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="200" formatCode="', "[", 200_000,
        '"/></numFmts><cellXfs><xf numFmtId="200"/></cellXfs></styleSheet>')},
    "a row of one long text": {
        TEXTS: (f"{_TEXTS_START}<si><t>", "A", 3 * MIB, "</t></si></sst>"),
        SHEET: (f'{_SHEET_START}<sheetData><row r="1">', '<c t="s"><v>3</v></c>', 1_900, "</row></sheetData></worksheet>"),
    },
}  # fmt: skip

_READ_IN_PROCESS = """
import io, re, sys
from pathlib import Path
from catalogue.errors import CatalogueError
from catalogue.compressed.xlsx_reader import xlsx_to_csv

def peak_kibibytes():  # of this process alone; getrusage includes the parent's peak
    return int(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])

def read(content):
    try:
        for _ in xlsx_to_csv(io.BytesIO(content), max_bytes=8 << 30):
            pass
        return "read"
    except CatalogueError as error:
        return error.code

read(Path(sys.argv[1]).read_bytes())
content = sys.stdin.buffer.read()
before = peak_kibibytes()
print(read(content), (peak_kibibytes() - before) // 1024)
"""


@pytest.fixture(scope="module")
def small_workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("books") / "small.xlsx"
    path.write_bytes(make_workbook({}).getvalue())
    return path


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_workbook_with_large_content_takes_little_memory(
    bomb: str, small_workbook: Path
) -> None:
    refuse_in_little_memory(bomb, make_workbook(BOMBS[bomb]).getvalue(), small_workbook)


def test_a_part_is_bounded_with_any_name(small_workbook: Path) -> None:
    bomb = "a workbook part of elements"
    parts = {"xl/book.xml": BOMBS[bomb][WORKBOOK]}
    refuse_in_little_memory(
        bomb, make_workbook(parts, workbook="xl/book.xml").getvalue(), small_workbook
    )


def refuse_in_little_memory(bomb: str, content: bytes, small_workbook: Path) -> None:
    assert len(content) < 800_000
    result = subprocess.run(
        [sys.executable, "-c", _READ_IN_PROCESS, small_workbook],
        input=content, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    outcome, mebibytes = result.stdout.decode().split()
    assert outcome in ("WORKBOOK_UNREADABLE", "UNPACKED_TOO_LARGE", "read")
    assert outcome != "read" or bomb == "a number format of brackets"
    assert int(mebibytes) < 32


def test_the_generated_parts_are_a_valid_workbook() -> None:
    text = b"".join(xlsx_to_csv(make_workbook({}), max_bytes=MAX_BYTES)).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["title", "summary"],
        ["a detective", "a detective"],
    ]
    assert (
        xlsx_schema(make_workbook({}, workbook="xl/book.xml"), max_bytes=MAX_BYTES).summary_index
        == 1
    )


def sheet(rows: str) -> Mapping[str, str]:
    return {SHEET: f"{_SHEET_START}<sheetData>{rows}</sheetData></worksheet>"}


@pytest.mark.parametrize(
    "rows",
    [
        _ROWS + '<row r="1048576"/><row r="1"/>',  # a million blank lines, repeatable at will
        _ROWS + '<row r="2"/>',
        _ROWS + '<row r="1048577"/>',
        '<row r="1"><c r="B1" t="s"><v>0</v></c><c r="A1" t="s"><v>1</v></c></row>',
    ],
)
def test_rows_and_cells_out_of_order_are_refused(rows: str) -> None:
    with pytest.raises(WorkbookUnreadable):
        list(xlsx_to_csv(make_workbook(sheet(rows)), max_bytes=MAX_BYTES))


def test_a_text_that_many_cells_share_does_not_fill_the_disk() -> None:
    cells = '<row><c t="s"><v>2</v></c></row>'
    parts = {
        TEXTS: TEXTS_CONTENT.replace("a detective", "x" * 1_000_000),
        SHEET: f"{_SHEET_START}<sheetData>{_ROWS}{cells * 1_000}</sheetData></worksheet>",
    }
    output_bytes = 0
    with pytest.raises(CatalogueError, match="100 times"):
        for block in xlsx_to_csv(make_workbook(parts), max_bytes=MAX_BYTES):
            output_bytes += len(block)
    assert output_bytes < 70 << 20


def test_a_header_above_the_limits_is_refused() -> None:
    wide = "".join('<c t="s"><v>1</v></c>' for _ in range(2_001))
    with pytest.raises(TooManyColumns):
        xlsx_schema(make_workbook(sheet(f"<row>{wide}</row>{_ROWS}")), max_bytes=MAX_BYTES)
    long = {TEXTS: TEXTS_CONTENT.replace("title", "x" * 70_000)}
    with pytest.raises(HeaderUnreadable):
        xlsx_schema(make_workbook(long), max_bytes=MAX_BYTES)


def test_invalid_dates_become_errors_without_warnings() -> None:
    cells = '<row><c s="0"><v>1</v></c><c s="0"><v>99999999999</v></c></row>'
    parts = {
        **sheet(_ROWS + cells),
        STYLES: f'<styleSheet xmlns="{MAIN}"><cellXfs>{_FORMAT}</cellXfs></styleSheet>',
    }
    program = "import sys; from catalogue.compressed.xlsx_reader import xlsx_to_csv as read; import io; content = io.BytesIO(sys.stdin.buffer.read())\n"
    program += "sys.stdout.buffer.writelines([*read(content, max_bytes=1 << 30)] and read(content, max_bytes=1 << 30))"
    result = subprocess.run(
        [sys.executable, "-W", "default", "-c", program],
        input=make_workbook(parts).getvalue(), capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    assert result.stdout.endswith(b"1900-01-01,#VALUE!\n")
    assert result.stderr == b""


def test_the_declared_number_of_rows_is_read() -> None:
    content = SHEET_CONTENT.replace("<sheetData>", '<dimension ref="A1:B77"/><sheetData>')
    assert last_row(make_workbook({SHEET: content})) == 77
    assert last_row(make_workbook({})) is None
