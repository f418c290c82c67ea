"""Documents of label requests; fields are named after the columns of a labelled catalogue."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from catalogue.labelled.labels import Label, RowError, RowErrorCode
from jobs.ports.label_requests import LabelRequest, LabelResponse

MAX_SUMMARIES = 50

# Like the columns of a result.
_DECIMALS = 4


class BookBody(BaseModel):
    """A summary with the title of its book."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = ""
    summary: str


class LabelBody(BaseModel):
    """A label request."""

    model_config = ConfigDict(extra="forbid", strict=True)

    summaries: list[str | BookBody] = Field(
        min_length=1,
        max_length=MAX_SUMMARIES,
        description="Plain texts, or objects with title and summary.",
    )
    evidence: bool = Field(False, description="Whether to return the most influential words.")

    def to_request(self, owner: str | None) -> LabelRequest:
        """Convert to the request that is sent to a worker."""
        books = [BookBody(summary=s) if isinstance(s, str) else s for s in self.summaries]
        return LabelRequest(
            summaries=tuple(book.summary for book in books),
            titles=tuple(book.title for book in books),
            owner=owner,
            evidence=self.evidence,
        )


class WordDocument(BaseModel):
    """A word of the cleaned summary."""

    word: str
    weight: float = Field(description="Share of the total evidence for the genre, 0 to 1.")


class LabelDocument(BaseModel):
    """The label of one summary; without a label, `row_error` gives the reason."""

    predicted_genre: str | None
    confidence: float | None = Field(description="Calibrated probability, 0 to 1.")
    second_genre: str | None
    second_confidence: float | None
    genre_set: list[str] = Field(
        description="Genres that contain the right one with a stated probability."
    )
    needs_review: bool = Field(description="Whether a person should check the label.")
    row_error: RowErrorCode | None
    row_error_detail: str | None = Field(
        description="For UNSUPPORTED_LANGUAGE the language of the summary, as an ISO 639-1 code."
    )
    message: str | None = Field(description="What `row_error` means and what to do.")
    evidence: list[WordDocument] | None = Field(
        description="The most influential words, in descending order; null if not requested."
    )

    @classmethod
    def of(cls, outcome: Label | RowError, *, evidence: bool) -> Self:
        """Build the document of one outcome."""
        if isinstance(outcome, RowError):
            return cls(
                predicted_genre=None,
                confidence=None,
                second_genre=None,
                second_confidence=None,
                genre_set=[],
                needs_review=True,
                row_error=outcome.code,
                row_error_detail=outcome.detail or None,
                message=outcome.message,
                evidence=[] if evidence else None,
            )
        words = [
            WordDocument(word=item.word, weight=round(item.weight, _DECIMALS))
            for item in outcome.evidence
        ]
        return cls(
            predicted_genre=outcome.genre,
            confidence=round(outcome.confidence, _DECIMALS),
            second_genre=outcome.second_genre,
            second_confidence=round(outcome.second_confidence, _DECIMALS),
            genre_set=list(outcome.genre_set),
            needs_review=outcome.needs_review,
            row_error=None,
            row_error_detail=None,
            message=None,
            evidence=words if evidence else None,
        )


class LabelsDocument(BaseModel):
    """The labels, in the order of the summaries."""

    model_version: int
    labels: list[LabelDocument]

    @classmethod
    def of(cls, response: LabelResponse, *, evidence: bool) -> Self:
        """Build the document of a response."""
        labels = [LabelDocument.of(outcome, evidence=evidence) for outcome in response.outcomes]
        return cls(model_version=response.model_version, labels=labels)
