"""Jobs as they were a moment ago, for clients that ask again and again what the record says.

Asking Redis is half of what it costs to answer a look at a job, and a job's workers may share the machine's cores with
whoever asks two hundred times a second. So a look at a job that has not ended may be a little old: a twentieth of the job's
age, and never more than a fifth of a second. Whatever waits for an end this way waits no more than 5 % longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from jobs.job import Job

# How far behind the job a look may be.
_SHARE_OF_AGE = 0.05
_LONGEST_S = 0.2
# Jobs that somebody looks at within that time; above that all are forgotten.
_MOST = 1_000


class RecentLooks:
    """What the jobs that were read last looked like; several threads may use it.

    Told of every job that this process reads, so that no client sees a job go back: what one request has seen, or done,
    all later ones see.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[str, tuple[Job, float]] = {}  # and until when it is recent enough

    def find(self, job_id: str) -> Job | None:
        """The job as it was a moment ago; None where the record has to be asked."""
        job, until = self._jobs.get(job_id, (None, 0.0))
        return job if self._clock() < until else None

    def note(self, job: Job) -> Job:
        """Remember what has just been read; returns it."""
        with self._lock:
            now = self._clock()
            known, until = self._jobs.get(job.id, (None, 0.0))
            if known is not None and now < until:
                if known.read_at > job.read_at:
                    return job  # another thread has read later
                if replace(known, read_at=job.read_at) == job:
                    return job  # nothing has happened, so what was made of the earlier reading need not be made again
            if job.is_terminal:
                self._jobs.pop(job.id, None)
                return job
            if len(self._jobs) >= _MOST:
                self._jobs.clear()
            self._jobs[job.id] = (job, now + min(job.age_s * _SHARE_OF_AGE, _LONGEST_S))
        return job
