"""Messages in a real Redis: JSON with ids only, and the queue of each task."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from jobs.queue.celery_app import make_celery
from jobs.queue.task_queue import (
    ASSEMBLE_TASK,
    BULK_QUEUE,
    CONTROL_QUEUE,
    INTERACTIVE_QUEUE,
    LABEL_REQUEST_TASK,
    LABEL_TASK,
    PLAN_TASK,
    QUEUES,
    RECOVER_TASK,
    SMALL_QUEUE,
    CeleryTaskQueue,
    RecordingTaskQueue,
)


def task_queue(redis_url: str) -> CeleryTaskQueue:
    broker = redis_url.replace("unix://", "redis+socket://")
    return CeleryTaskQueue(make_celery(broker))


def messages_in(redis_url: str, queue: str) -> list[dict[str, Any]]:
    client = redis.Redis.from_url(redis_url)
    return [json.loads(text) for text in client.lrange(queue, 0, -1)]


def test_an_empty_broker_has_no_queued_steps(redis_url: str) -> None:
    assert task_queue(redis_url).queued({("j1", "plan")}) == frozenset()


def test_each_step_goes_to_the_queue_of_its_priority(redis_url: str) -> None:
    queue = task_queue(redis_url)
    queue.plan("j1")
    queue.assemble("j1")
    queue.label("j1", 0)
    queue.label("j1", 1)
    queue.label("j1", 2)
    tasks = {
        queue: sorted(message["headers"]["task"] for message in messages_in(redis_url, queue))
        for queue in (CONTROL_QUEUE, SMALL_QUEUE, BULK_QUEUE)
    }
    assert tasks == {
        CONTROL_QUEUE: [ASSEMBLE_TASK, PLAN_TASK],
        SMALL_QUEUE: [LABEL_TASK],
        BULK_QUEUE: [LABEL_TASK, LABEL_TASK],
    }


def test_queued_steps_are_known_by_job_and_step(redis_url: str) -> None:
    queue, recording = task_queue(redis_url), RecordingTaskQueue()
    for port in (queue, recording):
        port.plan("j1")
        port.label("j1", 0)
        port.label("j2", 17)
        port.assemble("j3")
    make_celery("redis+socket://" + redis_url.removeprefix("unix://")).send_task(RECOVER_TASK)
    expected = {("j1", "plan"), ("j1", "label/0"), ("j2", "label/17"), ("j3", "assemble")}
    others = {("j1", "label/1"), ("j2", "plan"), ("j3", "plan"), ("j4", "assemble")}
    assert queue.queued(expected | others) == recording.queued(expected | others) == expected


def test_a_message_is_json_with_ids_only(redis_url: str) -> None:
    task_queue(redis_url).label("j1", 4)
    (message,) = messages_in(redis_url, BULK_QUEUE)
    assert message["content-type"] == "application/json"
    assert message["headers"]["argsrepr"] == "['j1', 4]"


def test_a_label_request_goes_to_the_first_queue_and_is_not_a_step(redis_url: str) -> None:
    queue = task_queue(redis_url)
    queue.label("j1", 1)
    queue.label_now("q1")
    (message,) = messages_in(redis_url, INTERACTIVE_QUEUE)
    assert message["headers"]["task"] == LABEL_REQUEST_TASK
    assert message["headers"]["argsrepr"] == "['q1']"
    assert QUEUES[0] == INTERACTIVE_QUEUE
    steps = {("j1", "label/1"), ("q1", "plan")}
    assert queue.queued(steps) == {("j1", "label/1")}


MALFORMED = [
    b"not JSON",
    b"\xff\xfe",
    b"[]",
    b"17",
    b'{"headers": {}}',
    json.dumps({"headers": {"task": PLAN_TASK}}).encode(),
    json.dumps({"headers": {"task": LABEL_TASK}, "body": "%%%"}).encode(),
    json.dumps({"headers": {"task": LABEL_TASK}, "body": "W1siajEiXV0="}).encode(),
]


@pytest.mark.parametrize("malformed", MALFORMED)
def test_an_unreadable_message_is_skipped_and_logged_once(
    redis_url: str, caplog: pytest.LogCaptureFixture, malformed: bytes
) -> None:
    queue = task_queue(redis_url)
    queue.plan("j1")
    redis.Redis.from_url(redis_url).rpush(CONTROL_QUEUE, malformed)
    for _ in range(3):
        assert queue.queued({("j1", "plan")}) == {("j1", "plan")}
    assert len([r for r in caplog.records if "message_unreadable" in r.getMessage()]) == 1


def test_a_queue_is_read_only_as_far_as_necessary(redis_url: str) -> None:
    queue = task_queue(redis_url)
    queue.label("old", 1)
    raw = redis.Redis.from_url(redis_url)
    raw.lpush(BULK_QUEUE, *[b"not read"] * 5_000)
    raw.config_resetstat()
    assert queue.queued({("old", "label/1")}) == {("old", "label/1")}
    assert raw.info("commandstats")["cmdstat_lrange"]["calls"] <= 3  # one page of each queue


def test_steps_in_a_queue_longer_than_the_limit_count_as_queued(redis_url: str) -> None:
    queue = CeleryTaskQueue(task_queue(redis_url).app, max_read=10)
    for number in range(11):
        queue.label(f"j{number}", 1)
    lost = {("lost", "label/1")}
    assert queue.queued(lost) == lost
    assert CeleryTaskQueue(queue.app, max_read=11).queued(lost) == frozenset()
