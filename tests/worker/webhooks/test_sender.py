"""Webhooks are sent at least once, also by threads and by workers that are killed."""

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
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, label_step
from jobs.ports.webhooks import DeliveryLog
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from jobs.redis.webhooks import RedisWebhookStore
from jobs.webhook_urls import WebhookUrlRules
from tests.small_schema import SCHEMA
from tests.waiting import eventually
from tests.webhook_receiver import ReceivedRequest, Receiver, respond_with, running_receiver
from worker.webhooks.http_client import WebhookClient
from worker.webhooks.sender import WebhookSender

ROOT = Path(__file__).parents[3]


@dataclass
class Record:
    """Job record and webhook store, with shortcuts to jobs in a terminal state."""

    jobs: JobStore
    webhooks: RedisWebhookStore

    def new(self, url: str, owner: str | None = None) -> str:
        job_id = f"job_{uuid.uuid4().hex}"
        self.jobs.jobs.create(
            NewJob(
                id=job_id,
                filename="büch.csv",
                input_bytes=1,
                schema=SCHEMA,
                owner=owner,
                options=JobOptions(webhook_url=url),
            )
        )
        return job_id

    def finish(self, job_id: str) -> None:
        claim = self.jobs.leases.claim(job_id, ASSEMBLE, lease_s=5)
        assert claim is not None
        self.jobs.chunks.finish(claim)

    def failed(self, url: str, owner: str | None = None) -> str:
        job_id = self.new(url, owner)
        self.jobs.jobs.end(job_id, State.FAILED, Failure(code="WHY", message="Because."))
        self.finish(job_id)
        return job_id

    def completed(self, url: str) -> str:
        job_id = self.new(url)
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

    def sender(self, *delays_s: float, allow_private: bool = True) -> WebhookSender:
        return WebhookSender(
            jobs=self.jobs.jobs,
            webhooks=self.webhooks,
            client=WebhookClient(
                timeout_s=5, rules=WebhookUrlRules(allow_http=True, allow_private=allow_private)
            ),
            delays_s=delays_s,
        )


@pytest.fixture
def record(redis_url: str) -> Record:
    return Record(
        redis_job_store(redis_client(redis_url)), RedisWebhookStore(redis_client(redis_url))
    )


def outcomes(log: DeliveryLog) -> list[tuple[int, int | None, str]]:
    return [(attempt.number, attempt.status, attempt.outcome) for attempt in log.attempts]


def verify(request: ReceivedRequest, secret: str) -> dict[str, object]:
    """Verify with an independent implementation of Standard Webhooks.

    Returns the body. Raises `WebhookVerificationError`.
    """
    document: dict[str, object] = Webhook(secret).verify(
        request.body.decode("utf-8"), request.headers
    )
    return document


def test_the_webhook_of_a_completed_job_is_signed_and_has_its_counts(record: Record) -> None:
    with running_receiver(respond_with(200)) as receiver:
        job_id = record.completed(receiver.url)
        assert record.sender().send_next()
    document = verify(receiver.requests[0], record.webhooks.secrets(None)[0])
    assert document["type"] == "job.completed"
    data = document["data"]
    assert isinstance(data, dict)
    assert data["id"] == job_id
    assert data["row_counts"] == {"total": 2, "labelled": 1, "failed": 1, "pending": 0}
    assert (data["filename"], data["model_version"], data["error"]) == ("büch.csv", 3, None)
    assert data["links"]["result"] == f"/v1/jobs/{job_id}/result"
    assert outcomes(record.webhooks.log(job_id)) == [(1, 200, "delivered")]


def test_the_webhook_of_a_failed_job_has_its_error(record: Record) -> None:
    with running_receiver(respond_with(200)) as receiver:
        record.failed(receiver.url)
        record.sender().send_next()
    document = json.loads(receiver.requests[0].body)
    assert document["type"] == "job.failed"
    assert document["data"]["error"] == {"code": "WHY", "message": "Because."}


def test_webhooks_are_signed_with_the_secret_of_the_owner(record: Record) -> None:
    with running_receiver(respond_with(200)) as receiver:
        record.failed(receiver.url, owner="anna")
        record.sender().send_next()
    (request,) = receiver.requests
    verify(request, record.webhooks.secrets("anna")[0])
    for owner in ("ben", None):
        with pytest.raises(WebhookVerificationError):
            verify(request, record.webhooks.secrets(owner)[0])


def test_a_changed_body_does_not_verify(record: Record) -> None:
    with running_receiver(respond_with(200)) as receiver:
        record.failed(receiver.url)
        record.sender().send_next()
    (request,) = receiver.requests
    request.body = request.body.replace(b"failed", b"broken")
    with pytest.raises(WebhookVerificationError):
        verify(request, record.webhooks.secrets(None)[0])


def test_a_webhook_verifies_with_the_old_and_the_new_secret(record: Record) -> None:
    (old,) = record.webhooks.secrets("anna")
    new = record.webhooks.rotate_secret("anna", grace_s=60)
    with running_receiver(respond_with(200)) as receiver:
        record.failed(receiver.url, owner="anna")
        record.sender().send_next()
    assert verify(receiver.requests[0], old) == verify(receiver.requests[0], new)


def test_retries_send_the_same_message_until_the_receiver_recovers(record: Record) -> None:
    with running_receiver(respond_with(500, 503, 204)) as receiver:
        job_id = record.failed(receiver.url)
        sender = record.sender(0.0, 0.0)
        while sender.send_next():
            pass
    log = record.webhooks.log(job_id)
    assert outcomes(log) == [(1, 500, "failed"), (2, 503, "failed"), (3, 204, "delivered")]
    assert log.next_at is None
    assert (
        len({(request.headers["webhook-id"], request.body) for request in receiver.requests}) == 1
    )


def test_a_delivery_is_not_retried_before_its_delay_is_over(record: Record) -> None:
    with running_receiver(respond_with(500)) as receiver:
        job_id = record.failed(receiver.url)
        assert record.sender(60.0).send_next()
        assert not record.sender(60.0).send_next()
    assert len(receiver.requests) == 1
    assert record.webhooks.log(job_id).next_at is not None


def test_a_delivery_ends_after_its_last_attempt(record: Record) -> None:
    with running_receiver(respond_with(500)) as receiver:
        job_id = record.failed(receiver.url)
        sender = record.sender(0.0)
        while sender.send_next():
            pass
    assert len(receiver.requests) == 2
    log = record.webhooks.log(job_id)
    assert log.next_at is None
    assert "last attempt" in log.attempts[-1].detail


def test_a_private_address_is_refused_without_retry(record: Record) -> None:
    with running_receiver(respond_with(200)) as receiver:
        job_id = record.failed(receiver.url)
        sender = record.sender(0.0, allow_private=False)
        assert sender.send_next()
        assert not sender.send_next()
    assert not receiver.requests
    assert outcomes(record.webhooks.log(job_id)) == [(1, None, "refused")]


def test_concurrent_senders_deliver_each_webhook_once(record: Record) -> None:
    with running_receiver(respond_with(200)) as receiver:
        job_ids = [record.failed(receiver.url) for _ in range(12)]

        def send_all() -> None:
            sender = record.sender()
            while sender.send_next():
                pass

        threads = [threading.Thread(target=send_all) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    delivered = [json.loads(request.body)["data"]["id"] for request in receiver.requests]
    assert sorted(delivered) == sorted(job_ids)


def test_an_attempt_that_cannot_be_recorded_is_logged(record: Record) -> None:
    respond = respond_with(200)

    def delete_job(handler: BaseHTTPRequestHandler) -> None:
        record.jobs.jobs.delete(job_id)
        respond(handler)

    with running_receiver(delete_job) as receiver, capture_logs() as lines:
        job_id = record.failed(receiver.url)
        assert record.sender().send_next()
    assert not record.webhooks.log(job_id).attempts
    (line,) = lines
    assert (line["event"], line["job_id"]) == ("webhook_attempt_not_recorded", job_id)
    assert (line["number"], line["outcome"]) == (1, "delivered")


@contextmanager
def worker(folder: Path, redis_url: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m worker` in its own process group, which is killed at the end of the block."""
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


def has_received(receiver: Receiver, requests: int) -> Callable[[], bool]:
    return lambda: len(receiver.requests) >= requests


def test_a_delivery_interrupted_by_sigkill_is_repeated_by_the_next_worker(
    record: Record, redis_url: str, tmp_path: Path
) -> None:
    release = threading.Event()
    respond = respond_with(200)

    def hang_first(handler: BaseHTTPRequestHandler) -> None:
        if len(receiver.requests) == 1:
            release.wait(60)
        respond(handler)

    with running_receiver(hang_first) as receiver:
        job_id = record.failed(receiver.url)
        settings = {"SPINELABEL_WEBHOOK_ALLOW_PRIVATE": "true", "SPINELABEL_WEBHOOK_TIMEOUT_S": "1"}
        # A longer timeout, so that the first worker is killed during its request.
        with worker(tmp_path, redis_url, **settings | {"SPINELABEL_WEBHOOK_TIMEOUT_S": "3"}):
            eventually(has_received(receiver, 1))
        assert not record.webhooks.log(job_id).attempts
        release.set()
        with worker(tmp_path, redis_url, **settings):
            eventually(lambda: record.webhooks.log(job_id).attempts)
    assert outcomes(record.webhooks.log(job_id)) == [(2, 200, "delivered")]
    first, second = receiver.requests
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    verify(second, record.webhooks.secrets(None)[0])


def test_a_worker_refuses_private_addresses_by_default(
    record: Record, redis_url: str, tmp_path: Path
) -> None:
    with running_receiver(respond_with(200)) as receiver, worker(tmp_path, redis_url):
        job_id = record.failed(receiver.url)
        eventually(lambda: record.webhooks.log(job_id).attempts)
    assert outcomes(record.webhooks.log(job_id)) == [(1, None, "refused")]
    assert not receiver.requests
