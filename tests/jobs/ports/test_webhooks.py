"""One suite over both callback stores, each together with the job store that makes its jobs due."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest

from jobs.job import NewJob, State
from jobs.memory.job_store import memory_job_store
from jobs.memory.state import MemoryState
from jobs.memory.webhooks import MemoryWebhookStore
from jobs.options import JobOptions
from jobs.ports.job_store import JobStore
from jobs.ports.step_leases import ASSEMBLE
from jobs.ports.webhooks import Attempt, WebhookStore
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from jobs.redis.webhooks import RedisWebhookStore
from tests.small_schema import SCHEMA


@dataclass
class Stores:
    jobs: JobStore
    callbacks: WebhookStore

    def ended(self, callback: str | None = "https://example.org/hook") -> str:
        """A job that was cancelled."""
        new = NewJob(
            id=uuid.uuid4().hex,
            filename="c.csv",
            input_bytes=1,
            schema=SCHEMA,
            options=JobOptions(webhook_url=callback),
        )
        self.jobs.jobs.create(new)
        assert not self.callbacks.due(limit=9)
        self.jobs.jobs.end(new.id, State.CANCELLED)
        claim = self.jobs.leases.claim(new.id, ASSEMBLE, lease_s=5)
        assert claim is not None
        self.jobs.chunks.finish(claim)
        return new.id


@pytest.fixture(params=["memory", "redis"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        callbacks = MemoryWebhookStore()
        return Stores(memory_job_store(MemoryState(webhooks=callbacks)), callbacks)
    url = request.getfixturevalue("redis_url")
    return Stores(redis_job_store(redis_client(url)), RedisWebhookStore(redis_client(url)))


def attempt(number: int, status: int | None = 500) -> Attempt:
    return Attempt(
        number=number, at=1.5, seconds=0.25, status=status, outcome="failed", detail="why"
    )


def test_a_call_back_is_due_when_its_job_ends_and_not_before(stores: Stores) -> None:
    job_id = stores.ended()
    assert list(stores.callbacks.due(limit=9)) == [job_id]
    assert stores.callbacks.log(job_id).next_at is not None


def test_a_job_without_callback_is_never_due(stores: Stores) -> None:
    job_id = stores.ended(callback=None)
    assert not stores.callbacks.due(limit=9)
    assert stores.callbacks.claim(job_id, lease_s=5) is None


def test_what_one_has_taken_nobody_else_can_take(stores: Stores) -> None:
    job_id = stores.ended()
    assert stores.callbacks.claim(job_id, lease_s=5) == 1
    assert stores.callbacks.claim(job_id, lease_s=5) is None
    assert not stores.callbacks.due(limit=9)


def test_what_was_taken_and_never_recorded_is_due_again(stores: Stores) -> None:
    job_id = stores.ended()
    stores.callbacks.claim(job_id, lease_s=0)
    assert list(stores.callbacks.due(limit=9)) == [job_id]
    assert stores.callbacks.claim(job_id, lease_s=5) == 2


def test_an_outcome_that_comes_after_a_later_attempt_began_changes_nothing(stores: Stores) -> None:
    job_id = stores.ended()
    stores.callbacks.claim(job_id, lease_s=0)
    stores.callbacks.claim(job_id, lease_s=5)
    assert not stores.callbacks.record(job_id, attempt(1), retry_in_s=None)
    assert stores.callbacks.record(job_id, attempt(2, 200), retry_in_s=None)
    assert list(stores.callbacks.log(job_id).attempts) == [attempt(2, 200)]


def test_a_recorded_outcome_ends_it_or_makes_it_due_later(stores: Stores) -> None:
    job_id = stores.ended()
    stores.callbacks.claim(job_id, lease_s=5)
    stores.callbacks.record(job_id, attempt(1), retry_in_s=0)
    assert stores.callbacks.claim(job_id, lease_s=5) == 2
    stores.callbacks.record(job_id, attempt(2), retry_in_s=60)
    assert stores.callbacks.claim(job_id, lease_s=5) is None
    log = stores.callbacks.log(job_id)
    assert [kept.number for kept in log.attempts] == [1, 2]
    assert log.next_at is not None


def test_nothing_is_due_after_the_last_outcome(stores: Stores) -> None:
    job_id = stores.ended()
    stores.callbacks.claim(job_id, lease_s=5)
    stores.callbacks.record(job_id, attempt(1, 200), retry_in_s=None)
    assert stores.callbacks.log(job_id).next_at is None
    assert stores.callbacks.claim(job_id, lease_s=5) is None


def test_the_log_keeps_the_newest_fifty(stores: Stores) -> None:
    job_id = stores.ended()
    for number in range(1, 53):
        stores.callbacks.claim(job_id, lease_s=5)
        stores.callbacks.record(job_id, attempt(number), retry_in_s=0)
    assert [kept.number for kept in stores.callbacks.log(job_id).attempts] == list(range(3, 53))


def test_a_deleted_job_is_not_called_back(stores: Stores) -> None:
    job_id = stores.ended()
    stores.callbacks.claim(job_id, lease_s=0)
    stores.jobs.jobs.delete(job_id)
    assert not stores.callbacks.due(limit=9)
    assert not stores.callbacks.record(job_id, attempt(1), retry_in_s=0)
    assert not stores.callbacks.log(job_id).attempts


def test_each_owner_has_a_secret_that_stays(stores: Stores) -> None:
    first, other, nobodys = (stores.callbacks.secrets(owner) for owner in ("anna", "ben", None))
    assert len({first, other, nobodys}) == 3
    assert stores.callbacks.secrets("anna") == first
    assert first[0].startswith("whsec_")


def test_after_a_renewal_both_secrets_sign_for_a_while(stores: Stores) -> None:
    (old,) = stores.callbacks.secrets("anna")
    new = stores.callbacks.rotate_secret("anna", grace_s=60)
    assert stores.callbacks.secrets("anna") == (new, old)
    newest = stores.callbacks.rotate_secret("anna", grace_s=0)
    assert stores.callbacks.secrets("anna") == (newest,)
