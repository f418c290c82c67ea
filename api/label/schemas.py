"""A question and its answer as JSON. The names are those of the columns that a labelled catalogue has."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from catalogue.labelled.labels import Label, RowError
from jobs.ports.label_requests import Answer, LabelRequest

MOST_SUMMARIES = 50

# As many as the columns of a result have.
_DECIMALS = 4


class BookBody(BaseModel):
    """A summary and the title of its book, which is read as well."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = ""
    summary: str


class LabelBody(BaseModel):
    """What is asked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    summaries: list[str | BookBody] = Field(
        min_length=1,
        max_length=MOST_SUMMARIES,
        description="Texts as people write them, each alone or with its book's title.",
    )
    evidence: bool = Field(False, description="Whether to say which words weighed most.")

    def question(self, owner: str | None) -> LabelRequest:
        """The same for a worker."""
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
    weight: float = Field(description="Its share of all that spoke for the genre, 0 to 1.")


class LabelDocument(BaseModel):
    """One summary's label; null where `row_error` says why there is none."""

    predicted_genre: str | None
    confidence: float | None = Field(description="Calibrated probability, 0 to 1.")
    second_genre: str | None
    second_confidence: float | None
    genre_set: list[str] = Field(description="Genres among which the right one is expected.")
    needs_review: bool = Field(description="Whether a person should look.")
    row_error: RowError | None
    message: str | None = Field(description="What `row_error` means and what to do.")
    evidence: list[WordDocument] | None = Field(
        description="The words that weighed most, weightiest first; null if not asked for."
    )

    @classmethod
    def of(cls, outcome: Label | RowError, *, evidence: bool) -> Self:
        """The document of one outcome."""
        if isinstance(outcome, RowError):
            return cls(
                predicted_genre=None,
                confidence=None,
                second_genre=None,
                second_confidence=None,
                genre_set=[],
                needs_review=True,
                row_error=outcome,
                message=outcome.message,
                evidence=[] if evidence else None,
            )
        words = [
            WordDocument(word=weighed.word, weight=round(weighed.weight, _DECIMALS))
            for weighed in outcome.evidence
        ]
        return cls(
            predicted_genre=outcome.genre,
            confidence=round(outcome.confidence, _DECIMALS),
            second_genre=outcome.second_genre,
            second_confidence=round(outcome.second_confidence, _DECIMALS),
            genre_set=list(outcome.genre_set),
            needs_review=outcome.needs_review,
            row_error=None,
            message=None,
            evidence=words if evidence else None,
        )


class LabelsDocument(BaseModel):
    """The labels, in the order of the summaries."""

    model_version: int
    labels: list[LabelDocument]

    @classmethod
    def of(cls, answer: Answer, *, evidence: bool) -> Self:
        """The document of an answer."""
        labels = [LabelDocument.of(outcome, evidence=evidence) for outcome in answer.outcomes]
        return cls(model_version=answer.model_version, labels=labels)
