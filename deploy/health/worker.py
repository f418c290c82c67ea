"""Exits with status 0 if this worker, or with `beat` this container's beat, makes progress.

A process can be alive without consuming messages. A worker therefore reports that its pool lives,
and when it last waited for messages or finished a step of its work. Beat does not report: Redis
lists when it last sent a command.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping

import redis

from jobs.redis.connection import redis_client
from jobs.redis.record.worker_registry import RedisWorkerRegistry
from jobs.settings import JobSettings
from worker.settings import WorkerSettings

REPORTED_WITHIN_S = 15.0
# Beat sends a message every few seconds.
HEARD_WITHIN_S = 15


def main(arguments: list[str]) -> int:
    """Exit status 1, and a line that says why, if there is no progress."""
    try:
        if arguments == ["beat"]:
            problem = beat_problem(JobSettings().redis_url)
        else:
            settings = WorkerSettings()
            problem = worker_problem(settings.redis_url, progress_within_s=settings.max_step_s)
    except redis.RedisError as error:
        problem = f"Redis cannot be asked: {error}"
    print(problem or "in order")
    return 1 if problem else 0


def worker_problem(
    url: str, *, progress_within_s: float, reported_within_s: float = REPORTED_WITHIN_S
) -> str | None:
    """Why this host's worker makes no progress; None if it does. Raises `redis.RedisError`."""
    name = socket.gethostname()
    with redis_client(url) as client:
        reports = RedisWorkerRegistry(client).active(within_s=reported_within_s)
    report = next((report for report in reports if report.name == name), None)
    if report is None:
        return f"the worker's pool has not reported for {reported_within_s:.0f} s"
    if report.seconds_since_progress is None:
        return "the worker's main process has not reported yet"
    if report.seconds_since_progress > progress_within_s:
        return (
            "the worker has neither waited for messages nor worked for "
            f"{report.seconds_since_progress:.0f} s"
        )
    return None


def beat_problem(url: str) -> str | None:
    """Why this container's beat makes no progress; None if it does. Raises `redis.RedisError`.

    Beat needs no report: all that it sends to Redis are messages, so a recent
    command of its connections is a message that was sent.
    """
    with redis.Redis.from_url(url, decode_responses=True, socket_timeout=5) as client:
        own: Mapping[str, str] = client.client_info()
        connections: list[Mapping[str, str]] = client.client_list()
    host = own["addr"].rpartition(":")[0]
    for connection in connections:
        from_here = connection["addr"].rpartition(":")[0] == host
        itself = connection["id"] == str(own["id"])
        if from_here and not itself and int(connection["idle"]) <= HEARD_WITHIN_S:
            return None
    return f"nothing has been sent to Redis for {HEARD_WITHIN_S} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
