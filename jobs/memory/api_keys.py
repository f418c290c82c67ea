"""API keys in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from jobs.api_keys import ApiKey
from jobs.errors import ApiKeyNotFound
from jobs.ports.api_keys import ApiKeyStore


class MemoryApiKeyStore(ApiKeyStore):
    """Keys in a dictionary; `clock` returns Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._keys: dict[str, ApiKey] = {}

    def add(self, key: ApiKey) -> ApiKey:
        self._keys[key.id] = replace(key, created_at=self._clock())
        return self._keys[key.id]

    def get(self, key_id: str) -> ApiKey:
        if key_id not in self._keys:
            raise ApiKeyNotFound(key_id)
        return self._keys[key_id]

    def all(self) -> Sequence[ApiKey]:
        return sorted(self._keys.values(), key=lambda key: key.created_at)

    def revoke(self, key_id: str) -> ApiKey:
        key = self.get(key_id)
        if key.revoked_at is None:
            self._keys[key_id] = replace(key, revoked_at=self._clock())
        return self._keys[key_id]
