"""Results as JSON Lines, Parquet and XLSX: complete, typed and streamed."""

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
from tests.api.client import ApiResponse
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


def completed_job(harness: ApiHarness, catalogue: bytes = CATALOGUE.encode()) -> str:
    """A completed job with a result as workers write it."""
    schema = inspect_head(catalogue, complete=True)
    rows = parse_records(catalogue[schema.data_start :], schema)
    outcomes = [None if r.blank else r.error or label(n) for n, r in enumerate(rows)]
    job_id = str(harness.submit(catalogue, name="Bücher.csv"))
    failed = sum(isinstance(outcome, RowError) for outcome in outcomes)
    harness.label(job_id, rows=sum(not r.blank for r in rows), failed=failed)
    harness.assemble(job_id, encode_header(schema) + encode_rows(schema, rows, outcomes))
    return job_id


def get(
    harness: ApiHarness, job_id: str, *, accept: str | None = None, **query: str
) -> ApiResponse:
    headers = {"Accept": accept} if accept else {}
    return harness.client().get(f"/v1/jobs/{job_id}/result", query_string=query, headers=headers)


def export(harness: ApiHarness, job_id: str, format_name: str) -> bytes:
    response = get(harness, job_id, format=format_name)
    assert response.status_code == 200, response.text
    data: bytes = response.data
    return data


def test_jsonl_has_typed_values_under_unique_names(
    harness: ApiHarness,
) -> None:
    rows = [
        json.loads(line) for line in export(harness, completed_job(harness), "jsonl").splitlines()
    ]
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


def test_parquet_has_the_values_of_jsonl_with_types(harness: ApiHarness) -> None:
    job_id = completed_job(harness)
    table = pq.read_table(io.BytesIO(export(harness, job_id, "parquet")))
    assert table.column_names == [*NAMES, *ADDED, "extra_cells"]
    types = {field.name: str(field.type) for field in table.schema}
    assert types["isbn"] == types["predicted_genre"] == "string"
    assert types["confidence_2"] == "double"
    assert types["needs_review"] == "bool"
    assert types["genre_set"].startswith("list<")
    lines = export(harness, job_id, "jsonl").splitlines()
    assert table.to_pylist() == [{"extra_cells": [], **json.loads(line)} for line in lines]


def test_xlsx_has_the_cells_of_the_result_as_text_and_numbers(harness: ApiHarness) -> None:
    book = openpyxl.load_workbook(io.BytesIO(export(harness, completed_job(harness), "xlsx")))
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


def test_an_exported_workbook_can_be_uploaded(harness: ApiHarness) -> None:
    response = harness.client().post(
        "/v1/preview", data=export(harness, completed_job(harness), "xlsx")
    )
    preview = response.json
    assert preview["rows"] == {"count": 4, "exact": True}
    assert preview["columns"][:6] == NAMES
    assert preview["first_rows"][2][0] == "Ünï\u0007 _x0041_ 目录"
    assert preview["first_rows"][0][1] == "first\r\ntext"


@pytest.mark.parametrize("format_name", ["jsonl", "parquet", "xlsx"])
def test_a_long_result_is_complete_in_every_format(harness: ApiHarness, format_name: str) -> None:
    rows = 5_000
    lines = "".join(f"T{n},some words {n}\n" for n in range(rows))
    content = export(
        harness, completed_job(harness, f"title,summary\n{lines}".encode()), format_name
    )
    if format_name == "jsonl":
        titles = [json.loads(line)["title"] for line in content.splitlines()]
    elif format_name == "parquet":
        titles = pq.read_table(io.BytesIO(content))["title"].to_pylist()
    else:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        titles = [row[0] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)]
    assert titles == [f"T{n}" for n in range(rows)]


@pytest.mark.parametrize("format_name", ["jsonl", "parquet", "xlsx"])
def test_an_empty_result_is_a_file_without_rows(harness: ApiHarness, format_name: str) -> None:
    job_id = harness.complete_job(b"title,summary,predicted_genre\n")
    assert get(harness, job_id, format=format_name).status_code == 200


@pytest.mark.parametrize("format_name", ["jsonl", "parquet", "xlsx", "csv"])
def test_corrections_are_in_every_format(harness: ApiHarness, format_name: str) -> None:
    job_id = completed_job(harness)
    before = get(harness, job_id, format=format_name).headers["ETag"]
    path = f"/v1/jobs/{job_id}/corrections/3"
    response = harness.client().put(path, json={"genre": "science"})
    assert response.status_code == 200, response.text
    assert get(harness, job_id, format=format_name).headers["ETag"] != before
    content = export(harness, job_id, format_name)
    if format_name == "jsonl":
        genres = [json.loads(line)["corrected_genre"] for line in content.splitlines()]
    elif format_name == "parquet":
        genres = pq.read_table(io.BytesIO(content))["corrected_genre"].to_pylist()
    elif format_name == "csv":
        text = get(harness, job_id, format="csv", neutralise_formulas="true").text
        header, *rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
        column = header.index("corrected_genre")
        genres = [row[column] or None for row in rows]
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
        names, *cells = [list(row) for row in sheet.iter_rows(values_only=True)]
        genres = [row[names.index("corrected_genre")] for row in cells]
    assert genres == [None, None, "science", None]


def test_neutralise_formulas_changes_formulas_only(
    harness: ApiHarness,
) -> None:
    job_id = completed_job(harness)
    plain = list(csv.reader(io.StringIO(get(harness, job_id).text, newline="")))
    text = get(harness, job_id, neutralise_formulas="true").text
    neutralised = list(csv.reader(io.StringIO(text, newline="")))
    changed = {
        (was, now)
        for before, after in zip(plain, neutralised, strict=True)
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
    response = get(harness, completed_job(harness), accept=accept)
    assert response.mimetype == media_type
    assert "Accept" in response.headers["Vary"]


def test_the_parameter_overrides_the_accept_header_and_names_the_file(harness: ApiHarness) -> None:
    response = get(harness, completed_job(harness), accept="text/csv", format="parquet")
    assert response.mimetype == MEDIA_TYPES[Format.PARQUET]
    assert "B%C3%BCcher.labelled.parquet" in response.headers["Content-Disposition"]


def test_an_unknown_format_is_refused(harness: ApiHarness) -> None:
    response = get(harness, completed_job(harness), accept="application/pdf")
    assert (response.status_code, response.json["code"]) == (406, "NOT_ACCEPTABLE")
    response = get(harness, completed_job(harness), format="pdf")
    assert (response.status_code, response.json["code"]) == (400, "INVALID_PARAMETER")


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 422)])
def test_more_rows_than_a_sheet_holds_are_refused(
    harness: ApiHarness, extra: int, status: int
) -> None:
    job_id = harness.submit()
    # The row count is the job's; the result is not read before the refusal.
    harness.label(job_id, rows=MAX_ROWS + extra)
    schema = inspect_head(CATALOGUE.encode(), complete=True)
    harness.assemble(job_id, encode_header(schema))
    response = get(harness, job_id, format="xlsx")
    assert response.status_code == status
    assert not extra or response.json["code"] == "TOO_MANY_ROWS_FOR_XLSX"
    assert get(harness, job_id, format="parquet").status_code == 200


@pytest.mark.parametrize("format_name", ["jsonl", "parquet", "xlsx"])
def test_a_matching_etag_of_an_export_returns_304(harness: ApiHarness, format_name: str) -> None:
    job_id = completed_job(harness)
    etag = get(harness, job_id, format=format_name).headers["ETag"]
    response = harness.client().get(
        f"/v1/jobs/{job_id}/result",
        query_string={"format": format_name},
        headers={"If-None-Match": etag},
    )
    assert (response.status_code, response.data) == (304, b"")


@pytest.mark.parametrize("format_name", ["jsonl", "parquet", "xlsx"])
def test_no_format_of_an_active_job_is_ready(harness: ApiHarness, format_name: str) -> None:
    response = get(harness, harness.submit(), format=format_name)
    assert (response.status_code, response.json["code"]) == (409, "RESULT_NOT_READY")


def test_undecodable_bytes_do_not_break_an_export(harness: ApiHarness) -> None:
    job_id = completed_job(harness, b"title,summary\nA\xff\xc3\xa9\xc3\xa9\xc3\xa9,words\n")
    for format_name in ("jsonl", "parquet", "xlsx"):
        assert export(harness, job_id, format_name)
    assert json.loads(export(harness, job_id, "jsonl"))["title"] == "A\ufffdééé"
