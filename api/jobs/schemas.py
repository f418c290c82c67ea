"""A job as JSON: the models that the description shows are the ones that documents are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from jobs.job import Job, State

# States in which a request to cancel changes something.
CANCELLABLE = frozenset({State.QUEUED, State.VALIDATING, State.IN_PROGRESS})

Timestamp = Annotated[
    str, Field(description="RFC 3339 in UTC.", json_schema_extra={"format": "date-time"})
]


class RowCountsDocument(BaseModel):
    """Rows by outcome; labelled + failed + pending = total, always."""

    total: int
    labelled: int
    failed: int
    pending: int


class FailureDocument(BaseModel):
    """Why a job failed."""

    code: str = Field(description="Stable.")
    message: str = Field(description="What to do about it.")


class LinksDocument(BaseModel):
    """Where to go from here; null while what a link leads to is not there."""

    self: str
    result: str | None
    errors: str | None
    cancel: str | None
    deliveries: str | None


class JobDocument(BaseModel):
    """A catalogue on its way."""

    id: str
    state: State
    filename: str
    input_bytes: int
    owner: str | None = Field(description="Whose job it is; null where no key was asked for.")
    row_counts: RowCountsDocument
    genre_counts: dict[str, int] = Field(
        description="Labelled rows by genre, most first; they add up to row_counts.labelled."
    )
    needs_review: int = Field(
        description="Rows so far that a person should look at, those without a label among them."
    )
    total_is_final: bool = Field(description="Whether every row has been seen.")
    rows_per_second: float | None
    eta_seconds: float | None
    model_version: int | None
    error_threshold: float | None
    review_threshold: float | None = Field(
        description="Confidence below which rows need review; null for the model's own."
    )
    alternatives: int = Field(
        description="How many genres after the likeliest one the result lists, in a column of their own."
    )
    evidence: bool = Field(description="Whether the result says which words weighed most.")
    neutralise_formulas: bool = Field(
        description="Whether the CSV is sent so that no cell runs as a formula, unless a download says otherwise."
    )
    summary_column: str
    title_column: str | None = Field(description="null where no title is read.")
    error: FailureDocument | None
    created_at: Timestamp
    queued_at: Timestamp
    validating_at: Timestamp | None = None
    in_progress_at: Timestamp | None = None
    finalizing_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    failed_at: Timestamp | None = None
    cancelling_at: Timestamp | None = None
    cancelled_at: Timestamp | None = None
    expired_at: Timestamp | None = None
    files_deleted_at: Timestamp | None = None
    links: LinksDocument


class JobListDocument(BaseModel):
    """One page of jobs, newest first."""

    jobs: list[JobDocument]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last.")


def as_json(document: BaseModel) -> dict[str, Any]:
    """The document as JSON types, without what was left out of it."""
    return document.model_dump(mode="json", exclude_unset=True)


def job_document(job: Job) -> JobDocument:
    """The job document. Times of states that were never reached are left out."""
    counts = job.row_counts
    rate, eta = job.rows_per_second, job.eta_seconds
    times = {f"{state.value}_at": timestamp(at) for state, at in job.state_times.items()}
    if job.files_deleted_at:
        times["files_deleted_at"] = timestamp(job.files_deleted_at)
    return JobDocument(
        id=job.id,
        state=job.state,
        filename=job.filename,
        input_bytes=job.input_bytes,
        owner=job.owner,
        row_counts=RowCountsDocument(
            total=counts.total,
            labelled=counts.labelled,
            failed=counts.failed,
            pending=counts.pending,
        ),
        genre_counts=dict(sorted(job.genre_counts.items(), key=lambda item: (-item[1], item[0]))),
        needs_review=job.to_review,
        total_is_final=job.planned,
        rows_per_second=round(rate, 1) if rate is not None else None,
        eta_seconds=round(eta, 1) if eta is not None else None,
        model_version=job.model_version,
        error_threshold=job.options.error_threshold,
        review_threshold=job.options.review_threshold,
        alternatives=job.options.alternatives,
        evidence=job.options.evidence,
        neutralise_formulas=job.options.neutralise_formulas,
        summary_column=job.summary_column,
        title_column=job.title_column,
        error=(
            FailureDocument(code=job.failure.code, message=job.failure.message)
            if job.failure
            else None
        ),
        created_at=timestamp(job.state_times[State.QUEUED]),
        links=_links(job),
        **times,
    )


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _links(job: Job) -> LinksDocument:
    own = f"/v1/jobs/{job.id}"
    return LinksDocument(
        self=own,
        result=f"{own}/result" if job.has_files else None,
        errors=f"{own}/errors" if job.has_files else None,
        cancel=f"{own}/cancel" if job.state in CANCELLABLE else None,
        deliveries=f"{own}/deliveries" if job.options.webhook_url is not None else None,
    )
