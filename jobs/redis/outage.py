"""Which errors mean that Redis cannot serve for now: it is away, it is starting, or it refuses writes.

Such a state ends by itself or by an operator's hand; nothing is wrong with the request that met it.
"""

from __future__ import annotations

import redis
from kombu.exceptions import OperationalError

MEMORY_FULL = "Redis refuses writes: its memory is full; delete jobs or raise maxmemory."
DISK_ERROR = "Redis refuses writes: its disk is full or failing; make room on it."
READ_ONLY = "Redis refuses writes: it is a replica; connect to the primary."
STARTING = "Redis is starting: it reads its file."
NOT_NOW = "Redis cannot serve for now."

# As Redis spells them; within a script's error the code stands in the middle of the text.
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
    """Why a Redis that answers does not serve for now, in a sentence; None if this error says nothing of the kind."""
    if isinstance(error, OperationalError) and error.__cause__ is not None:
        error = error.__cause__
    if not isinstance(error, redis.ResponseError | redis.BusyLoadingError):
        return None
    text = str(error)
    return next((reason for sign, reason in _REFUSALS.items() if sign in text), None)


def is_outage(error: BaseException) -> bool:
    """Whether Redis is away or refuses for now, rather than that the request was wrong."""
    if isinstance(error, redis.ConnectionError | redis.TimeoutError | OperationalError):
        return True
    return refusal(error) is not None
