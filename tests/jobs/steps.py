"""The steps of a job, executed through the ports of its record."""

from __future__ import annotations

import uuid

from jobs.job import Chunk, Job, NewJob, PinnedModel, State
from jobs.options import NO_OPTIONS, JobOptions
from jobs.ports.job_store import JobStore
from jobs.ports.record.chunk_ledger import Commit
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, Claim, label_step
from tests.small_schema import SCHEMA

LEASE_S = 30.0


def new_job(owner: str | None = None, options: JobOptions = NO_OPTIONS) -> NewJob:
    """A job that is not recorded yet."""
    return NewJob(
        id=uuid.uuid4().hex,
        filename="c.csv",
        input_bytes=9,
        schema=SCHEMA,
        owner=owner,
        options=options,
    )


def create(store: JobStore, owner: str | None = None, max_open: int | None = None) -> str:
    """Record a new job. Returns its id."""
    return store.jobs.create(new_job(owner), max_open=max_open).id


def must_claim(store: JobStore, job_id: str, step: str, lease_s: float = LEASE_S) -> Claim:
    """Claim a step that is due and not claimed."""
    claim = store.leases.claim(job_id, step, lease_s=lease_s)
    assert claim is not None
    return claim


def chunks(*rows: int) -> list[Chunk]:
    """Consecutive chunks of ten bytes with these numbers of rows."""
    result, first = [], 1
    for index, count in enumerate(rows):
        result.append(
            Chunk(index=index, start=index * 10, end=index * 10 + 10, first_row=first, rows=count)
        )
        first += count
    return result


def plan(store: JobStore, job_id: str, *rows: int, window: int = 2) -> tuple[int, ...]:
    """Plan chunks with these numbers of rows. Returns the chunks to dispatch."""
    claim = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(claim, model=PinnedModel(3, "d3"))
    return store.chunks.add(claim, chunks(*rows), last=True, window=window).dispatch_chunks


def commit(store: JobStore, job_id: str, index: int, labelled: int, failed: int = 0) -> Commit:
    """Label one chunk."""
    claim = must_claim(store, job_id, label_step(index))
    return store.chunks.commit(
        claim, index, labelled=labelled, failed=failed, manifest=f"manifest {index}", window=2
    )


def finish(store: JobStore, job_id: str) -> Job:
    """Assemble the job."""
    return store.chunks.finish(must_claim(store, job_id, ASSEMBLE))


def cancel(store: JobStore, job_id: str) -> Job:
    """Cancel the job and assemble it."""
    store.jobs.end(job_id, State.CANCELLED)
    return finish(store, job_id)
