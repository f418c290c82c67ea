"""Results over HTTP: whole, in ranges, on conditions, under safe names."""

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


def test_a_result_is_the_file_as_csv_for_saving(harness: ApiHarness) -> None:
    job_id = harness.completed(RESULT, name="books.csv")
    answer = harness.client().get(f"/v1/jobs/{job_id}/result")
    assert (answer.status_code, answer.data) == (200, RESULT)
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.content_length == len(RESULT)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Disposition"] == "attachment; filename=books.labelled.csv"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    errors = harness.client().get(f"/v1/jobs/{job_id}/errors")
    assert errors.data == b"row\n"
    assert errors.headers["Content-Disposition"] == "attachment; filename=books.errors.csv"


@pytest.mark.parametrize("name", ["result", "errors"])
def test_before_the_job_has_ended_the_result_is_not_ready(harness: ApiHarness, name: str) -> None:
    job_id = harness.submit()
    answer = harness.client().get(f"/v1/jobs/{job_id}/{name}")
    assert (answer.status_code, answer.json["code"]) == (409, "RESULT_NOT_READY")
    assert answer.headers["Retry-After"] == "1"


def test_what_a_cancelled_or_failed_job_finished_is_served(harness: ApiHarness) -> None:
    for ending, failure in (
        (State.CANCELLED, None),
        (State.FAILED, Failure(code="X", message="Y.")),
    ):
        job_id = harness.submit()
        harness.store.jobs.end(job_id, ending, failure)
        harness.assemble(job_id, b"part")
        assert harness.client().get(f"/v1/jobs/{job_id}/result").data == b"part"


def test_an_ended_job_without_a_file_says_so(harness: ApiHarness) -> None:
    job_id = harness.submit()
    harness.store.jobs.end(job_id, State.CANCELLED)
    harness.assemble(job_id, None)
    answer = harness.client().get(f"/v1/jobs/{job_id}/result")
    assert (answer.status_code, answer.json["code"]) == (404, "RESULT_MISSING")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100000-300000", 100_000, 300_001),
        ("bytes=500-", 500, len(RESULT)),
        ("bytes=-7", len(RESULT) - 7, len(RESULT)),
        ("bytes=5-99999999", 5, len(RESULT)),
    ],
)
def test_a_range_is_served_as_that_range(
    harness: ApiHarness, asked: str, start: int, end: int
) -> None:
    job_id = harness.completed(RESULT)
    answer = harness.client().get(f"/v1/jobs/{job_id}/result", headers={"Range": asked})
    assert (answer.status_code, answer.data) == (206, RESULT[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(RESULT)}"
    assert answer.content_length == end - start


def test_a_range_beyond_the_end_is_a_problem_that_tells_the_length(harness: ApiHarness) -> None:
    job_id = harness.completed(RESULT)
    answer = harness.client().get(f"/v1/jobs/{job_id}/result", headers={"Range": "bytes=9999999-"})
    assert (answer.status_code, answer.json["code"]) == (416, "RANGE_NOT_SATISFIABLE")
    assert answer.headers["Content-Range"] == f"bytes */{len(RESULT)}"


def test_what_the_client_has_already_is_not_sent_again(harness: ApiHarness) -> None:
    path = f"/v1/jobs/{harness.completed(RESULT)}/result"
    client = harness.client()
    first = client.get(path)
    assert parsedate_to_datetime(first.headers["Last-Modified"])
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get(path, headers={"If-None-Match": '"other"'}).data == RESULT


def test_a_broken_download_goes_on_only_if_the_file_is_the_same(harness: ApiHarness) -> None:
    path = f"/v1/jobs/{harness.completed(RESULT)}/result"
    client = harness.client()
    etag = client.head(path).headers["ETag"]
    same = client.get(path, headers={"Range": "bytes=10-", "If-Range": etag})
    assert (same.status_code, same.data) == (206, RESULT[10:])
    other = client.get(path, headers={"Range": "bytes=10-", "If-Range": '"other"'})
    assert (other.status_code, other.data) == (200, RESULT)


def test_results_of_different_jobs_and_kinds_have_different_tags(harness: ApiHarness) -> None:
    one, two = harness.completed(), harness.completed()
    client = harness.client()
    paths = [f"/v1/jobs/{one}/result", f"/v1/jobs/{two}/result", f"/v1/jobs/{one}/errors"]
    assert len({client.head(path).headers["ETag"] for path in paths}) == 3


def test_head_has_the_headers_and_no_body(harness: ApiHarness) -> None:
    answer = harness.client().head(f"/v1/jobs/{harness.completed(RESULT)}/result")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.content_length == len(RESULT)


@pytest.mark.parametrize(
    ("sent", "kept"),
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
def test_a_filename_is_reduced_to_what_may_be_shown(sent: str | None, kept: str) -> None:
    assert safe_filename(sent) == kept


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_filename_becomes_a_short_printable_name(name: str) -> None:
    kept = safe_filename(name)
    assert kept.isprintable()
    assert 0 < len(kept) <= 151
    assert not set(kept) & {"/", "\\"}


@pytest.mark.parametrize(
    ("filename", "offered"),
    [
        ("books.csv", "books.labelled.csv"),
        ("Books.TSV", "Books.labelled.csv"),
        ("v1.2", "v1.2.labelled.csv"),
        (".csv", ".csv.labelled.csv"),
    ],
)
def test_the_name_offered_for_saving_keeps_the_stem(filename: str, offered: str) -> None:
    assert download_name(filename, "labelled") == offered


@pytest.mark.parametrize("name", ["Bücher – März.csv", 'a"b;c.csv', "目录.csv", "100%.csv"])
def test_any_name_survives_the_header(harness: ApiHarness, name: str) -> None:
    job_id = harness.completed(name=name)
    header = harness.client().head(f"/v1/jobs/{job_id}/result").headers["Content-Disposition"]
    assert header.isascii()
    offered = download_name(name, "labelled")
    if name.isascii():
        assert offered in header.replace('\\"', '"')
    else:
        assert unquote(header.rpartition("UTF-8''")[2]) == offered
