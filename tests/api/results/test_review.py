"""Reading and correcting the rows of a result."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from api.jobs.scoped_store import ScopedJobStore
from api.results.result_reader import reading
from api.results.row_pages import RowFilter, RowsDocument, RowsQuery, rows_document
from catalogue.labelled.labels import Label, RowError
from catalogue.labelled.writer import encode_header, encode_rows
from catalogue.parsing.rows import parse_records
from catalogue.parsing.schema import inspect_head
from tests.api.callers import make_caller
from tests.api.client import ApiResponse
from tests.api.conftest import ApiHarness

CATALOGUE = (
    "title;summary;price\nNoon;a sure thing;1\n\nDusk;a doubtful thing;2\nDawn;;3\n"
    'Night;"two\nlines";4\nÜber;restored doubtful;5\n'
)
AMBIGUOUS = "doubtful"


def label(summary: str) -> Label:
    doubtful = AMBIGUOUS in summary
    return Label(
        genre="horror" if doubtful else "crime",
        confidence=0.4 if doubtful else 0.98765,
        second_genre="travel",
        second_confidence=0.01,
        genre_set=("horror", "travel") if doubtful else ("crime",),
        needs_review=doubtful,
    )


def completed_job(harness: ApiHarness, catalogue: bytes = CATALOGUE.encode()) -> str:
    """A completed job with a result as workers write it."""
    schema = inspect_head(catalogue, complete=True)
    rows = parse_records(catalogue[schema.data_start :], schema)
    outcomes = [None if r.blank else r.error or label(r.summary) for r in rows]
    job_id = str(harness.submit(catalogue, name="Bücher.csv"))
    failed = sum(isinstance(outcome, RowError) for outcome in outcomes)
    harness.label(job_id, rows=sum(not r.blank for r in rows), failed=failed)
    harness.assemble(job_id, encode_header(schema) + encode_rows(schema, rows, outcomes))
    return job_id


def read_page(harness: ApiHarness, job_id: str, **query: object) -> dict[str, Any]:
    response = harness.client().get(f"/v1/jobs/{job_id}/rows", query_string=query)
    assert response.status_code == 200, response.text
    RowsDocument.model_validate(response.json, extra="forbid")
    return dict(response.json)


def all_rows(harness: ApiHarness, job_id: str, **query: object) -> list[dict[str, Any]]:
    document = read_page(harness, job_id, **query)
    rows = document["rows"]
    while document["next"]:
        document = read_page(harness, job_id, **query, after=document["next"])
        rows += document["rows"]
    assert document["read"] == 1
    return list(rows)


def correct(harness: ApiHarness, job_id: str, row: int, genre: object = "science") -> ApiResponse:
    return harness.client().put(f"/v1/jobs/{job_id}/corrections/{row}", json={"genre": genre})


def parse_csv(content: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))


def test_rows_have_their_cells_and_labels(harness: ApiHarness) -> None:
    document = read_page(harness, completed_job(harness))
    assert document["columns"] == ["title", "summary", "price"]
    assert (document["title_column"], document["summary_column"]) == (0, 1)
    assert [row["row"] for row in document["rows"]] == [1, 2, 3, 4, 5]
    assert document["rows"][3]["cells"] == ["Night", "two\nlines", "4"]
    assert document["rows"][1] == {
        "row": 2,
        "cells": ["Dusk", "a doubtful thing", "2"],
        "predicted_genre": "horror",
        "confidence": 0.4,
        "second_genre": "travel",
        "second_confidence": 0.01,
        "genre_set": ["horror", "travel"],
        "needs_review": True,
        "row_error": None,
        "row_error_detail": None,
        "corrected_genre": None,
    }
    assert document["rows"][2]["row_error"] == "EMPTY_SUMMARY"
    assert document["rows"][2]["predicted_genre"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"filter": "needs_review"}, [2, 3, 5]),
        ({"filter": "errors"}, [3]),
        ({"filter": "corrected"}, []),
        ({"genre": "horror"}, [2, 5]),
        ({"search": "LINES"}, [4]),
        ({"search": "über"}, [5]),
        ({"filter": "needs_review", "search": "dusk"}, [2]),
    ],
)
def test_rows_can_be_filtered(
    harness: ApiHarness, query: dict[str, str], expected: list[int]
) -> None:
    rows = all_rows(harness, completed_job(harness), limit=2, **query)
    assert [row["row"] for row in rows] == expected


def test_a_corrected_row_no_longer_needs_review(harness: ApiHarness) -> None:
    job_id = completed_job(harness)
    assert correct(harness, job_id, 2, " science  fiction ").json == {
        "row": 2,
        "genre": "science fiction",
        "corrections": 1,
    }
    assert [r["row"] for r in all_rows(harness, job_id, filter="needs_review")] == [3, 5]
    (row,) = all_rows(harness, job_id, filter="corrected")
    assert (row["row"], row["corrected_genre"], row["predicted_genre"]) == (
        2,
        "science fiction",
        "horror",
    )
    assert [r["row"] for r in all_rows(harness, job_id, genre="science fiction")] == [2]
    assert read_page(harness, job_id)["corrections"] == 1


def test_a_selective_filter_reads_a_bounded_part_per_request(harness: ApiHarness) -> None:
    lines = "".join(f"Book {n};{'x' * 500};1\n" for n in range(1000))
    job_id = completed_job(harness, f"title;summary;price\n{lines}Last;doubtful;1\n".encode())
    query = RowsQuery(filter=RowFilter.NEEDS_REVIEW)
    pages: list[RowsDocument] = []
    jobs = ScopedJobStore(harness.store, lambda: make_caller("ann", is_admin=True))
    with reading(jobs.get(job_id), jobs, harness.storage, harness.corrections) as reader:
        while not pages or pages[-1].next:
            query.after = pages[-1].next if pages else None
            pages.append(rows_document(reader, query, corrections=0, max_bytes=100_000))
    assert 0.1 < pages[0].read < 0.5
    assert [len(page.rows) for page in pages] == [0] * (len(pages) - 1) + [1]
    assert pages[-1].rows[0].row == 1001


def test_long_cells_are_truncated_and_undecodable_bytes_are_replaced(harness: ApiHarness) -> None:
    job_id = completed_job(harness, b"\xef\xbb\xbftitle,summary\nA\xff," + b"word " * 1000 + b"\n")
    (row,) = read_page(harness, job_id)["rows"]
    assert row["cells"][0] == "A\N{REPLACEMENT CHARACTER}"
    assert len(row["cells"][1]) == 1000
    assert row["cells"][1].endswith("…")


@pytest.mark.parametrize("after", ["x", "1-1", "99999999-1", "150-2", "-1-1", "1" * 400])
def test_an_invalid_cursor_is_refused(harness: ApiHarness, after: str) -> None:
    response = harness.client().get(
        f"/v1/jobs/{completed_job(harness)}/rows", query_string={"after": after}
    )
    assert (response.status_code, response.json["code"]) == (400, "INVALID_CURSOR")


MULTI_LINE = (
    b"title,summary\n"
    b'T1,"A detective hunts a killer\nx,y\nshort\nz,q,w,e,notanumber,f,g,h,i,j,k,l\nthe end"\n'
    b"T2,A princess loves a frog\n"
)


def test_a_cursor_that_points_into_a_record_is_refused(harness: ApiHarness) -> None:
    job_id = completed_job(harness, MULTI_LINE)
    result = harness.client().get(f"/v1/jobs/{job_id}/result").data
    record_starts = {result.index(b"T1,"), result.index(b"T2,"), len(result)}
    line_starts = [start + 1 for start, byte in enumerate(result) if byte == ord("\n")]
    assert len(line_starts) > len(record_starts)
    for start in line_starts:
        query = {"after": f"{start}-7"}
        response = harness.client().get(f"/v1/jobs/{job_id}/rows", query_string=query)
        assert response.status_code == (200 if start in record_starts else 400)


def test_the_download_has_corrections_beside_predicted_genres(harness: ApiHarness) -> None:
    job_id = completed_job(harness)
    plain = harness.client().get(f"/v1/jobs/{job_id}/result")
    correct(harness, job_id, 2)
    correct(harness, job_id, 4, "crime")
    response = harness.client().get(f"/v1/jobs/{job_id}/result")
    assert "labelled.csv" in response.headers["Content-Disposition"]
    # It is streamed, so its length is not known in advance.
    assert "Content-Length" not in response.headers
    before, after = parse_csv(plain.text, ";"), parse_csv(response.text, ";")
    assert after[0] == [*before[0], "corrected_genre"]
    assert [row[:-1] for row in after if row] == [row for row in before if row]
    assert [row[-1] for row in after if row] == ["corrected_genre", "", "science", "", "crime", ""]
    assert [bool(row) for row in after] == [bool(row) for row in before]


def test_deleting_all_corrections_restores_the_original_download(
    harness: ApiHarness,
) -> None:
    job_id = completed_job(harness)
    plain = harness.client().get(f"/v1/jobs/{job_id}/result")
    correct(harness, job_id, 2)
    for _ in range(2):
        response = harness.client().delete(f"/v1/jobs/{job_id}/corrections/2")
        assert (response.status_code, response.json) == (
            200,
            {"row": 2, "genre": None, "corrections": 0},
        )
    restored = harness.client().get(f"/v1/jobs/{job_id}/result")
    assert (restored.data, restored.headers["ETag"]) == (plain.data, plain.headers["ETag"])


def test_a_corrected_result_is_cached_by_etag_until_it_changes(
    harness: ApiHarness,
) -> None:
    job_id, client = completed_job(harness), harness.client()
    correct(harness, job_id, 2)
    etag = client.get(f"/v1/jobs/{job_id}/result").headers["ETag"]
    headers = {"If-None-Match": etag}
    assert client.get(f"/v1/jobs/{job_id}/result", headers=headers).status_code == 304
    correct(harness, job_id, 2, "sports")
    assert client.get(f"/v1/jobs/{job_id}/result", headers=headers).status_code == 200


def test_corrections_can_be_downloaded_as_training_data(harness: ApiHarness) -> None:
    job_id = completed_job(harness)
    correct(harness, job_id, 2)
    correct(harness, job_id, 4, "crime")
    response = harness.client().get(f"/v1/jobs/{job_id}/corrections")
    assert "corrections.csv" in response.headers["Content-Disposition"]
    assert parse_csv(response.text) == [
        ["title", "genre", "summary"],
        ["Dusk", "science", "a doubtful thing"],
        ["Night", "crime", "two\nlines"],
    ]


@pytest.mark.parametrize(
    ("row", "body", "code"),
    [
        (1, {"genre": "=cmd()"}, "INVALID_GENRE"),
        (1, {"genre": ""}, "INVALID_GENRE"),
        (1, {"genre": 7}, "INVALID_PARAMETER"),
        (1, {}, "INVALID_PARAMETER"),
        (1, {"genre": "crime", "row": 2}, "UNKNOWN_PARAMETER"),
        (1, ["crime"], "INVALID_BODY"),
        (6, {"genre": "crime"}, "ROW_NOT_FOUND"),
        (0, {"genre": "crime"}, "INVALID_PARAMETER"),
    ],
)
def test_an_invalid_correction_is_refused(
    harness: ApiHarness, row: int, body: object, code: str
) -> None:
    job_id = completed_job(harness)
    response = harness.client().put(f"/v1/jobs/{job_id}/corrections/{row}", json=body)
    assert (response.json["code"], response.status_code // 100) == (code, 4)
    assert len(response.json["detail"].split()) > 4
    assert harness.corrections.summary(job_id).count == 0


def test_rows_of_an_active_job_are_not_ready(harness: ApiHarness) -> None:
    job_id = harness.submit()
    for method, path in (
        ("GET", "rows"),
        ("GET", "corrections"),
        ("PUT", "corrections/1"),
        ("DELETE", "corrections/1"),
    ):
        response = harness.client().open(
            f"/v1/jobs/{job_id}/{path}", method=method, json={"genre": "crime"}
        )
        assert (response.status_code, response.json["code"]) == (409, "RESULT_NOT_READY")


def test_rows_expire_with_the_files(harness: ApiHarness) -> None:
    job_id = completed_job(harness)
    correct(harness, job_id, 1)
    harness.store.jobs.mark_files_deleted(job_id)
    response = harness.client().get(f"/v1/jobs/{job_id}/rows")
    assert (response.status_code, response.json["code"]) == (410, "RESULT_EXPIRED")


def test_cross_site_corrections_are_refused(harness: ApiHarness) -> None:
    job_id = completed_job(harness)
    response = harness.client().put(
        f"/v1/jobs/{job_id}/corrections/1",
        json={"genre": "crime"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert (response.status_code, response.json["code"]) == (403, "CROSS_SITE")
