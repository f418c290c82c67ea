"""The contract of `ChunkLedger`."""

from __future__ import annotations

import pytest

from jobs.errors import LeaseLost
from jobs.job import Chunk, PinnedModel, State
from jobs.options import JobOptions
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, AbandonedSteps, label_step
from tests.jobs.conftest import PassTime
from tests.jobs.steps import LEASE_S, chunks, commit, finish, must_claim, new_job, plan


def test_a_job_passes_through_all_states_to_completed(store: JobStore, job_id: str) -> None:
    assert plan(store, job_id, 5, 5, 2) == (0, 1)
    assert store.jobs.get(job_id).state is State.IN_PROGRESS
    assert commit(store, job_id, 0, 4, 1).dispatch_chunks == (2,)
    assert not commit(store, job_id, 1, 5).last
    assert commit(store, job_id, 2, 2).last
    assert store.jobs.get(job_id).state is State.FINALIZING
    ended = finish(store, job_id)
    assert ended.state is State.COMPLETED
    counts = ended.row_counts
    assert (counts.total, counts.labelled, counts.failed, counts.pending) == (12, 11, 1, 0)
    assert (ended.chunks, ended.chunks_done, ended.model_version) == (3, 3, 3)
    assert job_id not in store.jobs.active_ids()
    order = [State.QUEUED, State.VALIDATING, State.IN_PROGRESS, State.FINALIZING, State.COMPLETED]
    times = [ended.state_times[state] for state in order]
    assert times == sorted(times)


def test_chunks_can_be_committed_before_planning_ends(store: JobStore, job_id: str) -> None:
    claim = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    assert store.chunks.add(claim, chunks(5), last=False, window=4).dispatch_chunks == (0,)
    assert not commit(store, job_id, 0, 5).last
    assert store.jobs.get(job_id).state is State.IN_PROGRESS
    second = Chunk(index=1, start=10, end=20, first_row=6, rows=1)
    assert store.chunks.add(claim, [second], last=True, window=4).dispatch_chunks == (1,)
    assert commit(store, job_id, 1, 1).last


def test_the_end_of_planning_makes_assembly_due_if_all_chunks_are_committed(
    store: JobStore, job_id: str
) -> None:
    claim = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    store.chunks.add(claim, chunks(5), last=False, window=4)
    commit(store, job_id, 0, 5)
    assert store.chunks.add(claim, [], last=True, window=4).last


def test_a_catalogue_without_rows_makes_assembly_due(store: JobStore, job_id: str) -> None:
    claim = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    assert store.chunks.add(claim, [], last=True, window=4).last
    assert store.jobs.get(job_id).state is State.FINALIZING


def test_the_model_that_was_pinned_first_is_kept(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    first = must_claim(store, job_id, PLAN, lease_s=10)
    assert store.chunks.begin_planning(first, model=PinnedModel(3, "d3")) == (3, "d3")
    pass_time(20)
    second = must_claim(store, job_id, PLAN)
    assert store.chunks.begin_planning(second, model=PinnedModel(3, "other")) == (3, "d3")
    assert store.jobs.get(job_id).model == PinnedModel(3, "d3")
    with pytest.raises(LeaseLost):
        store.chunks.begin_planning(first, model=PinnedModel(5, "d5"))


def test_planning_resumes_after_the_recorded_chunks(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    first = must_claim(store, job_id, PLAN, lease_s=10)
    store.chunks.begin_planning(first, model=PinnedModel(3, "d3"))
    store.chunks.add(first, chunks(5, 5), last=False, window=1)
    pass_time(20)
    second = must_claim(store, job_id, PLAN)
    with pytest.raises(LeaseLost):
        store.chunks.add(first, chunks(5, 5, 5)[2:], last=True, window=1)
    assert list(store.chunks.all(job_id)) == chunks(5, 5)
    store.chunks.add(second, chunks(5, 5, 2)[2:], last=True, window=1)
    job = store.jobs.get(job_id)
    assert (job.row_counts.total, job.chunks, job.planned) == (12, 3, True)


def test_the_window_bounds_the_dispatched_chunks(store: JobStore, job_id: str) -> None:
    assert plan(store, job_id, *[1] * 6, window=2) == (0, 1)
    assert commit(store, job_id, 1, 1).dispatch_chunks == (2,)
    assert commit(store, job_id, 0, 1).dispatch_chunks == (3,)


def test_a_chunk_is_committed_once(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5, 5)
    claim = must_claim(store, job_id, label_step(0))
    store.chunks.commit(claim, 0, labelled=5, failed=0, manifest="s", window=2)
    with pytest.raises(LeaseLost):
        store.chunks.commit(claim, 0, labelled=5, failed=0, manifest="s", window=2)
    assert store.leases.claim(job_id, label_step(0), lease_s=LEASE_S) is None
    assert store.jobs.get(job_id).row_counts.labelled == 5
    assert store.chunks.manifests(job_id).keys() == {0}


def test_a_commit_keeps_its_manifest(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5, 5)
    commit(store, job_id, 1, 5)
    assert store.chunks.manifests(job_id) == {1: "manifest 1"}


def test_rate_and_eta_follow_the_commits(pass_time: PassTime, store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5, 5)
    assert store.jobs.get(job_id).rows_per_second is None
    pass_time(20)
    commit(store, job_id, 0, 5)
    job = store.jobs.get(job_id)
    assert job.rows_per_second is not None
    assert job.rows_per_second == pytest.approx(5 / 20, rel=0.5)
    assert job.eta_seconds is not None
    assert job.eta_seconds <= 5 / job.rows_per_second


def test_too_many_failed_follows_the_error_threshold(store: JobStore) -> None:
    new = new_job(options=JobOptions(error_threshold=0.1))
    store.jobs.create(new)
    plan(store, new.id, 50, 50, 50)
    commit(store, new.id, 0, 40, 10)
    assert not store.jobs.get(new.id).too_many_failed
    commit(store, new.id, 1, 48, 2)
    assert store.jobs.get(new.id).too_many_failed


def test_genre_error_and_review_counts_exclude_reopened_chunks(
    store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 3, 3)
    assert store.jobs.get(job_id).genre_counts == store.jobs.get(job_id).error_counts == {}
    for index, (genres, errors) in enumerate(
        (
            ({"crime": 1, "history": 1}, {"EMPTY_SUMMARY": 1}),
            ({"true:crime": 1}, {"EMPTY_SUMMARY": 1, "UNSUPPORTED_LANGUAGE": 1}),
        )
    ):
        claim = must_claim(store, job_id, label_step(index))
        store.chunks.commit(
            claim,
            index,
            labelled=sum(genres.values()),
            failed=sum(errors.values()),
            manifest="s",
            window=2,
            genres=genres,
            errors=errors,
            to_review=index + 1,
        )
    assert store.jobs.get(job_id).to_review == 3
    assert store.jobs.get(job_id).genre_counts == {"crime": 1, "history": 1, "true:crime": 1}
    assert store.jobs.get(job_id).error_counts == {"EMPTY_SUMMARY": 2, "UNSUPPORTED_LANGUAGE": 1}
    store.chunks.reopen(must_claim(store, job_id, ASSEMBLE), [0])
    assert store.jobs.get(job_id).genre_counts == {"true:crime": 1}
    assert store.jobs.get(job_id).error_counts == {"EMPTY_SUMMARY": 1, "UNSUPPORTED_LANGUAGE": 1}
    assert store.jobs.get(job_id).to_review == 2
    store.chunks.restart_with_model(
        must_claim(store, job_id, label_step(0)), model=PinnedModel(4, "d4"), window=2
    )
    assert store.jobs.get(job_id).genre_counts == store.jobs.get(job_id).error_counts == {}
    assert store.jobs.get(job_id).to_review == 0


def test_the_latest_output_is_that_of_the_last_commit(store: JobStore, job_id: str) -> None:
    assert store.chunks.latest_output("unknown") is None
    plan(store, job_id, 5, 7)
    assert store.chunks.latest_output(job_id) is None
    commit(store, job_id, 1, 7)
    commit(store, job_id, 0, 5)
    latest = store.chunks.latest_output(job_id)
    assert latest is not None
    chunk, manifest = latest
    assert (chunk.index, chunk.first_row, chunk.rows, manifest) == (0, 1, 5, "manifest 0")
    finish(store, job_id)
    assert store.chunks.latest_output(job_id) is None


def test_a_reopened_chunk_is_not_the_latest_output(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5)
    commit(store, job_id, 0, 5)
    store.chunks.reopen(must_claim(store, job_id, ASSEMBLE), [0])
    assert store.chunks.latest_output(job_id) is None


def test_reopened_chunks_are_labelled_again(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5, 5, 2)
    for index, (labelled, failed) in enumerate([(5, 0), (4, 1), (0, 2)]):
        commit(store, job_id, index, labelled, failed)
    claim = must_claim(store, job_id, ASSEMBLE)
    reopened = store.chunks.reopen(claim, [0, 2])
    assert (reopened.dispatch_chunks, reopened.last) == ((0, 2), False)
    job = store.jobs.get(job_id)
    assert (job.state, job.ending, job.chunks_done) == (State.IN_PROGRESS, None, 1)
    assert (job.row_counts.labelled, job.row_counts.failed, job.row_counts.pending) == (4, 1, 7)
    with pytest.raises(LeaseLost):
        store.chunks.finish(claim)
    assert store.leases.claim(job_id, ASSEMBLE, lease_s=LEASE_S) is None
    assert must_claim(store, job_id, label_step(0)).attempt == 1
    assert not commit(store, job_id, 2, 1, 1).last
    pass_time(5)
    assert store.leases.find_abandoned(job_id, idle_s=4) == AbandonedSteps()


def test_a_job_that_ends_early_is_assembled_without_reopened_chunks(
    store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5, 5, 2)
    commit(store, job_id, 0, 5)
    commit(store, job_id, 1, 4, 1)
    store.jobs.end(job_id, State.CANCELLED)
    claim = must_claim(store, job_id, ASSEMBLE)
    reopened = store.chunks.reopen(claim, [1])
    assert (reopened.dispatch_chunks, reopened.last) == ((), True)
    with pytest.raises(LeaseLost):
        store.chunks.reopen(claim, [0])
    ended = finish(store, job_id)
    counts = ended.row_counts
    assert (ended.state, counts.labelled, counts.failed) == (State.CANCELLED, 5, 0)
    assert counts.pending == 7


def halves(index: int, right_index: int) -> tuple[Chunk, Chunk]:
    """The halves of a chunk of five rows."""
    left = Chunk(index=index, start=index * 10, end=index * 10 + 5, first_row=1, rows=2)
    right = Chunk(index=right_index, start=index * 10 + 5, end=index * 10 + 10, first_row=3, rows=3)
    return left, right


def test_a_split_chunk_is_replaced_by_its_halves_in_input_order(
    store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5, 5)
    left, right = halves(0, 2)
    claim = must_claim(store, job_id, label_step(0))
    assert store.chunks.split(claim, left, right, attempts=2, window=4).dispatch_chunks == (2, 0)
    assert [chunk.index for chunk in store.chunks.all(job_id)] == [0, 2, 1]
    assert (store.jobs.get(job_id).row_counts.total, store.jobs.get(job_id).chunks) == (10, 3)
    half = must_claim(store, job_id, label_step(0))
    assert half.attempt == 3
    store.chunks.commit(half, 0, labelled=2, failed=0, manifest="s", window=4)
    assert not commit(store, job_id, 1, 5).last
    assert must_claim(store, job_id, label_step(2)).attempt == 3


def test_splitting_requires_a_valid_claim_and_the_end_of_planning(
    store: JobStore, job_id: str
) -> None:
    planner = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(planner, model=PinnedModel(1, "d1"))
    store.chunks.add(planner, chunks(5), last=False, window=4)
    claim = must_claim(store, job_id, label_step(0))
    with pytest.raises(LeaseLost):
        store.chunks.split(claim, *halves(0, 1), attempts=0, window=4)
    store.chunks.add(planner, [], last=True, window=4)
    store.leases.release(claim)
    with pytest.raises(LeaseLost):
        store.chunks.split(claim, *halves(0, 1), attempts=0, window=4)
    assert store.jobs.get(job_id).chunks == 1


def test_restarting_with_another_model_refuses_commits_of_the_first(
    store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5, 5, 5)
    commit(store, job_id, 0, 4, 1)
    other = must_claim(store, job_id, label_step(1))
    claim = must_claim(store, job_id, label_step(2))
    assert store.chunks.restart_with_model(
        claim, model=PinnedModel(4, "d4"), window=2
    ).dispatch_chunks == (0, 1)
    for revoked in (other, claim):
        with pytest.raises(LeaseLost):
            store.chunks.commit(
                revoked, int(revoked.step[-1]), labelled=5, failed=0, manifest="s", window=2
            )
    job = store.jobs.get(job_id)
    assert (job.model, job.chunks_done, job.row_counts.processed) == ((4, "d4"), 0, 0)
    for index in range(3):
        outcome = commit(store, job_id, index, 5)
    assert outcome.last
    assert store.jobs.get(job_id).row_counts.labelled == 15


def test_planning_can_restart_with_another_model_before_and_after_the_first_chunk(
    store: JobStore, job_id: str
) -> None:
    planner = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(planner, model=PinnedModel(3, "d3"))
    assert (
        store.chunks.restart_with_model(
            planner, model=PinnedModel(3, "other"), window=4
        ).dispatch_chunks
        == ()
    )
    store.chunks.add(planner, chunks(5), last=False, window=4)
    labeller = must_claim(store, job_id, label_step(0))
    assert store.chunks.restart_with_model(
        planner, model=PinnedModel(2, "d2"), window=4
    ).dispatch_chunks == (0,)
    with pytest.raises(LeaseLost):
        store.chunks.commit(labeller, 0, labelled=5, failed=0, manifest="s", window=2)
    store.chunks.add(planner, [], last=True, window=4)
    assert commit(store, job_id, 0, 5).last
    assert store.jobs.get(job_id).model == PinnedModel(2, "d2")
