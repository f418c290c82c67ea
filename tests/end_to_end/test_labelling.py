"""From an upload to the labelled catalogue, through real processes."""

from __future__ import annotations

import csv
import io

import pytest

from tests.end_to_end.labelled_csv import LABEL_COLUMNS, parse_csv
from tests.stack import Stack, many_rows


def test_the_sample_is_labelled_completely(stack: Stack, sample: bytes) -> None:
    job = stack.wait(stack.submit(sample))
    assert job["state"] == "completed"
    assert job["row_counts"] == {"total": 223, "labelled": 221, "failed": 2, "pending": 0}
    before, after = parse_csv(sample), parse_csv(stack.result(str(job["id"])))
    assert after[0] == before[0] + LABEL_COLUMNS
    assert [row[: len(before[0])] for row in after] == before
    for row in after[1:]:
        labels = dict(zip(LABEL_COLUMNS, row[len(before[0]) :], strict=True))
        if labels["row_error"]:
            assert labels["row_error"] == "EMPTY_SUMMARY"
            assert labels["predicted_genre"] == ""
        else:
            assert 0 < float(labels["second_confidence"]) <= float(labels["confidence"]) <= 1
            assert labels["predicted_genre"] in labels["genre_set"].split("|")
    genres = {row[len(before[0])] for row in after[1:]}
    assert len(genres - {""}) == 10


def test_row_errors_are_listed_in_a_file_of_their_own(stack: Stack, sample: bytes) -> None:
    job = stack.wait(stack.submit(sample))
    errors = parse_csv(stack.http.get(f"/v1/jobs/{job['id']}/errors").content)
    assert [row[1] for row in errors[1:]] == ["EMPTY_SUMMARY", "EMPTY_SUMMARY"]
    before = parse_csv(sample)
    for row in errors[1:]:
        assert before[int(row[0])][-1].strip() == ""


def test_rows_in_other_languages_are_not_labelled(stack: Stack) -> None:
    german = "Die Tochter des Müllers und der Drache, der ihr das Leben rettet."
    french = "La fille du meunier et le dragon qui lui sauve la vie dans une forêt."
    english = "A detective hunts a killer through the rain and fog of an old city."
    rows = [german, english, french]
    content = "\n".join(["title,summary"] + [f'Nachtstück,"{row}"' for row in rows])
    job = stack.wait(stack.submit(content.encode()))
    assert job["state"] == "completed"
    assert job["row_counts"] == {"total": 3, "labelled": 1, "failed": 2, "pending": 0}
    assert job["error_counts"] == {"UNSUPPORTED_LANGUAGE": 2}
    warnings = job["warnings"]
    assert isinstance(warnings, list)
    (warning,) = warnings
    assert (warning["code"], warning["rows"]) == ("UNSUPPORTED_LANGUAGE", 2)
    errors = [row[-2:] for row in parse_csv(stack.result(str(job["id"])))[1:]]
    assert errors == [["UNSUPPORTED_LANGUAGE", "de"], ["", ""], ["UNSUPPORTED_LANGUAGE", "fr"]]
    listed = parse_csv(stack.http.get(f"/v1/jobs/{job['id']}/errors").content)[1:]
    assert [row[:3] for row in listed] == [
        ["1", "UNSUPPORTED_LANGUAGE", "de"],
        ["3", "UNSUPPORTED_LANGUAGE", "fr"],
    ]
    document = stack.http.get(f"/v1/jobs/{job['id']}/rows", params={"filter": "errors"}).json()
    assert [row["row_error_detail"] for row in document["rows"]] == ["de", "fr"]


@pytest.mark.parametrize(
    ("encoding", "delimiter", "newline"),
    [
        ("utf-8", ";", "\r\n"),
        ("utf-8-sig", ",", "\n"),
        ("utf-16", "\t", "\r\n"),
        ("cp1252", ";", "\r\n"),
        ("utf-8", "|", "\n"),
    ],
)
def test_common_dialects_keep_rows_and_cells_in_order(
    stack: Stack, sample: bytes, encoding: str, delimiter: str, newline: str
) -> None:
    rows = [
        [cell.encode("cp1252", "ignore").decode("cp1252") for cell in row]
        for row in parse_csv(sample)
    ]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(rows[:40])
    job = stack.wait(stack.submit(text.getvalue().encode(encoding)))
    assert job["state"] == "completed"
    after = parse_csv(stack.result(str(job["id"])), delimiter)
    assert [row[: len(rows[0])] for row in after] == rows[:40]


def test_the_same_catalogue_gives_the_same_bytes(stack: Stack, catalogue: bytes) -> None:
    first, second = stack.submit(catalogue), stack.submit(catalogue)
    stack.wait(first)
    stack.wait(second)
    assert stack.result(first) == stack.result(second)


def test_the_caller_may_name_the_summary_column(stack: Stack) -> None:
    content = b"a,b\n1,A detective hunts a killer through the rainy streets of London\n"
    response = stack.http.post("/v1/jobs", files={"file": ("c.csv", content)})
    assert (response.status_code, response.json()["code"]) == (422, "NO_SUMMARY_COLUMN")
    job = stack.wait(stack.submit(content, summary_column="b"))
    assert job["row_counts"] == {"total": 1, "labelled": 1, "failed": 0, "pending": 0}


def test_the_caller_may_name_the_title_column(stack: Stack) -> None:
    row = b"A Ghost in the Nursery,Somebody arrives in a house and stays for the winter\n"

    def labels(header: bytes, **options: str) -> list[str]:
        job = stack.wait(stack.submit(header + b"\n" + row, **options))
        return parse_csv(stack.result(str(job["id"])))[1][2:]

    expected = labels(b"title,summary")
    assert labels(b"heading,summary") != expected
    assert labels(b"heading,summary", title_column="heading") == expected
    assert labels(b"title,summary", title_column="summary") == labels(b"heading,summary")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "NOT_TEXT"),
        (b"PK\x03\x04" + bytes(range(256)) * 20, "CORRUPT_ARCHIVE"),
        (b"isbn,price\n1,2\n", "NO_SUMMARY_COLUMN"),
        (b"title,summary\n", "NO_ROWS"),
    ],
)
def test_a_file_that_cannot_be_labelled_is_refused_and_leaves_no_files(
    stack: Stack, content: bytes, code: str
) -> None:
    files_before = sorted((stack.data_dir).rglob("jobs/*"))
    jobs_before = len(stack.http.get("/v1/jobs", params={"limit": 100}).json()["jobs"])
    response = stack.http.post("/v1/jobs", files={"file": ("c.csv", content)})
    assert 400 <= response.status_code < 500
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["code"] == code
    assert len(problem["detail"].split()) > 5
    assert sorted((stack.data_dir).rglob("jobs/*")) == files_before
    assert len(stack.http.get("/v1/jobs", params={"limit": 100}).json()["jobs"]) == jobs_before


def test_a_cancelled_job_keeps_the_finished_rows(stack: Stack, catalogue: bytes) -> None:
    with stack.suspended_worker() as worker:
        job_id = stack.submit(catalogue)
        worker.work_until_half_done(job_id)
        assert stack.http.post(f"/v1/jobs/{job_id}/cancel").status_code in (200, 202)
    job = stack.wait(job_id)
    assert job["state"] == "cancelled"
    assert stack.http.post(f"/v1/jobs/{job_id}/cancel").status_code == 200
    counts = job["row_counts"]
    assert isinstance(counts, dict)
    assert counts["labelled"] + counts["failed"] + counts["pending"] == counts["total"]
    assert counts["pending"] > 0
    rows = parse_csv(stack.result(job_id))[1:]
    assert len(rows) == counts["labelled"] + counts["failed"]


def test_a_small_catalogue_does_not_wait_for_a_large_one(stack: Stack) -> None:
    with stack.suspended_worker() as worker:
        large = stack.submit(many_rows(rows=30_000))
        worker.work_until_half_done(large)
        small = stack.submit(many_rows(rows=100))
    assert stack.wait(small)["state"] == "completed"
    assert stack.is_half_done(large)
    stack.http.post(f"/v1/jobs/{large}/cancel")
    stack.wait(large, "cancelled")
