"""Small workbooks that are large inside: refused, or read in memory that what is inside does not change."""

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
    Filled,
    made,
)

MOST = 8 << 30
MIB = 1 << 20
_BEGIN_SHEET, _END_SHEET = SHEET_CONTENT.split("<sheetData>")
_BEGIN_TEXTS = TEXTS_CONTENT.removesuffix("</sst>")
_ROWS = _END_SHEET.removesuffix("</sheetData></worksheet>")
_FORMAT = '<xf numFmtId="14"/>'

BOMBS: dict[str, Mapping[str, str | Filled]] = {
    "a shared text of 256 MiB": {TEXTS: (f"{_BEGIN_TEXTS}<si><t>", "A", 256 * MIB, "</t></si></sst>")},
    "a first shared text of 15 MiB": {TEXTS: (f'<sst xmlns="{MAIN}"><si><t>', "A", 15 * MIB, "</t></si></sst>")},
    "elements before the shared texts": {TEXTS: (f'<sst xmlns="{MAIN}">', "<x/>", 15 * MIB // 4, "</sst>")},
    "elements within a shared text": {TEXTS: (f'<sst xmlns="{MAIN}"><si>', "<x/>", 15 * MIB // 4, "</si></sst>")},
    "elements before the rows": {SHEET: (_BEGIN_SHEET, "<a/>", 15 * MIB // 4, "<sheetData/></worksheet>")},
    "elements within a row": {SHEET: (f'{_BEGIN_SHEET}<sheetData><row r="1">', "<c/>", 15 * MIB // 4, "</row></sheetData></worksheet>")},
    "elements within a cell": {SHEET: (f'{_BEGIN_SHEET}<sheetData><row r="1"><c>', "<f/>", 15 * MIB // 4 // 4, "</c></row></sheetData></worksheet>")},
    "elements within each other": {SHEET: (_BEGIN_SHEET, "<a>", 15 * MIB // 3, "")},
    "an attribute of 15 MiB": {SHEET: (f'{_BEGIN_SHEET}<a b="', "x", 15 * MIB, '"/><sheetData/></worksheet>')},
    "a comment of 15 MiB": {SHEET: (f"{_BEGIN_SHEET}<!--", "x", 15 * MIB, "--><sheetData/></worksheet>")},
    "white space": {SHEET: (_BEGIN_SHEET, " ", 15 * MIB, "<sheetData/></worksheet>")},
    "a tag that never ends": {SHEET: (f"{_BEGIN_SHEET}<a", " ", 15 * MIB, "")},
    "a workbook part of elements": {WORKBOOK: (f'<workbook xmlns="{MAIN}">', "<a/>", 15 * MIB // 4, "</workbook>")},
    "contents of elements": {TYPES: (f'<Types xmlns="{OPEN}/package/2006/content-types">', "<a/>", 15 * MIB // 4, "</Types>")},
    "styles of elements": {STYLES: (f'<styleSheet xmlns="{MAIN}">', "<a/>", 15 * MIB // 4, "</styleSheet>")},
    "a million cell formats": {STYLES: (f'<styleSheet xmlns="{MAIN}"><cellXfs>', _FORMAT, 800_000, "</cellXfs></styleSheet>")},
    "a number format of brackets": {STYLES: (f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="200" formatCode="', "[", 200_000,
        '"/></numFmts><cellXfs><xf numFmtId="200"/></cellXfs></styleSheet>')},
    "a row of one long text": {
        TEXTS: (f"{_BEGIN_TEXTS}<si><t>", "A", 3 * MIB, "</t></si></sst>"),
        SHEET: (f'{_BEGIN_SHEET}<sheetData><row r="1">', '<c t="s"><v>3</v></c>', 1_900, "</row></sheetData></worksheet>"),
    },
}  # fmt: skip

_READ_IN_A_PROCESS = """
import io, re, sys
from pathlib import Path
from catalogue.errors import CatalogueError
from catalogue.compressed.xlsx_reader import xlsx_to_csv

def peak_kibibytes():  # of this program alone; getrusage begins with what the parent had
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
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("books") / "ordinary.xlsx"
    path.write_bytes(made({}).getvalue())
    return path


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_workbook_that_is_large_inside_takes_little_memory(
    bomb: str, ordinary: Path
) -> None:
    refuse_in_little_memory(bomb, made(BOMBS[bomb]).getvalue(), ordinary)


def test_a_part_is_held_to_its_bounds_whatever_its_name(ordinary: Path) -> None:
    bomb = "a workbook part of elements"
    parts = {"xl/book.xml": BOMBS[bomb][WORKBOOK]}
    refuse_in_little_memory(bomb, made(parts, workbook="xl/book.xml").getvalue(), ordinary)


def refuse_in_little_memory(bomb: str, content: bytes, ordinary: Path) -> None:
    assert len(content) < 800_000
    read = subprocess.run(
        [sys.executable, "-c", _READ_IN_A_PROCESS, ordinary],
        input=content, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    outcome, mebibytes = read.stdout.decode().split()
    assert outcome in ("WORKBOOK_UNREADABLE", "UNPACKED_TOO_LARGE", "read")
    assert outcome != "read" or bomb == "a number format of brackets"
    assert int(mebibytes) < 32


def test_the_parts_are_those_of_a_workmade() -> None:
    text = b"".join(xlsx_to_csv(made({}), max_bytes=MOST)).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["title", "summary"],
        ["a detective", "a detective"],
    ]
    assert xlsx_schema(made({}, workbook="xl/book.xml"), max_bytes=MOST).summary_index == 1


def sheet(rows: str) -> Mapping[str, str]:
    return {SHEET: f"{_BEGIN_SHEET}<sheetData>{rows}</sheetData></worksheet>"}


@pytest.mark.parametrize(
    "rows",
    [
        _ROWS
        + '<row r="1048576"/><row r="1"/>',  # a million blank lines, as often as somebody likes
        _ROWS + '<row r="2"/>',
        _ROWS + '<row r="1048577"/>',
        '<row r="1"><c r="B1" t="s"><v>0</v></c><c r="A1" t="s"><v>1</v></c></row>',
    ],
)
def test_rows_and_cells_out_of_order_are_refused(rows: str) -> None:
    with pytest.raises(WorkbookUnreadable):
        list(xlsx_to_csv(made(sheet(rows)), max_bytes=MOST))


def test_a_text_that_many_cells_share_does_not_fill_the_disk() -> None:
    cells = '<row><c t="s"><v>2</v></c></row>'
    parts = {
        TEXTS: TEXTS_CONTENT.replace("a detective", "x" * 1_000_000),
        SHEET: f"{_BEGIN_SHEET}<sheetData>{_ROWS}{cells * 1_000}</sheetData></worksheet>",
    }
    written = 0
    with pytest.raises(CatalogueError, match="100 times"):
        for block in xlsx_to_csv(made(parts), max_bytes=MOST):
            written += len(block)
    assert written < 70 << 20


def test_a_header_beyond_the_bounds_is_refused() -> None:
    wide = "".join('<c t="s"><v>1</v></c>' for _ in range(2_001))
    with pytest.raises(TooManyColumns):
        xlsx_schema(made(sheet(f"<row>{wide}</row>{_ROWS}")), max_bytes=MOST)
    long = {TEXTS: TEXTS_CONTENT.replace("title", "x" * 70_000)}
    with pytest.raises(HeaderUnreadable):
        xlsx_schema(made(long), max_bytes=MOST)


def test_dates_that_are_none_do_not_warn_and_become_errors() -> None:
    cells = '<row><c s="0"><v>1</v></c><c s="0"><v>99999999999</v></c></row>'
    parts = {
        **sheet(_ROWS + cells),
        STYLES: f'<styleSheet xmlns="{MAIN}"><cellXfs>{_FORMAT}</cellXfs></styleSheet>',
    }
    read = "import sys; from catalogue.compressed.xlsx_reader import xlsx_to_csv as read; import io; content = io.BytesIO(sys.stdin.buffer.read())\n"
    read += "sys.stdout.buffer.writelines([*read(content, max_bytes=1 << 30)] and read(content, max_bytes=1 << 30))"
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", read],
        input=made(parts).getvalue(), capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.endswith(b"1900-01-01,#VALUE!\n")
    assert done.stderr == b""


def test_the_number_of_rows_that_a_workbook_names_is_found() -> None:
    said = SHEET_CONTENT.replace("<sheetData>", '<dimension ref="A1:B77"/><sheetData>')
    assert last_row(made({SHEET: said})) == 77
    assert last_row(made({})) is None
