"""The same upload with the same Idempotency-Key is one job; another upload with it is refused."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from werkzeug.test import TestResponse

from api.jobs.scoped_store import ScopedJobStore
from api.uploads.idempotency import ClaimedKey, claim_key
from api.uploads.options import Options
from api.uploads.request_stream import Upload
from api.uploads.submit import submit_upload
from jobs.files.storage import Storage
from jobs.job import State
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.state import MemoryState
from jobs.ports.record.idempotency import KeyClaim, key_name
from jobs.queue.task_queue import RecordingTaskQueue
from jobs.webhook_urls import WebhookUrlRules
from tests.api.callers import make_caller
from tests.api.client import ApiClient, client_of
from tests.api.conftest import ApiHarness

CATALOGUE = b"title,summary\nA,some words\n"
KEY = {"Idempotency-Key": "a-key"}
ADMIN = make_caller("ann", is_admin=True)


def send(harness: ApiHarness, content: bytes = CATALOGUE, **arguments: Any) -> TestResponse:
    response = harness.client().post("/v1/jobs", data=content, **{"headers": KEY, **arguments})
    assert isinstance(response, TestResponse)
    return response


def jobs(harness: ApiHarness) -> list[str]:
    return [job.id for job in harness.store.jobs.newest(limit=100)]


def test_a_repeated_upload_returns_the_same_job(harness: ApiHarness) -> None:
    first, again = send(harness), send(harness)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json is not None
    assert again.json is not None
    assert first.json["id"] == again.json["id"]
    assert first.headers["Location"] == again.headers["Location"]
    assert [a.headers["Idempotency-Replayed"] for a in (first, again)] == ["false", "true"]
    assert len(jobs(harness)) == 1
    assert len(harness.task_queue.sent) == 1
    assert len(harness.storage.names("")) == 1


def test_a_repeated_upload_returns_the_current_state(harness: ApiHarness) -> None:
    job_id = send(harness).get_json()["id"]
    harness.label(job_id)
    harness.assemble(job_id)
    assert send(harness).get_json()["state"] == "completed"


def test_a_form_and_a_raw_body_are_the_same_upload(harness: ApiHarness) -> None:
    raw = send(harness, query_string={"filename": "a.csv", "error_threshold": "0.5"})
    form = {"file": (io.BytesIO(CATALOGUE), "a.csv"), "error_threshold": "0.5"}
    as_form = harness.client().post("/v1/jobs", data=form, headers=KEY)
    assert as_form.json["id"] == raw.get_json()["id"]


@pytest.mark.parametrize(
    ("content", "query"),
    [
        (CATALOGUE + b"B,other words\n", {}),
        (CATALOGUE, {"filename": "b.csv"}),
        (CATALOGUE, {"summary_column": "title"}),
        (CATALOGUE, {"title_column": "summary"}),
        (CATALOGUE, {"error_threshold": "0.5"}),
    ],
)
def test_reusing_the_key_for_another_upload_is_refused(
    harness: ApiHarness, content: bytes, query: dict[str, str]
) -> None:
    job_id = send(harness).get_json()["id"]
    response = send(harness, content, query_string=query)
    assert (response.status_code, response.get_json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert job_id in response.get_json()["detail"]
    assert jobs(harness) == [job_id]


def test_the_same_file_without_the_key_is_another_job(harness: ApiHarness) -> None:
    responses = [
        send(harness, headers={}),
        send(harness),
        send(harness, headers={"Idempotency-Key": "b"}),
    ]
    assert len({response.get_json()["id"] for response in responses}) == 3
    assert "Idempotency-Replayed" not in responses[0].headers


def test_a_refused_upload_releases_its_key(harness: ApiHarness) -> None:
    assert send(harness, b"title,remarks\nA,B\n").get_json()["code"] == "NO_SUMMARY_COLUMN"
    assert (
        send(harness, CATALOGUE[:-5], environ_overrides={"CONTENT_LENGTH": "99"}).status_code == 400
    )
    assert send(harness).status_code == 202


def test_the_key_of_an_active_upload_is_in_use(harness: ApiHarness) -> None:
    name = key_name(None, "a-key")
    claim = harness.store.idempotency.claim(name, "another process", lease_s=60)
    assert isinstance(claim, KeyClaim)
    response = send(harness)
    assert (response.status_code, response.get_json()["code"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
    assert response.headers["Retry-After"] == "1"
    assert harness.is_empty()
    harness.store.idempotency.release(claim)
    assert send(harness).status_code == 202


def test_concurrent_uploads_with_one_key_create_one_job(harness: ApiHarness) -> None:
    app = harness.app()
    responses: list[TestResponse] = []

    def run() -> None:
        responses.append(client_of(app).post("/v1/jobs", data=CATALOGUE, headers=KEY))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {response.status_code for response in responses} <= {202, 409}
    job_ids = {response.get_json()["id"] for response in responses if response.status_code == 202}
    assert list(job_ids) == jobs(harness)


def test_an_upload_that_lost_its_key_leaves_no_files(harness: ApiHarness) -> None:
    now = [0.0]
    harness.store = memory_job_store(MemoryState(clock=lambda: now[0]))

    class SlowBody(io.BytesIO):
        """Another process claims the key before the file is complete."""

        def readinto(self, buffer: Any, /) -> int:
            now[0] += 3600
            assert harness.store.idempotency.claim(
                key_name(None, "a-key"), "another process", lease_s=60
            )
            return super().readinto(buffer)

    response = harness.client().post(
        "/v1/jobs", input_stream=SlowBody(CATALOGUE), content_length=len(CATALOGUE), headers=KEY
    )
    assert (response.status_code, response.json["code"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
    assert harness.is_empty()


class SlowStorage(Storage):
    """A storage in which each write advances a clock."""

    def __init__(self, url: str, advance: Callable[[], None]) -> None:
        super().__init__(url)
        self._passes = advance

    @contextmanager
    def publish(
        self, path: str, *, confirm: Callable[[], None] = lambda: None
    ) -> Iterator[BinaryIO]:
        with super().publish(path, confirm=confirm) as stream:
            yield cast(BinaryIO, _SlowStream(stream, self._passes))


class _SlowStream:
    def __init__(self, stream: BinaryIO, advance: Callable[[], None]) -> None:
        self._stream, self._passes = stream, advance

    def write(self, block: bytes) -> int:
        self._passes()
        return self._stream.write(block)


class CompleteUpload(Upload):
    """An upload whose content is at hand."""

    column_may_follow = False
    filename = "books.zip"

    def __init__(self, content: bytes) -> None:
        self.options = Options()
        self._content = content

    def blocks(self) -> Iterator[bytes]:
        yield self._content


def test_the_key_is_renewed_while_an_archive_is_decompressed(tmp_path: Path) -> None:
    archive_file = io.BytesIO()
    with zipfile.ZipFile(archive_file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("books.csv", CATALOGUE + b"B,other words\n" * 500_000)
    now = [0.0]

    def advance() -> None:
        now[0] += 20

    store = memory_job_store(MemoryState(clock=lambda: now[0]))
    jobs = ScopedJobStore(store, lambda: ADMIN)
    storage = SlowStorage(str(tmp_path), advance)
    claim = claim_key(jobs, owner=None, key="a-key", idle_timeout_s=60, clock=lambda: now[0])
    assert isinstance(claim, ClaimedKey)
    with claim:
        job = submit_upload(
            CompleteUpload(archive_file.getvalue()),
            store=jobs,
            storage=storage,
            task_queue=RecordingTaskQueue(),
            rules=WebhookUrlRules(allow_http=False, allow_private=False),
            max_unpacked=1 << 30,
            claim=claim,
        )
    assert now[0] > 3 * 90, "longer than the lease of the key"
    assert store.jobs.get(job.id).state == State.QUEUED


def test_the_key_of_a_deleted_job_does_not_create_it_again(harness: ApiHarness) -> None:
    job_id = send(harness).get_json()["id"]
    harness.label(job_id)
    harness.assemble(job_id)
    harness.client().delete(f"/v1/jobs/{job_id}")
    assert send(harness).get_json()["code"] == "JOB_NOT_FOUND"


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_an_invalid_key_is_refused(client: ApiClient, key: str) -> None:
    response = client.post("/v1/jobs", data=CATALOGUE, headers={"Idempotency-Key": key})
    assert (response.status_code, response.get_json()["code"]) == (400, "INVALID_PARAMETER")
    assert "Idempotency-Key" in response.get_json()["detail"]
