"""Results as JSON Lines, Parquet and workbooks: every row, typed, made while it is sent."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from api.results.exports import MEDIA_TYPES, Format
from catalogue.exports.xlsx import MAX_ROWS
from catalogue.labelled.labels import Label, RowError
from catalogue.labelled.writer import encode_header, encode_rows
from catalogue.parsing.rows import parse_records
from catalogue.parsing.schema import inspect_head
from tests.api.client import Answer
from tests.api.conftest import ApiHarness

CATALOGUE = (
    "title,summary,confidence,title,,isbn\n"
    '=1+1,"first\r\ntext",mine,@twice,unnamed,0012\n'
    "\n"
    "-5,,,,,\n"
    "Ünï\u0007 _x0041_ 目录,second,a & b <c>,,,\n"
    "-cmd,shifted,,,,,one,=two\n"
)
NAMES = ["title", "summary", "confidence", "title_2", "column_5", "isbn"]
ADDED = [
    "predicted_genre",
    "confidence_2",
    "second_genre",
    "second_confidence",
    "genre_set",
    "needs_review",
    "row_error",
    "row_error_detail",
]


def label(rank: int) -> Label:
    return Label(
        genre="crime",
        confidence=0.1234 + rank / 10,
        second_genre="history",
        second_confidence=0.01,
        genre_set=("crime", "history"),
        needs_review=rank == 0,
    )


def ended(harness: ApiHarness, catalogue: bytes = CATALOGUE.encode()) -> str:
    """A completed job with a result as workers write it."""
    schema = inspect_head(catalogue, complete=True)
    rows = parse_records(catalogue[schema.data_start :], schema)
    outcomes = [None if r.blank else r.error or label(n) for n, r in enumerate(rows)]
    job_id = str(harness.submit(catalogue, name="Bücher.csv"))
    failed = sum(isinstance(outcome, RowError) for outcome in outcomes)
    harness.label(job_id, rows=sum(not r.blank for r in rows), failed=failed)
    harness.assemble(job_id, encode_header(schema) + encode_rows(schema, rows, outcomes))
    return job_id


def get(harness: ApiHarness, job_id: str, *, accept: str | None = None, **query: str) -> Answer:
    headers = {"Accept": accept} if accept else {}
    return harness.client().get(f"/v1/jobs/{job_id}/result", query_string=query, headers=headers)


def fetched(harness: ApiHarness, job_id: str, kind: str) -> bytes:
    answer = get(harness, job_id, format=kind)
    assert answer.status_code == 200, answer.text
    data: bytes = answer.data
    return data


def test_json_lines_have_typed_values_under_names_that_are_all_different(
    harness: ApiHarness,
) -> None:
    rows = [json.loads(line) for line in fetched(harness, ended(harness), "jsonl").splitlines()]
    assert [list(row) for row in rows[:3]] == [NAMES + ADDED] * 3
    assert rows[0] == {
        "title": "=1+1",
        "summary": "first\r\ntext",
        "confidence": "mine",
        "title_2": "@twice",
        "column_5": "unnamed",
        "isbn": "0012",
        "predicted_genre": "crime",
        "confidence_2": 0.1234,
        "second_genre": "history",
        "second_confidence": 0.01,
        "genre_set": ["crime", "history"],
        "needs_review": True,
        "row_error": None,
        "row_error_detail": None,
    }
    assert rows[1]["predicted_genre"] is None
    assert rows[1]["row_error"] == "EMPTY_SUMMARY"
    assert rows[1]["genre_set"] == []
    assert rows[3]["extra_cells"] == ["one", "=two"]
    assert len(rows) == 4


def test_parquet_has_the_same_values_with_types(harness: ApiHarness) -> None:
    job_id = ended(harness)
    table = pq.read_table(io.BytesIO(fetched(harness, job_id, "parquet")))
    assert table.column_names == [*NAMES, *ADDED, "extra_cells"]
    types = {field.name: str(field.type) for field in table.schema}
    assert types["isbn"] == types["predicted_genre"] == "string"
    assert types["confidence_2"] == "double"
    assert types["needs_review"] == "bool"
    assert types["genre_set"].startswith("list<")
    lines = fetched(harness, job_id, "jsonl").splitlines()
    assert table.to_pylist() == [{"extra_cells": [], **json.loads(line)} for line in lines]


def test_a_workbook_has_the_same_cells_as_texts_and_numbers(harness: ApiHarness) -> None:
    book = openpyxl.load_workbook(io.BytesIO(fetched(harness, ended(harness), "xlsx")))
    rows: list[Any] = list(book.worksheets[0].iter_rows(values_only=True))
    assert list(rows[0][: len(NAMES + ADDED)]) == NAMES + ADDED
    assert rows[1][0] == "=1+1"
    assert book.worksheets[0]["A2"].data_type == "s"  # not "f": it is no formula
    assert rows[1][5] == "0012"
    assert rows[1][7] == 0.1234
    assert rows[1][10:12] == ("crime|history", True)
    assert rows[3][:3] == ("Ünï_x0007_ _x005F_x0041_ 目录", "second", "a & b <c>")
    assert rows[4][14] == "one|=two"
    assert len(rows) == 5


def test_a_workbook_that_we_write_is_one_that_we_read(harness: ApiHarness) -> None:
    answer = harness.client().post("/v1/preview", data=fetched(harness, ended(harness), "xlsx"))
    seen = answer.json
    assert seen["rows"] == {"count": 4, "exact": True}
    assert seen["columns"][:6] == NAMES
    assert seen["first_rows"][2][0] == "Ünï\u0007 _x0041_ 目录"
    assert seen["first_rows"][0][1] == "first\r\ntext"


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "xlsx"])
def test_a_long_result_is_complete_in_every_format(harness: ApiHarness, kind: str) -> None:
    rows = 5_000
    lines = "".join(f"T{n},some words {n}\n" for n in range(rows))
    content = fetched(harness, ended(harness, f"title,summary\n{lines}".encode()), kind)
    if kind == "jsonl":
        titles = [json.loads(line)["title"] for line in content.splitlines()]
    elif kind == "parquet":
        titles = pq.read_table(io.BytesIO(content))["title"].to_pylist()
    else:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        titles = [row[0] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)]
    assert titles == [f"T{n}" for n in range(rows)]


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "xlsx"])
def test_an_empty_result_is_a_file_without_rows(harness: ApiHarness, kind: str) -> None:
    job_id = harness.completed(b"title,summary,predicted_genre\n")
    assert get(harness, job_id, format=kind).status_code == 200


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "xlsx", "csv"])
def test_corrections_are_in_every_format(harness: ApiHarness, kind: str) -> None:
    job_id = ended(harness)
    before = get(harness, job_id, format=kind).headers["ETag"]
    path = f"/v1/jobs/{job_id}/corrections/3"
    answer = harness.client().put(path, json={"genre": "science"})
    assert answer.status_code == 200, answer.text
    assert get(harness, job_id, format=kind).headers["ETag"] != before
    content = fetched(harness, job_id, kind)
    if kind == "jsonl":
        found = [json.loads(line)["corrected_genre"] for line in content.splitlines()]
    elif kind == "parquet":
        found = pq.read_table(io.BytesIO(content))["corrected_genre"].to_pylist()
    elif kind == "csv":
        text = get(harness, job_id, format="csv", neutralise_formulas="true").text
        header, *rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
        place = header.index("corrected_genre")
        found = [row[place] or None for row in rows]
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
        names, *cells = [list(row) for row in sheet.iter_rows(values_only=True)]
        found = [row[names.index("corrected_genre")] for row in cells]
    assert found == [None, None, "science", None]


def test_formulas_are_neutralised_where_it_is_asked_for_and_nothing_else_changes(
    harness: ApiHarness,
) -> None:
    job_id = ended(harness)
    plain = list(csv.reader(io.StringIO(get(harness, job_id).text, newline="")))
    text = get(harness, job_id, neutralise_formulas="true").text
    harmless = list(csv.reader(io.StringIO(text, newline="")))
    changed = {
        (was, now)
        for before, after in zip(plain, harmless, strict=True)
        for was, now in zip(before, after, strict=True)
        if was != now
    }
    assert changed == {
        ("=1+1", "'=1+1"),
        ("@twice", "'@twice"),
        ("-cmd", "'-cmd"),
        ("=two", "'=two"),
    }


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "text/csv"),
        ("*/*", "text/csv"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/csv"),
        ("text/*", "text/csv"),
        *((media_type, media_type) for media_type in MEDIA_TYPES.values()),
        ("application/x-ndjson;q=0.5, text/csv;q=0.4", "application/x-ndjson"),
    ],
)
def test_the_accept_header_chooses_the_format(
    harness: ApiHarness, accept: str | None, media_type: str
) -> None:
    answer = get(harness, ended(harness), accept=accept)
    assert answer.mimetype == media_type
    assert "Accept" in answer.headers["Vary"]


def test_the_parameter_overrules_the_accept_header_and_names_the_file(harness: ApiHarness) -> None:
    answer = get(harness, ended(harness), accept="text/csv", format="parquet")
    assert answer.mimetype == MEDIA_TYPES[Format.PARQUET]
    assert "B%C3%BCcher.labelled.parquet" in answer.headers["Content-Disposition"]


def test_a_format_that_results_do_not_have_is_not_acceptable(harness: ApiHarness) -> None:
    answer = get(harness, ended(harness), accept="application/pdf")
    assert (answer.status_code, answer.json["code"]) == (406, "NOT_ACCEPTABLE")
    answer = get(harness, ended(harness), format="pdf")
    assert (answer.status_code, answer.json["code"]) == (400, "INVALID_PARAMETER")


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 422)])
def test_more_rows_than_a_sheet_holds_are_refused_with_what_to_do(
    harness: ApiHarness, more: int, status: int
) -> None:
    job_id = harness.submit()
    # Only the record says how many rows there are; nothing is read before the refusal.
    harness.label(job_id, rows=MAX_ROWS + more)
    schema = inspect_head(CATALOGUE.encode(), complete=True)
    harness.assemble(job_id, encode_header(schema))
    answer = get(harness, job_id, format="xlsx")
    assert answer.status_code == status
    assert not more or answer.json["code"] == "TOO_MANY_ROWS_FOR_XLSX"
    assert get(harness, job_id, format="parquet").status_code == 200


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "xlsx"])
def test_what_the_client_has_already_is_not_made_again(harness: ApiHarness, kind: str) -> None:
    job_id = ended(harness)
    etag = get(harness, job_id, format=kind).headers["ETag"]
    answer = harness.client().get(
        f"/v1/jobs/{job_id}/result", query_string={"format": kind}, headers={"If-None-Match": etag}
    )
    assert (answer.status_code, answer.data) == (304, b"")


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "xlsx"])
def test_before_the_job_has_ended_no_format_is_ready(harness: ApiHarness, kind: str) -> None:
    answer = get(harness, harness.submit(), format=kind)
    assert (answer.status_code, answer.json["code"]) == (409, "RESULT_NOT_READY")


def test_bytes_that_are_no_text_do_not_break_a_format(harness: ApiHarness) -> None:
    job_id = ended(harness, b"title,summary\nA\xff\xc3\xa9\xc3\xa9\xc3\xa9,words\n")
    for kind in ("jsonl", "parquet", "xlsx"):
        assert fetched(harness, job_id, kind)
    assert json.loads(fetched(harness, job_id, "jsonl"))["title"] == "A\ufffdééé"
