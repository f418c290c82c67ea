"""Faults of the queues: dropped, duplicated and spurious messages, cancelled consumers."""

from __future__ import annotations

import json
import random
import time
from typing import cast

from benchmarks.chaos.cluster_state import ClusterState
from benchmarks.chaos.errors import FaultNotApplicable
from benchmarks.chaos.faults.injection_points import suspended
from benchmarks.chaos.observer import Fault, Observer
from benchmarks.local_stack import LocalStack
from jobs.queue.task_queue import QUEUES, CeleryTaskQueue


class MessageFaults:
    """Injects faults into the queues of one stack."""

    def __init__(
        self,
        stack: LocalStack,
        observer: Observer,
        random_: random.Random,
        messages: CeleryTaskQueue,
    ) -> None:
        self._stack = stack
        self._observer = observer
        self._random = random_
        self._messages = messages
        self._cluster = ClusterState(stack)

    def drop(self, name: str) -> Fault:
        """Delete all queues."""
        # Suspended, so that messages accumulate.
        with suspended(self._stack.pool()):
            time.sleep(0.05)
            queued = self._cluster.queued()
            if not queued:
                raise FaultNotApplicable
            fault = self._observer.start_fault(name, also=queued)
            self._cluster.redis.delete(*QUEUES)
        fault.restored_at = time.monotonic()
        return fault

    def duplicate(self, name: str) -> Fault:
        """Copy each message one to three times, with the same or another delivery tag."""
        fault = self._observer.start_fault(name)
        for queue in QUEUES:
            for text in cast(list[str], self._cluster.redis.lrange(queue, 0, -1)):
                for _ in range(self._random.randint(1, 3)):
                    copy = json.loads(text)
                    copy["properties"]["delivery_tag"] += str(self._random.random())
                    self._cluster.redis.lpush(queue, self._random.choice((text, json.dumps(copy))))
        fault.restored_at = time.monotonic()
        return fault

    def send_spurious(self, name: str) -> Fault:
        """Send messages for steps that are not due, and for a job that does not exist."""
        fault = self._observer.start_fault(name)
        for job in self._cluster.active():
            self._messages.plan(job.id)
            self._messages.assemble(job.id)
            for _ in range(5):
                self._messages.label(job.id, self._random.randrange(job.chunks + 2))
        self._messages.label("job_that_does_not_exist", 0)
        fault.restored_at = time.monotonic()
        return fault

    def cancel_consumers(self) -> None:
        """Cancel the worker's consumers, as some connection losses do; it still answers pings."""
        for queue in QUEUES:
            # Without `limit` it waits for the whole timeout.
            control = self._messages.app.control
            if not control.cancel_consumer(queue, reply=True, timeout=30, limit=1):
                raise FaultNotApplicable
