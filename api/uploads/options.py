"""What a caller may choose for a job, from the query or from form fields."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema

from api.http.problems import problem_of_input
from catalogue.parsing.columns import ColumnNames
from jobs.options import JobOptions
from jobs.webhook_urls import LONGEST_URL


def _empty_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


# A form sends every field, also those that nobody filled in.
Given = BeforeValidator(_empty_is_none)


def _true_or_false(value: object) -> object:
    # Not the dozen spellings that pydantic takes for one.
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("it has to be true or false")
    return value


Flag = Annotated[bool, BeforeValidator(_true_or_false)]
Url = Annotated[str, Field(max_length=LONGEST_URL)]
Count = Annotated[int, Field(ge=0, le=50)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def option(description: str, **more: Any) -> Any:
    """A field that may be left out; described as what it is when it is given."""
    return Field(default=None, description=description, json_schema_extra=_without_default, **more)


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


class Options(BaseModel):
    """An empty value counts as not given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary_column: Annotated[str | SkipJsonSchema[None], Given] = option(
        "The column that holds the texts; found by its name unless given."
    )
    title_column: Annotated[str | SkipJsonSchema[None], Given] = option(
        "The column whose titles are read with the texts; found by its name, if there is one, unless given. The "
        "column of the texts itself: no title is read."
    )
    error_threshold: Annotated[Share | SkipJsonSchema[None], Given] = option(
        "Share of failed rows, 0 to 1, at which the job stops."
    )

    review_threshold: Annotated[Share | SkipJsonSchema[None], Given] = option(
        "Confidence, 0 to 1, below which a row needs review; the model brings its own."
    )

    evidence: Annotated[Flag | SkipJsonSchema[None], Given] = option(
        "Whether the result says, in a further column, which words weighed most; labelling takes longer then."
    )

    alternatives: Annotated[Count | SkipJsonSchema[None], Given] = option(
        "How many genres after the likeliest one the result lists, with their probabilities, in a further column; 0 to 50."
    )

    neutralise_formulas: Annotated[Flag | SkipJsonSchema[None], Given] = option(
        "Whether the result is sent as CSV with an apostrophe in front of cells that a spreadsheet would run as formulas; "
        "each download may say otherwise. This changes values."
    )

    webhook_url: Annotated[Url | SkipJsonSchema[None], Given] = option(
        "URL that receives a signed POST when the job ends (Standard Webhooks); https, on the public internet.",
    )

    @property
    def job_options(self) -> JobOptions:
        """The options that the job keeps."""
        return JobOptions.from_dict(self.model_dump())

    @property
    def columns(self) -> ColumnNames:
        """What the caller calls the columns that are read."""
        return ColumnNames(summary=self.summary_column, title=self.title_column)

    def updated(self, name: str, value: str) -> Self:
        """The same with one more given. Raises `Problem` for a value that cannot be used."""
        given: dict[str, Any] = self.model_dump(exclude_unset=True)
        try:
            return self.model_validate({**given, name: value})
        except ValidationError as error:
            raise problem_of_input(error) from error


OPTIONS = frozenset(Options.model_fields)


class SubmitQuery(Options):
    """The parameters of an upload."""

    filename: Annotated[str | SkipJsonSchema[None], Given] = option(
        "The file's name, for a raw body; a form names its file itself."
    )
