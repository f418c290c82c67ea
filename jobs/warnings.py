"""Warnings of a job: faults of its catalogue that concern many rows and do not stop it."""

from __future__ import annotations

from dataclasses import dataclass

from catalogue.labelled.labels import RowErrorCode
from jobs.job import Job


@dataclass(frozen=True, kw_only=True)
class JobWarning:
    """A stable code, a message that says what to do, and the number of rows so far."""

    code: str
    message: str
    rows: int


def warnings_of(job: Job) -> tuple[JobWarning, ...]:
    """The warnings of a job, from its record. They grow while rows are labelled."""
    code = RowErrorCode.UNSUPPORTED_LANGUAGE.value
    rows = job.error_counts.get(code, 0)
    if not rows:
        return ()
    are = "1 row is" if rows == 1 else f"{rows:,} rows are"
    message = (
        f"{are} not in English and without a genre, because the model reads English only. The "
        "column row_error_detail names the languages; add English summaries and send these rows "
        "again."
    )
    return (JobWarning(code=code, message=message, rows=rows),)
