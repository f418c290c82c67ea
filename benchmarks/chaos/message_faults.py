"""Faults of the queues: messages that vanish, come twice, or that nobody asked for."""

from __future__ import annotations

import json
import random
import time
from typing import cast

from benchmarks.chaos.cluster_state import View
from benchmarks.chaos.errors import NotPossible
from benchmarks.chaos.injection_points import stopped
from benchmarks.chaos.observer import Fault, Observer
from benchmarks.local_stack import Laptop
from jobs.queue.task_queue import QUEUES, CeleryTaskQueue


class MessageFaults:
    """What can be done to the messages of one stack."""

    def __init__(
        self, stack: Laptop, observer: Observer, random_: random.Random, messages: CeleryTaskQueue
    ) -> None:
        self._stack = stack
        self._observer = observer
        self._random = random_
        self._messages = messages
        self._view = View(stack)

    def dropped(self, name: str) -> Fault:
        # Stopped, so that there is something in the queues at all.
        with stopped(self._stack.pool()):
            time.sleep(0.05)
            lost = self._view.waiting()
            if not lost:
                raise NotPossible
            fault = self._observer.begin(name, also=lost)
            self._view.redis.delete(*QUEUES)
        fault.back_at = time.monotonic()
        return fault

    def repeated(self, name: str) -> Fault:
        fault = self._observer.begin(name)
        for queue in QUEUES:
            for text in cast(list[str], self._view.redis.lrange(queue, 0, -1)):
                for _ in range(self._random.randint(1, 3)):
                    copy = json.loads(text)
                    copy["properties"]["delivery_tag"] += str(self._random.random())
                    self._view.redis.lpush(queue, self._random.choice((text, json.dumps(copy))))
        fault.back_at = time.monotonic()
        return fault

    def invented(self, name: str) -> Fault:
        fault = self._observer.begin(name)
        for job in self._view.active():
            self._messages.plan(job.id)
            self._messages.assemble(job.id)
            for _ in range(5):
                self._messages.label(job.id, self._random.randrange(job.chunks + 2))
        self._messages.label("job_that_never_was", 0)
        fault.back_at = time.monotonic()
        return fault

    def deafen(self) -> None:
        """Take the worker's consumers away, as some losses of the broker do; it goes on answering pings."""
        for queue in QUEUES:
            # It would wait for more answers than there are workers.
            control = self._messages.app.control
            if not control.cancel_consumer(queue, reply=True, timeout=30, limit=1):
                raise NotPossible
