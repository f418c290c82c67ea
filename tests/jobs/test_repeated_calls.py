"""One suite over both job stores: a call that is made again, because its reply was lost, changes nothing more."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from jobs.errors import LeaseLost
from jobs.job import Chunk, Job, NewJob, PinnedModel, State
from jobs.ports.job_store import JobStore
from jobs.ports.step_leases import ASSEMBLE, PLAN, Claim, label_step
from tests.small_schema import SCHEMA

CHUNKS = [
    Chunk(index=i, start=10 * i, end=10 * i + 10, first_row=3 * i + 1, rows=3) for i in (0, 1)
]
HALVES = (replace(CHUNKS[0], end=5, rows=1), Chunk(index=2, start=5, end=10, first_row=2, rows=2))
MODEL = PinnedModel(1, "d1")


class Life:
    """A job, taken to where a call is made of it."""

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

    def planning(self) -> Claim:
        claim = self.claim(PLAN)
        self.store.chunks.begin_planning(claim, model=MODEL)
        return claim

    def planned(self) -> None:
        self.store.chunks.add(self.planning(), CHUNKS, last=True, window=2)

    def labelled(self) -> None:
        self.planned()
        for chunk in CHUNKS:
            commit(self.store, self.claim(label_step(chunk.index)))

    def state(self) -> tuple[object, ...]:
        """All that can be read of the job but the time at which it is read."""
        job: Job = replace(self.store.jobs.get(self.id), read_at=0.0)
        chunks = (self.store.chunks.all(self.id), self.store.chunks.manifests(self.id))
        stats = replace(
            self.store.stats.read(), read_at=0.0, memory_bytes=0, seconds_since_progress={}
        )
        return job, *chunks, stats, self.store.jobs.count_open("ann"), self.store.jobs.active_ids()


def commit(store: JobStore, claim: Claim) -> None:
    index = int(claim.step[-1])
    store.chunks.commit(
        claim, index, labelled=2, failed=1, manifest="s", window=2, genres={"crime": 2}, to_review=1
    )


def create(life: Life) -> Callable[[], object]:
    return lambda: life.store.jobs.create(life.new, max_open=1)


def begin_planning(life: Life) -> Callable[[], object]:
    claim = life.claim(PLAN)
    return lambda: life.store.chunks.begin_planning(claim, model=MODEL)


def add_chunks(life: Life) -> Callable[[], object]:
    claim = life.planning()
    return lambda: life.store.chunks.add(claim, CHUNKS, last=False, window=1)


def add_last_chunks(life: Life) -> Callable[[], object]:
    claim = life.planning()
    return lambda: life.store.chunks.add(claim, CHUNKS, last=True, window=1)


def renew(life: Life) -> Callable[[], object]:
    claim = life.claim(PLAN)
    return lambda: life.store.leases.renew(claim, lease_s=30)


def release(life: Life) -> Callable[[], object]:
    claim = life.claim(PLAN)
    return lambda: life.store.leases.release(claim)


def commit_chunk(life: Life) -> Callable[[], object]:
    life.planned()
    claim = life.claim(label_step(0))
    return lambda: commit(life.store, claim)


def split_chunk(life: Life) -> Callable[[], object]:
    life.planned()
    claim = life.claim(label_step(0))
    return lambda: life.store.chunks.split(claim, *HALVES, attempts=2, window=2)


def restart_with_model(life: Life) -> Callable[[], object]:
    life.planned()
    commit(life.store, life.claim(label_step(1)))
    claim = life.claim(label_step(0))
    return lambda: life.store.chunks.restart_with_model(claim, model=PinnedModel(2, "d2"), window=2)


def reopen_chunks(life: Life) -> Callable[[], object]:
    life.labelled()
    claim = life.claim(ASSEMBLE)
    return lambda: life.store.chunks.reopen(claim, [0])


def end(life: Life) -> Callable[[], object]:
    life.planned()
    return lambda: life.store.jobs.end(life.id, State.CANCELLED)


def finish(life: Life) -> Callable[[], object]:
    life.labelled()
    claim = life.claim(ASSEMBLE)
    return lambda: life.store.chunks.finish(claim)


def files_deleted(life: Life) -> Callable[[], object]:
    finish(life)()
    return lambda: life.store.jobs.mark_files_deleted(life.id)


CALLS = (
    create, begin_planning, add_chunks, add_last_chunks, renew, release, commit_chunk, split_chunk, restart_with_model,
    reopen_chunks, end, finish, files_deleted,
)  # fmt: skip


@pytest.mark.parametrize("prepare", CALLS)
def test_a_repeated_call_changes_nothing_more(
    store: JobStore, prepare: Callable[[Life], Callable[[], object]]
) -> None:
    life = Life(store)
    call = prepare(life)
    call()
    once = life.state()
    with suppress(LeaseLost):  # a step that is over may say so
        call()
    assert life.state() == once


def test_a_step_that_is_given_back_twice_is_uncounted_once(store: JobStore) -> None:
    life = Life(store)
    first = life.claim(PLAN)
    store.leases.release(first)
    second = life.claim(PLAN)
    store.leases.release(first)
    assert store.leases.claim(life.id, PLAN, lease_s=30) is None
    store.leases.release(second)
    assert life.claim(PLAN).attempt == 1
