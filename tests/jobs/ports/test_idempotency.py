"""One suite over both stores of requests' keys: one key, one job, whoever dies meanwhile."""

from __future__ import annotations

import uuid

import pytest

from jobs.errors import IdempotencyKeyLost, JobNotFound, TooManyOpenJobs
from jobs.job import NewJob
from jobs.ports.idempotency import CompletedRequest, KeyClaim, KeyCompletion, request_name
from jobs.ports.job_store import JobStore
from tests.jobs.conftest import PassTime
from tests.small_schema import SCHEMA

LEASE = 30.0
NAME = request_name("anna", "key")


def must_hold(store: JobStore, name: str = NAME, lease_s: float = LEASE) -> KeyClaim:
    held = store.idempotency.claim(name, uuid.uuid4().hex, lease_s=lease_s)
    assert isinstance(held, KeyClaim)
    return held


def new_job(**values: object) -> NewJob:
    return NewJob(id=uuid.uuid4().hex, filename="c.csv", input_bytes=1, schema=SCHEMA, **values)  # type: ignore[arg-type]  # whichever a test needs


def settling(held: KeyClaim, fingerprint: str = "f") -> KeyCompletion:
    return KeyCompletion(claim=held, fingerprint=fingerprint)


def test_a_key_that_is_held_is_held_by_nobody_else(store: JobStore) -> None:
    must_hold(store)
    assert store.idempotency.claim(NAME, "other", lease_s=LEASE) is None
    must_hold(store, request_name("ben", "key"))


def test_the_job_and_its_key_are_recorded_together(store: JobStore) -> None:
    held = must_hold(store)
    job = store.jobs.create(new_job(), completion=settling(held, "what it carried"))
    found = store.idempotency.claim(NAME, "other", lease_s=LEASE)
    assert found == CompletedRequest(job_id=job.id, fingerprint="what it carried")
    # What is settled stays so, whatever its former holder still does.
    store.idempotency.release(held)
    store.idempotency.renew(held, lease_s=0.001)
    assert store.idempotency.claim(NAME, "other", lease_s=LEASE) == found


def test_a_key_given_back_is_free(store: JobStore) -> None:
    store.idempotency.release(must_hold(store))
    must_hold(store)


def test_a_holder_that_is_gone_is_replaced_and_can_make_no_job_any_more(
    pass_time: PassTime, store: JobStore
) -> None:
    gone = must_hold(store, lease_s=10)
    pass_time(11)
    heir = must_hold(store)
    new = new_job()
    with pytest.raises(IdempotencyKeyLost):
        store.jobs.create(new, completion=settling(gone))
    with pytest.raises(JobNotFound):
        store.jobs.get(new.id)
    store.idempotency.release(gone)
    store.idempotency.renew(gone, lease_s=0.001)
    job = store.jobs.create(new_job(), completion=settling(heir))
    assert isinstance(found := store.idempotency.claim(NAME, "x", lease_s=LEASE), CompletedRequest)
    assert found.job_id == job.id


def test_one_key_makes_one_job_however_often_it_is_settled(store: JobStore) -> None:
    held = must_hold(store)
    first = store.jobs.create(new_job(), completion=settling(held))
    with pytest.raises(IdempotencyKeyLost):
        store.jobs.create(new_job(), completion=settling(held))
    assert [job.id for job in store.jobs.newest(limit=9)] == [first.id]


def test_a_hold_that_is_renewed_outlives_its_lease(pass_time: PassTime, store: JobStore) -> None:
    held = must_hold(store, lease_s=10)
    store.idempotency.renew(held, lease_s=LEASE)
    pass_time(20)
    store.idempotency.renew(KeyClaim(name=NAME, token="other"), lease_s=0.001)
    assert store.idempotency.claim(NAME, "other", lease_s=LEASE) is None
    store.jobs.create(new_job(), completion=settling(held))


def test_a_job_that_is_refused_settles_nothing(store: JobStore) -> None:
    store.jobs.create(new_job(owner="anna"), max_open=1)
    held = must_hold(store)
    with pytest.raises(TooManyOpenJobs):
        store.jobs.create(new_job(owner="anna"), max_open=1, completion=settling(held))
    assert store.idempotency.claim(NAME, "other", lease_s=LEASE) is None


def test_keys_of_different_owners_and_of_none_never_meet() -> None:
    names = {request_name(owner, key) for owner in (None, "a", "ab") for key in ("k", "bk", "")}
    assert len(names) == 9
