"""The port that tells workers what to do next: ids only, tasks named by string.

A message may be lost, repeated or late: the job record decides what still has to be done.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from typing import Any

from celery import Celery

PLAN_TASK = "spinelabel.plan"
LABEL_TASK = "spinelabel.label"
ASSEMBLE_TASK = "spinelabel.assemble"
SWEEP_TASK = "spinelabel.sweep"

CONTROL_QUEUE = "spinelabel.control"  # short steps, always taken first
SMALL_QUEUE = (
    "spinelabel.small"  # a job's first chunk, so that small jobs never wait behind big ones
)
BULK_QUEUE = "spinelabel.bulk"
# In the order in which a free worker looks at them.
QUEUES = (CONTROL_QUEUE, SMALL_QUEUE, BULK_QUEUE)


class Messages(ABC):
    """What can be asked of the workers."""

    @abstractmethod
    def plan(self, job_id: str) -> None:
        """Ask for the job to be planned."""

    @abstractmethod
    def label(self, job_id: str, index: int) -> None:
        """Ask for chunk `index` to be labelled."""

    @abstractmethod
    def assemble(self, job_id: str) -> None:
        """Ask for the parts to be put together and the job to be ended."""

    @abstractmethod
    def backlog(self) -> int:
        """How many messages wait to be taken."""


class CeleryMessages(Messages):
    """Sends through a Celery app; needs no task code of the receiver."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def plan(self, job_id: str) -> None:
        self._app.send_task(PLAN_TASK, args=[job_id], queue=CONTROL_QUEUE)

    def label(self, job_id: str, index: int) -> None:
        queue = SMALL_QUEUE if index == 0 else BULK_QUEUE
        self._app.send_task(LABEL_TASK, args=[job_id, index], queue=queue)

    def assemble(self, job_id: str) -> None:
        self._app.send_task(ASSEMBLE_TASK, args=[job_id], queue=CONTROL_QUEUE)

    def backlog(self) -> int:
        with self._app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            waiting = 0
            for name in (SMALL_QUEUE, BULK_QUEUE):
                # Passive declaration is AMQP's way to ask, and an error where a queue was never used.
                with contextlib.suppress(*connection.channel_errors):
                    waiting += channel.queue_declare(queue=name, passive=True).message_count
            return waiting


class RecordedMessages(Messages):
    """Keeps what was sent, for whoever wants to look or to run it in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, int | None]] = []

    def plan(self, job_id: str) -> None:
        self.sent.append((PLAN_TASK, job_id, None))

    def label(self, job_id: str, index: int) -> None:
        self.sent.append((LABEL_TASK, job_id, index))

    def assemble(self, job_id: str) -> None:
        self.sent.append((ASSEMBLE_TASK, job_id, None))

    def backlog(self) -> int:
        return 0
