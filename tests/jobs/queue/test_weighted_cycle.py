"""Short steps first, and no queue waits for ever."""

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


def taken(turns: QueueTurns, messages: int, *never_empty: str) -> list[str]:
    """The queues of the next messages, where some queues always hold one and the others none."""
    found = []
    for _ in range(messages):
        queue = next(queue for queue in turns.consume(len(QUEUES)) if queue in never_empty)
        turns.rotate(queue)
        found.append(queue)
    return found


@pytest.fixture
def turns() -> QueueTurns:
    turns = QueueTurns()
    turns.update(QUEUES)
    return turns


def test_the_usual_order_is_that_of_urgency(turns: QueueTurns) -> None:
    assert turns.consume(len(QUEUES)) == list(QUEUES)


@pytest.mark.parametrize("flood", [INTERACTIVE_QUEUE, CONTROL_QUEUE, SMALL_QUEUE])
def test_no_flood_starves_a_later_queue(turns: QueueTurns, flood: str) -> None:
    later = [queue for queue in TURNS if QUEUES.index(queue) > QUEUES.index(flood)]
    counts = Counter(taken(turns, 1_000, flood, *later))
    for queue in later:
        assert counts[queue] >= 1_000 // (TURNS[queue] + len(later) + 1)
    assert counts[flood] > 700


def test_bulk_work_takes_one_turn_in_thirteen_while_small_jobs_wait(turns: QueueTurns) -> None:
    order = taken(turns, 26, CONTROL_QUEUE, SMALL_QUEUE, BULK_QUEUE)
    assert order.count(BULK_QUEUE) == 2
    positions = [place for place, queue in enumerate(order) if queue == BULK_QUEUE]
    assert positions[1] - positions[0] == TURNS[BULK_QUEUE] + 1


def test_an_urgent_message_waits_for_one_later_message_at_most(turns: QueueTurns) -> None:
    taken(turns, 100, SMALL_QUEUE)  # bulk has its turn, and no message
    assert taken(turns, 3, SMALL_QUEUE, BULK_QUEUE) == [BULK_QUEUE, SMALL_QUEUE, SMALL_QUEUE]


def test_a_later_queue_alone_is_taken_all_the_time(turns: QueueTurns) -> None:
    assert set(taken(turns, 50, BULK_QUEUE)) == {BULK_QUEUE}


def test_a_broker_under_a_flood_of_small_jobs_delivers_bulk_work_in_its_turn(
    redis_url: str,
) -> None:
    app = make_celery("redis+socket://" + redis_url.removeprefix("unix://"))
    messages = CeleryTaskQueue(app)
    for number in range(40):
        messages.label(f"small{number}", 0)
    for number in range(1, 4):
        messages.label("large", number)
    order: list[str] = []
    with app.connection_for_read() as connection, connection.channel() as channel:

        def note(_body: object, message: Any) -> None:
            order.append(message.headers["argsrepr"])

        queues = [Queue(name) for name in QUEUES]
        with Consumer(channel, queues, callbacks=[note], no_ack=True, accept=["json"]):
            while len(order) < 43:
                connection.drain_events(timeout=60)
    bulk = [place for place, said in enumerate(order) if "large" in said]
    turn = TURNS[BULK_QUEUE]
    assert bulk == [turn, 2 * turn + 1, 3 * turn + 2]
