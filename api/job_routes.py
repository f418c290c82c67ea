"""`/v1/jobs`: each endpoint calls one thing and chooses the status."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint

from api.corrected_downloads import corrected_download
from api.describing import document, file, problems
from api.documents import CANCELLABLE, JobDocument, JobListDocument, as_json, job_document
from api.downloads import download
from api.intake import accept
from api.job_ids import JOB_ID_KEY
from api.listing import find_jobs
from api.openapi import JOBS, described_routes
from api.options import SubmitQuery
from api.parameters import JobPath, ListQuery, SubmitHeader
from api.problems import Problem
from api.repeatable import once
from api.settings import ApiSettings
from api.telling import tell
from api.upload_description import UPLOAD_BODY, UPLOAD_PROBLEMS
from api.uploads import read_upload
from jobs.corrections import CorrectionStore
from jobs.errors import IllegalTransition, JobNotFound
from jobs.job import State
from jobs.messages import Messages
from jobs.storage import Storage, errors_path, job_folder, result_path
from jobs.store import JobStore

_SOON = {"Retry-After": "1"}
_FILE_HEADERS = ("ETag", "Accept-Ranges", "Content-Disposition")
_FILE_PROBLEMS = problems(
    "JOB_NOT_FOUND", "RESULT_NOT_READY", "RESULT_DELETED", "RESULT_MISSING", "RANGE_NOT_SATISFIABLE"
)

Answer = Response | tuple[dict[str, Any], int] | tuple[dict[str, Any], int, dict[str, str]]


def job_routes(
    settings: ApiSettings,
    store: JobStore,
    storage: Storage,
    messages: Messages,
    corrections: CorrectionStore,
) -> APIBlueprint:
    """The endpoints over these services."""
    routes = described_routes("jobs", JOBS, "/v1/jobs")

    @routes.post(
        "",
        responses={
            202: document(
                JobDocument,
                "The job.",
                headers=("Location", "Retry-After", "Idempotency-Replayed"),
            ),
            **UPLOAD_PROBLEMS,
        },
        description="The file streams to the storage and is checked before the answer. Options are query "
        "parameters or, in a form, fields before or after the file.",
        openapi_extensions=UPLOAD_BODY,
    )
    def submit_job(query: SubmitQuery, header: SubmitHeader) -> Answer:
        """Upload a catalogue"""
        upload = read_upload(request, query, limit=settings.max_upload_bytes)
        make = partial(accept, store=store, storage=storage, messages=messages)
        store.ping()  # before a long upload rather than after it
        headers = dict(_SOON)
        if header.idempotency_key is None:
            job = make(upload)
        else:
            job, repeated = once(
                upload,
                lambda known, settle: make(known, settle=settle),
                store=store,
                owner=None,
                key=header.idempotency_key,
                stall_s=settings.api_stall_s,
            )
            headers["Idempotency-Replayed"] = "true" if repeated else "false"
        request.environ[JOB_ID_KEY] = job.id
        answer = job_document(job, storage)
        return as_json(answer), HTTPStatus.ACCEPTED, {"Location": answer.links.self} | headers

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
        answer = JobListDocument(jobs=[job_document(j, storage) for j in found], next=following)
        return as_json(answer), HTTPStatus.OK

    @routes.get("/<job_id>", responses={200: JobDocument, **problems("JOB_NOT_FOUND")})
    def show_job(path: JobPath) -> Answer:
        """Look at a job"""
        return as_json(job_document(store.get(path.job_id), storage)), HTTPStatus.OK

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
        answer = as_json(job_document(job, storage))
        if job.state is not State.CANCELLING:
            return answer, HTTPStatus.OK
        if before.state in CANCELLABLE:
            tell(messages.assemble, job.id)
        return answer, HTTPStatus.ACCEPTED, _SOON

    @routes.get(
        "/<job_id>/result",
        responses={
            200: file("The labelled catalogue.", "text/csv", headers=_FILE_HEADERS),
            206: file("A part of it.", "text/csv", headers=(*_FILE_HEADERS, "Content-Range")),
            304: {"description": "It is what the client has already."},
            **_FILE_PROBLEMS,
        },
    )
    def get_result(path: JobPath) -> Answer:
        """Download the labelled catalogue, with a further column once rows have been corrected"""
        job = store.get(path.job_id)
        if corrections.stand(job.id).count:
            return corrected_download(job, storage, corrections)
        return download(job, storage, path=result_path(job.id), kind="labelled")

    @routes.get(
        "/<job_id>/errors",
        responses={
            200: file("Row number, code and sentence.", "text/csv", headers=_FILE_HEADERS),
            206: file("A part of it.", "text/csv", headers=(*_FILE_HEADERS, "Content-Range")),
            304: {"description": "It is what the client has already."},
            **_FILE_PROBLEMS,
        },
    )
    def get_errors(path: JobPath) -> Answer:
        """Download the list of rows that could not be labelled"""
        job = store.get(path.job_id)
        return download(job, storage, path=errors_path(job.id), kind="errors")

    return routes
