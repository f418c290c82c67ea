"""The options of a job. They travel as one object from the request to the record and the worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from catalogue.labelled.labels import OptionalColumns


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """What a client chose for a job. The names are those of the request's parameters."""

    error_threshold: float | None = None  # share of failed rows, 0 to 1, at which the job stops
    # Confidence, 0 to 1, below which a row needs review. None: the model's own.
    review_threshold: float | None = None
    alternatives: int = 0  # number of further genres that the result lists
    evidence: bool = False  # whether the result has the evidence column
    neutralise_formulas: bool = False  # whether CSV downloads neutralise spreadsheet formulas
    webhook_url: str | None = None  # receives a signed POST when the job ends

    @property
    def columns(self) -> OptionalColumns:
        """The optional columns of the result."""
        return OptionalColumns(alternatives=self.alternatives, evidence=self.evidence)

    def to_dict(self) -> dict[str, Any]:
        """The options that are set, as JSON values."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The options among `values`; missing ones and None take their default."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: values[name] for name in names if values.get(name) is not None})


NO_OPTIONS = JobOptions()
