"""`/v1/jobs/{id}/result` and `/errors`: the files of an ended job."""

from __future__ import annotations

from flask import Response
from flask_openapi3.blueprint import APIBlueprint

from api.callers_jobs import CallersJobs
from api.corrected_downloads import corrected_download
from api.describing import file, problems
from api.downloads import download
from api.openapi import JOBS, described_routes
from api.parameters import JobPath
from jobs.corrections import CorrectionStore
from jobs.storage import Storage, errors_path, result_path

_FILE_HEADERS = ("ETag", "Accept-Ranges", "Content-Disposition")
_FILE_PROBLEMS = problems(
    "JOB_NOT_FOUND", "RESULT_NOT_READY", "RESULT_DELETED", "RESULT_MISSING", "RANGE_NOT_SATISFIABLE"
)


def result_routes(
    store: CallersJobs, storage: Storage, corrections: CorrectionStore
) -> APIBlueprint:
    """The endpoints over these services."""
    routes = described_routes("results", JOBS, "/v1/jobs/<job_id>")

    @routes.get(
        "/result",
        responses={
            200: file("The labelled catalogue.", "text/csv", headers=_FILE_HEADERS),
            206: file("A part of it.", "text/csv", headers=(*_FILE_HEADERS, "Content-Range")),
            304: {"description": "It is what the client has already."},
            **_FILE_PROBLEMS,
        },
    )
    def get_result(path: JobPath) -> Response:
        """Download the labelled catalogue, with a further column once rows have been corrected"""
        job = store.get(path.job_id)
        if corrections.stand(job.id).count:
            return corrected_download(job, storage, corrections)
        return download(job, storage, path=result_path(job.id), kind="labelled")

    @routes.get(
        "/errors",
        responses={
            200: file("Row number, code and sentence.", "text/csv", headers=_FILE_HEADERS),
            206: file("A part of it.", "text/csv", headers=(*_FILE_HEADERS, "Content-Range")),
            304: {"description": "It is what the client has already."},
            **_FILE_PROBLEMS,
        },
    )
    def get_errors(path: JobPath) -> Response:
        """Download the list of rows that could not be labelled"""
        job = store.get(path.job_id)
        return download(job, storage, path=errors_path(job.id), kind="errors")

    return routes
