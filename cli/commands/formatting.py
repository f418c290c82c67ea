"""Numbers, jobs and JSON as text."""

from __future__ import annotations

import json

import click

from ..http.job_document import JobDocument

_ACTIVITIES = {
    "queued": "waiting for a worker",
    "validating": "reading the catalogue",
    "in_progress": "labelling",
    "finalizing": "writing the result",
    "cancelling": "being cancelled",
}


def activity(job: JobDocument) -> str:
    """Return the state of the job as a phrase."""
    return _ACTIVITIES.get(job.state, job.state)


def count(number: int, what: str) -> str:
    """`1 row`, `3,268 rows`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def size(number: int) -> str:
    """Bytes in decimal units."""
    amount, unit = float(number), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{number} B" if unit == "B" else f"{amount:.1f} {unit}"


def duration(seconds: float) -> str:
    """`3 s`, `2 min 5 s`, `1 h 4 min`."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def rows_done(job: JobDocument) -> str:
    """`1,200 of 3,268 rows`; without the total until planning is complete."""
    if not job.total_is_final:
        return count(job.processed, "row")
    return f"{job.processed:,} of {count(job.total, 'row')}"


def pace(job: JobDocument) -> str:
    """Return rate and remaining time, as far as they are known."""
    parts = []
    if job.rows_per_second is not None:
        parts.append(f"{job.rows_per_second:,.0f} rows/s")
    if job.eta_seconds is not None and not job.ended:
        parts.append(f"{duration(job.eta_seconds)} left")
    return " · ".join(parts)


def outcome(job: JobDocument) -> str:
    """The job's rows by outcome: `3,268 rows: 3,260 labelled, 8 with an error`."""
    parts = [f"{job.labelled:,} labelled", f"{job.failed:,} with an error"]
    if pending := job.total - job.processed:
        parts.append(f"{pending:,} not done")
    return f"{count(job.total, 'row')}: {', '.join(parts)}"


def describe(job: JobDocument) -> str:
    """The job in one line."""
    parts = [f"{job.id}  {job.filename}: {activity(job)}"]
    if job.ended:
        parts.append(outcome(job))
    else:
        parts.extend(filter(None, [rows_done(job), pace(job)]))
    if job.error:
        parts.append(job.error)
    return " · ".join(parts)


def print_json(document: object) -> None:
    """Print indented JSON on standard output, with non-ASCII characters as they are."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
