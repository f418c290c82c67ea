"""Short-lived cache of job snapshots, to spare Redis from frequent polling.

Reading Redis is half of the cost of `GET /v1/jobs/{id}`. The TTL is 5 % of the job's age and at
most 200 ms, so polling adds at most 5 % latency.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from jobs.job import Job

_SHARE_OF_AGE = 0.05
_MAX_TTL_S = 0.2
# When it is full, the cache is cleared.
_MAX_ENTRIES = 1_000


class SnapshotCache:
    """The latest snapshots of polled jobs. Thread-safe.

    Every snapshot that this process reads is put here, so that no client sees a job go back in
    time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def now(self) -> float:
        """Return the time to pass to `put` as `requested_at`, taken before the store is read."""
        return self._clock()

    def get(self, job_id: str) -> Job | None:
        """Return the cached snapshot, or None on a cache miss."""
        entry = self._entries.get(job_id)
        if entry is None or entry.job.is_terminal or self._clock() >= entry.expires_at:
            return None
        return entry.job

    def put(self, job: Job, *, requested_at: float) -> Job:
        """Cache a snapshot whose read began at `requested_at`, and return it."""
        with self._lock:
            now = self._clock()
            cached = self._entries.get(job.id)
            if (
                cached is not None
                and now < cached.expires_at
                and cached.supersedes(job, requested_at)
            ):
                return job
            # Ended jobs are never served from the cache, since their files may be deleted; the
            # entry only keeps older snapshots from replacing it.
            ttl_s = _MAX_TTL_S if job.is_terminal else job.age_s * _SHARE_OF_AGE
            if len(self._entries) >= _MAX_ENTRIES:
                self._entries.clear()
            self._entries[job.id] = _Entry(job, now, now + min(ttl_s, _MAX_TTL_S))
        return job


@dataclass(frozen=True, slots=True)
class _Entry:
    job: Job
    stored_at: float
    expires_at: float

    def supersedes(self, job: Job, requested_at: float) -> bool:
        """Whether this entry must not be replaced by `job`."""
        if self.job.is_terminal or job.is_terminal:
            return self.job.is_terminal  # terminal states never change
        if requested_at < self.stored_at and self.job.read_at > job.read_at:
            # Concurrent reads: the other thread's is newer. For consecutive reads the store's clock
            # is no evidence, since it may be set back.
            return True
        # Unchanged: keep the entry and what was derived from it.
        return replace(self.job, read_at=job.read_at) == job
