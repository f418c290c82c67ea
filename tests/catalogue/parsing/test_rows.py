"""Rows: their cells, their errors, and the chunks that contain them."""

import csv
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.labelled.labels import RowError, RowErrorCode
from catalogue.limits import MAX_RECORD_BYTES, MAX_SUMMARY_CHARACTERS
from catalogue.parsing.chunking import ChunkRange, plan_chunks
from catalogue.parsing.rows import Row, parse_records
from catalogue.parsing.schema import CatalogueSchema, inspect_head

HEADER = "id,summary,price\n"
SCHEMA = inspect_head((HEADER + "1,x,2\n").encode(), complete=True)


def row(text: str) -> Row:
    (only,) = parse_records(text.encode(), SCHEMA)
    return only


@pytest.mark.parametrize(
    ("text", "cells", "error"),
    [
        ("1,a dragon,3\n", ("1", "a dragon", "3"), None),
        ("007,None,=1+1", ("007", "None", "=1+1"), None),
        ("1,a dragon\r\n", ("1", "a dragon", ""), None),
        ("1\n", ("1", "", ""), RowError.MALFORMED_ROW),
        ("1,a,2,,\n", ("1", "a", "2", "", ""), None),
        ("1,a, and b,2\n", ("1", "a", " and b", "2"), RowError.MALFORMED_ROW),
        ("1,,3\n", ("1", "", "3"), RowError.EMPTY_SUMMARY),
        ('1," \t\n\u00a0",3\n', ("1", " \t\n\u00a0", "3"), RowError.EMPTY_SUMMARY),
        ('1,"a ""b"", c\r\nd",3', ("1", 'a "b", c\r\nd', "3"), None),
        ('1,"never closed,3\n', ("1", '"never closed', "3"), RowError.MALFORMED_ROW),
        ('""\n', ("", "", ""), RowError.MALFORMED_ROW),
        ("1,nul\0inside,3\n", ("1", "nul\0inside", "3"), None),
    ],
)
def test_cells_are_kept_and_errors_named(
    text: str, cells: tuple[str, ...], error: RowError | None
) -> None:
    parsed = row(text)
    assert (parsed.cells, parsed.error, parsed.blank) == (cells, error, False)
    assert parsed.summary == (cells[1] if error is not RowError.MALFORMED_ROW else parsed.summary)


GERMAN = "Die Tochter des Müllers und der Drache, der ihr das Leben rettet."


def test_a_summary_in_another_language_is_an_error_that_names_it() -> None:
    assert row(f'1,"{GERMAN}",3\n').error == RowError(RowErrorCode.UNSUPPORTED_LANGUAGE, "de")
    assert Row.of_book("", GERMAN).error == RowError.unsupported_language("de")


def test_the_title_does_not_affect_the_detected_language() -> None:
    assert Row.of_book(GERMAN, "A miller's daughter is saved by a dragon.").error is None
    assert Row.of_book(GERMAN, "A novel.").error is None
    assert Row.of_book("The Miller's Dragon", GERMAN).error is not None


def test_a_summary_above_the_maximum_length_is_an_error() -> None:
    assert row(f"1,{'x' * MAX_SUMMARY_CHARACTERS},3\n").error is None
    assert row(f"1,{'x' * (MAX_SUMMARY_CHARACTERS + 1)},3\n").error is RowError.SUMMARY_TOO_LONG


def test_no_cell_is_too_long_for_the_csv_module() -> None:
    csv.field_size_limit(131_072)
    parsed = row(f'1,"{"x" * (MAX_RECORD_BYTES - 10)}",3\n')
    assert parsed.error is RowError.SUMMARY_TOO_LONG


def test_blank_lines_are_kept_in_order_and_are_no_rows() -> None:
    rows = parse_records(b"1,a,2\n\n\r\n2,b,3\n\n", SCHEMA)
    assert [row.blank for row in rows] == [False, True, True, False, True]


def test_broken_and_intact_records_are_in_the_order_of_the_file() -> None:
    rows = parse_records(b'1,a,2\n2,"b,3\n3,c,4\n\n4,d,5\n', SCHEMA)
    assert [row.cells[:1] for row in rows] == [("1",), ("2",), ("3",), (), ("4",)]
    assert [row.error for row in rows].count(RowError.MALFORMED_ROW) == 1


def blocks_of(raw: bytes, start: int, size: int) -> list[bytes]:
    return [raw[i : i + size] for i in range(start, len(raw), size)]


def chunks_of(
    raw: bytes, schema: CatalogueSchema, start: int, rows: int, size: int
) -> list[ChunkRange]:
    blocks = blocks_of(raw, start, 7)
    return list(plan_chunks(blocks, schema, start=start, max_rows=rows, max_bytes=size))


catalogues = st.text(alphabet='aa,,""\n\n\ré', min_size=1, max_size=80)


@given(catalogues, st.sampled_from(["utf-8", "utf-16", "cp1252"]), st.integers(1, 4), st.just(40))
def test_chunks_contain_every_row_once_and_planning_can_resume_at_any_chunk(
    text: str, encoding: str, max_rows: int, max_bytes: int
) -> None:
    raw = (HEADER + "1,é,2\n" + text).encode(encoding)
    schema = inspect_head(raw, complete=True)
    start = schema.data_start
    chunks = chunks_of(raw, schema, start, max_rows, max_bytes)
    assert [start, *(chunk.end for chunk in chunks)] == [*(c.start for c in chunks), len(raw)]
    for index, chunk in enumerate(chunks):
        rest = chunks_of(raw, schema, chunk.end, max_rows, max_bytes)
        assert rest == chunks[index + 1 :]
        assert chunk.rows <= max_rows
    parsed = [parse_records(raw[chunk.start : chunk.end], schema) for chunk in chunks]
    assert list(chain.from_iterable(parsed)) == parse_records(raw[start:], schema)
    assert [sum(not row.blank for row in rows) for rows in parsed] == [c.rows for c in chunks]


def test_a_record_longer_than_a_chunk_is_its_own_chunk() -> None:
    raw = b"id,summary\n1,a\n2," + b"x" * 50 + b"\n3,c\n4,d\n"
    chunks = chunks_of(raw, inspect_head(raw, complete=True), 11, 100, 20)
    assert [(chunk.end - chunk.start, chunk.rows) for chunk in chunks] == [(4, 1), (53, 1), (8, 2)]


def test_blank_lines_at_the_end_belong_to_the_last_full_chunk() -> None:
    raw = b"id,summary\n1,a\n2,b\n\n\n"
    chunks = chunks_of(raw, inspect_head(raw, complete=True), 11, 2, 100)
    assert [chunk.rows for chunk in chunks] == [2]


def test_a_chunk_longer_than_the_longest_record_is_parsed() -> None:
    line = '1,"a ""b"", c",2\n'
    text = line * (MAX_RECORD_BYTES // len(line) + 10)
    rows = parse_records(text.encode(), SCHEMA)
    assert len(rows) == text.count("\n")
    assert {row.cells for row in rows} == {("1", 'a "b", c', "2")}


def test_a_record_above_the_maximum_length_is_broken_even_with_a_closed_quote() -> None:
    lines = f"{'b' * 999}\n" * (MAX_RECORD_BYTES // 1000 + 1)
    text = f'1,"a\n{lines}",2\n2,c,3\n'
    rows = parse_records(text.encode(), SCHEMA)
    assert rows[0].error is RowError.MALFORMED_ROW
    assert rows[-1].cells == ("2", "c", "3")
