"""Any input takes linear time and linear memory at most.

Each case creates an input of a size and reads it. An input of four times the size, which is doubled
twice, may take nine times as long, three times per doubling: linear work takes four times as long,
quadratic work sixteen times. Time is the CPU time of the thread, and a case passes with the best of
several measurements, so that other programs on the machine do not make it fail; quadratic work
passes in none of them. Memory is the peak of Python's allocations.
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
_MAX_TIME_RATIO = 9.0
_MAX_MEMORY_RATIO = 4.0
_CONSTANT_BYTES = 2 << 20  # bytes that do not depend on the input
_MEASUREMENTS = 7
_MIN_MEASURED_S = 0.002

Work = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """An input of any size, and the function that reads it."""

    name: str
    make: Callable[[int], Work]
    size: int
    """Of the smaller input."""
    is_stream: bool = False
    """Whether memory must be constant."""


def cpu_seconds(work: Work) -> float:
    gc.collect()
    gc.disable()  # the cost of a collection depends on objects of other tests
    try:
        start = time.thread_time()
        work()
        return max(time.thread_time() - start, _MIN_MEASURED_S)
    finally:
        gc.enable()


def peak_bytes(work: Work) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def time_ratio(case: Case) -> float:
    """The smallest ratio of several measurements, as few as needed."""
    small, large = case.make(case.size), case.make(case.size * _GROWTH)
    fast, slow = cpu_seconds(small), cpu_seconds(large)
    for _ in range(_MEASUREMENTS - 1):
        if slow <= _MAX_TIME_RATIO * fast:
            break
        fast, slow = min(fast, cpu_seconds(small)), min(slow, cpu_seconds(large))
    return slow / fast


COMMAS = Dialect(encoding=Encoding.UTF_8, delimiter=",", bom=False)
SCHEMA = inspect_head(b"id,title,summary\n1,A,words\n", complete=True)
RESULT = chunk_output_schema(SCHEMA, OptionalColumns())
INLINE = "<c t='inlineStr'><is><t>words</t></is></c>"
LABELS = ["crime", "0.9000", "horror", "0.0500", "crime", "false", "", ""]


def records(unit: str, *, begin: str = "", end: str = "\n") -> Callable[[int], Work]:
    """Rows of repeated text, parsed as a worker parses a chunk."""

    def make(size: int) -> Work:
        raw = (begin + unit * size + end).encode()
        return lambda: parse_records(raw, SCHEMA)

    return make


def scan(unit: bytes, *, begin: bytes = b"", block: int = 65_536) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        raw = begin + unit * size + b"\n"
        blocks = [raw[i : i + block] for i in range(0, len(raw), block)]

        def work() -> None:
            with suppress(CatalogueError):
                for _ in scan_records(iter(blocks), COMMAS):
                    pass

        return work

    return make


def head(unit: str, *, begin: str = "", end: str = "\n1,words\n") -> Callable[[int], Work]:
    """A file whose head and header are inspected."""

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


def column_names(name: Callable[[int], str]) -> Callable[[int], Work]:
    """The column names of a table, as in exports and results."""

    def make(size: int) -> Work:
        schema = with_columns(size, name)

        def work() -> None:
            label_columns(schema.header, OptionalColumns(alternatives=2, evidence=True))
            encode_corrected_header(result := chunk_output_schema(schema, OptionalColumns()))
            Table.of(result, corrected=True)

        return work

    return make


def result_rows(count: int, *cells: str) -> list[ResultRow]:
    catalogue_cells = [*cells, *[""] * (3 - len(cells))]
    return [
        ResultRow(n + 1, [*catalogue_cells[:3], *LABELS, *catalogue_cells[3:]], end=0)
        for n in range(count)
    ]


def export(
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


def formula_safe(result: ResultSchema, rows: list[ResultRow]) -> None:
    for _ in to_formula_safe_csv(result, [(rows, {})], corrected=True):
        pass


def corrected(result: ResultSchema, rows: list[ResultRow]) -> None:
    genres = {row.number: "crime" for row in rows}
    encode_corrected(result, rows, genres)
    encode_training(SCHEMA, rows, genres)


def encoded_rows(unit: str) -> Callable[[int], Work]:
    """Rows and their outcomes, encoded as a worker does."""

    def make(size: int) -> Work:
        rows = parse_records((unit * size).encode(), SCHEMA)
        outcomes = [None if row.blank else RowError.MALFORMED_ROW for row in rows]

        def work() -> None:
            encode_rows(SCHEMA, rows, outcomes)
            encode_errors(rows, outcomes, first_row=1)

        return work

    return make


def read_results(unit: str, *, block: int = 65_536) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        raw = (unit * size).encode()
        blocks = [raw[i : i + block] for i in range(0, len(raw), block)]

        def work() -> None:
            for _ in read_result(iter(blocks), RESULT, start=0):
                pass

        return work

    return make


def sample(unit: bytes) -> Callable[[int], Work]:
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


def plan(size: int) -> Work:
    raw = b'1,A,"words, and\nmore"\n' * size
    return lambda: [*plan_chunks([raw], SCHEMA, start=0, max_rows=100, max_bytes=100_000)]


def cleaning(unit: str) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        return lambda: clean(unit * size)

    return make


def language_detected(unit: str) -> Callable[[int], Work]:
    def make(size: int) -> Work:
        return lambda: foreign_language(unit * size)

    return make


def decompress(unit: bytes, *, begin: bytes = b"") -> Callable[[int], Work]:
    def make(size: int) -> Work:
        raw = begin + unit * size
        blocks = [raw[i : i + 65_536] for i in range(0, len(raw), 65_536)]

        def work() -> None:
            with suppress(CatalogueError):
                for _ in gunzip(iter(blocks), max_bytes=1 << 40):
                    pass

        return work

    return make


def zip_directory(size: int) -> Work:
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


def summary_column(size: int) -> Work:
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
    Case("scanning rows", scan(b"1,A,words\n"), 15_000, is_stream=True),
    Case("scanning quoted cells", scan(b'"a",'), 20_000),
    Case("scanning open quotation marks", scan(b'"a\n'), 30_000),
    Case("scanning stray quotation marks", scan(b'a"'), 40_000),
    Case("scanning CR", scan(b"\r"), 15_000, is_stream=True),
    Case("scanning records that are too long", scan(b'"a\n' + b"x" * 50_000 + b"\n"), 200),
    Case("equal names in a header", head("a,", end="summary\n1\n"), 10_000),
    Case("quoted names in a header", head('"a",', end="summary\n1\n"), 10_000),
    Case("combining marks in a header", head("\u0301\u0316", begin="x", end=",summary\n1\n"), 4_000),
    Case("blank lines before a header", head("\n", end="id,summary\n1,a\n"), 20_000),
    Case("columns without a summary", summary_column, 8_000),
    Case("equal column names", column_names(lambda _: "a"), 2_000),
    Case("column names with suffixes", column_names(lambda n: "a" if n % 2 else f"a_{n // 2}"), 2_000),
    Case("names of label columns", column_names(lambda n: f"predicted_genre_{n}"), 2_000),
    Case("gzip", decompress(gzip.compress(b"1,A,words\n" * 500)), 200, is_stream=True),
    Case("empty gzip members", decompress(gzip.compress(b"")), 500, is_stream=True),
    Case("small gzip members", decompress(gzip.compress(bytes(2_000))), 1_000, is_stream=True),
    Case("bytes after a gzip member", decompress(b"\0", begin=gzip.compress(b"")), 200_000, is_stream=True),
    Case("a ZIP directory", zip_directory, 240),
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
    Case("planning", plan, 20_000),
    Case("encoding rows", encoded_rows("1,A,wo\"rds\n\n"), 4_000),
    Case("encoding cells beyond the header", encoded_rows("1,A,w" + ",x" * 50 + "\n"), 400),
    Case("JSONL", export(jsonl, "1", "A", "words"), 3_000),
    Case("JSONL beyond the header", wide_export(jsonl), 60_000),
    Case("Parquet", export(parquet, "1", "A", "words"), 3_000),
    Case("Parquet beyond the header", wide_export(parquet), 60_000),
    Case("XLSX", export(xlsx, "1", "A", "words"), 2_000),
    Case("XLSX of characters that XML lacks", export(xlsx, "1", "A", "\x01_x0001_<&" * 20), 400),
    Case("XLSX beyond the header", wide_export(xlsx), 60_000),
    Case("formula-safe CSV", export(formula_safe, "=1", '"A"', "-1"), 3_000),
    Case("formula-safe CSV beyond the header", wide_export(formula_safe), 30_000),
    Case("corrections", export(corrected, "1", "A", "words"), 4_000),
    Case("reading results", read_results(",".join(["1", "A", '"wo""rds"', *LABELS]) + "\n"), 4_000, is_stream=True),
    Case("reading results of blank lines", read_results("\n"), 10_000, is_stream=True),
    Case("reading results of open quotation marks", read_results('1,A,"words\n'), 3_000),
    Case("sampling short rows", sample(b"1\n"), 20_000),
    Case("sampling quoted cells", sample(b'"a",'), 20_000),
    Case("language of English", language_detected("the castle of the dragon "), 10_000),
    Case("language of German", language_detected("das Schloss und der Drache "), 5_000),
    Case("language of Chinese", language_detected("\u5c0f\u8aac "), 5_000),
    Case("language of one long word", language_detected("\u00e9"), 50_000),
    Case("language of combining marks", language_detected("e\u0301\u0316"), 10_000),
    Case("language of tags", language_detected("<a"), 20_000),
    Case("cleaning tags", cleaning("<a"), 20_000),
    Case("cleaning entities", cleaning("&#1"), 20_000),
    Case("cleaning long numbers", cleaning("&#" + "1" * 5_000 + "&#" + "0" * 5_000), 10),
    Case("cleaning combining marks", cleaning("\u0301\u0316"), 10_000),
    Case("cleaning ampersands", cleaning("&amp;" + "&" * 40), 2_000),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_twice_the_input_takes_at_most_three_times_the_time(case: Case) -> None:
    assert time_ratio(case) <= _MAX_TIME_RATIO


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_twice_the_input_takes_at_most_twice_the_memory(case: Case) -> None:
    small, large = (peak_bytes(case.make(case.size // 2 * times)) for times in (1, _GROWTH))
    allowed = small if case.is_stream else small * _MAX_MEMORY_RATIO
    assert large <= allowed + _CONSTANT_BYTES


def test_quadratic_time_is_detected() -> None:
    def make(size: int) -> Work:
        def work() -> None:
            cells = ["\0"] * size
            while "\0" in cells:
                cells[cells.index("\0")] = "a"

        return work

    assert time_ratio(Case("quadratic", make, 1_000)) > _MAX_TIME_RATIO


def test_quadratic_memory_is_detected() -> None:
    def make(size: int) -> Work:
        return lambda: [bytes(size) for _ in range(size)]

    small, large = (peak_bytes(make(size)) for size in (1_000, 4_000))
    assert large > small * _MAX_MEMORY_RATIO + _CONSTANT_BYTES
