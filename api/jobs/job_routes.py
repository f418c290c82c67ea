"""`/v1/jobs`: each endpoint calls one thing and chooses the status."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, request
from flask_openapi3.blueprint import APIBlueprint

from api.auth.caller import caller
from api.http.concurrency import ConcurrencyLimiter
from api.http.openapi_responses import document, problems
from api.http.parameters import JobPath, ListQuery, ShowHeader, SubmitHeader
from api.http.prefer_wait import wait_for
from api.http.problems import Problem
from api.jobs.enqueue import enqueue_or_log
from api.jobs.job_ids import JOB_ID_KEY
from api.jobs.pagination import find_jobs
from api.jobs.polling import version
from api.jobs.schemas import CANCELLABLE, JobDocument, JobListDocument, as_json, job_document
from api.jobs.scoped_store import ScopedJobStore
from api.openapi import JOBS, described_routes
from api.settings import ApiSettings
from api.uploads.idempotency import run_idempotently
from api.uploads.options import SubmitQuery
from api.uploads.request_stream import read_upload
from api.uploads.submit import accept
from api.uploads.upload_description import UPLOAD_BODY, UPLOAD_PROBLEMS
from jobs.errors import IllegalTransition, JobNotFound
from jobs.files.storage import Storage, job_folder
from jobs.job import State
from jobs.queue.task_queue import TaskQueue

_SOON = {"Retry-After": "1"}
_SUBMITTED = ("Location", "Retry-After", "Idempotency-Replayed", "Preference-Applied")

Answer = Response | tuple[dict[str, Any], int] | tuple[dict[str, Any], int, dict[str, str]]


def job_routes(
    settings: ApiSettings,
    store: ScopedJobStore,
    storage: Storage,
    messages: TaskQueue,
    waiting: ConcurrencyLimiter,
) -> APIBlueprint:
    """The endpoints over these services."""
    routes = described_routes("jobs", JOBS, "/v1/jobs")

    @routes.post(
        "",
        responses={
            202: document(
                JobDocument,
                "The job.",
                headers=_SUBMITTED,
                leads_to=("show_job", "cancel_job", "get_result", "get_errors", "delete_job"),
            ),
            **UPLOAD_PROBLEMS,
        },
        description="The file streams to the storage and is checked before the answer. Options are query "
        "parameters or, in a form, fields before or after the file.",
        openapi_extensions=UPLOAD_BODY,
    )
    def submit_job(query: SubmitQuery, header: SubmitHeader) -> Answer:
        """Upload a catalogue"""
        upload = read_upload(request, query, limit=caller().upload_bytes)
        make = partial(
            accept,
            store=store,
            storage=storage,
            messages=messages,
            most_unpacked=settings.max_unpacked_bytes,
            rules=settings.webhook_url_rules,
        )
        store.ping()  # before a long upload rather than after it
        headers = dict(_SOON)
        if header.idempotency_key is None:
            job = make(upload)
        else:
            job, repeated = run_idempotently(
                upload,
                lambda known, key: make(known, key=key),
                store=store,
                owner=caller().owner,
                key=header.idempotency_key,
                stall_s=settings.api_idle_timeout_s,
            )
            headers["Idempotency-Replayed"] = "true" if repeated else "false"
        request.environ[JOB_ID_KEY] = job.id
        job, waited = wait_for(job, header.prefer, store=store, waiting=waiting)
        answer = job_document(job)
        return (
            as_json(answer),
            HTTPStatus.ACCEPTED,
            {"Location": answer.links.self} | headers | waited,
        )

    @routes.get(
        "",
        responses={
            200: JobListDocument,
            **problems("INVALID_PARAMETER", "UNKNOWN_PARAMETER", "INVALID_CURSOR"),
        },
        description="Follow `next` until it is null. With a filter a page may be short, even empty, although the "
        "list goes on: one request looks at a bounded number of jobs.",
    )
    def list_jobs(query: ListQuery) -> Answer:
        """List jobs, newest first"""
        try:
            found, following = find_jobs(store, query)
        except JobNotFound:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "INVALID_CURSOR",
                "The list does not know this place any more; start again without 'after'.",
            ) from None
        answer = JobListDocument(jobs=[job_document(j) for j in found], next=following)
        return as_json(answer), HTTPStatus.OK

    @routes.get(
        "/<job_id>",
        responses={
            200: JobDocument,
            304: {"description": "Nothing has happened since the client looked last."},
            **problems("JOB_NOT_FOUND"),
        },
    )
    def show_job(path: JobPath, header: ShowHeader) -> Answer:
        """Look at a job"""
        known = request.if_none_match
        job, headers = wait_for(
            store.look(path.job_id),
            header.prefer,
            store=store,
            waiting=waiting,
            etag=next(iter(known.as_set(include_weak=True)), None) if known else None,
        )
        response = jsonify(as_json(job_document(job)))
        response.set_etag(version(job), weak=True)  # rate and ETA differ from look to look
        if not job.is_terminal:
            headers |= _SOON
        response.headers.update(headers)
        response.make_conditional(request.environ)
        return response

    @routes.delete("/<job_id>", responses={204: None, **problems("JOB_NOT_FOUND", "JOB_NOT_ENDED")})
    def delete_job(path: JobPath) -> Answer:
        """Delete an ended job with its files"""
        job = store.get(path.job_id)
        if not job.is_terminal:
            raise IllegalTransition(job.id, job.state, "deleted")
        # Files first: if this is cut short, the job is still there to be deleted again.
        storage.delete(job_folder(job.id))
        store.delete(job.id)
        return Response(status=HTTPStatus.NO_CONTENT)

    @routes.post(
        "/<job_id>/cancel",
        responses={
            200: document(JobDocument, "The job had ended, or is being put together."),
            202: document(JobDocument, "The job will be cancelled.", headers=("Retry-After",)),
            **problems("JOB_NOT_FOUND"),
        },
    )
    def cancel_job(path: JobPath) -> Answer:
        """Cancel a job; what was labelled is kept, and asking twice is no error"""
        before = store.get(path.job_id)
        job = store.end(before.id, State.CANCELLED)
        answer = as_json(job_document(job))
        if job.state is not State.CANCELLING:
            return answer, HTTPStatus.OK
        if before.state in CANCELLABLE:
            enqueue_or_log(messages.assemble, job.id)
        return answer, HTTPStatus.ACCEPTED, _SOON

    return routes
