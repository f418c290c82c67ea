"""Finds a page of jobs, with a bound on the jobs that are read for it."""

from __future__ import annotations

from api.http.parameters import ListQuery
from api.jobs.job_ids import check_job_id
from api.jobs.scoped_store import ScopedJobStore
from jobs.job import Job, State


def find_jobs(
    store: ScopedJobStore, query: ListQuery, *, read_at_most: int = 1_000, read_at_once: int = 100
) -> tuple[list[Job], str | None]:
    """Matching jobs, newest first, and the cursor with which the list goes on; None at its end.

    Without a filter exactly one job more than the page has is read.

    Args:
        read_at_most: jobs that one request with a filter reads. A page may then be short although the list goes on.
        read_at_once: of those, the jobs that are in memory at a time.

    Raises `JobNotFound` for a cursor that leads nowhere.
    """
    found: list[Job] = []
    at = None if query.after is None else check_job_id(query.after)
    step = read_at_once if _filters(query) else query.limit
    for _ in range(max(read_at_most // step, 1)):
        seen = store.newest(limit=step + 1, before=at)
        for position, job in enumerate(seen[:step]):
            if _is_too_old(job, query):
                return found, None
            if _matches(job, query):
                found.append(job)
            if len(found) == query.limit:
                return found, job.id if position + 1 < len(seen) else None
        if len(seen) <= step:
            return found, None
        at = seen[step - 1].id
    return found, at


def _filters(query: ListQuery) -> bool:
    return bool(query.state or query.filename or query.created_after or query.created_before)


def _is_too_old(job: Job, query: ListQuery) -> bool:
    since = query.created_after
    return since is not None and job.state_times[State.QUEUED] < since.timestamp()


def _matches(job: Job, query: ListQuery) -> bool:
    until = query.created_before
    return (
        (not query.state or job.state in query.state)
        and (until is None or job.state_times[State.QUEUED] < until.timestamp())
        and (query.filename is None or query.filename.casefold() in job.filename.casefold())
    )
