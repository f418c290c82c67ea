"""Keys of requests in this process's memory; passes the same contract suite as Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from jobs.errors import RequestNotHeld
from jobs.ports.idempotency import KEPT_S, RequestHold, RequestStore, Settled, Settlement


@dataclass
class _Entry:
    token: str
    until: float
    settled: Settled | None = None


class MemoryRequestStore(RequestStore):
    """`clock` returns Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def hold(self, name: str, token: str, *, lease_s: float) -> RequestHold | Settled | None:
        with self._lock:
            now = self._clock()
            entry = self._entries.get(name)
            if entry is None or entry.until <= now:
                self._entries[name] = _Entry(token, now + lease_s)
                return RequestHold(name=name, token=token)
            return entry.settled

    def renew(self, hold: RequestHold, *, lease_s: float) -> None:
        with self._lock:
            if (entry := self._held(hold)) is not None:
                entry.until = self._clock() + lease_s

    def release(self, hold: RequestHold) -> None:
        with self._lock:
            if self._held(hold) is not None:
                del self._entries[hold.name]

    def settle(self, settlement: Settlement, job_id: str) -> None:
        """Note what the key has led to. Raises `RequestNotHeld`."""
        with self._lock:
            if (entry := self._held(settlement.hold)) is None:
                raise RequestNotHeld
            entry.settled = Settled(job_id=job_id, fingerprint=settlement.fingerprint)
            entry.until = self._clock() + KEPT_S

    def _held(self, hold: RequestHold) -> _Entry | None:
        entry = self._entries.get(hold.name)
        if entry is None or entry.token != hold.token or entry.settled is not None:
            return None
        return entry if entry.until > self._clock() else None
