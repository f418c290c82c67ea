"""The contract of `IdempotencyStore`, with the job record that completes keys."""

from __future__ import annotations

import uuid

import pytest

from jobs.errors import IdempotencyKeyLost, JobNotFound, TooManyOpenJobs
from jobs.ports.job_store import JobStore
from jobs.ports.record.idempotency import CompletedRequest, KeyClaim, KeyCompletion, key_name
from tests.jobs.conftest import PassTime
from tests.jobs.steps import new_job

LEASE = 30.0
NAME = key_name("anna", "key")


def must_claim_key(store: JobStore, name: str = NAME, lease_s: float = LEASE) -> KeyClaim:
    claim = store.idempotency.claim(name, uuid.uuid4().hex, lease_s=lease_s)
    assert isinstance(claim, KeyClaim)
    return claim


def completion_of(claim: KeyClaim, fingerprint: str = "f") -> KeyCompletion:
    return KeyCompletion(claim=claim, fingerprint=fingerprint)


def test_a_claimed_key_cannot_be_claimed_again(store: JobStore) -> None:
    must_claim_key(store)
    assert store.idempotency.claim(NAME, "other", lease_s=LEASE) is None
    must_claim_key(store, key_name("ben", "key"))


def test_creating_the_job_completes_its_key(store: JobStore) -> None:
    claim = must_claim_key(store)
    job = store.jobs.create(new_job(), completion=completion_of(claim, "fingerprint"))
    completed = store.idempotency.claim(NAME, "other", lease_s=LEASE)
    assert completed == CompletedRequest(job_id=job.id, fingerprint="fingerprint")
    # The former claim has no further effect.
    store.idempotency.release(claim)
    store.idempotency.renew(claim, lease_s=0.001)
    assert store.idempotency.claim(NAME, "other", lease_s=LEASE) == completed


def test_a_released_key_can_be_claimed(store: JobStore) -> None:
    store.idempotency.release(must_claim_key(store))
    must_claim_key(store)


def test_an_expired_claim_of_a_key_cannot_create_a_job(
    pass_time: PassTime, store: JobStore
) -> None:
    expired = must_claim_key(store, lease_s=10)
    pass_time(11)
    current = must_claim_key(store)
    new = new_job()
    with pytest.raises(IdempotencyKeyLost):
        store.jobs.create(new, completion=completion_of(expired))
    with pytest.raises(JobNotFound):
        store.jobs.get(new.id)
    store.idempotency.release(expired)
    store.idempotency.renew(expired, lease_s=0.001)
    job = store.jobs.create(new_job(), completion=completion_of(current))
    completed = store.idempotency.claim(NAME, "x", lease_s=LEASE)
    assert isinstance(completed, CompletedRequest)
    assert completed.job_id == job.id


def test_a_key_creates_one_job(store: JobStore) -> None:
    claim = must_claim_key(store)
    first = store.jobs.create(new_job(), completion=completion_of(claim))
    with pytest.raises(IdempotencyKeyLost):
        store.jobs.create(new_job(), completion=completion_of(claim))
    assert [job.id for job in store.jobs.newest(limit=9)] == [first.id]


def test_renewing_the_claim_of_a_key_extends_its_lease(
    pass_time: PassTime, store: JobStore
) -> None:
    claim = must_claim_key(store, lease_s=10)
    store.idempotency.renew(claim, lease_s=LEASE)
    pass_time(20)
    store.idempotency.renew(KeyClaim(name=NAME, token="other"), lease_s=0.001)
    assert store.idempotency.claim(NAME, "other", lease_s=LEASE) is None
    store.jobs.create(new_job(), completion=completion_of(claim))


def test_a_refused_job_does_not_complete_its_key(store: JobStore) -> None:
    store.jobs.create(new_job("anna"), max_open=1)
    claim = must_claim_key(store)
    with pytest.raises(TooManyOpenJobs):
        store.jobs.create(new_job("anna"), max_open=1, completion=completion_of(claim))
    assert store.idempotency.claim(NAME, "other", lease_s=LEASE) is None


def test_keys_of_different_owners_have_different_names() -> None:
    names = {key_name(owner, key) for owner in (None, "a", "ab") for key in ("k", "bk", "")}
    assert len(names) == 9
