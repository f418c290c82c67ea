"""Jobs as they were a moment ago, for clients that ask again and again what the record says.

Asking Redis is half of what it costs to answer a look at a job, and a job's workers may share the machine's cores with
whoever asks two hundred times a second. So a look at a job that has not ended may be a little old: a twentieth of the job's
age, and never more than a fifth of a second. Whatever waits for an end this way waits no more than 5 % longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from jobs.job import Job

# How far behind the job a look may be.
_SHARE_OF_AGE = 0.05
_LONGEST_S = 0.2
# Jobs that somebody looks at within that time; above that all are forgotten.
_MOST = 1_000


class SnapshotCache:
    """What the jobs that were read last looked like; several threads may use it.

    Told of every job that this process reads, so that no client sees a job go back: what one request has seen, or done,
    all later ones see.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._readings: dict[str, _Reading] = {}

    def now(self) -> float:
        """The moment that `note` is to be told, taken before the record is asked."""
        return self._clock()

    def find(self, job_id: str) -> Job | None:
        """The job as it was a moment ago; None where the record has to be asked."""
        reading = self._readings.get(job_id)
        if reading is None or reading.job.is_terminal or self._clock() >= reading.until:
            return None
        return reading.job

    def note(self, job: Job, *, asked_at: float) -> Job:
        """Remember what has just been read, and was asked for at `asked_at`; returns it."""
        with self._lock:
            now = self._clock()
            known = self._readings.get(job.id)
            if known is not None and now < known.until and known.stands_against(job, asked_at):
                return job
            # Of an end nothing is shown, since files may go; but a reading from before it may still arrive.
            recent_s = _LONGEST_S if job.is_terminal else job.age_s * _SHARE_OF_AGE
            if len(self._readings) >= _MOST:
                self._readings.clear()
            self._readings[job.id] = _Reading(job, now, now + min(recent_s, _LONGEST_S))
        return job


@dataclass(frozen=True, slots=True)
class _Reading:
    job: Job
    noted_at: float
    until: float

    def stands_against(self, job: Job, asked_at: float) -> bool:
        """Whether this one is to be kept although `job` has been read."""
        if self.job.is_terminal or job.is_terminal:
            return self.job.is_terminal  # nothing comes after an end
        if asked_at < self.noted_at and self.job.read_at > job.read_at:
            # Both were under way at once, and another thread's was the later one. Of readings one after the other the clock
            # of the record says nothing: it may be put back.
            return True
        # Where nothing has happened, what was made of the earlier reading need not be made again.
        return replace(self.job, read_at=job.read_at) == job
