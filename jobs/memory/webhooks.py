"""Webhook deliveries in memory."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from jobs.metrics import webhook_attempts
from jobs.ports.webhooks import Attempt, DeliveryLog, WebhookStore, new_secret

_MAX_ATTEMPTS = 50


class MemoryWebhookStore(WebhookStore):
    """Share it with `MemoryState`, which makes deliveries due; `clock` returns Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._due: dict[str, float] = {}
        self._claimed: dict[str, int] = {}
        self._attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
        self.metrics: Counter[str] = Counter()
        self._secrets: dict[str | None, list[tuple[str, float]]] = {}

    def schedule(self, job_id: str) -> None:
        """Make the delivery due; called when a job ends."""
        with self._lock:
            self._due[job_id] = self._clock()

    def scheduled(self) -> int:
        """Number of pending deliveries."""
        with self._lock:
            return len(self._due)

    def forget(self, job_id: str) -> None:
        """Called when a job is deleted."""
        with self._lock:
            self._due.pop(job_id, None)
            self._claimed.pop(job_id, None)
            self._attempts.pop(job_id, None)

    def due(self, *, limit: int) -> Sequence[str]:
        with self._lock:
            now = self._clock()
            ready = sorted((at, job_id) for job_id, at in self._due.items() if at <= now)
            return [job_id for _, job_id in ready[:limit]]

    def claim(self, job_id: str, *, lease_s: float) -> int | None:
        with self._lock:
            now = self._clock()
            if job_id not in self._due or self._due[job_id] > now:
                return None
            self._due[job_id] = now + lease_s
            self._claimed[job_id] = self._claimed.get(job_id, 0) + 1
            return self._claimed[job_id]

    def record(self, job_id: str, attempt: Attempt, *, retry_in_s: float | None) -> bool:
        with self._lock:
            if self._claimed.get(job_id) != attempt.number or job_id not in self._due:
                return False
            self._attempts[job_id] = [*self._attempts[job_id], attempt][-_MAX_ATTEMPTS:]
            self.metrics[webhook_attempts(attempt.outcome)] += 1
            if retry_in_s is None:
                del self._due[job_id]
            else:
                self._due[job_id] = self._clock() + retry_in_s
            return True

    def log(self, job_id: str) -> DeliveryLog:
        with self._lock:
            attempts = tuple(self._attempts.get(job_id, ()))
            return DeliveryLog(attempts=attempts, next_at=self._due.get(job_id))

    def secrets(self, owner: str | None) -> tuple[str, ...]:
        with self._lock:
            now = self._clock()
            newest, *older = self._secrets.setdefault(owner, [(new_secret(), 0.0)])
            return (newest[0], *(secret for secret, until in older if until > now))

    def rotate_secret(self, owner: str | None, *, grace_s: float) -> str:
        previous = self.secrets(owner)[0]
        with self._lock:
            secret = new_secret()
            self._secrets[owner] = [(secret, 0.0), (previous, self._clock() + grace_s)]
            return secret
