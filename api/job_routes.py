"""`/v1/jobs`: each endpoint parses, calls one thing and chooses the status."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, after_this_request, request
from werkzeug.wrappers import Request

from api.documents import CANCELLABLE, job_document
from api.downloads import download
from api.intake import accept
from api.job_ids import JOB_ID_KEY, check_job_id
from api.problems import Problem
from api.settings import ApiSettings
from api.telling import tell
from api.uploads import BLOCK_BYTES, read_upload
from jobs.errors import IllegalTransition, JobNotFound
from jobs.job import State
from jobs.messages import Messages
from jobs.storage import Storage, errors_path, job_folder, result_path
from jobs.store import JobStore

_SOON = {"Retry-After": "1"}
_LONGEST_LIST = 100
_USUAL_LIST = 20
_DRAIN_S = 10.0

Answer = Response | tuple[dict[str, Any], int] | tuple[dict[str, Any], int, dict[str, str]]


def job_routes(
    settings: ApiSettings, store: JobStore, storage: Storage, messages: Messages
) -> Blueprint:
    """The endpoints over these services."""
    routes = Blueprint("jobs", __name__, url_prefix="/v1/jobs")

    @routes.post("")
    def submit() -> Answer:
        after_this_request(_take_the_rest(request))
        upload = read_upload(request, limit=settings.max_upload_bytes)
        store.ping()  # before a long upload rather than after it
        job = accept(upload, store=store, storage=storage, messages=messages)
        request.environ[JOB_ID_KEY] = job.id
        document = job_document(job, storage)
        location = {"Location": document["links"]["self"]}
        return document, HTTPStatus.ACCEPTED, location | _SOON

    @routes.get("")
    def index() -> Answer:
        limit = _limit(request.args.get("limit"))
        after = request.args.get("after")
        try:
            found = store.newest(limit=limit + 1, before=after and check_job_id(after))
        except JobNotFound:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "INVALID_CURSOR",
                "The list does not know this place any more; start again without 'after'.",
            ) from None
        page = found[:limit]
        return {
            "jobs": [job_document(job, storage) for job in page],
            "next": page[-1].id if len(found) > limit else None,
        }, HTTPStatus.OK

    @routes.get("/<job_id>")
    def show(job_id: str) -> Answer:
        return job_document(store.get(check_job_id(job_id)), storage), HTTPStatus.OK

    @routes.delete("/<job_id>")
    def delete(job_id: str) -> Answer:
        job = store.get(check_job_id(job_id))
        if not job.is_terminal:
            raise IllegalTransition(job.id, job.state, "deleted")
        # Files first: if this is cut short, the job is still there to be deleted again.
        storage.delete(job_folder(job.id))
        store.delete(job.id)
        return Response(status=HTTPStatus.NO_CONTENT)

    @routes.post("/<job_id>/cancel")
    def cancel(job_id: str) -> Answer:
        before = store.get(check_job_id(job_id))
        job = store.end(before.id, State.CANCELLED)
        if job.state is not State.CANCELLING:
            return job_document(job, storage), HTTPStatus.OK
        if before.state in CANCELLABLE:
            tell(messages.assemble, job.id)
        return job_document(job, storage), HTTPStatus.ACCEPTED, _SOON

    @routes.get("/<job_id>/result")
    def result(job_id: str) -> Answer:
        job = store.get(check_job_id(job_id))
        return download(job, storage, path=result_path(job.id), kind="labelled")

    @routes.get("/<job_id>/errors")
    def errors(job_id: str) -> Answer:
        job = store.get(check_job_id(job_id))
        return download(job, storage, path=errors_path(job.id), kind="errors")

    return routes


def _limit(given: str | None) -> int:
    if given is None:
        return _USUAL_LIST
    if given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= _LONGEST_LIST:
        return int(given)
    raise Problem(
        HTTPStatus.BAD_REQUEST,
        "INVALID_LIMIT",
        f"'limit' has to be a whole number from 1 to {_LONGEST_LIST}.",
    )


def _take_the_rest(request: Request) -> Callable[[Response], Response]:
    """Read what is left of the body once the answer is out.

    Closed with unread bytes, the connection would be reset, and many clients would report that
    instead of the answer that explains why their upload was refused.
    """
    stream, connection = request.stream, request.environ.get("gunicorn.socket")

    def drain() -> None:
        deadline = time.monotonic() + _DRAIN_S
        try:
            while (left := deadline - time.monotonic()) > 0:
                if connection is not None:
                    connection.settimeout(left)
                if not stream.read(BLOCK_BYTES):
                    return
        except Exception:  # the answer is out, and the connection is of no further use
            return

    def register(response: Response) -> Response:
        response.call_on_close(drain)
        return response

    return register
