"""The contract of `CorrectionStore`, with the job record that deletes corrections."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from jobs.errors import JobNotFound
from jobs.memory.corrections import MemoryCorrectionStore
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.state import MemoryState
from jobs.ports.corrections import CorrectionsSummary, CorrectionStore
from jobs.ports.job_store import JobStore
from jobs.redis.connection import redis_client
from jobs.redis.corrections import RedisCorrectionStore
from jobs.redis.job_store import redis_job_store
from tests.jobs.steps import cancel, create


@dataclass
class Stores:
    jobs: JobStore
    corrections: CorrectionStore

    def ended_job(self) -> str:
        """The id of a terminal job."""
        job_id = create(self.jobs)
        cancel(self.jobs, job_id)
        return job_id


@pytest.fixture(params=["memory", "redis"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        corrections = MemoryCorrectionStore()
        return Stores(memory_job_store(MemoryState(corrections=corrections)), corrections)
    url = request.getfixturevalue("redis_url")
    return Stores(redis_job_store(redis_client(url)), RedisCorrectionStore(redis_client(url)))


def test_the_last_correction_of_a_row_is_kept(stores: Stores) -> None:
    job_id = stores.ended_job()
    stores.corrections.put(job_id, 3, "crime")
    stores.corrections.put(job_id, 3, "science fiction")
    stores.corrections.put(job_id, 10_000_000, "Krimi ü")
    genres = stores.corrections.get_many(job_id, [1, 3, 10_000_000])
    assert genres == {3: "science fiction", 10_000_000: "Krimi ü"}


def test_other_rows_and_jobs_have_no_corrections(stores: Stores) -> None:
    job_id, other = stores.ended_job(), stores.ended_job()
    stores.corrections.put(job_id, 1, "crime")
    assert stores.corrections.get_many(job_id, [2]) == {}
    assert stores.corrections.get_many(job_id, []) == {}
    assert stores.corrections.get_many(other, [1]) == {}
    assert stores.corrections.summary(other) == CorrectionsSummary(count=0, revision=0)


def test_a_correction_can_be_removed(stores: Stores) -> None:
    job_id = stores.ended_job()
    stores.corrections.put(job_id, 1, "crime")
    stores.corrections.remove(job_id, 1)
    stores.corrections.remove(job_id, 1)
    assert stores.corrections.get_many(job_id, [1]) == {}
    assert stores.corrections.summary(job_id).count == 0


def test_every_change_increases_the_revision(stores: Stores) -> None:
    job_id = stores.ended_job()
    revisions = [stores.corrections.summary(job_id).revision]
    for row, genre in ((1, "crime"), (2, "crime"), (1, "horror"), (1, None)):
        if genre is None:
            stores.corrections.remove(job_id, row)
        else:
            stores.corrections.put(job_id, row, genre)
        revisions.append(stores.corrections.summary(job_id).revision)
    assert sorted(set(revisions)) == revisions
    assert stores.corrections.summary(job_id).count == 1
    stores.corrections.remove(job_id, 99)  # no effect
    assert stores.corrections.summary(job_id).revision == revisions[-1]


def test_an_unknown_job_cannot_be_corrected(stores: Stores) -> None:
    with pytest.raises(JobNotFound):
        stores.corrections.put("unknown", 1, "crime")
    assert stores.corrections.summary("unknown").count == 0


@pytest.mark.parametrize("method", ["delete", "mark_files_deleted"])
def test_corrections_are_deleted_with_the_job_or_its_files(stores: Stores, method: str) -> None:
    job_id = stores.ended_job()
    stores.corrections.put(job_id, 1, "crime")
    getattr(stores.jobs.jobs, method)(job_id)
    assert stores.corrections.get_many(job_id, [1]) == {}
    assert stores.corrections.summary(job_id) == CorrectionsSummary(count=0, revision=0)


def test_a_job_without_files_cannot_be_corrected(stores: Stores) -> None:
    job_id = stores.ended_job()
    stores.jobs.jobs.mark_files_deleted(job_id)
    with pytest.raises(JobNotFound):
        stores.corrections.put(job_id, 1, "crime")
    assert stores.corrections.summary(job_id).revision == 0
