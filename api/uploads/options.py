"""Options of a job, from query parameters or form fields."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema

from api.http.problems import problem_of_input
from catalogue.parsing.columns import ColumnNames
from jobs.options import JobOptions
from jobs.webhook_urls import MAX_URL_CHARACTERS


def _blank_to_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


# HTML forms send empty fields as well.
BlankIsNone = BeforeValidator(_blank_to_none)


def _true_or_false(value: object) -> object:
    # pydantic would accept a dozen other spellings.
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("it must be true or false")
    return value


Flag = Annotated[bool, BeforeValidator(_true_or_false)]
Url = Annotated[str, Field(max_length=MAX_URL_CHARACTERS)]
Count = Annotated[int, Field(ge=0, le=50)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def option(description: str, **more: Any) -> Any:
    """An optional field that OpenAPI describes with its plain type."""
    return Field(default=None, description=description, json_schema_extra=_without_default, **more)


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


class Options(BaseModel):
    """Options of a job. Empty values count as missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary_column: Annotated[str | SkipJsonSchema[None], BlankIsNone] = option(
        "Column of the summaries; default: detected by name."
    )
    title_column: Annotated[str | SkipJsonSchema[None], BlankIsNone] = option(
        "Column of the titles, which are read together with the summaries; default: detected by "
        "name. Name the "
        "summary column to read no titles."
    )
    error_threshold: Annotated[Share | SkipJsonSchema[None], BlankIsNone] = option(
        "Share of failed rows, 0 to 1, at which the job fails."
    )

    review_threshold: Annotated[Share | SkipJsonSchema[None], BlankIsNone] = option(
        "Confidence, 0 to 1, below which a row needs review; default: the threshold of the model."
    )

    evidence: Annotated[Flag | SkipJsonSchema[None], BlankIsNone] = option(
        "Whether the result gets a column with the most influential words; this makes labelling "
        "slower."
    )

    alternatives: Annotated[Count | SkipJsonSchema[None], BlankIsNone] = option(
        "Number of alternative genres, with probabilities, that the result lists in a separate "
        "column; 0 to 50."
    )

    neutralise_formulas: Annotated[Flag | SkipJsonSchema[None], BlankIsNone] = option(
        "Whether CSV downloads get an apostrophe before cells that a spreadsheet would run as "
        "formulas; each "
        "download can override this. It changes values."
    )

    webhook_url: Annotated[Url | SkipJsonSchema[None], BlankIsNone] = option(
        "URL that receives a signed POST when the job ends (Standard Webhooks); https, on the "
        "public internet.",
    )

    @property
    def job_options(self) -> JobOptions:
        """The options that the job keeps."""
        return JobOptions.from_dict(self.model_dump())

    @property
    def columns(self) -> ColumnNames:
        """The columns that the caller has named."""
        return ColumnNames(summary=self.summary_column, title=self.title_column)

    def updated(self, name: str, value: str) -> Self:
        """Return a copy with one more option. Raises `Problem` for an invalid value."""
        values: dict[str, Any] = self.model_dump(exclude_unset=True)
        try:
            return self.model_validate({**values, name: value})
        except ValidationError as error:
            raise problem_of_input(error) from error


OPTIONS = frozenset(Options.model_fields)


class SubmitQuery(Options):
    """The parameters of an upload."""

    filename: Annotated[str | SkipJsonSchema[None], BlankIsNone] = option(
        "File name, for raw bodies; forms contain the file name."
    )
