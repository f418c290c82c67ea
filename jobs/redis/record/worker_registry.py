"""Reports of workers in Redis."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from jobs.ports.record.worker_registry import WorkerRegistry, WorkerReport
from jobs.redis.connection import load_script
from jobs.redis.keys import WORKERS, WORKERS_PROGRESS

# Reports older than a day are deleted.
_FORGET_WORKER_MS = 86_400_000


class RedisWorkerRegistry(WorkerRegistry):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._report = load_script(client, "clock", "report_worker")
        self._report_progress = load_script(client, "clock", "report_progress")

    def report(self, name: str, model: Mapping[str, object] | None) -> None:
        args: list[Any] = [name, json.dumps(model), _FORGET_WORKER_MS]
        self._report(keys=[WORKERS], args=args)

    def report_progress(self, name: str, *, age_s: float) -> None:
        args: list[Any] = [name, round(age_s * 1000), _FORGET_WORKER_MS]
        self._report_progress(keys=[WORKERS_PROGRESS], args=args)

    def active(self, *, within_s: float) -> Sequence[WorkerReport]:
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(WORKERS)
            pipe.hgetall(WORKERS_PROGRESS)
            pipe.time()
            texts, progress, (seconds, micros) = pipe.execute()
        now = seconds + micros / 1e6
        reports = [
            _report_from(name, text, progress_ms=progress.get(name), now=now)
            for name, text in texts.items()
        ]
        return [report for report in reports if now - report.reported_at <= within_s]


def _report_from(name: str, text: str, *, progress_ms: str | None, now: float) -> WorkerReport:
    reported_ms, _, model = text.partition(" ")
    return WorkerReport(
        name=name,
        reported_at=int(reported_ms) / 1000,
        model=json.loads(model),
        seconds_since_progress=None if progress_ms is None else now - int(progress_ms) / 1000,
    )
