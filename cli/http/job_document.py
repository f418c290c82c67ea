"""A job as the API describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ServerUnreachable

_ENDED = frozenset({"completed", "failed", "cancelled", "expired"})


@dataclass(frozen=True, kw_only=True)
class JobDocument:
    """The fields that the command line uses; `raw` is the whole document, as it was sent."""

    id: str
    state: str
    filename: str
    total: int
    labelled: int
    failed: int
    total_is_final: bool
    rows_per_second: float | None
    eta_seconds: float | None
    error: str | None  # a sentence
    created_at: str
    has_result: bool
    needs_review: int
    model_version: int | None
    warnings: tuple[str, ...]  # sentences
    raw: Mapping[str, Any]

    @property
    def ended(self) -> bool:
        """Whether the state is terminal."""
        return self.state in _ENDED

    @property
    def completed(self) -> bool:
        """Whether every row has a label or an error."""
        return self.state == "completed"

    @property
    def ended_badly(self) -> bool:
        """Whether it failed, was cancelled or expired."""
        return self.ended and not self.completed

    @property
    def processed(self) -> int:
        """Rows with an outcome, a label or an error."""
        return self.labelled + self.failed

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> JobDocument:
        """Raises `ServerUnreachable` if the document is no job."""
        try:
            counts, links = document["row_counts"], document.get("links") or {}
            error = document.get("error") or {}
            return cls(
                id=document["id"],
                state=document["state"],
                filename=document["filename"],
                total=counts["total"],
                labelled=counts["labelled"],
                failed=counts["failed"],
                total_is_final=document["total_is_final"],
                rows_per_second=document.get("rows_per_second"),
                eta_seconds=document.get("eta_seconds"),
                error=error.get("message"),
                created_at=document["created_at"],
                has_result=bool(links.get("result")),
                needs_review=document.get("needs_review", 0),
                model_version=document.get("model_version"),
                warnings=tuple(warning["message"] for warning in document.get("warnings", ())),
                raw=document,
            )
        except (KeyError, TypeError, AttributeError) as error_:
            raise ServerUnreachable(
                f"The server answers, but its job documents are not Spinelabel's ({error_!r})."
            ) from error_
