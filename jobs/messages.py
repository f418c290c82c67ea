"""The port that tells workers what to do next: ids only, tasks named by string.

A message may be lost, repeated or late: the job record decides what still has to be done.
"""

from __future__ import annotations

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from celery import Celery

from jobs.store import ASSEMBLE, PLAN, label_step

PLAN_TASK = "spinelabel.plan"
LABEL_TASK = "spinelabel.label"
ASSEMBLE_TASK = "spinelabel.assemble"
ANSWER_TASK = "spinelabel.answer"
SWEEP_TASK = "spinelabel.sweep"
_STEPS = {PLAN_TASK: PLAN, ASSEMBLE_TASK: ASSEMBLE}

QUESTION_QUEUE = "spinelabel.questions"  # somebody waits for the answer: always taken first
CONTROL_QUEUE = "spinelabel.control"  # short steps
SMALL_QUEUE = (
    "spinelabel.small"  # a job's first chunk, so that small jobs never wait behind big ones
)
BULK_QUEUE = "spinelabel.bulk"
# In the order in which a free worker looks at them.
QUEUES = (QUESTION_QUEUE, CONTROL_QUEUE, SMALL_QUEUE, BULK_QUEUE)


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
    def answer(self, question_id: str) -> None:
        """Ask for a question to be answered. Nobody sends it again: whoever asked does not wait for long."""

    @abstractmethod
    def waiting(self) -> frozenset[tuple[str, str]]:
        """Job and step of every message about a job that waits to be taken."""

    @abstractmethod
    def depths(self) -> Mapping[str, int]:
        """How many messages wait in each of `QUEUES`."""


class CeleryMessages(Messages):
    """Sends through a Celery app; needs no task code of the receiver."""

    def __init__(self, app: Celery) -> None:
        self.app = app

    def plan(self, job_id: str) -> None:
        self.app.send_task(PLAN_TASK, args=[job_id], queue=CONTROL_QUEUE)

    def label(self, job_id: str, index: int) -> None:
        queue = SMALL_QUEUE if index == 0 else BULK_QUEUE
        self.app.send_task(LABEL_TASK, args=[job_id, index], queue=queue)

    def assemble(self, job_id: str) -> None:
        self.app.send_task(ASSEMBLE_TASK, args=[job_id], queue=CONTROL_QUEUE)

    def answer(self, question_id: str) -> None:
        self.app.send_task(ANSWER_TASK, args=[question_id], queue=QUESTION_QUEUE)

    def waiting(self) -> frozenset[tuple[str, str]]:
        # AMQP cannot look into a queue; Redis, which is our broker, keeps it as a list under its name.
        with self.app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            texts = [text for name in QUEUES for text in channel.client.lrange(name, 0, -1)]
        return frozenset(step for step in map(_step, texts) if step is not None)

    def depths(self) -> Mapping[str, int]:
        with self.app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            return {name: channel.client.llen(name) for name in QUEUES}


class RecordedMessages(Messages):
    """Keeps what was sent, for whoever wants to look or to run it in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, int | None]] = []
        self.asked: list[str] = []

    def plan(self, job_id: str) -> None:
        self.sent.append((PLAN_TASK, job_id, None))

    def label(self, job_id: str, index: int) -> None:
        self.sent.append((LABEL_TASK, job_id, index))

    def assemble(self, job_id: str) -> None:
        self.sent.append((ASSEMBLE_TASK, job_id, None))

    def answer(self, question_id: str) -> None:
        self.asked.append(question_id)

    def waiting(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (job_id, _STEPS[task] if index is None else label_step(index))
            for task, job_id, index in self.sent
        )

    def depths(self) -> Mapping[str, int]:
        queues = [
            CONTROL_QUEUE if index is None else BULK_QUEUE if index else SMALL_QUEUE
            for _, _, index in self.sent
        ]
        return {
            name: queues.count(name) + (len(self.asked) if name == QUESTION_QUEUE else 0)
            for name in QUEUES
        }


def _step(text: bytes | str) -> tuple[str, str] | None:
    """What a message in kombu's wrapping asks for; None for what is about no job."""
    message = json.loads(text)
    arguments = json.loads(base64.b64decode(message["body"]))[0]
    task = message["headers"]["task"]
    if task == LABEL_TASK:
        return arguments[0], label_step(arguments[1])
    return (arguments[0], _STEPS[task]) if task in _STEPS else None
