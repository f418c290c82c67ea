"""The same upload with the same Idempotency-Key is one job; with anything else it is refused."""

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
from tests.api.callers import somebody
from tests.api.client import ApiClient, client_of
from tests.api.conftest import ApiHarness

CATALOGUE = b"title,summary\nA,some words\n"
KEY = {"Idempotency-Key": "a-key"}
ANYBODY = somebody("ann", is_admin=True)


def send(harness: ApiHarness, content: bytes = CATALOGUE, **arguments: Any) -> TestResponse:
    answer = harness.client().post("/v1/jobs", data=content, **{"headers": KEY, **arguments})
    assert isinstance(answer, TestResponse)
    return answer


def jobs(harness: ApiHarness) -> list[str]:
    return [job.id for job in harness.store.jobs.newest(limit=100)]


def test_an_upload_that_is_sent_again_leads_to_the_same_job(harness: ApiHarness) -> None:
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


def test_the_job_is_answered_as_it_stands_now(harness: ApiHarness) -> None:
    job_id = send(harness).get_json()["id"]
    harness.label(job_id)
    harness.assemble(job_id)
    assert send(harness).get_json()["state"] == "completed"


def test_how_the_same_upload_is_wrapped_does_not_matter(harness: ApiHarness) -> None:
    raw = send(harness, query_string={"filename": "a.csv", "error_threshold": "0.5"})
    form = {"file": (io.BytesIO(CATALOGUE), "a.csv"), "error_threshold": "0.5"}
    wrapped = harness.client().post("/v1/jobs", data=form, headers=KEY)
    assert wrapped.json["id"] == raw.get_json()["id"]


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
def test_the_key_with_something_else_is_refused(
    harness: ApiHarness, content: bytes, query: dict[str, str]
) -> None:
    made = send(harness).get_json()["id"]
    answer = send(harness, content, query_string=query)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert made in answer.get_json()["detail"]
    assert jobs(harness) == [made]


def test_without_a_key_or_with_another_the_same_file_is_another_job(harness: ApiHarness) -> None:
    answers = [
        send(harness, headers={}),
        send(harness),
        send(harness, headers={"Idempotency-Key": "b"}),
    ]
    assert len({answer.get_json()["id"] for answer in answers}) == 3
    assert "Idempotency-Replayed" not in answers[0].headers


def test_a_refused_upload_leaves_its_key_free(harness: ApiHarness) -> None:
    assert send(harness, b"title,remarks\nA,B\n").get_json()["code"] == "NO_SUMMARY_COLUMN"
    assert (
        send(harness, CATALOGUE[:-5], environ_overrides={"CONTENT_LENGTH": "99"}).status_code == 400
    )
    assert send(harness).status_code == 202


def test_while_one_upload_is_under_way_a_second_one_with_its_key_waits(harness: ApiHarness) -> None:
    name = key_name(None, "a-key")
    held = harness.store.idempotency.claim(name, "another process", lease_s=60)
    assert isinstance(held, KeyClaim)
    answer = send(harness)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
    assert answer.headers["Retry-After"] == "1"
    assert harness.is_empty()
    harness.store.idempotency.release(held)
    assert send(harness).status_code == 202


def test_of_many_at_once_one_makes_the_job_and_no_other_is_made(harness: ApiHarness) -> None:
    app = harness.app()
    answers: list[TestResponse] = []

    def run() -> None:
        answers.append(client_of(app).post("/v1/jobs", data=CATALOGUE, headers=KEY))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {202, 409}
    made = {answer.get_json()["id"] for answer in answers if answer.status_code == 202}
    assert list(made) == jobs(harness)


def test_an_upload_whose_key_was_lost_on_the_way_leaves_nothing(harness: ApiHarness) -> None:
    now = [0.0]
    harness.store = memory_job_store(MemoryState(clock=lambda: now[0]))

    class Slow(io.BytesIO):
        """Its key is taken over by another process before the file is complete."""

        def readinto(self, buffer: Any, /) -> int:
            now[0] += 3600
            assert harness.store.idempotency.claim(key_name(None, "a-key"), "heir", lease_s=60)
            return super().readinto(buffer)

    answer = harness.client().post(
        "/v1/jobs", input_stream=Slow(CATALOGUE), content_length=len(CATALOGUE), headers=KEY
    )
    assert (answer.status_code, answer.json["code"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
    assert harness.is_empty()


class SlowStorage(Storage):
    """Each block that is written takes some seconds of a clock."""

    def __init__(self, url: str, passes: Callable[[], None]) -> None:
        super().__init__(url)
        self._passes = passes

    @contextmanager
    def publish(
        self, path: str, *, confirm: Callable[[], None] = lambda: None
    ) -> Iterator[BinaryIO]:
        with super().publish(path, confirm=confirm) as stream:
            yield cast(BinaryIO, _SlowStream(stream, self._passes))


class _SlowStream:
    def __init__(self, stream: BinaryIO, passes: Callable[[], None]) -> None:
        self._stream, self._passes = stream, passes

    def write(self, block: bytes) -> int:
        self._passes()
        return self._stream.write(block)


class GivenUpload(Upload):
    """A file that is there as a whole."""

    column_may_follow = False
    filename = "books.zip"

    def __init__(self, content: bytes) -> None:
        self.options = Options()
        self._content = content

    def blocks(self) -> Iterator[bytes]:
        yield self._content


def test_a_key_is_held_for_as_long_as_an_archive_is_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("books.csv", CATALOGUE + b"B,other words\n" * 500_000)
    now = [0.0]

    def pass_time() -> None:
        now[0] += 20

    store = memory_job_store(MemoryState(clock=lambda: now[0]))
    jobs = ScopedJobStore(store, lambda: ANYBODY)
    storage = SlowStorage(str(tmp_path), pass_time)
    claim = claim_key(jobs, owner=None, key="a-key", idle_timeout_s=60, clock=lambda: now[0])
    assert isinstance(claim, ClaimedKey)
    with claim:
        made = submit_upload(
            GivenUpload(packed.getvalue()),
            store=jobs,
            storage=storage,
            task_queue=RecordingTaskQueue(),
            rules=WebhookUrlRules(allow_http=False, allow_private=False),
            max_unpacked=1 << 30,
            claim=claim,
        )
    assert now[0] > 3 * 90, "longer than the key is held without being renewed"
    assert store.jobs.get(made.id).state == State.QUEUED


def test_a_job_that_was_deleted_is_not_made_again_by_its_key(harness: ApiHarness) -> None:
    job_id = send(harness).get_json()["id"]
    harness.label(job_id)
    harness.assemble(job_id)
    harness.client().delete(f"/v1/jobs/{job_id}")
    assert send(harness).get_json()["code"] == "JOB_NOT_FOUND"


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_key_that_is_no_word_is_refused(client: ApiClient, key: str) -> None:
    answer = client.post("/v1/jobs", data=CATALOGUE, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "INVALID_PARAMETER")
    assert "Idempotency-Key" in answer.get_json()["detail"]
