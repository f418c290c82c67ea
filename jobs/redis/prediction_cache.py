"""The prediction cache in Redis, in two generations.

Two hashes, young and old, map a key to a timestamp and a value. When the young hash holds half of
the maximum, it replaces the old one. Redis itself must not evict keys, because it holds the job
record, so the cache bounds its size in this manner.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs.ports.prediction_cache import PredictionCache
from jobs.redis.connection import load_script
from jobs.redis.keys import CACHE_OLD, CACHE_YOUNG

log = structlog.get_logger(__name__)

_TIMESTAMP = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
# The generation of an entry in the reply of `cache_get.lua`.
_MISS, _OLD = 0, 2
# Redis serves no other client during a command.
_KEYS_PER_COMMAND = 500
# Labelling waits at most this long for Redis, then works without the cache for a while.
_TIMEOUT_S = 0.5
_PAUSE_S = 10.0
# Above this share of its memory, Redis needs the rest for jobs.
_MAX_MEMORY_SHARE = 0.8


class RedisPredictionCache(PredictionCache):
    """Thread-safe. Has a client of its own, with short timeouts. Connects on first use."""

    def __init__(self, url: str, *, max_entries: int, ttl_s: float) -> None:
        """Holds about `max_entries` values, each for at most `ttl_s` seconds."""
        self._max_young = max(1, max_entries // 2)
        self._ttl_s = ttl_s
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._put_script = load_script(self._redis, "cache_put")
        self._get_script = load_script(self._redis, "cache_get")
        self._paused_until = 0.0  # monotonic

    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:
        hits: dict[bytes, bytes] = {}
        if time.monotonic() < self._paused_until:
            return hits
        try:
            for batch in _batches(keys):
                hits.update(self._get(batch, before))
        except redis.RedisError as error:
            self._pause(error)
        return hits

    def put(self, values: Mapping[bytes, bytes]) -> None:
        if time.monotonic() < self._paused_until or not values:
            return
        try:
            pipe = self._redis.pipeline(transaction=False)
            pipe.time()
            pipe.info("memory")
            now, memory = pipe.execute()
            if _nearly_full(memory):
                self._redis.unlink(CACHE_YOUNG, CACHE_OLD)
                log.warning("prediction_cache_cleared", reason="Redis is nearly full")
                return
            timestamp = _TIMESTAMP.pack(now[0])
            for batch in _batches(list(values)):
                self._put({key: timestamp + values[key] for key in batch}, now[0])
        except redis.RedisError as error:
            self._pause(error)

    def _get(self, keys: list[bytes], before: float) -> dict[bytes, bytes]:
        now, reply = self._get_script(keys=[CACHE_YOUNG, CACHE_OLD], args=[b"".join(keys)])
        oldest, newest = int(now) - self._ttl_s, int(before)
        hits, old_entries = {}, {}
        offset = 0
        for key in keys:
            generation = reply[offset]
            offset += 1
            if generation == _MISS:
                continue
            start = offset + _LENGTH.size
            offset = start + _LENGTH.unpack_from(reply, offset)[0]
            entry = reply[start:offset]
            if oldest < _TIMESTAMP.unpack_from(entry)[0] < newest:
                hits[key] = entry[_TIMESTAMP.size :]
                if generation == _OLD:
                    old_entries[key] = entry
        if old_entries:  # still used: copy them to the young generation
            self._put(old_entries, int(now))
        return hits

    def _put(self, entries: Mapping[bytes, bytes], now: int) -> None:
        args: list[Any] = [
            self._max_young,
            max(1, round(self._ttl_s)),
            max(0, now - round(self._ttl_s)),
        ]
        for key, entry in entries.items():
            args += [key, entry]
        self._put_script(keys=[CACHE_YOUNG, CACHE_OLD], args=args)

    def _pause(self, error: redis.RedisError) -> None:
        self._paused_until = time.monotonic() + _PAUSE_S
        log.warning("prediction_cache_unavailable", retry_s=_PAUSE_S, error=error)


def _batches(keys: Sequence[bytes]) -> Iterator[list[bytes]]:
    rest = iter(keys)
    while batch := list(islice(rest, _KEYS_PER_COMMAND)):
        yield batch


def _nearly_full(memory: Mapping[str, Any]) -> bool:
    limit = cast(int, memory["maxmemory"])
    return limit > 0 and memory["used_memory"] > _MAX_MEMORY_SHARE * limit
