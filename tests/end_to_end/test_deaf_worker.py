"""A worker that lives but no longer listens is noticed by that, ends, and is started again."""

from __future__ import annotations

import psutil
from celery import Celery

from cli.stack.redis_server import socket_path
from jobs.celery_app import make_celery
from jobs.messages import QUEUES
from tests.stack import Stack


def deafen(app: Celery, worker: psutil.Process) -> None:
    """Take all consumers of the running worker away, as some losses of the broker do; it goes on answering pings."""
    for queue in QUEUES:
        replies = app.control.cancel_consumer(queue, reply=True, timeout=5) or []
        assert any("ok" in answer for reply in replies for answer in reply.values())
    assert app.control.ping(timeout=5)
    assert worker.is_running()


def test_a_job_sent_to_a_deaf_worker_is_labelled_all_the_same(stack: Stack, sample: bytes) -> None:
    first = stack.wait(stack.submit(sample))
    deaf = stack.worker()
    app = make_celery(f"redis+socket://{socket_path(stack.data_dir / 'redis')}")
    deafen(app, deaf)
    job_id = stack.submit(sample)
    job = stack.wait(job_id)
    assert job["state"] == "completed"
    assert stack.result(job_id) == stack.result(str(first["id"]))
    assert not deaf.is_running()
    assert stack.worker().pid != deaf.pid


def test_a_worker_that_listens_and_one_that_is_busy_are_left_alone(
    stack: Stack, many_rows: bytes
) -> None:
    before = stack.worker().pid
    assert stack.wait(stack.submit(many_rows))["state"] == "completed"
    assert stack.worker().pid == before
