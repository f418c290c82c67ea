"""Every call in every state makes a transition that `TRANSITIONS` permits, or none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from jobs.errors import LeaseLost
from jobs.job import TRANSITIONS, Chunk, NewJob, PinnedModel, State
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, label_step
from tests.jobs.conftest import PassTime
from tests.small_schema import SCHEMA

ID = "job"
LEASE = 30.0


def begin(store: JobStore) -> None:
    if claim := store.leases.claim(ID, PLAN, lease_s=LEASE):
        store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))


def add(store: JobStore) -> None:
    chunk = Chunk(index=0, start=0, end=9, first_row=1, rows=2)
    if claim := store.leases.claim(ID, PLAN, lease_s=LEASE):
        store.chunks.add(claim, [chunk], last=True, window=1)


def plan(store: JobStore) -> None:
    claim = store.leases.claim(ID, PLAN, lease_s=LEASE)
    assert claim is not None
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    chunk = Chunk(index=0, start=0, end=9, first_row=1, rows=2)
    store.chunks.add(claim, [chunk], last=True, window=1)


def label(store: JobStore) -> None:
    if claim := store.leases.claim(ID, label_step(0), lease_s=LEASE):
        store.chunks.commit(claim, 0, labelled=2, failed=0, manifest="", window=1)


def reopen(store: JobStore) -> None:
    if claim := store.leases.claim(ID, ASSEMBLE, lease_s=LEASE):
        store.chunks.reopen(claim, [0])


def finish(store: JobStore) -> None:
    if claim := store.leases.claim(ID, ASSEMBLE, lease_s=LEASE):
        store.chunks.finish(claim)


def end(ending: State) -> Callable[[JobStore], None]:
    def call(store: JobStore) -> None:
        store.jobs.end(ID, ending)

    return call


CALLS = {
    "begin": begin,
    "add": add,
    "label": label,
    "reopen": reopen,
    "finish": finish,
    **{f"end {s}": end(s) for s in (State.CANCELLED, State.FAILED, State.EXPIRED)},
}
PATHS: dict[State, list[Callable[[JobStore], None]]] = {
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


_BEFORE_ITS_END = (State.QUEUED, State.VALIDATING, State.IN_PROGRESS)
# The transition of each call; in every other state it has no effect.
NEXT_STATE: dict[str, dict[State, State]] = {
    "begin": {State.QUEUED: State.VALIDATING},
    "add": {State.VALIDATING: State.IN_PROGRESS},
    "label": {State.IN_PROGRESS: State.FINALIZING},
    "reopen": {State.FINALIZING: State.IN_PROGRESS},
    "finish": {State.FINALIZING: State.COMPLETED, State.CANCELLING: State.CANCELLED},
    "end cancelled": dict.fromkeys(_BEFORE_ITS_END, State.CANCELLING),
    "end failed": dict.fromkeys(_BEFORE_ITS_END, State.FINALIZING),
    "end expired": dict.fromkeys(_BEFORE_ITS_END, State.FINALIZING),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("state", State)
def test_each_call_makes_its_transition_and_no_other(
    pass_time: PassTime, store: JobStore, state: State, call: str
) -> None:
    store.jobs.create(NewJob(id=ID, filename="c.csv", input_bytes=9, schema=SCHEMA))
    for step in PATHS[state]:
        step(store)
    pass_time(2 * LEASE)  # the leases of the steps so far expire
    assert store.jobs.get(ID).state is state
    expected = NEXT_STATE[call].get(state, state)
    with suppress(LeaseLost):
        CALLS[call](store)
    assert store.jobs.get(ID).state is expected
    assert expected is state or expected in TRANSITIONS[state]


def test_every_permitted_transition_is_made_by_a_call() -> None:
    direct = {
        (state, target)
        for transitions in NEXT_STATE.values()
        for state, target in transitions.items()
    }
    # The terminal state is chosen by an earlier call of `end`.
    by_earlier_call = {
        (State.FINALIZING, State.FAILED),
        (State.FINALIZING, State.EXPIRED),
        # A planned job without chunks.
        (State.VALIDATING, State.FINALIZING),
    }
    allowed = {(state, target) for state, targets in TRANSITIONS.items() for target in targets}
    assert direct | by_earlier_call == allowed
