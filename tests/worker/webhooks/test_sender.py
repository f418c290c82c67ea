"""Callers are told: over a real Redis, to a real receiver, by threads and by a worker that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from structlog.testing import capture_logs

from jobs.job import Chunk, Failure, NewJob, PinnedModel, State
from jobs.options import JobOptions
from jobs.ports.job_store import JobStore
from jobs.ports.step_leases import ASSEMBLE, PLAN, label_step
from jobs.ports.webhooks import DeliveryLog
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from jobs.redis.webhooks import RedisWebhookStore
from jobs.webhook_urls import WebhookUrlRules
from tests.waiting import eventually
from tests.webhook_receiver import Call, Receiver, receiving, status
from worker.webhooks.http_client import WebhookClient
from worker.webhooks.sender import WebhookSender

ROOT = Path(__file__).parents[3]


@dataclass
class Record:
    """The record of jobs, and what workers and callers do to it."""

    jobs: JobStore
    callbacks: RedisWebhookStore

    def new(self, callback: str, owner: str | None = None) -> str:
        job_id = f"job_{uuid.uuid4().hex}"
        self.jobs.jobs.create(
            NewJob(
                id=job_id,
                filename="büch.csv",
                input_bytes=1,
                layout={},
                owner=owner,
                options=JobOptions(webhook_url=callback),
            )
        )
        return job_id

    def finish(self, job_id: str) -> None:
        claim = self.jobs.leases.claim(job_id, ASSEMBLE, lease_s=5)
        assert claim is not None
        self.jobs.chunks.finish(claim)

    def failed(self, callback: str, owner: str | None = None) -> str:
        job_id = self.new(callback, owner)
        self.jobs.jobs.end(job_id, State.FAILED, Failure(code="WHY", message="Because."))
        self.finish(job_id)
        return job_id

    def completed(self, callback: str) -> str:
        job_id = self.new(callback)
        claim = self.jobs.leases.claim(job_id, PLAN, lease_s=5)
        assert claim is not None
        self.jobs.chunks.begin_planning(claim, model=PinnedModel(3, "d3"))
        chunk = Chunk(index=0, start=0, end=1, first_row=1, rows=2)
        self.jobs.chunks.add(claim, [chunk], last=True, window=1)
        claim = self.jobs.leases.claim(job_id, label_step(0), lease_s=5)
        assert claim is not None
        self.jobs.chunks.commit(claim, 0, labelled=1, failed=1, manifest="", window=1)
        self.finish(job_id)
        return job_id

    def sender(self, *retries_s: float, allow_private: bool = True) -> WebhookSender:
        return WebhookSender(
            jobs=self.jobs.jobs,
            callbacks=self.callbacks,
            poster=WebhookClient(
                timeout_s=5, rules=WebhookUrlRules(allow_http=True, allow_private=allow_private)
            ),
            retries_s=retries_s,
        )


@pytest.fixture
def record(redis_url: str) -> Record:
    return Record(
        redis_job_store(redis_client(redis_url)), RedisWebhookStore(redis_client(redis_url))
    )


def outcomes(log: DeliveryLog) -> list[tuple[int, int | None, str]]:
    return [(attempt.number, attempt.status, attempt.outcome) for attempt in log.attempts]


def verify(call: Call, secret: str) -> dict[str, object]:
    """What an independent implementation of Standard Webhooks says. Raises `WebhookVerificationError`."""
    document: dict[str, object] = Webhook(secret).verify(call.body.decode("utf-8"), call.headers)
    return document


def test_a_completed_job_is_told_with_its_counts_under_a_valid_signature(record: Record) -> None:
    with receiving(status(200)) as receiver:
        job_id = record.completed(receiver.url)
        assert record.sender().send_next()
    document = verify(receiver.calls[0], record.callbacks.secrets(None)[0])
    assert document["type"] == "job.completed"
    data = document["data"]
    assert isinstance(data, dict)
    assert data["id"] == job_id
    assert data["row_counts"] == {"total": 2, "labelled": 1, "failed": 1, "pending": 0}
    assert (data["filename"], data["model_version"], data["error"]) == ("büch.csv", 3, None)
    assert data["links"]["result"] == f"/v1/jobs/{job_id}/result"
    assert outcomes(record.callbacks.log(job_id)) == [(1, 200, "delivered")]


def test_a_failed_job_is_told_with_its_reason(record: Record) -> None:
    with receiving(status(200)) as receiver:
        record.failed(receiver.url)
        record.sender().send_next()
    document = json.loads(receiver.calls[0].body)
    assert document["type"] == "job.failed"
    assert document["data"]["error"] == {"code": "WHY", "message": "Because."}


def test_each_owner_has_a_secret_of_their_own(record: Record) -> None:
    with receiving(status(200)) as receiver:
        record.failed(receiver.url, owner="anna")
        record.sender().send_next()
    (call,) = receiver.calls
    verify(call, record.callbacks.secrets("anna")[0])
    for owner in ("ben", None):
        with pytest.raises(WebhookVerificationError):
            verify(call, record.callbacks.secrets(owner)[0])


def test_a_changed_body_does_not_verify(record: Record) -> None:
    with receiving(status(200)) as receiver:
        record.failed(receiver.url)
        record.sender().send_next()
    (call,) = receiver.calls
    call.body = call.body.replace(b"failed", b"broken")
    with pytest.raises(WebhookVerificationError):
        verify(call, record.callbacks.secrets(None)[0])


def test_while_a_secret_is_changed_both_verify(record: Record) -> None:
    (old,) = record.callbacks.secrets("anna")
    new = record.callbacks.renew_secret("anna", keep_s=60)
    with receiving(status(200)) as receiver:
        record.failed(receiver.url, owner="anna")
        record.sender().send_next()
    assert verify(receiver.calls[0], old) == verify(receiver.calls[0], new)


def test_a_receiver_that_recovers_is_told_the_same_message_again(record: Record) -> None:
    with receiving(status(500, 503, 204)) as receiver:
        job_id = record.failed(receiver.url)
        sender = record.sender(0.0, 0.0)
        while sender.send_next():
            pass
    log = record.callbacks.log(job_id)
    assert outcomes(log) == [(1, 500, "failed"), (2, 503, "failed"), (3, 204, "delivered")]
    assert log.next_at is None
    assert len({(call.headers["webhook-id"], call.body) for call in receiver.calls}) == 1


def test_nobody_is_called_before_the_wait_is_over(record: Record) -> None:
    with receiving(status(500)) as receiver:
        job_id = record.failed(receiver.url)
        assert record.sender(60.0).send_next()
        assert not record.sender(60.0).send_next()
    assert len(receiver.calls) == 1
    assert record.callbacks.log(job_id).next_at is not None


def test_after_the_last_attempt_it_is_over(record: Record) -> None:
    with receiving(status(500)) as receiver:
        job_id = record.failed(receiver.url)
        sender = record.sender(0.0)
        while sender.send_next():
            pass
    assert len(receiver.calls) == 2
    log = record.callbacks.log(job_id)
    assert log.next_at is None
    assert "last attempt" in log.attempts[-1].detail


def test_a_private_address_is_refused_once_and_for_all(record: Record) -> None:
    with receiving(status(200)) as receiver:
        job_id = record.failed(receiver.url)
        sender = record.sender(0.0, allow_private=False)
        assert sender.send_next()
        assert not sender.send_next()
    assert not receiver.calls
    assert outcomes(record.callbacks.log(job_id)) == [(1, None, "refused")]


def test_two_senders_call_each_receiver_once(record: Record) -> None:
    with receiving(status(200)) as receiver:
        made = [record.failed(receiver.url) for _ in range(12)]

        def send_all() -> None:
            sender = record.sender()
            while sender.send_next():
                pass

        threads = [threading.Thread(target=send_all) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    delivered = [json.loads(call.body)["data"]["id"] for call in receiver.calls]
    assert sorted(delivered) == sorted(made)


def test_an_attempt_that_is_not_recorded_is_logged_as_such(record: Record) -> None:
    answer = status(200)

    def deletes_the_job(handler: BaseHTTPRequestHandler) -> None:
        record.jobs.jobs.delete(job_id)
        answer(handler)

    with receiving(deletes_the_job) as receiver, capture_logs() as lines:
        job_id = record.failed(receiver.url)
        assert record.sender().send_next()
    assert not record.callbacks.log(job_id).attempts
    (line,) = lines
    assert (line["event"], line["job_id"]) == ("webhook_attempt_not_recorded", job_id)
    assert (line["number"], line["outcome"]) == (1, "delivered")


@contextmanager
def worker(folder: Path, redis_url: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m worker` in a process group of its own, killed with all its children at the end."""
    environment = {
        "SPINELABEL_REDIS_URL": redis_url,
        "SPINELABEL_STORAGE_URL": str(folder),
        "SPINELABEL_CONCURRENCY": "1",
        "SPINELABEL_WEBHOOK_ALLOW_HTTP": "true",
        **settings,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "worker"],
        cwd=ROOT,
        env=os.environ | environment,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def called(receiver: Receiver, times: int) -> Callable[[], bool]:
    return lambda: len(receiver.calls) >= times


def test_a_call_that_was_cut_short_by_kill_9_is_made_again_by_the_next_worker(
    record: Record, redis_url: str, tmp_path: Path
) -> None:
    let_go = threading.Event()
    answer = status(200)

    def first_hangs(handler: BaseHTTPRequestHandler) -> None:
        if len(receiver.calls) == 1:
            let_go.wait(60)
        answer(handler)

    with receiving(first_hangs) as receiver:
        job_id = record.failed(receiver.url)
        settings = {"SPINELABEL_WEBHOOK_ALLOW_PRIVATE": "true", "SPINELABEL_WEBHOOK_TIMEOUT_S": "1"}
        # Longer than the test: only the first worker can be inside a call when it is killed.
        with worker(tmp_path, redis_url, **settings | {"SPINELABEL_WEBHOOK_TIMEOUT_S": "3"}):
            eventually(called(receiver, 1))
        assert not record.callbacks.log(job_id).attempts
        let_go.set()
        with worker(tmp_path, redis_url, **settings):
            eventually(lambda: record.callbacks.log(job_id).attempts)
    assert outcomes(record.callbacks.log(job_id)) == [(2, 200, "delivered")]
    first, second = receiver.calls
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    verify(second, record.callbacks.secrets(None)[0])


def test_a_worker_calls_no_private_address_unless_told_to(
    record: Record, redis_url: str, tmp_path: Path
) -> None:
    with receiving(status(200)) as receiver, worker(tmp_path, redis_url):
        job_id = record.failed(receiver.url)
        eventually(lambda: record.callbacks.log(job_id).attempts)
    assert outcomes(record.callbacks.log(job_id)) == [(1, None, "refused")]
    assert not receiver.calls
