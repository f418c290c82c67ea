"""`/v1/jobs/{id}/rows` and `/corrections`: reviewing and correcting a result."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from api.http.openapi_responses import document, file, problems
from api.http.parameters import JobPath
from api.http.problems import Problem
from api.jobs.schemas import as_json
from api.jobs.scoped_store import ScopedJobStore
from api.openapi import JOBS, described_routes
from api.results.corrected_files import training_download
from api.results.result_reader import reading
from api.results.row_pages import (
    LatestRowsDocument,
    RowsDocument,
    RowsQuery,
    latest_rows,
    rows_document,
)
from catalogue.labelled.corrections import normalise_genre
from catalogue.limits import MAX_GENRE_CHARACTERS
from jobs.files.storage import Storage
from jobs.job import Job
from jobs.ports.corrections import CorrectionStore

_RESULT_PROBLEMS = ("JOB_NOT_FOUND", "RESULT_NOT_READY", "RESULT_EXPIRED", "RESULT_MISSING")


class RowPath(JobPath):
    """A row of a job's result."""

    row: int = Field(ge=1, le=10**12, description="Row number, counted from 1.")


class CorrectionBody(BaseModel):
    """A correction; the model's own genre confirms the row."""

    model_config = ConfigDict(extra="forbid")

    genre: str = Field(
        description=f"Any genre of 1 to {MAX_GENRE_CHARACTERS} characters, not only the model's."
    )


class CorrectionDocument(BaseModel):
    """The stored correction of a row."""

    row: int
    genre: str | None = Field(description="null if the correction was removed.")
    corrections: int = Field(description="Rows of the job that have a correction.")


def review_routes(
    store: ScopedJobStore, storage: Storage, corrections: CorrectionStore
) -> APIBlueprint:
    """Routes over these services."""
    routes = described_routes("review", JOBS, "/v1/jobs/<job_id>")

    @routes.get(
        "/rows",
        responses={
            200: RowsDocument,
            **problems(
                "INVALID_PARAMETER", "UNKNOWN_PARAMETER", "INVALID_CURSOR", *_RESULT_PROBLEMS
            ),
        },
    )
    def list_rows(path: JobPath, query: RowsQuery) -> dict[str, Any]:
        """List rows of a result"""
        job = store.get(path.job_id)
        with reading(job, store, storage, corrections) as reader:
            count = corrections.summary(job.id).count
            return as_json(rows_document(reader, query, corrections=count))

    @routes.get("/latest", responses={200: LatestRowsDocument, **problems("JOB_NOT_FOUND")})
    def list_latest_rows(path: JobPath) -> dict[str, Any]:
        """List the most recently labelled rows of a running job"""
        return as_json(latest_rows(store.get(path.job_id), store, storage))

    @routes.put(
        "/corrections/<int:row>",
        responses={
            200: CorrectionDocument,
            **problems(
                "INVALID_PARAMETER",
                "UNKNOWN_PARAMETER",
                "INVALID_BODY",
                "INVALID_GENRE",
                "ROW_NOT_FOUND",
                *_RESULT_PROBLEMS,
            ),
        },
    )
    def put_correction(path: RowPath, body: CorrectionBody) -> dict[str, Any]:
        """Correct or confirm the genre of a row"""
        job = store.get(path.job_id)
        _check(job, path.row, store, storage, corrections)
        genre = normalise_genre(body.genre)
        corrections.put(job.id, path.row, genre)
        count = corrections.summary(job.id).count
        return as_json(CorrectionDocument(row=path.row, genre=genre, corrections=count))

    @routes.delete(
        "/corrections/<int:row>",
        responses={
            200: document(CorrectionDocument, "The row without its correction."),
            **problems("INVALID_PARAMETER", "ROW_NOT_FOUND", *_RESULT_PROBLEMS),
        },
    )
    def delete_correction(path: RowPath) -> dict[str, Any]:
        """Remove a correction; a missing one is no error"""
        job = store.get(path.job_id)
        _check(job, path.row, store, storage, corrections)
        corrections.remove(job.id, path.row)
        count = corrections.summary(job.id).count
        return as_json(CorrectionDocument(row=path.row, genre=None, corrections=count))

    @routes.get(
        "/corrections",
        responses={
            200: file(
                "Title, genre and summary.", "text/csv", headers=("ETag", "Content-Disposition")
            ),
            304: {"description": "The client has this version already."},
            **problems(*_RESULT_PROBLEMS),
        },
    )
    def get_corrections(path: JobPath) -> Response:
        """Download the corrected rows as training data"""
        return training_download(store.get(path.job_id), store, storage, corrections)

    return routes


def _check(
    job: Job, row: int, store: ScopedJobStore, storage: Storage, corrections: CorrectionStore
) -> None:
    with reading(job, store, storage, corrections):  # raises if there is no result
        pass
    if row > job.row_counts.processed:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "ROW_NOT_FOUND",
            f"The result has {job.row_counts.processed:,} rows, so there is no row {row:,}.",
        )
