"""Finds a page of jobs, with a bounded look at those that a filter leaves out."""

from __future__ import annotations

from api.http.parameters import ListQuery
from api.jobs.callers_jobs import CallersJobs
from api.jobs.job_ids import check_job_id
from jobs.job import Job, State

# Most jobs that one request looks at. A page may then be short although the list goes on.
_LOOK_AT = 1_000
_AT_ONCE = 100


def find_jobs(store: CallersJobs, query: ListQuery) -> tuple[list[Job], str | None]:
    """Matching jobs, newest first, and the cursor with which the list goes on; None at its end.

    Raises `JobNotFound` for a cursor that leads nowhere.
    """
    found: list[Job] = []
    at = query.after and check_job_id(query.after)
    for _ in range(_LOOK_AT // _AT_ONCE):
        seen = store.newest(limit=_AT_ONCE + 1, before=at)
        for position, job in enumerate(seen[:_AT_ONCE]):
            if _is_too_old(job, query):
                return found, None
            if _matches(job, query):
                found.append(job)
            if len(found) == query.limit:
                return found, job.id if position + 1 < len(seen) else None
        if len(seen) <= _AT_ONCE:
            return found, None
        at = seen[_AT_ONCE - 1].id
    return found, at


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
