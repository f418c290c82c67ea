"""No input costs more than linear time or more than linear memory, whatever it holds.

Each case makes an input of a size and reads it. With four times the input, that is doubled twice, reading may take at
most nine times the time, three times for each doubling: linear work takes four times, quadratic work sixteen. Time is the
processor time of the thread, and a case passes with the best of several measurements, so that other programs on the
machine do not make it fail; quadratic work does not pass in any of them. Memory is what Python allocates at the peak.
"""

from __future__ import annotations

import gc
import gzip
import io
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from catalogue.compressed.compression import gunzip
from catalogue.compressed.xlsx_reader import xlsx_to_csv
from catalogue.compressed.zip_archive import ZipArchive
from catalogue.errors import CatalogueError
from catalogue.exports.csv_safe import to_formula_safe_csv
from catalogue.exports.jsonl import as_jsonl
from catalogue.exports.parquet import as_parquet
from catalogue.exports.table import Table
from catalogue.exports.xlsx import as_xlsx
from catalogue.labelled.corrections import (
    encode_corrected,
    encode_corrected_header,
    encode_training,
)
from catalogue.labelled.labels import OptionalColumns, RowError, label_columns
from catalogue.labelled.reader import ResultRow, ResultSchema, chunk_output_schema, read_result
from catalogue.labelled.writer import encode_errors, encode_rows
from catalogue.parsing.chunking import plan_chunks
from catalogue.parsing.columns import find_summary_column
from catalogue.parsing.dialect import Dialect, detect_dialect
from catalogue.parsing.encoding import Encoding
from catalogue.parsing.record_scanner import scan_records
from catalogue.parsing.rows import parse_records
from catalogue.parsing.sampling import take_sample
from catalogue.parsing.schema import CatalogueSchema, inspect_head
from catalogue.text.cleaning import clean
from catalogue.text.language import foreign_language
from tests.catalogue.compressed.workbooks import book

_GROWTH = 4
_MOST_TIMES_THE_TIME = 9.0
_MOST_TIMES_THE_MEMORY = 4.0
_MEMORY_BEYOND = 2 << 20  # bytes that do not depend on the input
_MEASUREMENTS = 7
_LONG_ENOUGH_S = 0.002

Work = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """An input of any size, and what reads it."""

    name: str
    make: Callable[[int], Work]
    size: int
    """Of the smaller input."""
    is_stream: bool = False
    """Whether memory must not grow at all."""


def seconds(work: Work) -> float:
    gc.collect()
    gc.disable()  # a collection costs by what other tests have left
    try:
        began = time.thread_time()
        work()
        return max(time.thread_time() - began, _LONG_ENOUGH_S)
    finally:
        gc.enable()


def peak_bytes(work: Work) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def ratio_of_times(case: Case) -> float:
    """The smallest of several, and no more of them than are needed."""
    small, large = case.make(case.size), case.make(case.size * _GROWTH)
    fast, slow = seconds(small), seconds(large)
    for _ in range(_MEASUREMENTS - 1):
        if slow <= _MOST_TIMES_THE_TIME * fast:
            break
        fast, slow = min(fast, seconds(small)), min(slow, seconds(large))
    return slow / fast


COMMAS = Dialect(encoding=Encoding.UTF_8, delimiter=",", bom=False)
SCHEMA = inspect_head(b"id,title,summary\n1,A,words\n", complete=True)
RESULT = chunk_output_schema(SCHEMA, OptionalColumns())
INLINE = "<c t='inlineStr'><is><t>words</t></is></c>"
LABELS = ["crime", "0.9000", "horror", "0.0500", "crime", "false", ""]


def records(unit: str, *, begin: str = "", end: str = "\n") -> Callable[[int], Work]:
    """Rows of repeated text, read as a worker reads a chunk."""

    def make(size: int) -> Work:
        raw = (begin + unit * size + end).encode()
        return lambda: parse_records(raw, SCHEMA)

    return make


def scanned(unit: bytes, *, begin: bytes = b"", block: int = 65_536) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        raw = begin + unit * size + b"\n"
        blocks = [raw[at : at + block] for at in range(0, len(raw), block)]

        def work() -> None:
            with suppress(CatalogueError):
                for _ in scan_records(iter(blocks), COMMAS):
                    pass

        return work

    return make


def head(unit: str, *, begin: str = "", end: str = "\n1,words\n") -> Callable[[int], Work]:
    """A file whose beginning is looked at, header and all."""

    def make(size: int) -> Work:
        raw = (begin + unit * size + end).encode()

        def work() -> None:
            with suppress(CatalogueError):
                inspect_head(raw, complete=True)

        return work

    return make


def with_columns(count: int, name: Callable[[int], str]) -> CatalogueSchema:
    return CatalogueSchema(
        dialect=COMMAS,
        header=tuple(map(name, range(count))),
        summary_index=0,
        title_index=None,
        data_start=0,
    )


def named(name: Callable[[int], str]) -> Callable[[int], Work]:
    """The names of a table's columns, as exports and results have them."""

    def make(size: int) -> Work:
        schema = with_columns(size, name)

        def work() -> None:
            label_columns(schema.header, OptionalColumns(alternatives=2, evidence=True))
            encode_corrected_header(result := chunk_output_schema(schema, OptionalColumns()))
            Table.of(result, corrected=True)

        return work

    return make


def result_rows(count: int, *cells: str) -> list[ResultRow]:
    own = [*cells, *[""] * (3 - len(cells))]
    return [ResultRow(n + 1, [*own[:3], *LABELS, *own[3:]], end=0) for n in range(count)]


def exported(
    write: Callable[[ResultSchema, list[ResultRow]], object], *cells: str
) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        rows = result_rows(size, *cells)
        return lambda: write(RESULT, rows)

    return make


def wide_export(
    write: Callable[[ResultSchema, list[ResultRow]], object],
) -> Callable[[int], Work]:
    """One row with many cells beyond the header."""

    def make(size: int) -> Work:
        rows = result_rows(1, "1", "A", "words", *["x"] * size)
        return lambda: write(RESULT, rows)

    return make


def jsonl(result: ResultSchema, rows: list[ResultRow]) -> None:
    for _ in as_jsonl(Table.of(result, corrected=True), [(rows, {})]):
        pass


def parquet(result: ResultSchema, rows: list[ResultRow]) -> None:
    for _ in as_parquet(Table.of(result, corrected=True), [(rows, {})], row_bytes=100):
        pass


def xlsx(result: ResultSchema, rows: list[ResultRow]) -> None:
    for _ in as_xlsx(Table.of(result, corrected=True), [(rows, {})], csv_bytes=1000):
        pass


def harmless(result: ResultSchema, rows: list[ResultRow]) -> None:
    for _ in to_formula_safe_csv(result, [(rows, {})], corrected=True):
        pass


def corrected(result: ResultSchema, rows: list[ResultRow]) -> None:
    genres = {row.number: "crime" for row in rows}
    encode_corrected(result, rows, genres)
    encode_training(SCHEMA, rows, genres)


def written(unit: str) -> Callable[[int], Work]:
    """Rows with what became of them, as a worker writes them."""

    def make(size: int) -> Work:
        rows = parse_records((unit * size).encode(), SCHEMA)
        outcomes = [None if row.blank else RowError.MALFORMED_ROW for row in rows]

        def work() -> None:
            encode_rows(SCHEMA, rows, outcomes)
            encode_errors(rows, outcomes, first_row=1)

        return work

    return make


def result_read(unit: str, *, block: int = 65_536) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        raw = (unit * size).encode()
        blocks = [raw[at : at + block] for at in range(0, len(raw), block)]

        def work() -> None:
            for _ in read_result(iter(blocks), RESULT, start=0):
                pass

        return work

    return make


def sampled(unit: bytes) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        raw = b"id,summary\n" + unit * size
        return lambda: take_sample(raw, complete=True, show=10)

    return make


def dialect(unit: bytes) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        raw = unit * size

        def work() -> None:
            with suppress(CatalogueError):
                detect_dialect(raw, complete=True)

        return work

    return make


def planned(size: int) -> Work:
    raw = b'1,A,"words, and\nmore"\n' * size
    return lambda: [*plan_chunks([raw], SCHEMA, start=0, max_rows=100, max_bytes=100_000)]


def cleaned(unit: str) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        return lambda: clean(unit * size)

    return make


def language_detected(unit: str) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        return lambda: foreign_language(unit * size)

    return make


def gunzipped(unit: bytes, *, begin: bytes = b"") -> Callable[[int], Work]:
    def make(size: int) -> Work:
        raw = begin + unit * size
        blocks = [raw[at : at + 65_536] for at in range(0, len(raw), 65_536)]

        def work() -> None:
            with suppress(CatalogueError):
                for _ in gunzip(iter(blocks), max_bytes=1 << 40):
                    pass

        return work

    return make


def zipped(size: int) -> Work:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(size):
            archive.writestr(f"{number}", b"")

    def work() -> None:
        with suppress(CatalogueError):
            ZipArchive(stream).only_member()

    return work


def workbook(sheet: Callable[[int], str], texts: Callable[[int], str]) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        stream = book(sheet=sheet(size), texts=texts(size))

        def work() -> None:
            for _ in xlsx_to_csv(stream, max_bytes=1 << 40):
                pass

        return work

    return make


def cells(row: str) -> Callable[[int], str]:
    return lambda size: row * size


def chosen(size: int) -> Work:
    names = [*(f"x{n}" for n in range(size)), "the summary"]
    return lambda: find_summary_column(names)


CASES = (
    Case("quoted cells in one record", records('"a",', begin="1,x,"), 10_000),
    Case("doubled quotation marks in one record", records('"a""b","""",', begin="1,x,"), 6_000),
    Case("doubled quotation marks in one cell", records('""', begin='1,x,"', end='"\n'), 60_000),
    Case("cells in one record", records("a,"), 100_000),
    Case("cells with a stray quotation mark", records('a"b,'), 50_000),
    Case("rows", records("1,A,words\n", end=""), 8_000),
    Case("quoted rows", records('"1","A","wo""rds"\n', end=""), 8_000),
    Case("rows with an open quotation mark", records('1,A,"words\n', end=""), 3_000),
    Case("rows with a stray quotation mark", records('1,A,wo"rds\n', end=""), 6_000),
    Case("blank lines", records("\n", end=""), 60_000),
    Case("scanning rows", scanned(b"1,A,words\n"), 15_000, is_stream=True),
    Case("scanning quoted cells", scanned(b'"a",'), 20_000),
    Case("scanning open quotation marks", scanned(b'"a\n'), 30_000),
    Case("scanning stray quotation marks", scanned(b'a"'), 40_000),
    Case("scanning CR", scanned(b"\r"), 15_000, is_stream=True),
    Case("scanning records that are too long", scanned(b'"a\n' + b"x" * 50_000 + b"\n"), 200),
    Case("equal names in a header", head("a,", end="summary\n1\n"), 10_000),
    Case("quoted names in a header", head('"a",', end="summary\n1\n"), 10_000),
    Case("combining marks in a header", head("\u0301\u0316", begin="x", end=",summary\n1\n"), 4_000),
    Case("blank lines before a header", head("\n", end="id,summary\n1,a\n"), 20_000),
    Case("columns without a summary", chosen, 8_000),
    Case("equal column names", named(lambda _: "a"), 2_000),
    Case("column names with suffixes", named(lambda n: "a" if n % 2 else f"a_{n // 2}"), 2_000),
    Case("names of label columns", named(lambda n: f"predicted_genre_{n}"), 2_000),
    Case("gzip", gunzipped(gzip.compress(b"1,A,words\n" * 500)), 200, is_stream=True),
    Case("empty gzip members", gunzipped(gzip.compress(b"")), 500, is_stream=True),
    Case("small gzip members", gunzipped(gzip.compress(bytes(2_000))), 1_000, is_stream=True),
    Case("what follows a gzip member", gunzipped(b"\0", begin=gzip.compress(b"")), 200_000, is_stream=True),
    Case("a ZIP directory", zipped, 240),
    Case("rows of a sheet", workbook(cells(f"<row>{INLINE * 3}</row>"), cells("")), 500, is_stream=True),
    Case("cells of a sheet", workbook(lambda size: f"<row>{INLINE * size}</row>", cells("")), 400),
    Case("empty cells of a sheet", workbook(lambda size: f"<row>{'<c/>' * size}</row>", cells("")), 4_000),
    Case("elements beside the rows", workbook(cells("<a/>"), cells("")), 20_000, is_stream=True),
    Case("one text in a sheet", workbook(lambda size: f"<row><c t='inlineStr'><is><t>{'x&amp;' * size}</t></is></c></row>", cells("")), 50_000),
    Case("shared texts", workbook(lambda size: f"<row><c t='s'><v>{size - 1}</v></c></row>", cells("<si><t>words</t></si>")), 2_000),
    Case("shared texts of many runs", workbook(lambda size: f"<row><c t='s'><v>{size // 100 - 1}</v></c></row>", lambda size: f"<si>{'<r><t>x</t></r>' * 100}</si>" * (size // 100)), 4_000),
    Case("one shared text in many rows", workbook(cells("<row><c t='s'><v>0</v></c></row>"), lambda _: "<si><t>words</t></si>"), 1_000, is_stream=True),
    Case("commas", dialect(b","), 200_000),
    Case("delimiters of all kinds", dialect(b'a,b;c|d\t"e"\n'), 20_000),
    Case("bytes that are no UTF-8", dialect(b"\xc3(\xe9 "), 100_000),
    Case("UTF-16", dialect(b"a\0,\0\n\0"), 50_000),
    Case("planning", planned, 20_000),
    Case("encoding rows", written("1,A,wo\"rds\n\n"), 4_000),
    Case("encoding cells beyond the header", written("1,A,w" + ",x" * 50 + "\n"), 400),
    Case("JSONL", exported(jsonl, "1", "A", "words"), 3_000),
    Case("JSONL beyond the header", wide_export(jsonl), 60_000),
    Case("Parquet", exported(parquet, "1", "A", "words"), 3_000),
    Case("Parquet beyond the header", wide_export(parquet), 60_000),
    Case("XLSX", exported(xlsx, "1", "A", "words"), 2_000),
    Case("XLSX of characters that XML lacks", exported(xlsx, "1", "A", "\x01_x0001_<&" * 20), 400),
    Case("XLSX beyond the header", wide_export(xlsx), 60_000),
    Case("harmless CSV", exported(harmless, "=1", '"A"', "-1"), 3_000),
    Case("harmless CSV beyond the header", wide_export(harmless), 30_000),
    Case("corrections", exported(corrected, "1", "A", "words"), 4_000),
    Case("reading results", result_read(",".join(["1", "A", '"wo""rds"', *LABELS]) + "\n"), 4_000, is_stream=True),
    Case("reading results of blank lines", result_read("\n"), 10_000, is_stream=True),
    Case("reading results of open quotation marks", result_read('1,A,"words\n'), 3_000),
    Case("sampling short rows", sampled(b"1\n"), 20_000),
    Case("sampling quoted cells", sampled(b'"a",'), 20_000),
    Case("language of English", language_detected("the castle of the dragon "), 10_000),
    Case("language of German", language_detected("das Schloss und der Drache "), 5_000),
    Case("language of Chinese", language_detected("\u5c0f\u8aac "), 5_000),
    Case("language of one long word", language_detected("\u00e9"), 50_000),
    Case("language of combining marks", language_detected("e\u0301\u0316"), 10_000),
    Case("language of tags", language_detected("<a"), 20_000),
    Case("cleaning tags", cleaned("<a"), 20_000),
    Case("cleaning entities", cleaned("&#1"), 20_000),
    Case("cleaning long numbers", cleaned("&#" + "1" * 5_000 + "&#" + "0" * 5_000), 10),
    Case("cleaning combining marks", cleaned("\u0301\u0316"), 10_000),
    Case("cleaning ampersands", cleaned("&amp;" + "&" * 40), 2_000),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_twice_the_input_takes_at_most_three_times_the_time(case: Case) -> None:
    assert ratio_of_times(case) <= _MOST_TIMES_THE_TIME


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_twice_the_input_takes_at_most_twice_the_memory(case: Case) -> None:
    small, large = (peak_bytes(case.make(case.size // 2 * times)) for times in (1, _GROWTH))
    allowed = small if case.is_stream else small * _MOST_TIMES_THE_MEMORY
    assert large <= allowed + _MEMORY_BEYOND


def test_what_takes_quadratic_time_does_not_pass() -> None:
    def make(size: int) -> Work:
        def work() -> None:
            cells = ["\0"] * size
            while "\0" in cells:
                cells[cells.index("\0")] = "a"

        return work

    assert ratio_of_times(Case("quadratic", make, 1_000)) > _MOST_TIMES_THE_TIME


def test_what_takes_quadratic_memory_does_not_pass() -> None:
    def make(size: int) -> Work:
        return lambda: [bytes(size) for _ in range(size)]

    small, large = (peak_bytes(make(size)) for size in (1_000, 4_000))
    assert large > small * _MOST_TIMES_THE_MEMORY + _MEMORY_BEYOND
