"""Whatever is asked of a job in whatever state, it makes no move that `TRANSITIONS` does not name, in either store."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from jobs.errors import LeaseLost
from jobs.job import TRANSITIONS, Chunk, NewJob, PinnedModel, State
from jobs.memory_store import MemoryJobStore
from jobs.redis_store import RedisJobStore
from jobs.store import ASSEMBLE, PLAN, JobStore, label_step

ID = "job"


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> JobStore:
    if request.param == "memory":
        return MemoryJobStore()
    return RedisJobStore(request.getfixturevalue("redis_url"))


def begin(store: JobStore) -> None:
    if claim := store.claim(ID, PLAN, lease_s=0.001):
        store.begin_planning(claim, model=PinnedModel(1, "d1"))


def add(store: JobStore) -> None:
    chunk = Chunk(index=0, start=0, end=9, first_row=1, rows=2)
    if claim := store.claim(ID, PLAN, lease_s=0.001):
        store.add_chunks(claim, [chunk], last=True, window=1)


def plan(store: JobStore) -> None:
    begin(store)
    time.sleep(0.005)
    add(store)


def label(store: JobStore) -> None:
    if claim := store.claim(ID, label_step(0), lease_s=0.001):
        store.commit_chunk(claim, 0, labelled=2, failed=0, seal="", window=1)


def reopen(store: JobStore) -> None:
    if claim := store.claim(ID, ASSEMBLE, lease_s=0.001):
        store.reopen_chunks(claim, [0])


def finish(store: JobStore) -> None:
    if claim := store.claim(ID, ASSEMBLE, lease_s=0.001):
        store.finish(claim)


def end(ending: State) -> Callable[[JobStore], None]:
    def ask(store: JobStore) -> None:
        store.end(ID, ending)

    return ask


ASKED = {
    "begin": begin,
    "add": add,
    "label": label,
    "reopen": reopen,
    "finish": finish,
    **{f"end {s}": end(s) for s in (State.CANCELLED, State.FAILED, State.EXPIRED)},
}
WAYS: dict[State, list[Callable[[JobStore], None]]] = {
    State.QUEUED: [],
    State.VALIDATING: [begin],
    State.IN_PROGRESS: [plan],
    State.FINALIZING: [plan, label],
    State.CANCELLING: [plan, end(State.CANCELLED)],
    State.COMPLETED: [plan, label, finish],
    State.FAILED: [end(State.FAILED), finish],
    State.EXPIRED: [end(State.EXPIRED), finish],
    State.CANCELLED: [end(State.CANCELLED), finish],
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("state", State)
def test_no_other_move_is_made(store: JobStore, state: State, asked: str) -> None:
    store.create(NewJob(id=ID, filename="c.csv", input_bytes=9, layout={"header": ["a"]}))
    for step in WAYS[state]:
        step(store)
    time.sleep(0.005)  # the lease of whoever has begun runs out
    assert store.get(ID).state is state
    try:
        ASKED[asked](store)
    except LeaseLost:
        assert store.get(ID).state is state
    assert store.get(ID).state in TRANSITIONS[state] | {state}
