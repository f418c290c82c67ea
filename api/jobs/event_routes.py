"""`/v1/jobs/{id}/events`: job progress as server-sent events."""

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

# Less than the idle timeout of proxies, commonly one minute.
HEARTBEAT_S = 15.0
# Bounds how long a vanished client holds a thread; live clients reconnect.
_MAX_STREAM_S = 600.0
_RECONNECT_MS = 2000


class EventsHeader(BaseModel):
    """Headers of a reconnecting client."""

    last_event_id: str | SkipJsonSchema[None] = option(
        "The `id` of the last received event, which is not sent again.",
        alias="Last-Event-ID",
    )


def event_routes(store: ScopedJobStore, long_polls: ConcurrencyLimiter) -> APIBlueprint:
    """Routes over these services."""
    routes = described_routes("events", JOBS, "/v1/jobs/<job_id>")

    @routes.get(
        "/events",
        responses={
            200: file("The events.", "text/event-stream"),
            204: {"description": "The job has ended, and the client has its last event."},
            **problems("JOB_NOT_FOUND", "TOO_MANY_LONG_POLLS"),
        },
        description="Each event carries the job document: `job` after a change, `end` when the job "
        "has ended, which "
        "closes the stream. Reconnecting clients send `Last-Event-ID`, as browsers do.",
    )
    def follow_job(path: JobPath, header: EventsHeader) -> Response:
        """Follow a job by server-sent events"""
        job = store.get(path.job_id)
        if job.is_terminal and header.last_event_id == version(job):
            return Response(status=HTTPStatus.NO_CONTENT)
        release = long_polls.try_acquire()
        if release is None:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "TOO_MANY_LONG_POLLS",
                "The maximum number of event streams is reached; poll the job instead, or ask the "
                "operator to "
                "raise SPINELABEL_API_MAX_LONG_POLLS.",
                retry_after_s=5,
            )
        wait_for_client()
        response = Response(
            # The stream outlives the request context, so the caller is bound here.
            event_stream(store.for_caller(caller()), job, header.last_event_id),
            content_type="text/event-stream",
        )
        response.call_on_close(release)
        # Buffering proxies would delay events.
        response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        return response

    return routes


def event_stream(
    store: ScopedJobStore,
    job: Job,
    last_event_id: str | None,
    *,
    heartbeat_s: float = HEARTBEAT_S,
) -> Iterator[str]:
    """Yield the events of the stream as text.

    Args:
        last_event_id: version of the last event that the client has, which is not sent again.
        heartbeat_s: seconds without an event after which a comment is sent.
    """
    yield f"retry: {_RECONNECT_MS}\n\n"
    sent_at = time.monotonic()
    try:
        for snapshot in poll_job(store, job, seconds=_MAX_STREAM_S):
            if snapshot.is_terminal:
                yield _event("end", snapshot)
            elif version(snapshot) != last_event_id:
                yield _event("job", snapshot)
            elif time.monotonic() - sent_at > heartbeat_s:
                yield ":\n\n"
            else:
                continue
            last_event_id, sent_at = version(snapshot), time.monotonic()
    except JobNotFound:
        return  # the job was deleted; a reconnecting client gets 404


def _event(kind: str, job: Job) -> str:
    document = json.dumps(as_json(job_document(job)))
    return f"id: {version(job)}\nevent: {kind}\ndata: {document}\n\n"
