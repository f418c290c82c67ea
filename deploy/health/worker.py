"""Is this worker, or with `beat` this sweeper's clock, making progress? Exit status 0 if it is.

A process can be alive without consuming messages, so this asks Redis what this container reported lately:
a worker must have reported itself (its pool lives), and must be waiting for messages or writing to the
job record; the clock must have sent something.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable, Mapping

import redis

from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from jobs.settings import JobSettings

REPORTED_WITHIN_S = 15.0
# Beat sends every few seconds, so does a step that is under way; a wait for messages lasts seconds.
HEARD_WITHIN_S = 15
_WAITING = {"brpop"}
_WORKING = {"evalsha", "eval"}


def main(arguments: list[str]) -> int:
    """Exit status 1, and a line that says why, if there is no progress."""
    url = JobSettings().redis_url
    try:
        problem = _beat_problem(url) if arguments == ["beat"] else _worker_problem(url)
    except redis.RedisError as error:
        problem = f"Redis cannot be asked: {error}"
    print(problem or "in order")
    return 1 if problem else 0


def _beat_problem(url: str) -> str | None:
    if any(True for _ in _lately(url)):
        return None
    return f"nothing has been sent to Redis for {HEARD_WITHIN_S} s"


def _worker_problem(url: str) -> str | None:
    name = socket.gethostname()
    # Closed before connections are listed, so that it is not among this container's.
    with redis_client(url) as client:
        reports = redis_job_store(client).workers.active(within_s=REPORTED_WITHIN_S)
    if all(report.name != name for report in reports):
        return f"the worker has not reported for {REPORTED_WITHIN_S:.0f} s"
    if all(command not in _WAITING | _WORKING for command in _lately(url)):
        return f"the worker has neither waited for messages nor worked for {HEARD_WITHIN_S} s"
    return None


def _lately(url: str) -> Iterable[str]:
    """Last commands of this container's other connections that Redis has heard from lately."""
    with redis.Redis.from_url(url, decode_responses=True, socket_timeout=5) as client:
        own: Mapping[str, str] = client.client_info()
        connections: list[Mapping[str, str]] = client.client_list()
    host = own["addr"].rpartition(":")[0]
    for connection in connections:
        from_here = connection["addr"].rpartition(":")[0] == host
        itself = connection["id"] == str(own["id"])
        if from_here and not itself and int(connection["idle"]) <= HEARD_WITHIN_S:
            yield connection["cmd"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
