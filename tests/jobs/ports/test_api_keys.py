"""API keys: one suite over both stores, and what a key itself promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from jobs.api_keys import KeyLimits, generate_api_key, parse_key_id
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


def test_a_key_that_was_added_is_found_with_all_its_limits(store: ApiKeyStore) -> None:
    limits = KeyLimits(upload_bytes=5, open_jobs=2, requests_per_minute=30)
    key, made = generate_api_key("anna", is_admin=True, limits=limits)
    kept = store.add(made)
    assert store.get(made.id) == kept
    assert kept == replace(made, created_at=kept.created_at)
    assert kept.created_at > 0
    assert kept.verify(key)


def test_keys_are_listed_oldest_first(store: ApiKeyStore) -> None:
    ids = [
        store.add(generate_api_key(owner, is_admin=False, limits=KeyLimits())[1]).id
        for owner in ("b", "a")
    ]
    assert [key.id for key in store.all()] == ids


def test_a_revoked_key_opens_nothing_and_stays_in_the_list(store: ApiKeyStore) -> None:
    key, made = generate_api_key("anna", is_admin=False, limits=KeyLimits())
    store.add(made)
    first = store.revoke(made.id)
    assert not store.get(made.id).verify(key)
    assert store.revoke(made.id).revoked_at == first.revoked_at
    assert [kept.id for kept in store.all()] == [made.id]


def test_an_unknown_key_is_not_found(store: ApiKeyStore) -> None:
    for call in (store.get, store.revoke):
        with pytest.raises(ApiKeyNotFound):
            call("sl_000000000000")


def test_redis_holds_no_key(redis_url: str) -> None:
    key, made = generate_api_key("anna", is_admin=False, limits=KeyLimits())
    RedisApiKeyStore(redis_client(redis_url)).add(made)
    everything = redis.Redis.from_url(redis_url, decode_responses=True).hgetall(API_KEYS)
    kept = str(everything)
    assert made.id in kept
    assert key.removeprefix(made.id) not in kept


def test_every_key_is_another_one() -> None:
    assert (
        len({generate_api_key("a", is_admin=False, limits=KeyLimits())[0] for _ in range(50)}) == 50
    )


def test_a_key_with_one_character_changed_opens_nothing() -> None:
    key, made = generate_api_key("anna", is_admin=False, limits=KeyLimits())
    other = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert parse_key_id(other) == made.id
    assert made.verify(key)
    assert not made.verify(other)


@pytest.mark.parametrize("text", ["", "sl_", "Bearer", "sl_0123456789ab", "sl_0123456789ab_\udc80"])
def test_what_does_not_look_like_a_key_has_no_id(text: str) -> None:
    assert parse_key_id(text) is None


@pytest.mark.parametrize("owner", ["", "Anna", "a b", "-a", "a\n", "ä", "a" * 65, "a:b"])
def test_an_owner_that_cannot_be_named_is_refused(owner: str) -> None:
    with pytest.raises(ValueError, match="small letters"):
        generate_api_key(owner, is_admin=False, limits=KeyLimits())
