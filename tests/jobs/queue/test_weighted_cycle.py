"""The weighted order of the queues: urgent messages first, and no queue starves."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from kombu import Consumer, Queue

from jobs.queue.celery_app import make_celery
from jobs.queue.task_queue import (
    BULK_QUEUE,
    CONTROL_QUEUE,
    INTERACTIVE_QUEUE,
    QUEUES,
    SMALL_QUEUE,
    CeleryTaskQueue,
)
from jobs.queue.weighted_cycle import TURNS, QueueTurns


def consume(turns: QueueTurns, messages: int, *never_empty: str) -> list[str]:
    """The queues of the next messages if `never_empty` always have one and the others none."""
    order = []
    for _ in range(messages):
        queue = next(queue for queue in turns.consume(len(QUEUES)) if queue in never_empty)
        turns.rotate(queue)
        order.append(queue)
    return order


@pytest.fixture
def turns() -> QueueTurns:
    turns = QueueTurns()
    turns.update(QUEUES)
    return turns


def test_the_default_order_is_by_priority(turns: QueueTurns) -> None:
    assert turns.consume(len(QUEUES)) == list(QUEUES)


@pytest.mark.parametrize("busy", [INTERACTIVE_QUEUE, CONTROL_QUEUE, SMALL_QUEUE])
def test_a_busy_queue_does_not_starve_later_queues(turns: QueueTurns, busy: str) -> None:
    later = [queue for queue in TURNS if QUEUES.index(queue) > QUEUES.index(busy)]
    counts = Counter(consume(turns, 1_000, busy, *later))
    for queue in later:
        assert counts[queue] >= 1_000 // (TURNS[queue] + len(later) + 1)
    assert counts[busy] > 700


def test_bulk_gets_one_turn_in_thirteen_while_small_jobs_wait(turns: QueueTurns) -> None:
    order = consume(turns, 26, CONTROL_QUEUE, SMALL_QUEUE, BULK_QUEUE)
    assert order.count(BULK_QUEUE) == 2
    positions = [position for position, queue in enumerate(order) if queue == BULK_QUEUE]
    assert positions[1] - positions[0] == TURNS[BULK_QUEUE] + 1


def test_an_urgent_message_waits_for_one_later_message_at_most(turns: QueueTurns) -> None:
    consume(turns, 100, SMALL_QUEUE)  # the turn of bulk has come, without a message
    assert consume(turns, 3, SMALL_QUEUE, BULK_QUEUE) == [BULK_QUEUE, SMALL_QUEUE, SMALL_QUEUE]


def test_a_later_queue_alone_is_always_consumed(turns: QueueTurns) -> None:
    assert set(consume(turns, 50, BULK_QUEUE)) == {BULK_QUEUE}


def test_a_broker_with_many_small_jobs_delivers_bulk_messages_in_turn(
    redis_url: str,
) -> None:
    app = make_celery("redis+socket://" + redis_url.removeprefix("unix://"))
    queue = CeleryTaskQueue(app)
    for number in range(40):
        queue.label(f"small{number}", 0)
    for number in range(1, 4):
        queue.label("large", number)
    order: list[str] = []
    with app.connection_for_read() as connection, connection.channel() as channel:

        def record(_body: object, message: Any) -> None:
            order.append(message.headers["argsrepr"])

        queues = [Queue(name) for name in QUEUES]
        with Consumer(channel, queues, callbacks=[record], no_ack=True, accept=["json"]):
            while len(order) < 43:
                connection.drain_events(timeout=60)
    bulk = [position for position, arguments in enumerate(order) if "large" in arguments]
    turn = TURNS[BULK_QUEUE]
    assert bulk == [turn, 2 * turn + 1, 3 * turn + 2]
