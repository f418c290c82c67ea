"""One suite over both correction stores, each together with the job store whose jobs it speaks of."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest

from jobs.errors import JobNotFound
from jobs.job import NewJob, State
from jobs.memory.corrections import MemoryCorrectionStore
from jobs.memory.job_store import memory_job_store
from jobs.memory.state import MemoryState
from jobs.ports.corrections import CorrectionsSummary, CorrectionStore
from jobs.ports.job_store import JobStore
from jobs.ports.step_leases import ASSEMBLE
from jobs.redis.connection import redis_client
from jobs.redis.corrections import RedisCorrectionStore
from jobs.redis.job_store import redis_job_store
from tests.small_schema import SCHEMA


@dataclass
class Stores:
    jobs: JobStore
    corrections: CorrectionStore

    def ended(self) -> str:
        new = NewJob(id=uuid.uuid4().hex, filename="c.csv", input_bytes=1, schema=SCHEMA)
        self.jobs.jobs.create(new)
        self.jobs.jobs.end(new.id, State.CANCELLED)
        claim = self.jobs.leases.claim(new.id, ASSEMBLE, lease_s=5)
        assert claim is not None
        self.jobs.chunks.finish(claim)
        return new.id


@pytest.fixture(params=["memory", "redis"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        corrections = MemoryCorrectionStore()
        return Stores(memory_job_store(MemoryState(corrections=corrections)), corrections)
    url = request.getfixturevalue("redis_url")
    return Stores(redis_job_store(redis_client(url)), RedisCorrectionStore(redis_client(url)))


def test_what_was_said_last_of_a_row_is_kept(stores: Stores) -> None:
    job_id = stores.ended()
    stores.corrections.put(job_id, 3, "crime")
    stores.corrections.put(job_id, 3, "science fiction")
    stores.corrections.put(job_id, 10_000_000, "Krimi ü")
    said = stores.corrections.get_many(job_id, [1, 3, 10_000_000])
    assert said == {3: "science fiction", 10_000_000: "Krimi ü"}


def test_nothing_is_said_of_other_rows_or_other_jobs(stores: Stores) -> None:
    job_id, other = stores.ended(), stores.ended()
    stores.corrections.put(job_id, 1, "crime")
    assert stores.corrections.get_many(job_id, [2]) == {}
    assert stores.corrections.get_many(job_id, []) == {}
    assert stores.corrections.get_many(other, [1]) == {}
    assert stores.corrections.summary(other) == CorrectionsSummary(count=0, revision=0)


def test_a_correction_can_be_taken_back(stores: Stores) -> None:
    job_id = stores.ended()
    stores.corrections.put(job_id, 1, "crime")
    stores.corrections.remove(job_id, 1)
    stores.corrections.remove(job_id, 1)
    assert stores.corrections.get_many(job_id, [1]) == {}
    assert stores.corrections.summary(job_id).count == 0


def test_every_change_has_a_revision_of_its_own(stores: Stores) -> None:
    job_id = stores.ended()
    seen = [stores.corrections.summary(job_id).revision]
    for row, genre in ((1, "crime"), (2, "crime"), (1, "horror"), (1, None)):
        if genre is None:
            stores.corrections.remove(job_id, row)
        else:
            stores.corrections.put(job_id, row, genre)
        seen.append(stores.corrections.summary(job_id).revision)
    assert sorted(set(seen)) == seen
    assert stores.corrections.summary(job_id).count == 1
    stores.corrections.remove(job_id, 99)  # changes nothing
    assert stores.corrections.summary(job_id).revision == seen[-1]


def test_a_job_that_is_not_there_cannot_be_corrected(stores: Stores) -> None:
    with pytest.raises(JobNotFound):
        stores.corrections.put("nobody", 1, "crime")
    assert stores.corrections.summary("nobody").count == 0


@pytest.mark.parametrize("how", ["delete", "files_deleted"])
def test_corrections_go_with_the_job_or_its_files(stores: Stores, how: str) -> None:
    job_id = stores.ended()
    stores.corrections.put(job_id, 1, "crime")
    {"delete": stores.jobs.jobs.delete, "files_deleted": stores.jobs.jobs.mark_files_deleted}[how](
        job_id
    )
    assert stores.corrections.get_many(job_id, [1]) == {}
    assert stores.corrections.summary(job_id) == CorrectionsSummary(count=0, revision=0)


def test_nothing_more_can_be_said_of_rows_whose_files_are_deleted(stores: Stores) -> None:
    job_id = stores.ended()
    stores.jobs.jobs.mark_files_deleted(job_id)
    with pytest.raises(JobNotFound):
        stores.corrections.put(job_id, 1, "crime")
    assert stores.corrections.summary(job_id).revision == 0
