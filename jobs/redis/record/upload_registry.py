"""Uploads in progress, in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import redis

from jobs.errors import UploadLost
from jobs.ports.record.upload_registry import (
    UPLOAD_LOST_AFTER_S,
    UPLOAD_REFUSED_FOR_S,
    UploadRegistry,
)
from jobs.redis.connection import load_script
from jobs.redis.keys import UPLOADS


class RedisUploadRegistry(UploadRegistry):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._touch = load_script(client, "touch_upload")
        self._expire = load_script(client, "expire_uploads")

    def touch(self, job_id: str) -> None:
        if not self._touch(keys=[UPLOADS], args=[job_id, UPLOAD_LOST_AFTER_S]):
            raise UploadLost(job_id)

    def forget(self, job_id: str) -> None:
        self._redis.zrem(UPLOADS, job_id)

    def expire(self, *, elapsed_s: float) -> Sequence[str]:
        args = [elapsed_s, UPLOAD_LOST_AFTER_S, UPLOAD_LOST_AFTER_S + UPLOAD_REFUSED_FOR_S]
        return cast(list[str], self._expire(keys=[UPLOADS], args=args))
