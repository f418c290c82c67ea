"""Job ids: sortable by creation time, and not guessable."""

from __future__ import annotations

import re
import secrets
import time

from jobs.errors import JobNotFound

# WSGI environ key under which the access log finds the id of the created job.
JOB_ID_KEY = "spinelabel.job_id"

JOB_ID = "job_[0-9a-f]{32}"

_PATTERN = re.compile(JOB_ID)


def new_job_id() -> str:
    """Return `job_` and 32 hex digits: 48 bits of Unix milliseconds, 80 random bits."""
    return f"job_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def check_job_id(job_id: str) -> str:
    """Return `job_id`. Raises `JobNotFound` if it is malformed."""
    if not _PATTERN.fullmatch(job_id):
        raise JobNotFound(job_id[:64])
    return job_id
