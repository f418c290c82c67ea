"""API keys in Redis."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, cast

import redis

from jobs.api_keys import ApiKey, KeyLimits
from jobs.errors import ApiKeyNotFound
from jobs.ports.api_keys import ApiKeyStore
from jobs.redis.keys import API_KEYS


class RedisApiKeyStore(ApiKeyStore):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def add(self, key: ApiKey) -> ApiKey:
        return self._store(replace(key, created_at=self._now()))

    def get(self, key_id: str) -> ApiKey:
        text = cast(str | None, self._redis.hget(API_KEYS, key_id))
        if text is None:
            raise ApiKeyNotFound(key_id)
        return _key_from(text)

    def all(self) -> Sequence[ApiKey]:
        texts = cast(list[str], self._redis.hvals(API_KEYS))
        return sorted(map(_key_from, texts), key=lambda key: key.created_at)

    def revoke(self, key_id: str) -> ApiKey:
        key = self.get(key_id)
        # Two concurrent revocations may both write; their times are almost equal.
        return (
            key if key.revoked_at is not None else self._store(replace(key, revoked_at=self._now()))
        )

    def _store(self, key: ApiKey) -> ApiKey:
        self._redis.hset(API_KEYS, key.id, json.dumps(asdict(key)))
        return key

    def _now(self) -> float:
        seconds, micros = cast(Any, self._redis.time())
        return float(seconds + micros / 1e6)


def _key_from(text: str) -> ApiKey:
    record = json.loads(text)
    return ApiKey(**{**record, "limits": KeyLimits(**record["limits"])})
