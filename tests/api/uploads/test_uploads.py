"""An upload becomes a job, or is refused and leaves no files."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import redis
from kombu.exceptions import OperationalError

from catalogue.limits import PROBE_BYTES
from jobs.files.storage import Storage, input_path
from jobs.job import Job, NewJob
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.job_repository import MemoryJobRepository
from jobs.memory.record.state import MemoryState
from jobs.memory.record.upload_registry import MemoryUploadRegistry
from jobs.ports.record.idempotency import KeyCompletion
from jobs.ports.record.upload_registry import UPLOAD_LOST_AFTER_S
from jobs.queue.task_queue import PLAN_TASK, RecordingTaskQueue
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness

CATALOGUE = b"title,summary\nA,some words\n"
FILE_PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n%b\r\n'
COLUMN_PART = b'--b\r\nContent-Disposition: form-data; name="summary_column"\r\n\r\n%b\r\n'
FORM = {"content_type": "multipart/form-data; boundary=b"}


def read_stored(harness: ApiHarness, job_id: str) -> bytes:
    with harness.storage.open(input_path(job_id)) as stream:
        return bytes(stream.read())


def test_a_form_becomes_a_job_with_its_file_and_its_message(harness: ApiHarness) -> None:
    form = {"file": (io.BytesIO(CATALOGUE), "Books of 2024.csv")}
    response = harness.client().post("/v1/jobs", data=form)
    assert response.status_code == 202
    assert response.headers["Location"] == response.json["links"]["self"]
    assert response.headers["Retry-After"] == "1"
    assert response.json["state"] == "queued"
    assert response.json["filename"] == "Books of 2024.csv"
    assert response.json["input_bytes"] == len(CATALOGUE)
    assert response.json["summary_column"] == "summary"
    assert read_stored(harness, response.json["id"]) == CATALOGUE
    assert harness.task_queue.sent == [(PLAN_TASK, response.json["id"], None)]


@pytest.mark.parametrize(
    "content_type", ["text/csv", "application/octet-stream", "application/x-www-form-urlencoded"]
)
def test_a_raw_body_of_any_type_becomes_a_job(harness: ApiHarness, content_type: str) -> None:
    # Above 500 kB, the limit of Flask's own form parser.
    content = CATALOGUE + b"B,other words\n" * 50_000
    response = harness.client().post("/v1/jobs", data=content, content_type=content_type)
    assert response.status_code == 202
    assert read_stored(harness, response.json["id"]) == content


@pytest.mark.parametrize("size", [PROBE_BYTES - 1, PROBE_BYTES, PROBE_BYTES + 1, 3 * PROBE_BYTES])
@pytest.mark.parametrize("as_form", [False, True])
def test_every_byte_is_stored_around_the_inspected_head(
    harness: ApiHarness, size: int, as_form: bool
) -> None:
    content = CATALOGUE + b"x" * (size - len(CATALOGUE))
    if as_form:
        response = harness.client().post(
            "/v1/jobs", data=FILE_PART % content + b"--b--\r\n", **FORM
        )
    else:
        response = harness.client().post("/v1/jobs", data=content)
    assert response.status_code == 202, response.text
    assert read_stored(harness, response.json["id"]) == content


@pytest.mark.parametrize("filler", [b"\r\n", b"\r\n--", b"\r\n--b", b"--b--", b"\r", b"\n--bb\r\n"])
def test_content_similar_to_a_boundary_is_stored(harness: ApiHarness, filler: bytes) -> None:
    content = CATALOGUE + filler.replace(b"--b", b"--c") * 3 + b"end"
    response = harness.client().post("/v1/jobs", data=FILE_PART % content + b"--b--\r\n", **FORM)
    assert read_stored(harness, response.json["id"]) == content


def test_the_filename_of_a_raw_body_is_in_the_query_or_in_content_disposition(
    client: ApiClient,
) -> None:
    by_query = client.post("/v1/jobs?filename=caf%C3%A9.csv", data=CATALOGUE)
    by_header = client.post(
        "/v1/jobs",
        data=CATALOGUE,
        headers={"Content-Disposition": "attachment; filename*=UTF-8''caf%C3%A9.csv"},
    )
    unnamed = client.post("/v1/jobs", data=CATALOGUE)
    names = [response.get_json()["filename"] for response in (by_query, by_header, unnamed)]
    assert names == ["café.csv", "café.csv", "catalogue.csv"]


@pytest.mark.parametrize("rows", [1, 40_000])  # within the head, and far beyond it
@pytest.mark.parametrize(
    "order", ["column first", "file first", "query"], ids=lambda order: order.replace(" ", "-")
)
def test_the_summary_column_may_precede_or_follow_the_file(
    harness: ApiHarness, order: str, rows: int
) -> None:
    file = FILE_PART % (b"title,remarks\n" + b"A,some words\n" * rows)
    column = COLUMN_PART % b"remarks"
    parts = {"column first": column + file, "file first": file + column, "query": file}[order]
    query = {"summary_column": "remarks"} if order == "query" else {}
    response = harness.client().post(
        "/v1/jobs", query_string=query, data=parts + b"--b--\r\n", **FORM
    )
    assert response.status_code == 202, response.text
    assert response.json["summary_column"] == "remarks"


def test_a_column_that_follows_the_file_overrides_the_detected_one(
    harness: ApiHarness,
) -> None:
    file = FILE_PART % (b"remarks,summary\n" + b"A,some words\n" * 40_000)
    response = harness.client().post(
        "/v1/jobs", data=file + COLUMN_PART % b"remarks" + b"--b--\r\n", **FORM
    )
    assert response.json["summary_column"] == "remarks"


def test_a_very_long_column_name_is_truncated_in_documents_only(harness: ApiHarness) -> None:
    name = "remarks " + "x" * 1_000
    content = f"title,{name}\nA,some words\n".encode()
    response = harness.client().post(
        "/v1/jobs", query_string={"summary_column": name}, data=content
    )
    shown = response.json["summary_column"]
    assert (shown, len(shown)) == (name[:499] + "…", 500)
    schema = harness.store.jobs.schema(response.json["id"])
    assert schema.header == ("title", name)


TITLED = b"titel,heading,summary\nA,B,some words\n"


@pytest.mark.parametrize(
    ("content", "query", "title"),
    [
        (TITLED, {}, "titel"),
        (TITLED, {"title_column": " Heading"}, "heading"),
        (TITLED, {"title_column": "summary"}, None),
        (b"summary\nsome words\n", {}, None),
    ],
)
def test_the_title_column_is_detected_or_named(
    harness: ApiHarness, content: bytes, query: dict[str, str], title: str | None
) -> None:
    response = harness.client().post("/v1/jobs", data=content, query_string=query)
    assert (response.status_code, response.json["title_column"]) == (202, title)


@pytest.mark.parametrize("rows", [1, 40_000])  # within the head, and far beyond it
def test_the_title_column_may_follow_the_file(harness: ApiHarness, rows: int) -> None:
    file = FILE_PART % (b"title,heading,summary\n" + b"A,B,some words\n" * rows)
    field = COLUMN_PART.replace(b"summary_column", b"title_column") % b"heading"
    response = harness.client().post("/v1/jobs", **form(file, field))
    assert response.json["title_column"] == "heading"


def declared_length(length: int) -> dict[str, Any]:
    """A Content-Length that need not match the body."""
    return {"environ_overrides": {"CONTENT_LENGTH": str(length)}}


def form(*parts: bytes) -> dict[str, Any]:
    return {"data": b"".join(parts) + b"--b--\r\n", **FORM}


LONG = b"title,remarks\n" + b"A,some words\n" * 40_000

REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "empty body": ({"data": b"", **declared_length(0)}, 422, "EMPTY_FILE"),
    "blank lines": ({"data": b"\n \n"}, 422, "EMPTY_FILE"),
    "empty file": (form(FILE_PART % b""), 422, "EMPTY_FILE"),
    "binary": ({"data": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(64)}, 415, "NOT_TEXT"),
    "old workbook": ({"data": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64)}, 415, "NOT_TEXT"),
    "no summary": ({"data": b"title,remarks\nA,B\n"}, 422, "NO_SUMMARY_COLUMN"),
    "no summary, form": (form(FILE_PART % b"title,remarks\nA,B\n"), 422, "NO_SUMMARY_COLUMN"),
    "no summary, long form": (form(FILE_PART % LONG), 422, "NO_SUMMARY_COLUMN"),
    "unknown column": (
        {"data": CATALOGUE, "query_string": {"summary_column": "plot"}},
        422,
        "SUMMARY_COLUMN_NOT_FOUND",
    ),
    "unknown column, late": (
        form(FILE_PART % LONG, COLUMN_PART % b"plot"),
        422,
        "SUMMARY_COLUMN_NOT_FOUND",
    ),
    "unknown title": (
        {"data": CATALOGUE, "query_string": {"title_column": "plot"}},
        422,
        "TITLE_COLUMN_NOT_FOUND",
    ),
    "no rows": ({"data": b"title,summary\n"}, 422, "NO_ROWS"),
    "too many columns": ({"data": b"a," * 2000 + b"summary\n1\n"}, 422, "TOO_MANY_COLUMNS"),
    "endless header": ({"data": b'title,"summary' + b"x" * 400_000}, 422, "HEADER_UNREADABLE"),
    "too large": ({"data": CATALOGUE + bytes(1_000_000)}, 413, "FILE_TOO_LARGE"),
    "too large, form": (form(FILE_PART % (CATALOGUE + b"x" * 1_000_000)), 413, "FILE_TOO_LARGE"),
    "much too large, form": (form(FILE_PART % (b"x" * 2_000_000)), 413, "FILE_TOO_LARGE"),
    "no file part": (form(COLUMN_PART % b"remarks"), 400, "NO_FILE"),
    "no file chosen": (form((FILE_PART % b"").replace(b"a.csv", b"")), 400, "NO_FILE"),
    "no form": (form(), 400, "NO_FILE"),
    "two files": (form(FILE_PART % CATALOGUE, FILE_PART % CATALOGUE), 400, "MULTIPLE_FILES"),
    "unknown field": (
        form((COLUMN_PART % b"remarks").replace(b"summary_", b"sumary_"), FILE_PART % CATALOGUE),
        400,
        "UNKNOWN_FIELD",
    ),
    "unknown parameter": (
        {"data": CATALOGUE, "query_string": {"column": "remarks"}},
        400,
        "UNKNOWN_PARAMETER",
    ),
    "long field": (form(COLUMN_PART % (b"x" * 9_000)), 400, "MALFORMED_FORM"),
    "cut form": ({"data": (FILE_PART % CATALOGUE)[:-2], **FORM}, 400, "MALFORMED_FORM"),
    "cut long form": ({"data": FILE_PART % (CATALOGUE * 20_000), **FORM}, 400, "MALFORMED_FORM"),
    "no boundary": (
        {"data": b"x", "content_type": "multipart/form-data"},
        400,
        "MALFORMED_FORM",
    ),
    "no disposition": (form(b"--b\r\nA: b\r\n\r\nx\r\n"), 400, "MALFORMED_FORM"),
    "other multipart": (
        {"data": b"x", "content_type": "multipart/mixed; boundary=b"},
        400,
        "MALFORMED_FORM",
    ),
    "compressed": (
        {"data": b"\x1f\x8b", "headers": {"Content-Encoding": "gzip"}},
        415,
        "UNSUPPORTED_CONTENT_ENCODING",
    ),
    "cut body": (
        {"data": CATALOGUE, **declared_length(1_000)},
        400,
        "UPLOAD_INTERRUPTED",
    ),
    "cut long body": (
        {"data": CATALOGUE + b"x" * 600_000, **declared_length(900_000)},
        400,
        "UPLOAD_INTERRUPTED",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_upload_gives_a_reason_and_leaves_no_files(
    harness: ApiHarness, case: str
) -> None:
    arguments, status, code = REFUSED[case]
    response = harness.client().post("/v1/jobs", **arguments)
    assert (response.status_code, response.json["code"]) == (status, code)
    assert response.content_type == "application/problem+json"
    assert response.json["detail"].endswith((".", "”"))
    assert harness.is_empty()


def test_a_request_without_a_body_is_refused(client: ApiClient) -> None:
    response = client.post("/v1/jobs")
    assert response.get_json()["code"] == "NO_FILE"


def test_a_file_of_exactly_the_limit_is_accepted(harness: ApiHarness) -> None:
    content = CATALOGUE + b"x" * (harness.settings.max_upload_bytes - len(CATALOGUE))
    for arguments in ({"data": content}, form(FILE_PART % content)):
        assert harness.client().post("/v1/jobs", **arguments).status_code == 202


class FullStorage(Storage):
    """A storage whose disk is full at the end of a file."""

    @contextmanager
    def publish(
        self, path: str, *, confirm: Callable[[], None] = lambda: None
    ) -> Iterator[BinaryIO]:
        with super().publish(path, confirm=confirm) as stream:
            yield stream
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_storage_is_reported_and_leaves_no_files(
    harness: ApiHarness, tmp_path: Path
) -> None:
    harness.storage = FullStorage(str(tmp_path / "full"))
    response = harness.client().post("/v1/jobs", data=CATALOGUE)
    assert (response.status_code, response.json["code"]) == (507, "STORAGE_FULL")
    assert harness.is_empty()
    assert list((tmp_path / "full").rglob("job_*")) == []


def test_an_unwritable_storage_is_reported_as_unavailable(
    harness: ApiHarness, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    harness.storage = Storage(str(tmp_path / "file"))
    response = harness.client().post("/v1/jobs", data=CATALOGUE)
    assert (response.status_code, response.json["code"]) == (503, "STORAGE_UNAVAILABLE")
    assert response.headers["Retry-After"] == "5"


class FullRepository(MemoryJobRepository):
    """A repository over a Redis that refuses writes."""

    def create(
        self, job: NewJob, *, max_open: int | None = None, completion: KeyCompletion | None = None
    ) -> Job:
        raise redis.OutOfMemoryError(f"no room for {job.id}, {max_open}, {completion}")


def test_an_upload_whose_job_redis_refuses_leaves_no_files(harness: ApiHarness) -> None:
    state = MemoryState()
    harness.store = replace(memory_job_store(state), jobs=FullRepository(state))
    response = harness.client().post("/v1/jobs", data=CATALOGUE)
    assert (response.status_code, response.json["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert response.headers["Retry-After"] == "5"
    assert harness.is_empty()
    assert harness.store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == []


class UnreachableQueue(RecordingTaskQueue):
    """A task queue whose broker cannot be reached."""

    def plan(self, job_id: str) -> None:
        raise OperationalError(f"no broker for {job_id}")

    def assemble(self, job_id: str) -> None:
        raise OperationalError(f"no broker for {job_id}")


def test_an_upload_without_a_broker_is_accepted_and_left_to_recovery(
    harness: ApiHarness,
) -> None:
    harness.task_queue = UnreachableQueue()
    response = harness.client().post("/v1/jobs", data=CATALOGUE)
    assert response.status_code == 202
    job_id = response.json["id"]
    assert harness.store.leases.find_abandoned(job_id, idle_s=0).plan
    assert harness.client().post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    assert harness.store.leases.find_abandoned(job_id, idle_s=0).assemble


class ExpiringRepository(MemoryJobRepository):
    """A repository that expires an upload just before its job is created."""

    def create(
        self, job: NewJob, *, max_open: int | None = None, completion: KeyCompletion | None = None
    ) -> Job:
        MemoryUploadRegistry(self._state).expire(elapsed_s=UPLOAD_LOST_AFTER_S)
        return super().create(job, max_open=max_open, completion=completion)


def test_an_expired_upload_creates_no_job(harness: ApiHarness) -> None:
    state = MemoryState()
    harness.store = replace(memory_job_store(state), jobs=ExpiringRepository(state))
    response = harness.client().post("/v1/jobs", data=CATALOGUE)
    assert (response.status_code, response.json["code"]) == (408, "UPLOAD_STALLED")
    assert harness.is_empty()
    assert harness.store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == []


@pytest.mark.parametrize("content", [CATALOGUE, b"title\nA\n"])
def test_accepted_and_refused_uploads_leave_the_registry(
    harness: ApiHarness, content: bytes
) -> None:
    harness.client().post("/v1/jobs", data=content)
    assert harness.store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == []
