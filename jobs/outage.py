"""Classifies errors that mean an outage of Redis: unreachable, starting, or refusing writes.

The cause is not the request; it can be repeated when Redis is available again.
"""

from __future__ import annotations

import redis
from kombu.exceptions import OperationalError

MEMORY_FULL = "Redis refuses writes: its memory is full. Delete jobs or raise maxmemory."
DISK_ERROR = "Redis refuses writes: its disk is full or failing. Free space on it."
READ_ONLY = "Redis refuses writes: it is a replica. Connect to the primary."
STARTING = "Redis is starting: it is loading its data."
NOT_NOW = "Redis is temporarily unavailable."

# Redis's error codes; in a script's error the code is inside the text.
_REFUSALS = {
    "command not allowed when used memory": MEMORY_FULL,
    "MISCONF": DISK_ERROR,
    "READONLY": READ_ONLY,
    "You can't write against a read only": READ_ONLY,
    "LOADING": STARTING,
    "is loading the dataset in memory": STARTING,
    "MASTERDOWN": NOT_NOW,
    "NOREPLICAS": NOT_NOW,
    "CLUSTERDOWN": NOT_NOW,
    "TRYAGAIN": NOT_NOW,
    "BUSY Redis is busy": NOT_NOW,
}


def refusal(error: BaseException) -> str | None:
    """Why a reachable Redis refuses commands, in a sentence; None for any other error."""
    if isinstance(error, OperationalError) and error.__cause__ is not None:
        error = error.__cause__
    if not isinstance(error, redis.ResponseError | redis.BusyLoadingError):
        return None
    text = str(error)
    return next((reason for sign, reason in _REFUSALS.items() if sign in text), None)


def is_outage(error: BaseException) -> bool:
    """Whether the error is an outage of Redis, not a fault of the request."""
    if isinstance(error, redis.ConnectionError | redis.TimeoutError | OperationalError):
        return True
    return refusal(error) is not None
