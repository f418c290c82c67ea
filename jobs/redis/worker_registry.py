"""Reports of workers in Redis."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from jobs.ports.worker_registry import WorkerRegistry, WorkerReport
from jobs.redis.connection import load_script
from jobs.redis.keys import WORKERS

# Reports older than a day are deleted.
_FORGET_WORKER_S = 86_400


class RedisWorkerRegistry(WorkerRegistry):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._report = load_script(client, "clock", "report_worker")

    def report(self, name: str, model: Mapping[str, object] | None) -> None:
        args: list[Any] = [name, json.dumps(model), _FORGET_WORKER_S * 1000]
        with self._redis.pipeline(transaction=False) as pipe:
            self._report(keys=[WORKERS], args=args, client=pipe)
            # The health check reads each connection's last command, and a report is not work.
            pipe.time()
            pipe.execute()

    def active(self, *, within_s: float) -> Sequence[WorkerReport]:
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(WORKERS)
            pipe.time()
            texts, (seconds, micros) = pipe.execute()
        now = seconds + micros / 1e6
        reports = [_report_from(name, text) for name, text in texts.items()]
        return [report for report in reports if now - report.reported_at <= within_s]


def _report_from(name: str, text: str) -> WorkerReport:
    reported_ms, _, model = text.partition(" ")
    return WorkerReport(name=name, reported_at=int(reported_ms) / 1000, model=json.loads(model))
