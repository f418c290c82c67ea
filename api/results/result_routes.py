"""`/v1/jobs/{id}/result` and `/errors`: the files of an ended job."""

from __future__ import annotations

from typing import Annotated

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import SkipJsonSchema

from api.http.openapi_responses import file, problems
from api.http.parameters import JobPath
from api.jobs.scoped_store import ScopedJobStore
from api.openapi import JOBS, described_routes
from api.results.corrected_files import corrected_download
from api.results.exports import MEDIA_TYPES, Export, Format, negotiate
from api.results.files import download
from api.uploads.options import BlankIsNone, Flag, option
from jobs.files.storage import Storage, errors_path, result_path
from jobs.job import Job
from jobs.ports.corrections import CorrectionStore

_FILE_HEADERS = ("ETag", "Accept-Ranges", "Content-Disposition")
_FILE_PROBLEMS = problems(
    "JOB_NOT_FOUND", "RESULT_NOT_READY", "RESULT_EXPIRED", "RESULT_MISSING", "RANGE_NOT_SATISFIABLE"
)


class ResultQuery(BaseModel):
    """Options of a download."""

    model_config = ConfigDict(extra="forbid")

    format: Annotated[Format | SkipJsonSchema[None], BlankIsNone] = option(
        "Format of the download; default: chosen by the Accept header, else CSV."
    )
    neutralise_formulas: Annotated[Flag | SkipJsonSchema[None], BlankIsNone] = option(
        "Whether an apostrophe is put before cells that a spreadsheet would run as formulas. Only "
        "for CSV, since other "
        "formats mark them as text. This changes values. Default: the option of the job."
    )


def result_routes(
    store: ScopedJobStore, storage: Storage, corrections: CorrectionStore
) -> APIBlueprint:
    """Routes over these services."""
    routes = described_routes("results", JOBS, "/v1/jobs/<job_id>")

    @routes.get(
        "/result",
        responses={
            200: file("The labelled catalogue.", *MEDIA_TYPES.values(), headers=_FILE_HEADERS),
            206: file("A byte range of it.", "text/csv", headers=(*_FILE_HEADERS, "Content-Range")),
            304: {"description": "The client has this version already."},
            **_FILE_PROBLEMS,
            **problems(
                "INVALID_PARAMETER",
                "UNKNOWN_PARAMETER",
                "NOT_ACCEPTABLE",
                "TOO_MANY_ROWS_FOR_XLSX",
            ),
        },
        description="CSV is the stored result and supports ranges; other formats are converted "
        "while they are sent. JSON "
        "Lines and Parquet have typed numbers, flags and lists, and omit blank lines of the input.",
    )
    def get_result(path: JobPath, query: ResultQuery) -> Response:
        """Download the labelled catalogue, with a column of corrections if there are any"""
        job = store.get(path.job_id)
        kind = negotiate(query.format, request.accept_mimetypes)
        chosen = query.neutralise_formulas
        formula_safe = job.options.neutralise_formulas if chosen is None else chosen
        response = _result(job, Export(kind, formula_safe))
        response.vary.add("Accept")
        return response

    def _result(job: Job, export: Export) -> Response:
        if export.kind is not Format.CSV or export.formula_safe:
            return export.response(job, store, storage, corrections)
        if corrections.summary(job.id).count:
            return corrected_download(job, store, storage, corrections)
        return download(job, storage, path=result_path(job.id), kind="labelled")

    @routes.get(
        "/errors",
        responses={
            200: file("Row number, code and message.", "text/csv", headers=_FILE_HEADERS),
            206: file("A byte range of it.", "text/csv", headers=(*_FILE_HEADERS, "Content-Range")),
            304: {"description": "The client has this version already."},
            **_FILE_PROBLEMS,
        },
    )
    def get_errors(path: JobPath) -> Response:
        """Download the list of rows that could not be labelled"""
        job = store.get(path.job_id)
        return download(job, storage, path=errors_path(job.id), kind="errors")

    return routes
