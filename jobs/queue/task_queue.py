"""The port to the task queue, with its Celery adapter. Messages hold ids only.

A message may be lost, repeated or late: the job record decides which steps are due.
"""

from __future__ import annotations

import base64
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

import structlog
from celery import Celery

from jobs.logs.log_once import LogOnce
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, label_step

log = structlog.get_logger(__name__)

Step = tuple[str, str]  # job id and step, as claims name it

PLAN_TASK = "spinelabel.plan"
LABEL_TASK = "spinelabel.label"
ASSEMBLE_TASK = "spinelabel.assemble"
LABEL_REQUEST_TASK = "spinelabel.label_now"
RECOVER_TASK = "spinelabel.recover_jobs"
EXPIRE_TASK = "spinelabel.expire_jobs"
CLEAN_TASK = "spinelabel.clean_storage"
ORPHANS_TASK = "spinelabel.delete_orphans"
FORGET_TASK = "spinelabel.forget_jobs"
_PAGE = 1_000
_STEPS = {PLAN_TASK: PLAN, ASSEMBLE_TASK: ASSEMBLE}

INTERACTIVE_QUEUE = "spinelabel.interactive"  # a client waits for the response: always first
CONTROL_QUEUE = "spinelabel.control"  # short steps
# A job's first chunk, so that small jobs do not wait for large ones.
SMALL_QUEUE = "spinelabel.small"
BULK_QUEUE = "spinelabel.bulk"
# In the order in which a free worker polls them; see `jobs.queue.weighted_cycle` for exceptions.
QUEUES = (INTERACTIVE_QUEUE, CONTROL_QUEUE, SMALL_QUEUE, BULK_QUEUE)
# Those that hold steps of jobs.
STEP_QUEUES = (CONTROL_QUEUE, SMALL_QUEUE, BULK_QUEUE)


class TaskQueue(ABC):
    """Enqueues tasks."""

    @abstractmethod
    def plan(self, job_id: str) -> None:
        """Enqueue planning."""

    @abstractmethod
    def label(self, job_id: str, index: int) -> None:
        """Enqueue the labelling of chunk `index`."""

    @abstractmethod
    def assemble(self, job_id: str) -> None:
        """Enqueue assembly."""

    @abstractmethod
    def label_now(self, request_id: str) -> None:
        """Enqueue a label request. It is not enqueued again if lost."""

    @abstractmethod
    def queued(self, steps: Set[Step]) -> frozenset[Step]:
        """Those of `steps` that have a message in a queue, or may have one in a very long queue."""

    @abstractmethod
    def depths(self) -> Mapping[str, int]:
        """Number of messages in each of `QUEUES`."""


class CeleryTaskQueue(TaskQueue):
    """Sends through a Celery app; needs no task code of the receiver."""

    def __init__(self, app: Celery, *, max_read: int = 20_000) -> None:
        """Connects on first use.

        Args:
            max_read: the number of messages that `queued` reads of one queue.
        """
        self.app = app
        self._max_read = max_read
        self._faults = LogOnce(log)

    def plan(self, job_id: str) -> None:
        self.app.send_task(PLAN_TASK, args=[job_id], queue=CONTROL_QUEUE)

    def label(self, job_id: str, index: int) -> None:
        queue = SMALL_QUEUE if index == 0 else BULK_QUEUE
        self.app.send_task(LABEL_TASK, args=[job_id, index], queue=queue)

    def assemble(self, job_id: str) -> None:
        self.app.send_task(ASSEMBLE_TASK, args=[job_id], queue=CONTROL_QUEUE)

    def label_now(self, request_id: str) -> None:
        self.app.send_task(LABEL_REQUEST_TASK, args=[request_id], queue=INTERACTIVE_QUEUE)

    def queued(self, steps: Set[Step]) -> frozenset[Step]:
        # AMQP cannot inspect a queue; in Redis, our broker, it is a list under its name.
        missing, queued = set(steps), set[Step]()
        with self.app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            for name in STEP_QUEUES:
                for text in _oldest_first(channel.client, name, self._max_read):
                    if not missing:
                        return frozenset(queued)
                    if (step := self._step_in(name, text)) in missing:
                        missing.remove(step)
                        queued.add(step)
                if channel.client.llen(name) > self._max_read:
                    # Enqueueing deeper steps again at every pass would make a long queue longer.
                    return frozenset(steps)
        return frozenset(queued)

    def _step_in(self, queue: str, text: bytes) -> Step | None:
        try:
            return _step(text)
        except (ValueError, LookupError, TypeError, AttributeError):
            self._faults.error(
                hashlib.sha256(text).hexdigest(),
                "message_unreadable",
                queue=queue,
                message=text[:80],
            )
            return None

    def depths(self) -> Mapping[str, int]:
        with self.app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            return {name: channel.client.llen(name) for name in QUEUES}


class RecordingTaskQueue(TaskQueue):
    """Records the messages, for tests."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, int | None]] = []
        self.label_requests: list[str] = []  # ids

    def plan(self, job_id: str) -> None:
        self.sent.append((PLAN_TASK, job_id, None))

    def label(self, job_id: str, index: int) -> None:
        self.sent.append((LABEL_TASK, job_id, index))

    def assemble(self, job_id: str) -> None:
        self.sent.append((ASSEMBLE_TASK, job_id, None))

    def label_now(self, request_id: str) -> None:
        self.label_requests.append(request_id)

    def queued(self, steps: Set[Step]) -> frozenset[Step]:
        return frozenset(steps) & {
            (job_id, _STEPS[task] if index is None else label_step(index))
            for task, job_id, index in self.sent
        }

    def depths(self) -> Mapping[str, int]:
        queues = [
            CONTROL_QUEUE if index is None else BULK_QUEUE if index else SMALL_QUEUE
            for _, _, index in self.sent
        ]
        return {
            name: queues.count(name)
            + (len(self.label_requests) if name == INTERACTIVE_QUEUE else 0)
            for name in QUEUES
        }


def enqueue_or_log(send: Callable[[str], None], job_id: str) -> None:
    """Enqueue a step whose record has been written; a failure is logged and not raised.

    The record states what is due, so recovery enqueues the step later.
    """
    try:
        send(job_id)
    except Exception as error:  # a broker has many errors, and none of them changes the job
        log.error("enqueue_failed", job_id=job_id, error=error, consequence="recovery enqueues it")


def _oldest_first(client: Any, queue: str, limit: int) -> Iterator[bytes]:
    """At most `limit` messages, oldest first. May miss messages while others are consumed."""
    for offset in range(0, limit, _PAGE):
        page = client.lrange(queue, -offset - _PAGE, -offset - 1)
        yield from reversed(page)
        if len(page) < _PAGE:
            return


def _step(text: bytes) -> Step | None:
    """The step of a message in kombu's envelope; None if its task is not a step of a job.

    Raises `ValueError`, `LookupError`, `TypeError`, `AttributeError` for a malformed message.
    """
    message = json.loads(text)
    task = message["headers"]["task"]
    if task != LABEL_TASK and task not in _STEPS:
        return None
    arguments = json.loads(base64.b64decode(message["body"]))[0]
    if task == LABEL_TASK:
        return str(arguments[0]), label_step(int(arguments[1]))
    return str(arguments[0]), _STEPS[task]
