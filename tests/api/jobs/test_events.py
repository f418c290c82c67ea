"""Progress as server-sent events, and answers that wait: what changes is told, once, and threads stay free."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from api.jobs.event_routes import event_stream
from api.jobs.polling import version
from api.jobs.scoped_store import ScopedJobStore
from api.settings import ApiSettings
from jobs.job import State
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.api.callers import somebody
from tests.api.client import client_of
from tests.api.conftest import ApiHarness, ApiProcess
from tests.waiting import WITHIN_S


class Stream:
    """The events of one connection, read one by one."""

    def __init__(self, harness: ApiHarness, job_id: str, **headers: str) -> None:
        self.answer = harness.client().get(
            f"/v1/jobs/{job_id}/events",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        assert self.answer.status_code == 200, self.answer.text
        self.blocks: Iterator[str] = (
            block.decode() if isinstance(block, bytes) else block for block in self.answer.response
        )
        assert next(self.blocks).startswith("retry: ")

    def next(self) -> tuple[str, str, dict[str, Any]]:
        """Kind, id and document of the next event."""
        lines = dict(line.split(": ", 1) for line in next(self.blocks).strip().split("\n"))
        return lines["event"], lines["id"], json.loads(lines["data"])

    def is_over(self) -> bool:
        return next(self.blocks, None) is None


def test_each_change_is_told_and_the_end_ends_the_stream(harness: ApiHarness) -> None:
    job_id = harness.submit()
    stream = Stream(harness, job_id)
    kind, _, document = stream.next()
    assert (kind, document) == ("job", harness.client().get(f"/v1/jobs/{job_id}").json)
    harness.label(job_id, rows=5, failed=2)
    kind, _, document = stream.next()
    assert (kind, document["state"]) == ("job", "finalizing")
    assert document["row_counts"] == {"total": 5, "labelled": 3, "failed": 2, "pending": 0}
    harness.assemble(job_id)
    kind, _, document = stream.next()
    assert (kind, document["state"]) == ("end", "completed")
    assert document["links"]["result"]
    assert stream.is_over()


def test_a_client_that_comes_back_is_told_only_what_it_does_not_know(harness: ApiHarness) -> None:
    job_id = harness.submit()
    _, known, _ = Stream(harness, job_id).next()
    again = Stream(harness, job_id, Last_Event_ID=known)
    harness.label(job_id)
    kind, newer, document = again.next()
    assert (kind, document["state"]) == ("job", "finalizing")
    assert newer != known
    behind = Stream(harness, job_id, Last_Event_ID=known)
    assert behind.next()[1] == newer


def test_a_client_that_knows_the_end_is_told_not_to_come_back(harness: ApiHarness) -> None:
    job_id = harness.completed()
    kind, known, _ = Stream(harness, job_id).next()
    assert kind == "end"
    answer = harness.client().get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": known})
    assert (answer.status_code, answer.data) == (204, b"")


def test_silence_is_filled_with_heartbeats(harness: ApiHarness) -> None:
    job = harness.store.jobs.get(harness.submit())
    jobs = ScopedJobStore(harness.store, lambda: somebody("root", is_admin=True))
    stream = event_stream(jobs, job, version(job), heartbeat_s=0)
    assert next(stream).startswith("retry: ")
    assert [next(stream) for _ in range(3)] == [":\n\n"] * 3


def test_a_job_that_is_deleted_meanwhile_ends_the_stream(harness: ApiHarness) -> None:
    job_id = harness.submit()
    stream = Stream(harness, job_id)
    stream.next()
    harness.store.jobs.end(job_id, State.CANCELLED)
    harness.assemble(job_id, None)
    harness.store.jobs.delete(job_id)
    assert stream.is_over()


def test_permits_to_wait_are_bounded_and_released_when_a_client_leaves(harness: ApiHarness) -> None:
    harness.settings = ApiSettings(api_max_long_polls=1)
    app, job_id = harness.app(), harness.submit()
    path = f"/v1/jobs/{job_id}/events"
    first = client_of(app).get(path)
    assert first.status_code == 200
    second = client_of(app).get(path)
    assert (second.status_code, second.json["code"]) == (503, "TOO_MANY_LONG_POLLS")
    assert second.headers["Retry-After"] == "5"
    # A look that would wait is answered at once instead.
    look = client_of(app).get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=60"})
    assert look.status_code == 200
    assert "Preference-Applied" not in look.headers
    first.close()
    assert client_of(app).get(path).status_code == 200


def test_waiting_never_takes_more_than_half_of_the_threads(harness: ApiHarness) -> None:
    harness.settings = ApiSettings(api_max_long_polls=8, api_threads=4)
    app, job_id = harness.app(), harness.submit()
    open_streams = [client_of(app).get(f"/v1/jobs/{job_id}/events") for _ in range(3)]
    assert [answer.status_code for answer in open_streams] == [200, 200, 503]


def test_a_look_that_waits_returns_when_its_time_is_over(harness: ApiHarness) -> None:
    answer = harness.client().get(f"/v1/jobs/{harness.submit()}", headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json["state"]) == (200, "queued")
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert answer.headers["Retry-After"] == "1"


def test_a_look_that_waits_returns_at_once_for_an_ended_job(harness: ApiHarness) -> None:
    prefer = {"Prefer": "respond-async, wait=60"}
    answer = harness.client().get(f"/v1/jobs/{harness.completed()}", headers=prefer)
    assert answer.json["state"] == "completed"
    assert "Retry-After" not in answer.headers


def test_a_look_is_not_answered_in_full_while_nothing_has_happened(harness: ApiHarness) -> None:
    job_id = harness.submit()
    client = harness.client()
    etag = client.get(f"/v1/jobs/{job_id}").headers["ETag"]
    same = client.get(f"/v1/jobs/{job_id}", headers={"If-None-Match": etag, "Prefer": "wait=1"})
    assert (same.status_code, same.data) == (HTTPStatus.NOT_MODIFIED, b"")
    harness.label(job_id)
    other = client.get(f"/v1/jobs/{job_id}", headers={"If-None-Match": etag, "Prefer": "wait=60"})
    assert (other.status_code, other.json["state"]) == (200, "finalizing")


@pytest.mark.parametrize(
    "prefer", ["wait", "wait=", "wait=-1", "wait=1.5", "waiting=9", "x=wait=9"]
)
def test_a_wish_that_is_none_is_ignored(harness: ApiHarness, prefer: str) -> None:
    answer = harness.client().get(f"/v1/jobs/{harness.submit()}", headers={"Prefer": prefer})
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers


def test_an_upload_may_wait_for_its_job(harness: ApiHarness) -> None:
    answer = harness.client().post(
        "/v1/jobs", data=b"summary\nsome words\n", headers={"Prefer": "wait=1"}
    )
    assert (answer.status_code, answer.json["state"]) == (202, "queued")
    assert answer.headers["Preference-Applied"] == "wait=1"


def test_events_arrive_over_a_real_connection_while_the_job_goes_on(
    api: ApiProcess, redis_url: str
) -> None:
    with httpx.Client(base_url=api.url, timeout=WITHIN_S) as client:
        job_id = client.post("/v1/jobs", content=b"summary\nsome words\n").json()["id"]
        with client.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            assert next(line for line in lines if line.startswith("event:")) == "event: job"
            redis_job_store(redis_client(redis_url)).jobs.end(job_id, State.CANCELLED)
            data = next(line for line in lines if line.startswith("data:") and "cancelling" in line)
            assert json.loads(data.removeprefix("data:"))["state"] == "cancelling"
