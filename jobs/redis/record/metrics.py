"""Metrics of the workers' work, read from Redis in one round trip."""

from __future__ import annotations

import redis

from jobs.metrics import WorkerMetrics
from jobs.ports.record.metrics import MetricsReader
from jobs.redis.keys import METRICS, METRICS_GENRES


class RedisMetricsReader(MetricsReader):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def read(self) -> WorkerMetrics:
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(METRICS)
            pipe.hgetall(METRICS_GENRES)
            fields, genres = pipe.execute()
        return WorkerMetrics.of(
            {name: int(count) for name, count in fields.items()},
            labelled_rows={genre: int(rows) for genre, rows in genres.items()},
        )
