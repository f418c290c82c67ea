"""What the routes take from path and query."""

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

from api.http.prefer_wait import LONGEST_WAIT_S
from api.jobs.job_ids import JOB_ID, check_job_id
from api.uploads.options import option
from jobs.job import State


@cache
def _schema(model: type[_Parameters]) -> dict[str, Any]:
    return super(_Parameters, model).model_json_schema()


class _Parameters(BaseModel):
    """Its plain JSON schema is made once: flask-openapi3 asks for it at every request, a third of what a look at a job costs."""

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return super().model_json_schema(*args, **kwargs) if args or kwargs else _schema(cls)


class JobPath(_Parameters):
    """An id that cannot be one raises `JobNotFound`, before a store sees it."""

    job_id: Annotated[str, AfterValidator(check_job_id)] = Field(description="The job's id.")


def _is_rfc_3339(value: object) -> object:
    # Not what pydantic would take beside it: seconds since 1970, or a date alone.
    if isinstance(value, str) and not _TIME.fullmatch(value):
        raise ValueError("send a time like 2026-01-31T12:00:00Z")
    return value


_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_Time = Annotated[AwareDatetime, BeforeValidator(_is_rfc_3339)]


_Word = Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]
_Cursor = Annotated[str, Field(json_schema_extra={"pattern": f"^{JOB_ID}$"})]


class SubmitHeader(_Parameters):
    """Headers of an upload."""

    idempotency_key: _Word | SkipJsonSchema[None] = option(
        "A word of your own, new for every upload: sent again with the same upload, within 24 hours, it leads to the "
        "same job instead of a second one.",
        alias="Idempotency-Key",
    )
    prefer: str | SkipJsonSchema[None] = option(
        f"`wait=N` lets the answer wait until the job has ended, {LONGEST_WAIT_S} seconds at most.",
        alias="Prefer",
    )


class ShowHeader(_Parameters):
    """Headers of a look at a job."""

    prefer: str | SkipJsonSchema[None] = option(
        "`wait=N` lets the answer wait until the job has ended, or with If-None-Match until it has changed; "
        f"{LONGEST_WAIT_S} seconds at most.",
        alias="Prefer",
    )
    if_none_match: str | SkipJsonSchema[None] = option(
        "The `ETag` of an earlier answer.", alias="If-None-Match"
    )


class ListQuery(_Parameters):
    """Which jobs, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=100, description="Jobs on a page, at most.")
    after: _Cursor | SkipJsonSchema[None] = option("The `next` of the page before.")
    state: list[State] | SkipJsonSchema[None] = option(
        "Jobs in one of these states; give it several times for several."
    )
    created_after: _Time | SkipJsonSchema[None] = option("Jobs made at this time or later.")
    created_before: _Time | SkipJsonSchema[None] = option("Jobs made before this time.")
    filename: str | SkipJsonSchema[None] = option(
        "Jobs whose file's name holds this, in whatever case."
    )
