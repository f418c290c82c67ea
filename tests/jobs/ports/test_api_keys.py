"""The contract of `ApiKeyStore`."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from jobs.api_keys import KeyLimits, generate_api_key
from jobs.errors import ApiKeyNotFound
from jobs.memory.api_keys import MemoryApiKeyStore
from jobs.ports.api_keys import ApiKeyStore
from jobs.redis.api_keys import RedisApiKeyStore
from jobs.redis.connection import redis_client
from jobs.redis.keys import API_KEYS


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> ApiKeyStore:
    if request.param == "memory":
        return MemoryApiKeyStore()
    return RedisApiKeyStore(redis_client(request.getfixturevalue("redis_url")))


def test_an_added_key_is_returned_with_its_limits(store: ApiKeyStore) -> None:
    limits = KeyLimits(upload_bytes=5, open_jobs=2, requests_per_minute=30)
    key, new = generate_api_key("anna", is_admin=True, limits=limits)
    stored = store.add(new)
    assert store.get(new.id) == stored
    assert stored == replace(new, created_at=stored.created_at)
    assert stored.created_at > 0
    assert stored.verify(key)


def test_keys_are_listed_oldest_first(store: ApiKeyStore) -> None:
    ids = [
        store.add(generate_api_key(owner, is_admin=False, limits=KeyLimits())[1]).id
        for owner in ("b", "a")
    ]
    assert [key.id for key in store.all()] == ids


def test_a_revoked_key_does_not_verify_and_stays_in_the_list(store: ApiKeyStore) -> None:
    key, new = generate_api_key("anna", is_admin=False, limits=KeyLimits())
    store.add(new)
    first = store.revoke(new.id)
    assert not store.get(new.id).verify(key)
    assert store.revoke(new.id).revoked_at == first.revoked_at
    assert [stored.id for stored in store.all()] == [new.id]


def test_an_unknown_key_is_not_found(store: ApiKeyStore) -> None:
    for call in (store.get, store.revoke):
        with pytest.raises(ApiKeyNotFound):
            call("sl_000000000000")


def test_redis_contains_no_secret_of_a_key(redis_url: str) -> None:
    key, new = generate_api_key("anna", is_admin=False, limits=KeyLimits())
    RedisApiKeyStore(redis_client(redis_url)).add(new)
    data = str(redis.Redis.from_url(redis_url, decode_responses=True).hgetall(API_KEYS))
    assert new.id in data
    assert key.removeprefix(new.id) not in data
