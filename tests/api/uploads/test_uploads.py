"""What comes in as a file becomes a job, or a clear refusal that leaves nothing behind."""

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


def stored(harness: ApiHarness, job_id: str) -> bytes:
    with harness.storage.open(input_path(job_id)) as stream:
        return bytes(stream.read())


def test_a_form_becomes_a_job_with_its_file_and_its_message(harness: ApiHarness) -> None:
    form = {"file": (io.BytesIO(CATALOGUE), "Books of 2024.csv")}
    answer = harness.client().post("/v1/jobs", data=form)
    assert answer.status_code == 202
    assert answer.headers["Location"] == answer.json["links"]["self"]
    assert answer.headers["Retry-After"] == "1"
    assert answer.json["state"] == "queued"
    assert answer.json["filename"] == "Books of 2024.csv"
    assert answer.json["input_bytes"] == len(CATALOGUE)
    assert answer.json["summary_column"] == "summary"
    assert stored(harness, answer.json["id"]) == CATALOGUE
    assert harness.task_queue.sent == [(PLAN_TASK, answer.json["id"], None)]


@pytest.mark.parametrize(
    "content_type", ["text/csv", "application/octet-stream", "application/x-www-form-urlencoded"]
)
def test_a_raw_body_of_any_type_becomes_a_job(harness: ApiHarness, content_type: str) -> None:
    # Over 500 kB, where Flask's own parser of raw forms gives up.
    content = CATALOGUE + b"B,other words\n" * 50_000
    answer = harness.client().post("/v1/jobs", data=content, content_type=content_type)
    assert answer.status_code == 202
    assert stored(harness, answer.json["id"]) == content


@pytest.mark.parametrize("size", [PROBE_BYTES - 1, PROBE_BYTES, PROBE_BYTES + 1, 3 * PROBE_BYTES])
@pytest.mark.parametrize("as_form", [False, True])
def test_every_byte_is_stored_around_the_inspected_head(
    harness: ApiHarness, size: int, as_form: bool
) -> None:
    content = CATALOGUE + b"x" * (size - len(CATALOGUE))
    if as_form:
        answer = harness.client().post("/v1/jobs", data=FILE_PART % content + b"--b--\r\n", **FORM)
    else:
        answer = harness.client().post("/v1/jobs", data=content)
    assert answer.status_code == 202, answer.text
    assert stored(harness, answer.json["id"]) == content


@pytest.mark.parametrize("filler", [b"\r\n", b"\r\n--", b"\r\n--b", b"--b--", b"\r", b"\n--bb\r\n"])
def test_what_looks_like_a_boundary_but_is_none_is_stored(
    harness: ApiHarness, filler: bytes
) -> None:
    content = CATALOGUE + filler.replace(b"--b", b"--c") * 3 + b"end"
    answer = harness.client().post("/v1/jobs", data=FILE_PART % content + b"--b--\r\n", **FORM)
    assert stored(harness, answer.json["id"]) == content


def test_the_name_of_a_raw_body_is_in_the_query_or_in_content_disposition(
    client: ApiClient,
) -> None:
    by_query = client.post("/v1/jobs?filename=caf%C3%A9.csv", data=CATALOGUE)
    by_header = client.post(
        "/v1/jobs",
        data=CATALOGUE,
        headers={"Content-Disposition": "attachment; filename*=UTF-8''caf%C3%A9.csv"},
    )
    unnamed = client.post("/v1/jobs", data=CATALOGUE)
    names = [answer.get_json()["filename"] for answer in (by_query, by_header, unnamed)]
    assert names == ["café.csv", "café.csv", "catalogue.csv"]


@pytest.mark.parametrize("rows", [1, 40_000])  # within the head, and far beyond it
@pytest.mark.parametrize(
    "order", ["column first", "file first", "query"], ids=lambda order: order.replace(" ", "-")
)
def test_the_summary_column_may_be_named_before_or_after_the_file(
    harness: ApiHarness, order: str, rows: int
) -> None:
    file = FILE_PART % (b"title,remarks\n" + b"A,some words\n" * rows)
    column = COLUMN_PART % b"remarks"
    parts = {"column first": column + file, "file first": file + column, "query": file}[order]
    query = {"summary_column": "remarks"} if order == "query" else {}
    answer = harness.client().post(
        "/v1/jobs", query_string=query, data=parts + b"--b--\r\n", **FORM
    )
    assert answer.status_code == 202, answer.text
    assert answer.json["summary_column"] == "remarks"


def test_a_column_named_after_the_file_overrules_the_one_that_was_found(
    harness: ApiHarness,
) -> None:
    file = FILE_PART % (b"remarks,summary\n" + b"A,some words\n" * 40_000)
    answer = harness.client().post(
        "/v1/jobs", data=file + COLUMN_PART % b"remarks" + b"--b--\r\n", **FORM
    )
    assert answer.json["summary_column"] == "remarks"


def test_a_very_long_name_of_a_column_is_cut_in_documents_only(harness: ApiHarness) -> None:
    name = "remarks " + "x" * 1_000
    content = f"title,{name}\nA,some words\n".encode()
    answer = harness.client().post("/v1/jobs", query_string={"summary_column": name}, data=content)
    shown = answer.json["summary_column"]
    assert (shown, len(shown)) == (name[:499] + "…", 500)
    schema = harness.store.jobs.schema(answer.json["id"])
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
def test_the_title_column_is_found_or_named(
    harness: ApiHarness, content: bytes, query: dict[str, str], title: str | None
) -> None:
    answer = harness.client().post("/v1/jobs", data=content, query_string=query)
    assert (answer.status_code, answer.json["title_column"]) == (202, title)


@pytest.mark.parametrize("rows", [1, 40_000])  # within the head, and far beyond it
def test_the_title_column_may_be_named_after_the_file(harness: ApiHarness, rows: int) -> None:
    file = FILE_PART % (b"title,heading,summary\n" + b"A,B,some words\n" * rows)
    field = COLUMN_PART.replace(b"summary_column", b"title_column") % b"heading"
    answer = harness.client().post("/v1/jobs", **form(file, field))
    assert answer.json["title_column"] == "heading"


def announced(length: int) -> dict[str, Any]:
    """A Content-Length whatever the body is."""
    return {"environ_overrides": {"CONTENT_LENGTH": str(length)}}


def form(*parts: bytes) -> dict[str, Any]:
    return {"data": b"".join(parts) + b"--b--\r\n", **FORM}


LONG = b"title,remarks\n" + b"A,some words\n" * 40_000

REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "empty body": ({"data": b"", **announced(0)}, 422, "EMPTY_FILE"),
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
        {"data": CATALOGUE, **announced(1_000)},
        400,
        "UPLOAD_INTERRUPTED",
    ),
    "cut long body": (
        {"data": CATALOGUE + b"x" * 600_000, **announced(900_000)},
        400,
        "UPLOAD_INTERRUPTED",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_upload_says_why_and_leaves_nothing_behind(
    harness: ApiHarness, case: str
) -> None:
    arguments, status, code = REFUSED[case]
    answer = harness.client().post("/v1/jobs", **arguments)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"].endswith((".", "”"))
    assert harness.is_empty()


def test_a_request_without_a_body_is_told_to_send_a_file(client: ApiClient) -> None:
    answer = client.post("/v1/jobs")
    assert answer.get_json()["code"] == "NO_FILE"


def test_a_file_of_exactly_the_limit_is_accepted(harness: ApiHarness) -> None:
    content = CATALOGUE + b"x" * (harness.settings.max_upload_bytes - len(CATALOGUE))
    for arguments in ({"data": content}, form(FILE_PART % content)):
        assert harness.client().post("/v1/jobs", **arguments).status_code == 202


class FullStorage(Storage):
    """A disk with room for one block."""

    @contextmanager
    def publish(
        self, path: str, *, confirm: Callable[[], None] = lambda: None
    ) -> Iterator[BinaryIO]:
        with super().publish(path, confirm=confirm) as stream:
            yield stream
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_storage_is_said_so_and_leaves_nothing_behind(
    harness: ApiHarness, tmp_path: Path
) -> None:
    harness.storage = FullStorage(str(tmp_path / "full"))
    answer = harness.client().post("/v1/jobs", data=CATALOGUE)
    assert (answer.status_code, answer.json["code"]) == (507, "STORAGE_FULL")
    assert harness.is_empty()
    assert list((tmp_path / "full").rglob("job_*")) == []


def test_a_storage_that_cannot_be_written_is_unavailable_not_broken(
    harness: ApiHarness, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    harness.storage = Storage(str(tmp_path / "file"))
    answer = harness.client().post("/v1/jobs", data=CATALOGUE)
    assert (answer.status_code, answer.json["code"]) == (503, "STORAGE_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "5"


class FullRepository(MemoryJobRepository):
    """A Redis that takes no writes."""

    def create(
        self, job: NewJob, *, max_open: int | None = None, completion: KeyCompletion | None = None
    ) -> Job:
        raise redis.OutOfMemoryError(f"no room for {job.id}, {max_open}, {completion}")


def test_of_an_upload_whose_record_is_refused_nothing_is_kept(harness: ApiHarness) -> None:
    state = MemoryState()
    harness.store = replace(memory_job_store(state), jobs=FullRepository(state))
    answer = harness.client().post("/v1/jobs", data=CATALOGUE)
    assert (answer.status_code, answer.json["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "5"
    assert harness.is_empty()
    assert harness.store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == []


class MuteMessages(RecordingTaskQueue):
    """A broker that takes nothing."""

    def plan(self, job_id: str) -> None:
        raise OperationalError(f"no broker for {job_id}")

    def assemble(self, job_id: str) -> None:
        raise OperationalError(f"no broker for {job_id}")


def test_a_lost_message_is_not_the_clients_affair_because_the_record_tells_the_sweeper(
    harness: ApiHarness,
) -> None:
    harness.task_queue = MuteMessages()
    answer = harness.client().post("/v1/jobs", data=CATALOGUE)
    assert answer.status_code == 202
    job_id = answer.json["id"]
    assert harness.store.leases.find_abandoned(job_id, idle_s=0).plan
    assert harness.client().post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    assert harness.store.leases.find_abandoned(job_id, idle_s=0).assemble


class LosingRepository(MemoryJobRepository):
    """A record that hears nothing of an upload for very long, just before it becomes a job."""

    def create(
        self, job: NewJob, *, max_open: int | None = None, completion: KeyCompletion | None = None
    ) -> Job:
        MemoryUploadRegistry(self._state).expire(elapsed_s=UPLOAD_LOST_AFTER_S)
        return super().create(job, max_open=max_open, completion=completion)


def test_an_upload_that_was_given_up_for_lost_becomes_no_job(harness: ApiHarness) -> None:
    state = MemoryState()
    harness.store = replace(memory_job_store(state), jobs=LosingRepository(state))
    answer = harness.client().post("/v1/jobs", data=CATALOGUE)
    assert (answer.status_code, answer.json["code"]) == (408, "UPLOAD_STALLED")
    assert harness.is_empty()
    assert harness.store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == []


@pytest.mark.parametrize("content", [CATALOGUE, b"title\nA\n"])
def test_neither_a_job_nor_a_refusal_leaves_an_upload_to_look_after(
    harness: ApiHarness, content: bytes
) -> None:
    harness.client().post("/v1/jobs", data=content)
    assert harness.store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == []
