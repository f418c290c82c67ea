"""A job as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from jobs.job import Job, State
from jobs.storage import Storage, errors_path, result_path

# States in which a request to cancel changes something.
CANCELLABLE = frozenset({State.QUEUED, State.VALIDATING, State.IN_PROGRESS})


def job_document(job: Job, storage: Storage) -> dict[str, Any]:
    """The job document. Links are null while what they lead to is not there."""
    counts = job.row_counts
    header = cast(list[str], job.layout["header"])
    rate, eta = job.rows_per_second, job.eta_seconds
    return {
        "id": job.id,
        "state": job.state.value,
        "filename": job.filename,
        "input_bytes": job.input_bytes,
        "row_counts": {
            "total": counts.total,
            "labelled": counts.labelled,
            "failed": counts.failed,
            "pending": counts.pending,
        },
        "total_is_final": job.planned,
        "rows_per_second": round(rate, 1) if rate is not None else None,
        "eta_seconds": round(eta, 1) if eta is not None else None,
        "model_version": job.model_version,
        "error_threshold": job.error_threshold,
        "summary_column": header[cast(int, job.layout["summary_index"])],
        "error": (
            {"code": job.failure.code, "message": job.failure.message} if job.failure else None
        ),
        "created_at": timestamp(job.state_times[State.QUEUED]),
        **{f"{state.value}_at": timestamp(at) for state, at in job.state_times.items()},
        **({"files_deleted_at": timestamp(job.files_deleted_at)} if job.files_deleted_at else {}),
        "links": _links(job, storage),
    }


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _links(job: Job, storage: Storage) -> dict[str, str | None]:
    self = f"/v1/jobs/{job.id}"

    def to_file(name: str, path: str) -> str | None:
        return f"{self}/{name}" if job.is_terminal and storage.exists(path) else None

    return {
        "self": self,
        "result": to_file("result", result_path(job.id)),
        "errors": to_file("errors", errors_path(job.id)),
        "cancel": f"{self}/cancel" if job.state in CANCELLABLE else None,
    }
