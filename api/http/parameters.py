"""Path, query and header parameters of the job routes."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)
from pydantic.json_schema import SkipJsonSchema

from api.http.prefer_wait import MAX_WAIT_S
from api.jobs.job_ids import JOB_ID, check_job_id
from api.uploads.options import option
from jobs.job import State


@cache
def _schema(model: type[_Parameters]) -> dict[str, Any]:
    return super(_Parameters, model).model_json_schema()


class _Parameters(BaseModel):
    """Caches its JSON schema, which flask-openapi3 needs in every request.

    That takes a third of the time of reading a job.
    """

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return super().model_json_schema(*args, **kwargs) if args or kwargs else _schema(cls)


class JobPath(_Parameters):
    """A malformed id raises `JobNotFound` without reading the store."""

    job_id: Annotated[str, AfterValidator(check_job_id)] = Field(description="The job's id.")


def _check_rfc_3339(value: object) -> object:
    # pydantic would also accept Unix seconds and plain dates.
    if isinstance(value, str) and not _TIME.fullmatch(value):
        raise ValueError("send a time like 2026-01-31T12:00:00Z")
    return value


_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_Time = Annotated[AwareDatetime, BeforeValidator(_check_rfc_3339)]


_Word = Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]
_Cursor = Annotated[str, Field(json_schema_extra={"pattern": f"^{JOB_ID}$"})]


class SubmitHeader(_Parameters):
    """Headers of an upload."""

    idempotency_key: _Word | SkipJsonSchema[None] = option(
        "A value of your choice, unique per upload. Repeating the same upload with it within 24 "
        "hours returns the "
        "same job instead of creating a second one.",
        alias="Idempotency-Key",
    )
    prefer: str | SkipJsonSchema[None] = option(
        f"`wait=N` delays the response until the job has ended, at most {MAX_WAIT_S} seconds.",
        alias="Prefer",
    )


class ShowHeader(_Parameters):
    """Headers of a request for a job."""

    prefer: str | SkipJsonSchema[None] = option(
        "`wait=N` delays the response until the job has ended or, with If-None-Match, has changed; "
        f"at most {MAX_WAIT_S} seconds.",
        alias="Prefer",
    )
    if_none_match: str | SkipJsonSchema[None] = option(
        "The `ETag` of an earlier response.", alias="If-None-Match"
    )


class ListQuery(_Parameters):
    """Filters and page of the job list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=100, description="Maximum jobs per page.")
    after: _Cursor | SkipJsonSchema[None] = option("The `next` of the previous page.")
    state: list[State] | SkipJsonSchema[None] = option(
        "Jobs in this state; repeat the parameter for several states."
    )
    created_after: _Time | SkipJsonSchema[None] = option("Jobs created at or after this time.")
    created_before: _Time | SkipJsonSchema[None] = option("Jobs created before this time.")
    filename: str | SkipJsonSchema[None] = option(
        "Jobs whose file name contains this text, ignoring case."
    )
