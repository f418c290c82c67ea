"""Job ids: they sort by the time they were made, and cannot be guessed."""

from __future__ import annotations

import re
import secrets
import time

from jobs.errors import JobNotFound

# Under this key of a request's environ the access log finds the id of the job it has just made.
JOB_ID_KEY = "spinelabel.job_id"

JOB_ID = "job_[0-9a-f]{32}"

_PATTERN = re.compile(JOB_ID)


def new_job_id() -> str:
    """`job_` and 32 hex digits: 48 bits of Unix milliseconds, 80 random bits."""
    return f"job_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def check_job_id(job_id: str) -> str:
    """The id itself. Raises `JobNotFound` for anything that cannot be one, before a store sees it."""
    if not _PATTERN.fullmatch(job_id):
        raise JobNotFound(job_id[:64])
    return job_id
