"""Looking through a result, correcting rows, and what becomes of the corrections."""

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
from tests.api.callers import somebody
from tests.api.client import Answer
from tests.api.conftest import ApiHarness

CATALOGUE = (
    "title;summary;price\nNoon;a sure thing;1\n\nDusk;a doubtful thing;2\nDawn;;3\n"
    'Night;"two\nlines";4\nÜber;again doubtful;5\n'
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


def reviewed(harness: ApiHarness, catalogue: bytes = CATALOGUE.encode()) -> str:
    """A completed job with a result as workers write it."""
    schema = inspect_head(catalogue, complete=True)
    rows = parse_records(catalogue[schema.data_start :], schema)
    outcomes = [None if r.blank else r.error or label(r.summary) for r in rows]
    job_id = str(harness.submit(catalogue, name="Bücher.csv"))
    failed = sum(isinstance(outcome, RowError) for outcome in outcomes)
    harness.label(job_id, rows=sum(not r.blank for r in rows), failed=failed)
    harness.assemble(job_id, encode_header(schema) + encode_rows(schema, rows, outcomes))
    return job_id


def page(harness: ApiHarness, job_id: str, **query: object) -> dict[str, Any]:
    answer = harness.client().get(f"/v1/jobs/{job_id}/rows", query_string=query)
    assert answer.status_code == 200, answer.text
    RowsDocument.model_validate(answer.json, extra="forbid")
    return dict(answer.json)


def all_rows(harness: ApiHarness, job_id: str, **query: object) -> list[dict[str, Any]]:
    found = page(harness, job_id, **query)
    rows = found["rows"]
    while found["next"]:
        found = page(harness, job_id, **query, after=found["next"])
        rows += found["rows"]
    assert found["read"] == 1
    return list(rows)


def correct(harness: ApiHarness, job_id: str, row: int, genre: object = "science") -> Answer:
    return harness.client().put(f"/v1/jobs/{job_id}/corrections/{row}", json={"genre": genre})


def table(content: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))


def test_rows_have_their_cells_and_what_the_model_said(harness: ApiHarness) -> None:
    found = page(harness, reviewed(harness))
    assert found["columns"] == ["title", "summary", "price"]
    assert (found["title_column"], found["summary_column"]) == (0, 1)
    assert [row["row"] for row in found["rows"]] == [1, 2, 3, 4, 5]
    assert found["rows"][3]["cells"] == ["Night", "two\nlines", "4"]
    assert found["rows"][1] == {
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
    assert found["rows"][2]["row_error"] == "EMPTY_SUMMARY"
    assert found["rows"][2]["predicted_genre"] is None


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
def test_rows_can_be_chosen(
    harness: ApiHarness, query: dict[str, str], expected: list[int]
) -> None:
    rows = all_rows(harness, reviewed(harness), limit=2, **query)
    assert [row["row"] for row in rows] == expected


def test_a_corrected_row_needs_no_review_any_more(harness: ApiHarness) -> None:
    job_id = reviewed(harness)
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
    assert page(harness, job_id)["corrections"] == 1


def test_looking_for_rare_rows_takes_several_short_requests(harness: ApiHarness) -> None:
    lines = "".join(f"Book {n};{'x' * 500};1\n" for n in range(1000))
    job_id = reviewed(harness, f"title;summary;price\n{lines}Last;doubtful;1\n".encode())
    query = RowsQuery(filter=RowFilter.NEEDS_REVIEW)
    pages: list[RowsDocument] = []
    jobs = ScopedJobStore(harness.store, lambda: somebody("ann", is_admin=True))
    with reading(jobs.get(job_id), jobs, harness.storage, harness.corrections) as reader:
        while not pages or pages[-1].next:
            query.after = pages[-1].next if pages else None
            pages.append(rows_document(reader, query, corrections=0, max_bytes=100_000))
    assert 0.1 < pages[0].read < 0.5
    assert [len(found.rows) for found in pages] == [0] * (len(pages) - 1) + [1]
    assert pages[-1].rows[0].row == 1001


def test_long_cells_are_cut_and_bytes_that_are_no_text_are_shown(harness: ApiHarness) -> None:
    job_id = reviewed(harness, b"\xef\xbb\xbftitle,summary\nA\xff," + b"word " * 1000 + b"\n")
    (row,) = page(harness, job_id)["rows"]
    assert row["cells"][0] == "A\N{REPLACEMENT CHARACTER}"
    assert len(row["cells"][1]) == 1000
    assert row["cells"][1].endswith("…")


@pytest.mark.parametrize("after", ["x", "1-1", "99999999-1", "150-2", "-1-1", "1" * 400])
def test_a_cursor_that_is_none_is_refused(harness: ApiHarness, after: str) -> None:
    answer = harness.client().get(
        f"/v1/jobs/{reviewed(harness)}/rows", query_string={"after": after}
    )
    assert (answer.status_code, answer.json["code"]) == (400, "INVALID_CURSOR")


INSIDE = (
    b"title,summary\n"
    b'T1,"A detective hunts a killer\nx,y\nshort\nz,q,w,e,notanumber,f,g,h,i,j,k,l\nthe end"\n'
    b"T2,A princess loves a frog\n"
)


def test_a_cursor_that_points_into_a_record_is_refused(harness: ApiHarness) -> None:
    job_id = reviewed(harness, INSIDE)
    result = harness.client().get(f"/v1/jobs/{job_id}/result").data
    begins = {result.index(b"T1,"), result.index(b"T2,"), len(result)}
    places = [place + 1 for place, byte in enumerate(result) if byte == ord("\n")]
    assert len(places) > len(begins)
    for place in places:
        query = {"after": f"{place}-7"}
        answer = harness.client().get(f"/v1/jobs/{job_id}/rows", query_string=query)
        assert answer.status_code == (200 if place in begins else 400)


def test_the_download_has_the_corrections_beside_the_model_s_genres(harness: ApiHarness) -> None:
    job_id = reviewed(harness)
    plain = harness.client().get(f"/v1/jobs/{job_id}/result")
    correct(harness, job_id, 2)
    correct(harness, job_id, 4, "crime")
    answer = harness.client().get(f"/v1/jobs/{job_id}/result")
    assert "labelled.csv" in answer.headers["Content-Disposition"]
    assert "Content-Length" not in answer.headers  # whoever knows it has held all of it
    before, after = table(plain.text, ";"), table(answer.text, ";")
    assert after[0] == [*before[0], "corrected_genre"]
    assert [row[:-1] for row in after if row] == [row for row in before if row]
    assert [row[-1] for row in after if row] == ["corrected_genre", "", "science", "", "crime", ""]
    assert [bool(row) for row in after] == [bool(row) for row in before]


def test_the_download_is_as_the_workers_left_it_once_every_correction_is_taken_back(
    harness: ApiHarness,
) -> None:
    job_id = reviewed(harness)
    plain = harness.client().get(f"/v1/jobs/{job_id}/result")
    correct(harness, job_id, 2)
    for _ in range(2):
        answer = harness.client().delete(f"/v1/jobs/{job_id}/corrections/2")
        assert (answer.status_code, answer.json) == (
            200,
            {"row": 2, "genre": None, "corrections": 0},
        )
    again = harness.client().get(f"/v1/jobs/{job_id}/result")
    assert (again.data, again.headers["ETag"]) == (plain.data, plain.headers["ETag"])


def test_a_client_that_has_the_corrected_result_is_told_so_until_it_changes(
    harness: ApiHarness,
) -> None:
    job_id, client = reviewed(harness), harness.client()
    correct(harness, job_id, 2)
    etag = client.get(f"/v1/jobs/{job_id}/result").headers["ETag"]
    known = {"If-None-Match": etag}
    assert client.get(f"/v1/jobs/{job_id}/result", headers=known).status_code == 304
    correct(harness, job_id, 2, "sports")
    assert client.get(f"/v1/jobs/{job_id}/result", headers=known).status_code == 200


def test_corrected_rows_are_data_to_train_on(harness: ApiHarness) -> None:
    job_id = reviewed(harness)
    correct(harness, job_id, 2)
    correct(harness, job_id, 4, "crime")
    answer = harness.client().get(f"/v1/jobs/{job_id}/corrections")
    assert "corrections.csv" in answer.headers["Content-Disposition"]
    assert table(answer.text) == [
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
def test_a_correction_that_cannot_be_one_is_refused(
    harness: ApiHarness, row: int, body: object, code: str
) -> None:
    job_id = reviewed(harness)
    answer = harness.client().put(f"/v1/jobs/{job_id}/corrections/{row}", json=body)
    assert (answer.json["code"], answer.status_code // 100) == (code, 4)
    assert len(answer.json["detail"].split()) > 4
    assert harness.corrections.summary(job_id).count == 0


def test_rows_of_a_job_under_way_have_to_be_waited_for(harness: ApiHarness) -> None:
    job_id = harness.submit()
    for method, path in (
        ("GET", "rows"),
        ("GET", "corrections"),
        ("PUT", "corrections/1"),
        ("DELETE", "corrections/1"),
    ):
        answer = harness.client().open(
            f"/v1/jobs/{job_id}/{path}", method=method, json={"genre": "crime"}
        )
        assert (answer.status_code, answer.json["code"]) == (409, "RESULT_NOT_READY")


def test_rows_are_gone_with_the_files(harness: ApiHarness) -> None:
    job_id = reviewed(harness)
    correct(harness, job_id, 1)
    harness.store.jobs.mark_files_deleted(job_id)
    answer = harness.client().get(f"/v1/jobs/{job_id}/rows")
    assert (answer.status_code, answer.json["code"]) == (410, "RESULT_EXPIRED")


def test_corrections_of_another_site_s_page_are_refused(harness: ApiHarness) -> None:
    job_id = reviewed(harness)
    answer = harness.client().put(
        f"/v1/jobs/{job_id}/corrections/1",
        json={"genre": "crime"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert (answer.status_code, answer.json["code"]) == (403, "CROSS_SITE")
