"""Results over HTTP: whole files, ranges, conditional requests and safe filenames."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.filenames import download_name, safe_filename
from jobs.job import Failure, State
from tests.api.conftest import ApiHarness

RESULT = b"title,predicted_genre\n" + b"".join(b"%d,crime\n" % i for i in range(50_000))


def test_a_result_is_served_as_a_csv_attachment(harness: ApiHarness) -> None:
    job_id = harness.complete_job(RESULT, name="books.csv")
    response = harness.client().get(f"/v1/jobs/{job_id}/result")
    assert (response.status_code, response.data) == (200, RESULT)
    assert response.content_type == "text/csv; charset=utf-8"
    assert response.content_length == len(RESULT)
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Content-Disposition"] == "attachment; filename=books.labelled.csv"
    assert response.headers["Cache-Control"] == "private, no-cache"
    errors = harness.client().get(f"/v1/jobs/{job_id}/errors")
    assert errors.data == b"row\n"
    assert errors.headers["Content-Disposition"] == "attachment; filename=books.errors.csv"


@pytest.mark.parametrize("name", ["result", "errors"])
def test_the_result_of_an_active_job_is_not_ready(harness: ApiHarness, name: str) -> None:
    job_id = harness.submit()
    response = harness.client().get(f"/v1/jobs/{job_id}/{name}")
    assert (response.status_code, response.json["code"]) == (409, "RESULT_NOT_READY")
    assert response.headers["Retry-After"] == "1"


def test_the_partial_result_of_a_cancelled_or_failed_job_is_served(harness: ApiHarness) -> None:
    for ending, failure in (
        (State.CANCELLED, None),
        (State.FAILED, Failure(code="X", message="Y.")),
    ):
        job_id = harness.submit()
        harness.store.jobs.end(job_id, ending, failure)
        harness.assemble(job_id, b"part")
        assert harness.client().get(f"/v1/jobs/{job_id}/result").data == b"part"


def test_an_ended_job_without_a_result_is_reported(harness: ApiHarness) -> None:
    job_id = harness.submit()
    harness.store.jobs.end(job_id, State.CANCELLED)
    harness.assemble(job_id, None)
    response = harness.client().get(f"/v1/jobs/{job_id}/result")
    assert (response.status_code, response.json["code"]) == (404, "RESULT_MISSING")


@pytest.mark.parametrize(
    ("range_header", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100000-300000", 100_000, 300_001),
        ("bytes=500-", 500, len(RESULT)),
        ("bytes=-7", len(RESULT) - 7, len(RESULT)),
        ("bytes=5-99999999", 5, len(RESULT)),
    ],
)
def test_a_range_is_served(harness: ApiHarness, range_header: str, start: int, end: int) -> None:
    job_id = harness.complete_job(RESULT)
    response = harness.client().get(f"/v1/jobs/{job_id}/result", headers={"Range": range_header})
    assert (response.status_code, response.data) == (206, RESULT[start:end])
    assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(RESULT)}"
    assert response.content_length == end - start


def test_a_range_beyond_the_end_is_refused_with_the_length(harness: ApiHarness) -> None:
    job_id = harness.complete_job(RESULT)
    response = harness.client().get(
        f"/v1/jobs/{job_id}/result", headers={"Range": "bytes=9999999-"}
    )
    assert (response.status_code, response.json["code"]) == (416, "RANGE_NOT_SATISFIABLE")
    assert response.headers["Content-Range"] == f"bytes */{len(RESULT)}"


def test_a_matching_etag_returns_304(harness: ApiHarness) -> None:
    path = f"/v1/jobs/{harness.complete_job(RESULT)}/result"
    client = harness.client()
    first = client.get(path)
    assert parsedate_to_datetime(first.headers["Last-Modified"])
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get(path, headers={"If-None-Match": '"other"'}).data == RESULT


def test_a_download_is_resumed_only_if_the_file_is_unchanged(harness: ApiHarness) -> None:
    path = f"/v1/jobs/{harness.complete_job(RESULT)}/result"
    client = harness.client()
    etag = client.head(path).headers["ETag"]
    same = client.get(path, headers={"Range": "bytes=10-", "If-Range": etag})
    assert (same.status_code, same.data) == (206, RESULT[10:])
    other = client.get(path, headers={"Range": "bytes=10-", "If-Range": '"other"'})
    assert (other.status_code, other.data) == (200, RESULT)


def test_results_of_different_jobs_and_kinds_have_different_etags(harness: ApiHarness) -> None:
    one, two = harness.complete_job(), harness.complete_job()
    client = harness.client()
    paths = [f"/v1/jobs/{one}/result", f"/v1/jobs/{two}/result", f"/v1/jobs/{one}/errors"]
    assert len({client.head(path).headers["ETag"] for path in paths}) == 3


def test_head_has_the_headers_and_no_body(harness: ApiHarness) -> None:
    response = harness.client().head(f"/v1/jobs/{harness.complete_job(RESULT)}/result")
    assert (response.status_code, response.data) == (200, b"")
    assert response.content_length == len(RESULT)


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("books.csv", "books.csv"),
        ("C:\\Users\\me\\books.csv", "books.csv"),
        ("../../etc/passwd", "passwd"),
        ("a\r\nSet-Cookie: b.csv", "aSet-Cookie: b.csv"),
        ("\u202evsc.exe", "vsc.exe"),
        ("..", "catalogue.csv"),
        ("", "catalogue.csv"),
        (None, "catalogue.csv"),
    ],
)
def test_a_filename_is_sanitised(filename: str | None, expected: str) -> None:
    assert safe_filename(filename) == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_filename_becomes_a_short_printable_name(name: str) -> None:
    safe = safe_filename(name)
    assert safe.isprintable()
    assert 0 < len(safe) <= 151
    assert not set(safe) & {"/", "\\"}


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("books.csv", "books.labelled.csv"),
        ("Books.TSV", "Books.labelled.csv"),
        ("v1.2", "v1.2.labelled.csv"),
        (".csv", ".csv.labelled.csv"),
    ],
)
def test_the_download_name_keeps_the_stem(filename: str, expected: str) -> None:
    assert download_name(filename, "labelled") == expected


@pytest.mark.parametrize("name", ["Bücher – März.csv", 'a"b;c.csv', "目录.csv", "100%.csv"])
def test_any_filename_survives_content_disposition(harness: ApiHarness, name: str) -> None:
    job_id = harness.complete_job(name=name)
    header = harness.client().head(f"/v1/jobs/{job_id}/result").headers["Content-Disposition"]
    assert header.isascii()
    expected = download_name(name, "labelled")
    if name.isascii():
        assert expected in header.replace('\\"', '"')
    else:
        assert unquote(header.rpartition("UTF-8''")[2]) == expected
