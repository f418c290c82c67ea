"""The contract of `WebhookStore`, with the job record that makes deliveries due."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from jobs.memory.job_store import memory_job_store
from jobs.memory.record.state import MemoryState
from jobs.memory.webhooks import MemoryWebhookStore
from jobs.options import JobOptions
from jobs.ports.job_store import JobStore
from jobs.ports.webhooks import Attempt, WebhookStore
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from jobs.redis.webhooks import RedisWebhookStore
from tests.jobs.steps import cancel, new_job


@dataclass
class Stores:
    jobs: JobStore
    webhooks: WebhookStore

    def ended_job(self, url: str | None = "https://example.org/hook") -> str:
        """The id of a cancelled job."""
        new = new_job(options=JobOptions(webhook_url=url))
        self.jobs.jobs.create(new)
        assert not self.webhooks.due(limit=9)
        cancel(self.jobs, new.id)
        return new.id


@pytest.fixture(params=["memory", "redis"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        webhooks = MemoryWebhookStore()
        return Stores(memory_job_store(MemoryState(webhooks=webhooks)), webhooks)
    url = request.getfixturevalue("redis_url")
    return Stores(redis_job_store(redis_client(url)), RedisWebhookStore(redis_client(url)))


def attempt(number: int, status: int | None = 500) -> Attempt:
    return Attempt(
        number=number, at=1.5, seconds=0.25, status=status, outcome="failed", detail="why"
    )


def test_a_delivery_is_due_when_its_job_ends_and_not_before(stores: Stores) -> None:
    job_id = stores.ended_job()
    assert list(stores.webhooks.due(limit=9)) == [job_id]
    assert stores.webhooks.log(job_id).next_at is not None


def test_a_job_without_a_webhook_is_never_due(stores: Stores) -> None:
    job_id = stores.ended_job(url=None)
    assert not stores.webhooks.due(limit=9)
    assert stores.webhooks.claim(job_id, lease_s=5) is None


def test_a_claimed_delivery_cannot_be_claimed_again(stores: Stores) -> None:
    job_id = stores.ended_job()
    assert stores.webhooks.claim(job_id, lease_s=5) == 1
    assert stores.webhooks.claim(job_id, lease_s=5) is None
    assert not stores.webhooks.due(limit=9)


def test_a_delivery_without_a_recorded_attempt_becomes_due_again(stores: Stores) -> None:
    job_id = stores.ended_job()
    stores.webhooks.claim(job_id, lease_s=0)
    assert list(stores.webhooks.due(limit=9)) == [job_id]
    assert stores.webhooks.claim(job_id, lease_s=5) == 2


def test_an_attempt_is_not_recorded_after_a_later_claim(stores: Stores) -> None:
    job_id = stores.ended_job()
    stores.webhooks.claim(job_id, lease_s=0)
    stores.webhooks.claim(job_id, lease_s=5)
    assert not stores.webhooks.record(job_id, attempt(1), retry_in_s=None)
    assert stores.webhooks.record(job_id, attempt(2, 200), retry_in_s=None)
    assert list(stores.webhooks.log(job_id).attempts) == [attempt(2, 200)]


def test_a_recorded_attempt_makes_the_delivery_due_later(stores: Stores) -> None:
    job_id = stores.ended_job()
    stores.webhooks.claim(job_id, lease_s=5)
    stores.webhooks.record(job_id, attempt(1), retry_in_s=0)
    assert stores.webhooks.claim(job_id, lease_s=5) == 2
    stores.webhooks.record(job_id, attempt(2), retry_in_s=60)
    assert stores.webhooks.claim(job_id, lease_s=5) is None
    log = stores.webhooks.log(job_id)
    assert [entry.number for entry in log.attempts] == [1, 2]
    assert log.next_at is not None


def test_nothing_is_due_after_the_last_attempt(stores: Stores) -> None:
    job_id = stores.ended_job()
    stores.webhooks.claim(job_id, lease_s=5)
    stores.webhooks.record(job_id, attempt(1, 200), retry_in_s=None)
    assert stores.webhooks.log(job_id).next_at is None
    assert stores.webhooks.claim(job_id, lease_s=5) is None


def test_the_log_keeps_the_newest_fifty_attempts(stores: Stores) -> None:
    job_id = stores.ended_job()
    for number in range(1, 53):
        stores.webhooks.claim(job_id, lease_s=5)
        stores.webhooks.record(job_id, attempt(number), retry_in_s=0)
    assert [entry.number for entry in stores.webhooks.log(job_id).attempts] == list(range(3, 53))


def test_a_deleted_job_has_no_delivery(stores: Stores) -> None:
    job_id = stores.ended_job()
    stores.webhooks.claim(job_id, lease_s=0)
    stores.jobs.jobs.delete(job_id)
    assert not stores.webhooks.due(limit=9)
    assert not stores.webhooks.record(job_id, attempt(1), retry_in_s=0)
    assert not stores.webhooks.log(job_id).attempts


def test_each_owner_keeps_a_secret(stores: Stores) -> None:
    first, other, without_owner = (
        stores.webhooks.secrets(owner) for owner in ("anna", "ben", None)
    )
    assert len({first, other, without_owner}) == 3
    assert stores.webhooks.secrets("anna") == first
    assert first[0].startswith("whsec_")


def test_a_replaced_secret_stays_valid_for_the_grace_period(stores: Stores) -> None:
    (old,) = stores.webhooks.secrets("anna")
    new = stores.webhooks.rotate_secret("anna", grace_s=60)
    assert stores.webhooks.secrets("anna") == (new, old)
    newest = stores.webhooks.rotate_secret("anna", grace_s=0)
    assert stores.webhooks.secrets("anna") == (newest,)
