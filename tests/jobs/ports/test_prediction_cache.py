"""The contract of `PredictionCache`."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from jobs.memory.prediction_cache import MemoryPredictionCache
from jobs.ports.prediction_cache import (
    NullPredictionCache,
    PredictionCache,
)
from jobs.redis.prediction_cache import RedisPredictionCache
from tests.jobs.cache_keys import cache_keys, later
from tests.waiting import eventually

MakeCache = Callable[..., PredictionCache]


@pytest.fixture(params=["memory", "redis"])
def make_cache(request: pytest.FixtureRequest) -> MakeCache:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""

    def make(*, max_entries: int = 10_000, ttl_s: float = 3600) -> PredictionCache:
        if url:
            return RedisPredictionCache(url, max_entries=max_entries, ttl_s=ttl_s)
        return MemoryPredictionCache(max_entries=max_entries, ttl_s=ttl_s)

    return make


def test_entries_are_returned_unchanged_and_unknown_keys_are_omitted(make_cache: MakeCache) -> None:
    cache = make_cache()
    values = {
        key: bytes([0, 255, n % 256, 10, 13]) for n, key in enumerate(cache_keys(*range(1500)))
    }
    cache.put(values)
    entries = cache.get(cache_keys(3, 1499, 7777), before=later())
    assert entries == {key: values[key] for key in cache_keys(3, 1499)}


def test_an_empty_cache_and_an_empty_request_give_no_entries(make_cache: MakeCache) -> None:
    cache = make_cache()
    cache.put({})
    assert cache.get(cache_keys(1), before=later()) == {}
    assert cache.get([], before=later()) == {}


def test_a_reader_gets_only_entries_put_before_its_time(make_cache: MakeCache) -> None:
    cache = make_cache()
    cache.put(dict.fromkeys(cache_keys(1), b"v"))
    assert cache.get(cache_keys(1), before=time.time() - 5) == {}
    assert cache.get(cache_keys(1), before=later()) == {cache_keys(1)[0]: b"v"}


def test_an_existing_entry_keeps_its_value(make_cache: MakeCache) -> None:
    cache = make_cache()
    cache.put(dict.fromkeys(cache_keys(1), b"first"))
    cache.put(dict.fromkeys(cache_keys(1), b"second"))
    assert cache.get(cache_keys(1), before=later()) == {cache_keys(1)[0]: b"first"}


def test_the_cache_is_bounded_and_keeps_the_newest_entries(make_cache: MakeCache) -> None:
    cache = make_cache(max_entries=100)
    for number in range(1000):
        cache.put(dict.fromkeys(cache_keys(number), b"v"))
    entries = cache.get(cache_keys(*range(1000)), before=later())
    assert 50 <= len(entries) <= 100
    assert cache_keys(999)[0] in entries
    assert cache_keys(0)[0] not in entries


def test_entries_expire(make_cache: MakeCache) -> None:
    # The shortest expiry in Redis, which has its own clock.
    cache = make_cache(ttl_s=1)
    cache.put(dict.fromkeys(cache_keys(1), b"v"))
    eventually(lambda: not cache.get(cache_keys(1), before=later()))

    def put_again() -> dict[bytes, bytes]:
        cache.put(dict.fromkeys(cache_keys(1), b"again"))
        return cache.get(cache_keys(1), before=later())

    # Repeated, because this entry too may expire before it is read.
    assert eventually(put_again) == {cache_keys(1)[0]: b"again"}


def test_a_disabled_cache_has_no_entries() -> None:
    cache = NullPredictionCache()
    cache.put(dict.fromkeys(cache_keys(1), b"v"))
    assert cache.get(cache_keys(1), before=later()) == {}
