"""The job documents: pydantic models that both validate responses and describe them in OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from jobs.job import Job, State
from jobs.warnings import warnings_of

# States in which a job can be cancelled.
CANCELLABLE = frozenset({State.QUEUED, State.VALIDATING, State.IN_PROGRESS})

Timestamp = Annotated[
    str, Field(description="RFC 3339 in UTC.", json_schema_extra={"format": "date-time"})
]


class RowCountsDocument(BaseModel):
    """Row counts; labelled + failed + pending = total."""

    total: int
    labelled: int
    failed: int
    pending: int


class FailureDocument(BaseModel):
    """Why a job failed."""

    code: str = Field(description="Stable problem code.")
    message: str = Field(description="What is wrong, and what to do.")


class WarningDocument(BaseModel):
    """A fault of the catalogue that does not stop the job."""

    code: str = Field(description="Stable code.")
    message: str = Field(description="What is wrong, and what to do.")
    rows: int = Field(description="Affected rows so far.")


class LinksDocument(BaseModel):
    """Related URLs; null if the resource does not exist or not yet."""

    self: str
    result: str | None
    errors: str | None
    cancel: str | None
    deliveries: str | None


class JobDocument(BaseModel):
    """One job."""

    id: str
    state: State
    filename: str
    input_bytes: int
    owner: str | None = Field(description="Owner of the job; null on servers without API keys.")
    row_counts: RowCountsDocument
    genre_counts: dict[str, int] = Field(
        description="Labelled rows by genre, most frequent first; the sum is row_counts.labelled."
    )
    error_counts: dict[str, int] = Field(
        description="Rows without a label by error code, most frequent first; the sum is "
        "row_counts.failed."
    )
    warnings: list[WarningDocument] = Field(
        description="Faults of the catalogue that concern many rows; more may follow until it has "
        "ended."
    )
    needs_review: int = Field(
        description="Processed rows that need review, including rows without a label."
    )
    total_is_final: bool = Field(description="Whether all rows have been counted.")
    rows_per_second: float | None
    eta_seconds: float | None
    model_version: int | None
    error_threshold: float | None
    review_threshold: float | None = Field(
        description="Confidence below which rows need review; null for the threshold of the model."
    )
    alternatives: int = Field(
        description="Number of alternative genres that the result lists in a separate column."
    )
    evidence: bool = Field(
        description="Whether the result has a column with the most influential words."
    )
    neutralise_formulas: bool = Field(
        description="Whether formulas in CSV downloads are escaped, unless the download chooses "
        "otherwise."
    )
    summary_column: str
    title_column: str | None = Field(description="null if no title column is used.")
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
    next: str | None = Field(
        description="Pass it as `after` to get the next page; null on the last page."
    )


def as_json(document: BaseModel) -> dict[str, Any]:
    """Convert a document to JSON types; fields that were not set are omitted."""
    return document.model_dump(mode="json", exclude_unset=True)


def job_document(job: Job) -> JobDocument:
    """Build the job document. Times of states that were not reached are omitted."""
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
        genre_counts=_most_frequent_first(job.genre_counts),
        error_counts=_most_frequent_first(job.error_counts),
        warnings=[
            WarningDocument(code=warning.code, message=warning.message, rows=warning.rows)
            for warning in warnings_of(job)
        ],
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


def _most_frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def timestamp(seconds: float) -> str:
    """Format Unix seconds as RFC 3339 in UTC, with milliseconds."""
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
