"""A worker whose consumer stopped exits by its watchdog, and is restarted."""

from __future__ import annotations

from typing import Any

from celery import Celery

from cli.local_stack.data.redis_server import socket_path
from jobs.queue.celery_app import make_celery
from jobs.queue.task_queue import QUEUES
from tests.stack import Stack
from tests.waiting import WITHIN_S


def cancel_consumers(app: Celery) -> None:
    """Cancel all consumers of the worker, as some broker failures do; it still answers pings."""
    for queue in QUEUES:
        (reply,) = control(app, "cancel_consumer", queue=queue)
        assert all("ok" in value for value in reply.values())
    assert control(app, "ping")


def control(app: Celery, command: str, **arguments: str) -> list[dict[str, Any]]:
    """The worker's replies to a remote control command."""
    replies = app.control.broadcast(
        command, arguments=arguments, reply=True, timeout=WITHIN_S, limit=1
    )
    return list(replies or [])


def test_a_job_sent_to_a_worker_without_consumers_is_labelled(stack: Stack, sample: bytes) -> None:
    first = stack.wait(stack.submit(sample))
    worker = stack.worker()
    app = make_celery(f"redis+socket://{socket_path(stack.data_dir / 'redis')}")
    cancel_consumers(app)
    job_id = stack.submit(sample)
    job = stack.wait(job_id)
    assert job["state"] == "completed"
    assert stack.result(job_id) == stack.result(str(first["id"]))
    assert not worker.is_running()
    assert stack.worker().pid != worker.pid


def test_idle_and_busy_workers_are_not_restarted(stack: Stack, catalogue: bytes) -> None:
    before = stack.worker().pid
    assert stack.wait(stack.submit(catalogue))["state"] == "completed"
    assert stack.worker().pid == before
