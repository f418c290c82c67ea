"""`/v1/jobs/{id}/events`: a job's progress as server-sent events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http import HTTPStatus

from flask import Response, json
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema

from api.auth.caller import caller
from api.http.concurrency import ConcurrencyLimiter
from api.http.openapi_responses import file, problems
from api.http.parameters import JobPath
from api.http.problems import Problem
from api.http.transfers import wait_for_client
from api.jobs.polling import poll_job, version
from api.jobs.schemas import as_json, job_document
from api.jobs.scoped_store import ScopedJobStore
from api.openapi import JOBS, described_routes
from api.uploads.options import option
from jobs.errors import JobNotFound
from jobs.job import Job

# Below the time after which proxies give up a silent connection, which is a minute for most.
HEARTBEAT_S = 15.0
# A client that has vanished without a word is found out by then; one that has not comes back.
_LONGEST_STREAM_S = 600.0
_COME_BACK_MS = 2000


class EventsHeader(BaseModel):
    """What a client sends that comes back."""

    last_event_id: str | SkipJsonSchema[None] = option(
        "The `id` of the last event that was received; what is known is not sent again.",
        alias="Last-Event-ID",
    )


def event_routes(store: ScopedJobStore, waiting: ConcurrencyLimiter) -> APIBlueprint:
    """The endpoint over these services."""
    routes = described_routes("events", JOBS, "/v1/jobs/<job_id>")

    @routes.get(
        "/events",
        responses={
            200: file("The events.", "text/event-stream"),
            204: {"description": "The job has ended, and the client knows: do not come back."},
            **problems("JOB_NOT_FOUND", "TOO_MANY_LONG_POLLS"),
        },
        description="Each event carries the whole job document: `job` when something has changed, `end` once the job "
        "has ended, after which the stream ends. A client that was cut off sends `Last-Event-ID`, as browsers do.",
    )
    def follow_job(path: JobPath, header: EventsHeader) -> Response:
        """Follow a job by server-sent events"""
        job = store.get(path.job_id)
        if job.is_terminal and header.last_event_id == version(job):
            return Response(status=HTTPStatus.NO_CONTENT)
        release = waiting.try_acquire()
        if release is None:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "TOO_MANY_LONG_POLLS",
                "Too many clients are waiting for events at the moment; look at the job itself from time to time, or "
                "ask the operator to raise SPINELABEL_API_MAX_LONG_POLLS.",
                retry_after_s=5,
            )
        wait_for_client()
        response = Response(
            # The stream outlives the request, and goes on being this caller's.
            event_stream(store.of(caller()), job, header.last_event_id),
            content_type="text/event-stream",
        )
        response.call_on_close(release)
        # Proxies that buffer would hold events back until there are many.
        response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        return response

    return routes


def event_stream(
    store: ScopedJobStore,
    job: Job,
    known: str | None,
    *,
    heartbeat_s: float = HEARTBEAT_S,
) -> Iterator[str]:
    """The stream's text, event by event.

    Args:
        known: the id of the last event that the client has, which is not sent again.
        heartbeat_s: a comment is sent after so many seconds without an event.
    """
    yield f"retry: {_COME_BACK_MS}\n\n"
    spoke_at = time.monotonic()
    try:
        for look in poll_job(store, job, seconds=_LONGEST_STREAM_S):
            if look.is_terminal:
                yield _event("end", look)
            elif version(look) != known:
                yield _event("job", look)
            elif time.monotonic() - spoke_at > heartbeat_s:
                yield ":\n\n"
            else:
                continue
            known, spoke_at = version(look), time.monotonic()
    except JobNotFound:
        return  # deleted meanwhile; coming back, the client is told so


def _event(kind: str, job: Job) -> str:
    document = json.dumps(as_json(job_document(job)))
    return f"id: {version(job)}\nevent: {kind}\ndata: {document}\n\n"
