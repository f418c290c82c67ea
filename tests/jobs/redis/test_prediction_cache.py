"""The prediction cache in Redis: its memory, its eviction, and a Redis that fails."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
import redis

from cli.local_stack.data.redis_server import RedisServer
from jobs.redis.prediction_cache import RedisPredictionCache
from tests.jobs.cache_keys import cache_keys, later


def test_entries_in_use_are_kept_when_others_are_evicted(redis_url: str) -> None:
    cache = RedisPredictionCache(redis_url, max_entries=100, ttl_s=3600)
    used = cache_keys(0, 1)
    cache.put(dict.fromkeys(used, b"v"))
    for number in range(10, 400):
        cache.put(dict.fromkeys(cache_keys(number), b"v"))
        if number % 10 == 0:
            assert set(cache.get(used, before=later())) == set(used)


def test_an_entry_takes_at_most_150_bytes(redis_url: str) -> None:
    cache = RedisPredictionCache(redis_url, max_entries=40_000, ttl_s=3600)
    with redis.Redis.from_url(redis_url) as client:
        before = client.info("memory")["used_memory"]
        numbers = (n * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128 for n in range(35_000))
        cache.put(dict.fromkeys(cache_keys(*numbers), bytes(40)))
        grown = client.info("memory")["used_memory"] - before
    assert (
        grown / 35_000 < 150
    )  # 117 bytes, and hash tables of up to twice the size of their content


def test_a_redis_that_does_not_respond_is_tried_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        cache = RedisPredictionCache(url, max_entries=100, ttl_s=60)
        for _ in range(1000):
            assert cache.get(cache_keys(1), before=later()) == {}
            cache.put(dict.fromkeys(cache_keys(1), b"v"))
        listener.setblocking(False)
        listener.accept()[0].close()
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_an_unreachable_redis_gives_no_entries_and_no_error() -> None:
    cache = RedisPredictionCache("redis://127.0.0.1:1/0", max_entries=100, ttl_s=60)
    cache.put(dict.fromkeys(cache_keys(1), b"v"))
    assert cache.get(cache_keys(1), before=later()) == {}


def test_a_suspended_redis_gives_no_entries_and_no_error(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    try:
        cache = RedisPredictionCache(server.url, max_entries=100, ttl_s=60)
        cache.put(dict.fromkeys(cache_keys(1), b"v"))
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            assert cache.get(cache_keys(1), before=later()) == {}
            cache.put(dict.fromkeys(cache_keys(2), b"v"))
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
    finally:
        server.stop()


def test_the_cache_is_deleted_if_redis_is_nearly_full(redis_url: str) -> None:
    cache = RedisPredictionCache(redis_url, max_entries=100_000, ttl_s=60)
    cache.put(dict.fromkeys(cache_keys(*range(5000)), bytes(40)))
    with redis.Redis.from_url(redis_url) as client:
        used = client.info("memory")["used_memory"]
        try:
            client.config_set("maxmemory", int(used * 1.1))
            cache.put(dict.fromkeys(cache_keys(9999), b"v"))
            assert cache.get(cache_keys(1, 9999), before=later()) == {}
            assert client.keys() == []
        finally:
            client.config_set("maxmemory", 0)


def test_a_read_only_redis_causes_no_error(redis_url: str) -> None:
    cache = RedisPredictionCache(redis_url, max_entries=100, ttl_s=60)
    with redis.Redis.from_url(redis_url) as client:
        client.replicaof("127.0.0.1", "1")  # a replica is read-only
        try:
            cache.put(dict.fromkeys(cache_keys(1), b"v"))
        finally:
            client.replicaof("NO", "ONE")
        assert client.keys() == []
