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

_STAMP = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
# The generation of an entry in the reply of `cache_get.lua`.
_NOTHING, _OLD = 0, 2
# Keys per command: Redis serves no other client meanwhile.
_AT_A_TIME = 500
# Labelling waits at most this long for Redis, then works without the cache for a while.
_PATIENCE_S = 0.5
_PAUSE_S = 10.0
# Above this share of its memory, Redis needs the rest for jobs.
_FULL_SHARE = 0.8


class RedisPredictionCache(PredictionCache):
    """Thread-safe. Has a client of its own, with short timeouts. Connects on first use."""

    def __init__(self, url: str, *, max_entries: int, ttl_s: float) -> None:
        """Holds about `max_entries` values, each for at most `ttl_s` seconds."""
        self._half = max(1, max_entries // 2)
        self._ttl_s = ttl_s
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=_PATIENCE_S,
            socket_connect_timeout=_PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._remember = load_script(self._redis, "cache_put")
        self._recall = load_script(self._redis, "cache_get")
        self._again_at = 0.0  # monotonic; no command is sent before then

    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        if time.monotonic() < self._again_at:
            return found
        try:
            for some in _slices(keys):
                found.update(self._get(some, before))
        except redis.RedisError as error:
            self._do_without(error)
        return found

    def put(self, values: Mapping[bytes, bytes]) -> None:
        if time.monotonic() < self._again_at or not values:
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
            stamp = _STAMP.pack(now[0])
            for some in _slices(list(values)):
                self._put({key: stamp + values[key] for key in some}, now[0])
        except redis.RedisError as error:
            self._do_without(error)

    def _get(self, keys: list[bytes], before: float) -> dict[bytes, bytes]:
        now, reply = self._recall(keys=[CACHE_YOUNG, CACHE_OLD], args=[b"".join(keys)])
        oldest, newest = int(now) - self._ttl_s, int(before)
        found, to_keep = {}, {}
        at = 0
        for key in keys:
            half = reply[at]
            at += 1
            if half == _NOTHING:
                continue
            end = at + _LENGTH.size + _LENGTH.unpack_from(reply, at)[0]
            entry = reply[at + _LENGTH.size : end]
            at = end
            if oldest < _STAMP.unpack_from(entry)[0] < newest:
                found[key] = entry[_STAMP.size :]
                if half == _OLD:
                    to_keep[key] = entry
        if to_keep:
            self._put(to_keep, int(now))
        return found

    def _put(self, entries: Mapping[bytes, bytes], now: int) -> None:
        args: list[Any] = [self._half, max(1, round(self._ttl_s)), max(0, now - round(self._ttl_s))]
        for key, entry in entries.items():
            args += [key, entry]
        self._remember(keys=[CACHE_YOUNG, CACHE_OLD], args=args)

    def _do_without(self, error: redis.RedisError) -> None:
        self._again_at = time.monotonic() + _PAUSE_S
        log.warning("prediction_cache_unavailable", retry_s=_PAUSE_S, error=error)


def _slices(keys: Sequence[bytes]) -> Iterator[list[bytes]]:
    rest = iter(keys)
    while some := list(islice(rest, _AT_A_TIME)):
        yield some


def _nearly_full(memory: Mapping[str, Any]) -> bool:
    most = cast(int, memory["maxmemory"])
    return most > 0 and memory["used_memory"] > _FULL_SHARE * most
