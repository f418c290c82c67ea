"""Corrections in Redis: one hash per job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import redis

from jobs.errors import JobNotFound
from jobs.ports.corrections import CorrectionsSummary, CorrectionStore
from jobs.redis.connection import load_script
from jobs.redis.keys import JobKeys

_REVISION = "revision"


class RedisCorrectionStore(CorrectionStore):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._put = load_script(self._redis, "put_correction")
        self._remove = load_script(self._redis, "remove_correction")

    def put(self, job_id: str, row: int, genre: str) -> None:
        keys = JobKeys(job_id)
        if not self._put(keys=[keys.job, keys.corrections], args=[row, genre]):
            raise JobNotFound(job_id)

    def remove(self, job_id: str, row: int) -> None:
        self._remove(keys=[JobKeys(job_id).corrections], args=[row])

    def get_many(self, job_id: str, rows: Sequence[int]) -> Mapping[int, str]:
        if not rows:
            return {}
        fields = [str(row) for row in rows]
        genres = cast(list[str | None], self._redis.hmget(JobKeys(job_id).corrections, fields))
        return {row: genre for row, genre in zip(rows, genres, strict=True) if genre is not None}

    def summary(self, job_id: str) -> CorrectionsSummary:
        key = JobKeys(job_id).corrections
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hlen(key)
            pipe.hget(key, _REVISION)
            fields, revision = pipe.execute()
        return CorrectionsSummary(count=max(fields - 1, 0), revision=int(revision or 0))
