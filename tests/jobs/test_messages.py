"""What the messages look like on a real Redis: ids only, JSON only, tasks named by string."""

from __future__ import annotations

import json
from typing import Any

import redis

from jobs.celery_app import make_celery
from jobs.messages import (
    ANSWER_TASK,
    ASSEMBLE_TASK,
    BULK_QUEUE,
    CONTROL_QUEUE,
    LABEL_TASK,
    PLAN_TASK,
    QUESTION_QUEUE,
    QUEUES,
    SMALL_QUEUE,
    SWEEP_TASK,
    CeleryMessages,
    RecordedMessages,
)


def messages_at(redis_url: str) -> CeleryMessages:
    broker = redis_url.replace("unix://", "redis+socket://")
    return CeleryMessages(make_celery(broker))


def waiting(redis_url: str, queue: str) -> list[dict[str, Any]]:
    client = redis.Redis.from_url(redis_url)
    return [json.loads(text) for text in client.lrange(queue, 0, -1)]


def test_nothing_waits_where_nothing_was_ever_sent(redis_url: str) -> None:
    assert messages_at(redis_url).waiting() == frozenset()


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
    messages, kept = messages_at(redis_url), RecordedMessages()
    for port in (messages, kept):
        port.plan("j1")
        port.label("j1", 0)
        port.label("j2", 17)
        port.assemble("j3")
    make_celery("redis+socket://" + redis_url.removeprefix("unix://")).send_task(SWEEP_TASK)
    expected = {("j1", "plan"), ("j1", "label/0"), ("j2", "label/17"), ("j3", "assemble")}
    assert messages.waiting() == kept.waiting() == expected


def test_a_message_is_json_with_ids_only(redis_url: str) -> None:
    messages_at(redis_url).label("j1", 4)
    (message,) = waiting(redis_url, BULK_QUEUE)
    assert message["content-type"] == "application/json"
    assert message["headers"]["argsrepr"] == "['j1', 4]"


def test_a_question_goes_where_it_is_taken_first_and_is_no_step_of_a_job(redis_url: str) -> None:
    messages = messages_at(redis_url)
    messages.label("j1", 1)
    messages.answer("q1")
    (message,) = waiting(redis_url, QUESTION_QUEUE)
    assert message["headers"]["task"] == ANSWER_TASK
    assert message["headers"]["argsrepr"] == "['q1']"
    assert QUEUES[0] == QUESTION_QUEUE
    assert messages.waiting() == {("j1", "label/1")}
