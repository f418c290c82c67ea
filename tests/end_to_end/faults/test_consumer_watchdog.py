"""A worker that lives but no longer listens is noticed by that, ends, and is started again."""

from __future__ import annotations

from typing import Any

from celery import Celery

from cli.local_stack.data.redis_server import socket_path
from jobs.queue.celery_app import make_celery
from jobs.queue.task_queue import QUEUES
from tests.stack import Stack
from tests.waiting import WITHIN_S


def deafen(app: Celery) -> None:
    """Take all consumers of the running worker away, as some losses of the broker do; it goes on answering pings."""
    for queue in QUEUES:
        (reply,) = told(app, "cancel_consumer", queue=queue)
        assert all("ok" in answer for answer in reply.values())
    assert told(app, "ping")


def told(app: Celery, command: str, **arguments: str) -> list[dict[str, Any]]:
    """What the worker replies to a remote control command."""
    replies = app.control.broadcast(
        command, arguments=arguments, reply=True, timeout=WITHIN_S, limit=1
    )
    return list(replies or [])


def test_a_job_sent_to_a_deaf_worker_is_labelled_all_the_same(stack: Stack, sample: bytes) -> None:
    first = stack.wait(stack.submit(sample))
    deaf = stack.worker()
    app = make_celery(f"redis+socket://{socket_path(stack.data_dir / 'redis')}")
    deafen(app)
    job_id = stack.submit(sample)
    job = stack.wait(job_id)
    assert job["state"] == "completed"
    assert stack.result(job_id) == stack.result(str(first["id"]))
    assert not deaf.is_running()
    assert stack.worker().pid != deaf.pid


def test_a_worker_that_listens_and_one_that_is_busy_are_left_alone(
    stack: Stack, catalogue: bytes
) -> None:
    before = stack.worker().pid
    assert stack.wait(stack.submit(catalogue))["state"] == "completed"
    assert stack.worker().pid == before
