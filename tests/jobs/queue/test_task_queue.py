"""What the messages look like on a real Redis: ids only, JSON only, tasks named by string."""

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


def messages_at(redis_url: str) -> CeleryTaskQueue:
    broker = redis_url.replace("unix://", "redis+socket://")
    return CeleryTaskQueue(make_celery(broker))


def waiting(redis_url: str, queue: str) -> list[dict[str, Any]]:
    client = redis.Redis.from_url(redis_url)
    return [json.loads(text) for text in client.lrange(queue, 0, -1)]


def test_nothing_waits_where_nothing_was_ever_sent(redis_url: str) -> None:
    assert messages_at(redis_url).queued({("j1", "plan")}) == frozenset()


def test_steps_go_to_the_queue_of_their_urgency(redis_url: str) -> None:
    messages = messages_at(redis_url)
    messages.plan("j1")
    messages.assemble("j1")
    messages.label("j1", 0)
    messages.label("j1", 1)
    messages.label("j1", 2)
    tasks = {
        queue: sorted(message["headers"]["task"] for message in waiting(redis_url, queue))
        for queue in (CONTROL_QUEUE, SMALL_QUEUE, BULK_QUEUE)
    }
    assert tasks == {
        CONTROL_QUEUE: [ASSEMBLE_TASK, PLAN_TASK],
        SMALL_QUEUE: [LABEL_TASK],
        BULK_QUEUE: [LABEL_TASK, LABEL_TASK],
    }


def test_what_waits_is_known_by_job_and_step(redis_url: str) -> None:
    messages, kept = messages_at(redis_url), RecordingTaskQueue()
    for port in (messages, kept):
        port.plan("j1")
        port.label("j1", 0)
        port.label("j2", 17)
        port.assemble("j3")
    make_celery("redis+socket://" + redis_url.removeprefix("unix://")).send_task(RECOVER_TASK)
    expected = {("j1", "plan"), ("j1", "label/0"), ("j2", "label/17"), ("j3", "assemble")}
    others = {("j1", "label/1"), ("j2", "plan"), ("j3", "plan"), ("j4", "assemble")}
    assert messages.queued(expected | others) == kept.queued(expected | others) == expected


def test_a_message_is_json_with_ids_only(redis_url: str) -> None:
    messages_at(redis_url).label("j1", 4)
    (message,) = waiting(redis_url, BULK_QUEUE)
    assert message["content-type"] == "application/json"
    assert message["headers"]["argsrepr"] == "['j1', 4]"


def test_a_question_goes_where_it_is_taken_first_and_is_no_step_of_a_job(redis_url: str) -> None:
    messages = messages_at(redis_url)
    messages.label("j1", 1)
    messages.label_now("q1")
    (message,) = waiting(redis_url, INTERACTIVE_QUEUE)
    assert message["headers"]["task"] == LABEL_REQUEST_TASK
    assert message["headers"]["argsrepr"] == "['q1']"
    assert QUEUES[0] == INTERACTIVE_QUEUE
    steps = {("j1", "label/1"), ("q1", "plan")}
    assert messages.queued(steps) == {("j1", "label/1")}


MALFORMED = [
    b"no JSON",
    b"\xff\xfe",
    b"[]",
    b"17",
    b'{"headers": {}}',
    json.dumps({"headers": {"task": PLAN_TASK}}).encode(),
    json.dumps({"headers": {"task": LABEL_TASK}, "body": "%%%"}).encode(),
    json.dumps({"headers": {"task": LABEL_TASK}, "body": "W1siajEiXV0="}).encode(),
]


@pytest.mark.parametrize("malformed", MALFORMED)
def test_a_message_that_cannot_be_read_is_passed_over_and_logged_once(
    redis_url: str, caplog: pytest.LogCaptureFixture, malformed: bytes
) -> None:
    messages = messages_at(redis_url)
    messages.plan("j1")
    redis.Redis.from_url(redis_url).rpush(CONTROL_QUEUE, malformed)
    for _ in range(3):
        assert messages.queued({("j1", "plan")}) == {("j1", "plan")}
    assert len([r for r in caplog.records if "message_unreadable" in r.getMessage()]) == 1


def test_a_queue_is_read_no_further_than_needed(redis_url: str) -> None:
    messages = messages_at(redis_url)
    messages.label("old", 1)
    raw = redis.Redis.from_url(redis_url)
    raw.lpush(BULK_QUEUE, *[b"not read"] * 5_000)
    raw.config_resetstat()
    assert messages.queued({("old", "label/1")}) == {("old", "label/1")}
    assert raw.info("commandstats")["cmdstat_lrange"]["calls"] <= 3  # one page of each queue


def test_what_lies_deeper_than_is_read_counts_as_queued(redis_url: str) -> None:
    messages = CeleryTaskQueue(messages_at(redis_url).app, max_read=10)
    for number in range(11):
        messages.label(f"j{number}", 1)
    lost = {("lost", "label/1")}
    assert messages.queued(lost) == lost
    assert CeleryTaskQueue(messages.app, max_read=11).queued(lost) == frozenset()
