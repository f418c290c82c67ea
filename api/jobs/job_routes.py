"""`/v1/jobs`: submit, list, show, cancel and delete jobs."""

from __future__ import annotations

from contextlib import nullcontext
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
from api.jobs.job_ids import JOB_ID_KEY
from api.jobs.pagination import find_jobs
from api.jobs.polling import version
from api.jobs.schemas import CANCELLABLE, JobDocument, JobListDocument, as_json, job_document
from api.jobs.scoped_store import ScopedJobStore
from api.openapi import JOBS, described_routes
from api.settings import ApiSettings
from api.uploads.idempotency import claim_key, replay
from api.uploads.options import SubmitQuery
from api.uploads.request_stream import read_upload
from api.uploads.submit import submit_upload
from api.uploads.upload_description import UPLOAD_BODY, UPLOAD_PROBLEMS
from jobs.errors import IllegalTransition, JobNotFound
from jobs.files.storage import Storage, job_folder
from jobs.job import State
from jobs.ports.record.idempotency import CompletedRequest
from jobs.queue.task_queue import TaskQueue, enqueue_or_log

_RETRY_SOON = {"Retry-After": "1"}
_SUBMITTED = ("Location", "Retry-After", "Idempotency-Replayed", "Preference-Applied")

RouteResult = Response | tuple[dict[str, Any], int] | tuple[dict[str, Any], int, dict[str, str]]


def job_routes(
    settings: ApiSettings,
    store: ScopedJobStore,
    storage: Storage,
    task_queue: TaskQueue,
    long_polls: ConcurrencyLimiter,
) -> APIBlueprint:
    """Routes over these services."""
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
        description="The file is streamed to the storage, and its header is checked before the "
        "response. Options are "
        "query parameters or, in a form, fields before or after the file.",
        openapi_extensions=UPLOAD_BODY,
    )
    def submit_job(query: SubmitQuery, header: SubmitHeader) -> RouteResult:
        """Upload a catalogue"""
        upload = read_upload(request, query, limit=caller().upload_bytes)
        store.ping()  # fail before a long upload, not after it
        headers = dict(_RETRY_SOON)
        claim = None
        if header.idempotency_key is not None:
            claim = claim_key(
                store,
                owner=caller().owner,
                key=header.idempotency_key,
                idle_timeout_s=settings.api_idle_timeout_s,
            )
            is_replay = isinstance(claim, CompletedRequest)
            headers["Idempotency-Replayed"] = "true" if is_replay else "false"
        if isinstance(claim, CompletedRequest):
            job = replay(upload, claim, store)
        else:
            with claim or nullcontext():
                job = submit_upload(
                    upload,
                    store=store,
                    storage=storage,
                    task_queue=task_queue,
                    rules=settings.webhook_url_rules,
                    max_unpacked=settings.max_unpacked_bytes,
                    claim=claim,
                )
        request.environ[JOB_ID_KEY] = job.id
        job, wait_headers = wait_for(job, header.prefer, store=store, limiter=long_polls)
        submitted = job_document(job)
        return (
            as_json(submitted),
            HTTPStatus.ACCEPTED,
            {"Location": submitted.links.self} | headers | wait_headers,
        )

    @routes.get(
        "",
        responses={
            200: JobListDocument,
            **problems("INVALID_PARAMETER", "UNKNOWN_PARAMETER", "INVALID_CURSOR"),
        },
        description="Follow `next` until it is null. With a filter a page may be short or empty "
        "although more jobs "
        "follow, since one request reads a bounded number of jobs.",
    )
    def list_jobs(query: ListQuery) -> RouteResult:
        """List jobs, newest first"""
        try:
            page, cursor = find_jobs(store, query)
        except JobNotFound:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "INVALID_CURSOR",
                "The cursor in 'after' is invalid or has expired; start again without it.",
            ) from None
        jobs = JobListDocument(jobs=[job_document(job) for job in page], next=cursor)
        return as_json(jobs), HTTPStatus.OK

    @routes.get(
        "/<job_id>",
        responses={
            200: JobDocument,
            304: {"description": "The job has not changed since the response with this ETag."},
            **problems("JOB_NOT_FOUND"),
        },
    )
    def show_job(path: JobPath, header: ShowHeader) -> RouteResult:
        """Show a job"""
        etags = request.if_none_match
        job, headers = wait_for(
            store.get_cached(path.job_id),
            header.prefer,
            store=store,
            limiter=long_polls,
            etag=next(iter(etags.as_set(include_weak=True)), None) if etags else None,
        )
        response = jsonify(as_json(job_document(job)))
        response.set_etag(version(job), weak=True)  # rate and ETA change without a new version
        if not job.is_terminal:
            headers |= _RETRY_SOON
        response.headers.update(headers)
        response.make_conditional(request.environ)
        return response

    @routes.delete("/<job_id>", responses={204: None, **problems("JOB_NOT_FOUND", "JOB_NOT_ENDED")})
    def delete_job(path: JobPath) -> RouteResult:
        """Delete an ended job with its files"""
        job = store.get(path.job_id)
        if not job.is_terminal:
            raise IllegalTransition(job.id, job.state, "deleted")
        # Files first: after an interruption the record still exists, and the job can be deleted
        # again.
        storage.delete(job_folder(job.id))
        store.delete(job.id)
        return Response(status=HTTPStatus.NO_CONTENT)

    @routes.post(
        "/<job_id>/cancel",
        responses={
            200: document(JobDocument, "The job has ended or is being assembled."),
            202: document(JobDocument, "The job will be cancelled.", headers=("Retry-After",)),
            **problems("JOB_NOT_FOUND"),
        },
    )
    def cancel_job(path: JobPath) -> RouteResult:
        """Cancel a job; labelled rows are kept, and repeating the request is no error"""
        before = store.get(path.job_id)
        job = store.end(before.id, State.CANCELLED)
        body = as_json(job_document(job))
        if job.state is not State.CANCELLING:
            return body, HTTPStatus.OK
        if before.state in CANCELLABLE:
            enqueue_or_log(task_queue.assemble, job.id)
        return body, HTTPStatus.ACCEPTED, _RETRY_SOON

    return routes
