"""Calls to the job record are idempotent: a retry after a lost reply has no further effect."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from jobs.errors import LeaseLost
from jobs.job import Chunk, Job, NewJob, PinnedModel, State
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, Claim, label_step
from tests.small_schema import SCHEMA

CHUNKS = [
    Chunk(index=i, start=10 * i, end=10 * i + 10, first_row=3 * i + 1, rows=3) for i in (0, 1)
]
HALVES = (replace(CHUNKS[0], end=5, rows=1), Chunk(index=2, start=5, end=10, first_row=2, rows=2))
MODEL = PinnedModel(1, "d1")


class JobInProgress:
    """A job, advanced to the step before a call."""

    def __init__(self, store: JobStore) -> None:
        self.store = store
        self.new = NewJob(
            id=uuid.uuid4().hex, filename="c", input_bytes=1, schema=SCHEMA, owner="ann"
        )
        self.id = store.jobs.create(self.new, max_open=5).id

    def claim(self, step: str) -> Claim:
        claim = self.store.leases.claim(self.id, step, lease_s=30)
        assert claim is not None
        return claim

    def start_planning(self) -> Claim:
        claim = self.claim(PLAN)
        self.store.chunks.begin_planning(claim, model=MODEL)
        return claim

    def plan(self) -> None:
        self.store.chunks.add(self.start_planning(), CHUNKS, last=True, window=2)

    def label(self) -> None:
        self.plan()
        for chunk in CHUNKS:
            commit(self.store, self.claim(label_step(chunk.index)))

    def state(self) -> tuple[object, ...]:
        """Everything that can be read of the job except the time of reading."""
        job: Job = replace(self.store.jobs.get(self.id), read_at=0.0)
        chunks = (self.store.chunks.all(self.id), self.store.chunks.manifests(self.id))
        stats = replace(
            self.store.stats.read(), read_at=0.0, memory_bytes=0, seconds_since_progress={}
        )
        return job, *chunks, stats, self.store.jobs.count_open("ann"), self.store.jobs.active_ids()


def commit(store: JobStore, claim: Claim) -> None:
    index = int(claim.step[-1])
    store.chunks.commit(
        claim,
        index,
        labelled=2,
        failed=1,
        manifest="s",
        window=2,
        genres={"crime": 2},
        errors={"EMPTY_SUMMARY": 1},
        to_review=1,
    )


def create(job: JobInProgress) -> Callable[[], object]:
    return lambda: job.store.jobs.create(job.new, max_open=1)


def begin_planning(job: JobInProgress) -> Callable[[], object]:
    claim = job.claim(PLAN)
    return lambda: job.store.chunks.begin_planning(claim, model=MODEL)


def add_chunks(job: JobInProgress) -> Callable[[], object]:
    claim = job.start_planning()
    return lambda: job.store.chunks.add(claim, CHUNKS, last=False, window=1)


def add_last_chunks(job: JobInProgress) -> Callable[[], object]:
    claim = job.start_planning()
    return lambda: job.store.chunks.add(claim, CHUNKS, last=True, window=1)


def renew(job: JobInProgress) -> Callable[[], object]:
    claim = job.claim(PLAN)
    return lambda: job.store.leases.renew(claim, lease_s=30)


def release(job: JobInProgress) -> Callable[[], object]:
    claim = job.claim(PLAN)
    return lambda: job.store.leases.release(claim)


def commit_chunk(job: JobInProgress) -> Callable[[], object]:
    job.plan()
    claim = job.claim(label_step(0))
    return lambda: commit(job.store, claim)


def split_chunk(job: JobInProgress) -> Callable[[], object]:
    job.plan()
    claim = job.claim(label_step(0))
    return lambda: job.store.chunks.split(claim, *HALVES, attempts=2, window=2)


def restart_with_model(job: JobInProgress) -> Callable[[], object]:
    job.plan()
    commit(job.store, job.claim(label_step(1)))
    claim = job.claim(label_step(0))
    return lambda: job.store.chunks.restart_with_model(claim, model=PinnedModel(2, "d2"), window=2)


def reopen_chunks(job: JobInProgress) -> Callable[[], object]:
    job.label()
    claim = job.claim(ASSEMBLE)
    return lambda: job.store.chunks.reopen(claim, [0])


def end(job: JobInProgress) -> Callable[[], object]:
    job.plan()
    return lambda: job.store.jobs.end(job.id, State.CANCELLED)


def finish(job: JobInProgress) -> Callable[[], object]:
    job.label()
    claim = job.claim(ASSEMBLE)
    return lambda: job.store.chunks.finish(claim)


def mark_files_deleted(job: JobInProgress) -> Callable[[], object]:
    finish(job)()
    return lambda: job.store.jobs.mark_files_deleted(job.id)


CALLS = (
    create,
    begin_planning,
    add_chunks,
    add_last_chunks,
    renew,
    release,
    commit_chunk,
    split_chunk,
    restart_with_model,
    reopen_chunks,
    end,
    finish,
    mark_files_deleted,
)


@pytest.mark.parametrize("prepare", CALLS)
def test_a_repeated_call_has_no_further_effect(
    store: JobStore, prepare: Callable[[JobInProgress], Callable[[], object]]
) -> None:
    job = JobInProgress(store)
    call = prepare(job)
    call()
    once = job.state()
    with suppress(LeaseLost):  # permitted for a step that has ended
        call()
    assert job.state() == once


def test_releasing_a_step_twice_uncounts_one_attempt(store: JobStore) -> None:
    job = JobInProgress(store)
    first = job.claim(PLAN)
    store.leases.release(first)
    second = job.claim(PLAN)
    store.leases.release(first)
    assert store.leases.claim(job.id, PLAN, lease_s=30) is None
    store.leases.release(second)
    assert job.claim(PLAN).attempt == 1
