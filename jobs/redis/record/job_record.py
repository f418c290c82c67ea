"""Converts jobs to and from the hash in Redis, and the schema to and from compressed JSON."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from catalogue.parsing.schema import CatalogueSchema
from jobs.job import Failure, Job, NewJob, PinnedModel, RowCounts, State
from jobs.options import JobOptions

_GENRE = "genre:"
_ERROR = "error:"


def fields_of(job: NewJob) -> dict[str, Any]:
    """The initial fields of the record; the script adds the times."""
    optional = {
        "title_column": job.title_column,
        "owner": job.owner,
    }
    return {
        "state": State.QUEUED.value,
        "filename": job.filename,
        "input_bytes": job.input_bytes,
        "summary_column": job.summary_column,
        "options": json.dumps(job.options.to_dict()),
        **{name: value for name, value in optional.items() if value is not None},
    }


def packed_schema(schema: CatalogueSchema) -> bytes:
    """The schema as compressed JSON, so that a header of thousands of names stays small."""
    return zlib.compress(json.dumps(schema.to_dict()).encode())


def unpacked_schema(packed: bytes) -> CatalogueSchema:
    """The inverse of `packed_schema`."""
    return CatalogueSchema.from_dict(json.loads(zlib.decompress(packed)))


def job_from(job_id: str, record: Mapping[str, str], done: int, now: float) -> Job:
    """The job of this hash.

    Args:
        done: number of committed chunks.
        now: Unix seconds by the clock of Redis.
    """

    def optional_int(name: str) -> int | None:
        return int(record[name]) if name in record else None

    progress, deleted = optional_int("last_progress"), optional_int("files_deleted")
    return Job(
        id=job_id,
        state=State(record["state"]),
        filename=record["filename"],
        input_bytes=int(record["input_bytes"]),
        summary_column=record["summary_column"],
        title_column=record.get("title_column"),
        row_counts=RowCounts(
            total=int(record.get("total", 0)),
            labelled=int(record.get("labelled", 0)),
            failed=int(record.get("failed", 0)),
        ),
        to_review=int(record.get("to_review", 0)),
        genre_counts=_rows_by(_GENRE, record),
        error_counts=_rows_by(_ERROR, record),
        planned=record.get("planned") == "1",
        chunks=int(record.get("chunks", 0)),
        # `finish` deletes the outputs and records their number.
        chunks_done=int(record.get("chunks_done", done)),
        model=(
            PinnedModel(int(record["model_version"]), record["model_digest"])
            if "model_version" in record
            else None
        ),
        failure=Failure(**json.loads(record["failure"])) if "failure" in record else None,
        ending=State(record["ending"]) if "ending" in record else None,
        owner=record.get("owner"),
        options=JobOptions.from_dict(json.loads(record["options"])),
        files_deleted_at=deleted / 1000 if deleted is not None else None,
        state_times={
            state: int(record[f"at:{state}"]) / 1000 for state in State if f"at:{state}" in record
        },
        last_progress_at=progress / 1000 if progress is not None else None,
        read_at=now,
    )


def _rows_by(prefix: str, record: Mapping[str, str]) -> dict[str, int]:
    return {
        name.removeprefix(prefix): int(rows)
        for name, rows in record.items()
        if name.startswith(prefix) and int(rows)
    }


def job_from_reply(job_id: str, record: list[str], done: int, now_ms: int) -> Job:
    """The job of a reply of `job_snapshot.lua` or `newest_jobs.lua`."""
    fields = dict(zip(record[::2], record[1::2], strict=True))
    return job_from(job_id, fields, done, now_ms / 1000)
