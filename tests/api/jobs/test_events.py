"""Server-sent events and long polls: each change is sent once, and threads stay free."""

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
from tests.api.callers import make_caller
from tests.api.client import client_of
from tests.api.conftest import ApiHarness, ApiProcess
from tests.waiting import WITHIN_S


class Stream:
    """The events of one connection, read one by one."""

    def __init__(self, harness: ApiHarness, job_id: str, **headers: str) -> None:
        self.response = harness.client().get(
            f"/v1/jobs/{job_id}/events",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        assert self.response.status_code == 200, self.response.text
        self.blocks: Iterator[str] = (
            block.decode() if isinstance(block, bytes) else block
            for block in self.response.response
        )
        assert next(self.blocks).startswith("retry: ")

    def next(self) -> tuple[str, str, dict[str, Any]]:
        """Kind, id and document of the next event."""
        lines = dict(line.split(": ", 1) for line in next(self.blocks).strip().split("\n"))
        return lines["event"], lines["id"], json.loads(lines["data"])

    def is_closed(self) -> bool:
        return next(self.blocks, None) is None


def test_each_change_is_sent_and_the_end_closes_the_stream(harness: ApiHarness) -> None:
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
    assert stream.is_closed()


def test_a_reconnecting_client_gets_newer_events_only(harness: ApiHarness) -> None:
    job_id = harness.submit()
    _, known_id, _ = Stream(harness, job_id).next()
    again = Stream(harness, job_id, Last_Event_ID=known_id)
    harness.label(job_id)
    kind, newer_id, document = again.next()
    assert (kind, document["state"]) == ("job", "finalizing")
    assert newer_id != known_id
    behind = Stream(harness, job_id, Last_Event_ID=known_id)
    assert behind.next()[1] == newer_id


def test_a_client_that_has_the_end_event_must_not_reconnect(harness: ApiHarness) -> None:
    job_id = harness.complete_job()
    kind, known_id, _ = Stream(harness, job_id).next()
    assert kind == "end"
    response = harness.client().get(
        f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": known_id}
    )
    assert (response.status_code, response.data) == (204, b"")


def test_heartbeats_are_sent_while_nothing_changes(harness: ApiHarness) -> None:
    job = harness.store.jobs.get(harness.submit())
    jobs = ScopedJobStore(harness.store, lambda: make_caller("root", is_admin=True))
    stream = event_stream(jobs, job, version(job), heartbeat_s=0)
    assert next(stream).startswith("retry: ")
    assert [next(stream) for _ in range(3)] == [":\n\n"] * 3


def test_deleting_the_job_closes_the_stream(harness: ApiHarness) -> None:
    job_id = harness.submit()
    stream = Stream(harness, job_id)
    stream.next()
    harness.store.jobs.end(job_id, State.CANCELLED)
    harness.assemble(job_id, None)
    harness.store.jobs.delete(job_id)
    assert stream.is_closed()


def test_waiting_requests_are_limited_and_released_on_disconnect(harness: ApiHarness) -> None:
    harness.settings = ApiSettings(api_max_long_polls=1)
    app, job_id = harness.app(), harness.submit()
    path = f"/v1/jobs/{job_id}/events"
    first = client_of(app).get(path)
    assert first.status_code == 200
    second = client_of(app).get(path)
    assert (second.status_code, second.json["code"]) == (503, "TOO_MANY_LONG_POLLS")
    assert second.headers["Retry-After"] == "5"
    # A long poll is answered at once instead.
    poll = client_of(app).get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=60"})
    assert poll.status_code == 200
    assert "Preference-Applied" not in poll.headers
    first.close()
    assert client_of(app).get(path).status_code == 200


def test_waiting_requests_use_at_most_half_of_the_threads(harness: ApiHarness) -> None:
    harness.settings = ApiSettings(api_max_long_polls=8, api_threads=4)
    app, job_id = harness.app(), harness.submit()
    open_streams = [client_of(app).get(f"/v1/jobs/{job_id}/events") for _ in range(3)]
    assert [response.status_code for response in open_streams] == [200, 200, 503]


def test_a_long_poll_returns_after_its_wait(harness: ApiHarness) -> None:
    response = harness.client().get(f"/v1/jobs/{harness.submit()}", headers={"Prefer": "wait=1"})
    assert (response.status_code, response.json["state"]) == (200, "queued")
    assert response.headers["Preference-Applied"] == "wait=1"
    assert response.headers["Retry-After"] == "1"


def test_a_long_poll_of_an_ended_job_returns_at_once(harness: ApiHarness) -> None:
    prefer = {"Prefer": "respond-async, wait=60"}
    response = harness.client().get(f"/v1/jobs/{harness.complete_job()}", headers=prefer)
    assert response.json["state"] == "completed"
    assert "Retry-After" not in response.headers


def test_a_conditional_long_poll_returns_304_until_the_job_changes(harness: ApiHarness) -> None:
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
def test_an_invalid_wait_preference_is_ignored(harness: ApiHarness, prefer: str) -> None:
    response = harness.client().get(f"/v1/jobs/{harness.submit()}", headers={"Prefer": prefer})
    assert response.status_code == 200
    assert "Preference-Applied" not in response.headers


def test_an_upload_accepts_a_wait_preference(harness: ApiHarness) -> None:
    response = harness.client().post(
        "/v1/jobs", data=b"summary\nsome words\n", headers={"Prefer": "wait=1"}
    )
    assert (response.status_code, response.json["state"]) == (202, "queued")
    assert response.headers["Preference-Applied"] == "wait=1"


def test_events_arrive_over_a_real_connection_while_the_job_runs(
    api: ApiProcess, redis_url: str
) -> None:
    with httpx.Client(base_url=api.url, timeout=WITHIN_S) as client:
        job_id = client.post("/v1/jobs", content=b"summary\nsome words\n").json()["id"]
        with client.stream("GET", f"/v1/jobs/{job_id}/events") as response:
            assert response.headers["Content-Type"].startswith("text/event-stream")
            lines = response.iter_lines()
            assert next(line for line in lines if line.startswith("event:")) == "event: job"
            redis_job_store(redis_client(redis_url)).jobs.end(job_id, State.CANCELLED)
            data = next(line for line in lines if line.startswith("data:") and "cancelling" in line)
            assert json.loads(data.removeprefix("data:"))["state"] == "cancelling"
