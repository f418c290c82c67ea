"""What the routes take from path and query."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from api.job_ids import check_job_id
from api.options import option


class JobPath(BaseModel):
    """An id that cannot be one raises `JobNotFound`, before a store sees it."""

    job_id: Annotated[str, AfterValidator(check_job_id)] = Field(description="The job's id.")


class ListQuery(BaseModel):
    """Which page of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=100, description="Jobs on a page, at most.")
    after: str | SkipJsonSchema[None] = option("The `next` of the page before.")
