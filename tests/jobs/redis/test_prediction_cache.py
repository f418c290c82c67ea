"""The cache of labels is a guest in Redis: jobs come first, and without it everything works."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
import redis

from cli.local_stack.data.redis_server import RedisServer
from jobs.redis.prediction_cache import RedisPredictionCache
from tests.jobs.ports.test_prediction_cache import keys, later


def test_what_is_asked_for_again_outlives_what_is_not(redis_url: str) -> None:
    cache = RedisPredictionCache(redis_url, max_entries=100, ttl_s=3600)
    wanted = keys(0, 1)
    cache.put(dict.fromkeys(wanted, b"v"))
    for number in range(10, 400):
        cache.put(dict.fromkeys(keys(number), b"v"))
        if number % 10 == 0:
            assert set(cache.get(wanted, before=later())) == set(wanted)


def test_a_text_takes_no_more_memory_than_the_setting_says(redis_url: str) -> None:
    cache = RedisPredictionCache(redis_url, max_entries=40_000, ttl_s=3600)
    with redis.Redis.from_url(redis_url) as client:
        before = client.info("memory")["used_memory"]
        numbers = (n * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128 for n in range(35_000))
        cache.put(dict.fromkeys(keys(*numbers), bytes(40)))
        grown = client.info("memory")["used_memory"] - before
    assert grown / 35_000 < 150  # 117 bytes, and tables that are up to twice what they hold


def test_a_redis_that_is_silent_is_asked_once_and_then_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        cache = RedisPredictionCache(url, max_entries=100, ttl_s=60)
        for _ in range(1000):
            assert cache.get(keys(1), before=later()) == {}
            cache.put(dict.fromkeys(keys(1), b"v"))
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_without_a_redis_nothing_is_known_and_nobody_is_told() -> None:
    cache = RedisPredictionCache("redis://127.0.0.1:1/0", max_entries=100, ttl_s=60)
    cache.put(dict.fromkeys(keys(1), b"v"))
    assert cache.get(keys(1), before=later()) == {}


def test_a_stopped_redis_is_done_without(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    try:
        cache = RedisPredictionCache(server.url, max_entries=100, ttl_s=60)
        cache.put(dict.fromkeys(keys(1), b"v"))
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            assert cache.get(keys(1), before=later()) == {}
            cache.put(dict.fromkeys(keys(2), b"v"))
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
    finally:
        server.stop()


def test_a_nearly_full_redis_gets_its_memory_back(redis_url: str) -> None:
    cache = RedisPredictionCache(redis_url, max_entries=100_000, ttl_s=60)
    cache.put(dict.fromkeys(keys(*range(5000)), bytes(40)))
    with redis.Redis.from_url(redis_url) as client:
        used = client.info("memory")["used_memory"]
        try:
            client.config_set("maxmemory", int(used * 1.1))
            cache.put(dict.fromkeys(keys(9999), b"v"))
            assert cache.get(keys(1, 9999), before=later()) == {}
            assert client.keys() == []
        finally:
            client.config_set("maxmemory", 0)


def test_a_redis_that_takes_no_more_writes_is_done_without(redis_url: str) -> None:
    cache = RedisPredictionCache(redis_url, max_entries=100, ttl_s=60)
    with redis.Redis.from_url(redis_url) as client:
        client.replicaof("127.0.0.1", "1")  # a replica is read-only
        try:
            cache.put(dict.fromkeys(keys(1), b"v"))
        finally:
            client.replicaof("NO", "ONE")
        assert client.keys() == []
