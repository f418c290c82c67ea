"""Idempotency keys in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from jobs.errors import IdempotencyKeyLost
from jobs.ports.record.idempotency import (
    RETENTION_S,
    CompletedRequest,
    IdempotencyStore,
    KeyClaim,
    KeyCompletion,
)


@dataclass
class _Entry:
    token: str
    until: float
    completed: CompletedRequest | None = None


class MemoryIdempotencyStore(IdempotencyStore):
    """`clock` returns Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def claim(self, name: str, token: str, *, lease_s: float) -> KeyClaim | CompletedRequest | None:
        with self._lock:
            now = self._clock()
            entry = self._entries.get(name)
            if entry is None or entry.until <= now:
                self._entries[name] = _Entry(token, now + lease_s)
                return KeyClaim(name=name, token=token)
            return entry.completed

    def renew(self, claim: KeyClaim, *, lease_s: float) -> None:
        with self._lock:
            if (entry := self._claimed(claim)) is not None:
                entry.until = self._clock() + lease_s

    def release(self, claim: KeyClaim) -> None:
        with self._lock:
            if self._claimed(claim) is not None:
                del self._entries[claim.name]

    def complete(self, completion: KeyCompletion, job_id: str) -> None:
        """Record the job of a claimed key. Raises `IdempotencyKeyLost`."""
        with self._lock:
            if (entry := self._claimed(completion.claim)) is None:
                raise IdempotencyKeyLost
            entry.completed = CompletedRequest(job_id=job_id, fingerprint=completion.fingerprint)
            entry.until = self._clock() + RETENTION_S

    def _claimed(self, claim: KeyClaim) -> _Entry | None:
        entry = self._entries.get(claim.name)
        if entry is None or entry.token != claim.token or entry.completed is not None:
            return None
        return entry if entry.until > self._clock() else None
