"""One suite over both caches of labels: what holds for Redis holds for the one in memory."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from jobs.ports.prediction_cache import (
    KEY_BYTES,
    MemoryPredictionCache,
    NullPredictionCache,
    PredictionCache,
)
from jobs.redis.prediction_cache import RedisPredictionCache
from tests.waiting import eventually

MakeCache = Callable[..., PredictionCache]


@pytest.fixture(params=["memory", "redis"])
def make(request: pytest.FixtureRequest) -> MakeCache:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""

    def cache(*, most: int = 10_000, ttl_s: float = 3600) -> PredictionCache:
        if url:
            return RedisPredictionCache(url, max_entries=most, ttl_s=ttl_s)
        return MemoryPredictionCache(max_entries=most, ttl_s=ttl_s)

    return cache


def keys(*numbers: int) -> list[bytes]:
    return [number.to_bytes(KEY_BYTES, "big") for number in numbers]


def later() -> float:
    """A moment at which everything put until now was there."""
    return time.time() + 2


def test_what_was_put_is_found_bit_by_bit_and_nothing_else_is(make: MakeCache) -> None:
    cache = make()
    values = {key: bytes([0, 255, n % 256, 10, 13]) for n, key in enumerate(keys(*range(1500)))}
    cache.put(values)
    found = cache.get(keys(3, 1499, 7777), before=later())
    assert found == {key: values[key] for key in keys(3, 1499)}


def test_nothing_is_known_at_first_nor_asked_for_nothing(make: MakeCache) -> None:
    cache = make()
    cache.put({})
    assert cache.get(keys(1), before=later()) == {}
    assert cache.get([], before=later()) == {}


def test_a_reader_is_given_only_what_was_there_before_its_moment(make: MakeCache) -> None:
    cache = make()
    cache.put(dict.fromkeys(keys(1), b"v"))
    assert cache.get(keys(1), before=time.time() - 5) == {}
    assert cache.get(keys(1), before=later()) == {keys(1)[0]: b"v"}


def test_a_value_that_is_there_stays(make: MakeCache) -> None:
    cache = make()
    cache.put(dict.fromkeys(keys(1), b"first"))
    cache.put(dict.fromkeys(keys(1), b"second"))
    assert cache.get(keys(1), before=later()) == {keys(1)[0]: b"first"}


def test_it_holds_no_more_than_it_may_and_keeps_the_newest(make: MakeCache) -> None:
    cache = make(most=100)
    for number in range(1000):
        cache.put(dict.fromkeys(keys(number), b"v"))
    found = cache.get(keys(*range(1000)), before=later())
    assert 50 <= len(found) <= 100
    assert keys(999)[0] in found
    assert keys(0)[0] not in found


def test_what_is_old_is_forgotten(make: MakeCache) -> None:
    # The shortest that Redis knows, which counts in whole seconds by its own clock.
    cache = make(ttl_s=1)
    cache.put(dict.fromkeys(keys(1), b"v"))
    eventually(lambda: not cache.get(keys(1), before=later()))

    def put_again() -> dict[bytes, bytes]:
        cache.put(dict.fromkeys(keys(1), b"again"))
        return cache.get(keys(1), before=later())

    # Repeated, because it too may be old before it is read.
    assert eventually(put_again) == {keys(1)[0]: b"again"}


def test_switched_off_it_remembers_nothing() -> None:
    cache = NullPredictionCache()
    cache.put(dict.fromkeys(keys(1), b"v"))
    assert cache.get(keys(1), before=later()) == {}
