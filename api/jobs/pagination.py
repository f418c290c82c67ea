"""Cursor pagination of the job list, with a bound on the jobs read per request."""

from __future__ import annotations

from api.http.parameters import ListQuery
from api.jobs.job_ids import check_job_id
from api.jobs.scoped_store import ScopedJobStore
from jobs.job import Job, State


def find_jobs(
    store: ScopedJobStore, query: ListQuery, *, max_read: int = 1_000, batch_size: int = 100
) -> tuple[list[Job], str | None]:
    """Return matching jobs, newest first, and the cursor of the next page (None on the last page).

    Without a filter, one job more than the page holds is read.

    Args:
        max_read: maximum jobs read by one request with a filter; the page may then be short
            although more follow.
        batch_size: jobs read, and held in memory, at once.

    Raises `JobNotFound` for an invalid cursor.
    """
    page: list[Job] = []
    at = None if query.after is None else check_job_id(query.after)
    step = batch_size if _filters(query) else query.limit
    for _ in range(max(max_read // step, 1)):
        batch = store.newest(limit=step + 1, before=at)
        for position, job in enumerate(batch[:step]):
            if _is_too_old(job, query):
                return page, None
            if _matches(job, query):
                page.append(job)
            if len(page) == query.limit:
                return page, job.id if position + 1 < len(batch) else None
        if len(batch) <= step:
            return page, None
        at = batch[step - 1].id
    return page, at


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
