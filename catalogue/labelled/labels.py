"""The columns that a result adds to the catalogue's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from catalogue.text.language_names import LANGUAGE_NAMES

LABEL_COLUMNS: tuple[str, ...] = (
    "predicted_genre",
    "confidence",
    "second_genre",
    "second_confidence",
    "genre_set",
    "needs_review",
    "row_error",
    "row_error_detail",
)
"""In the order in which they follow the input columns."""

ALTERNATIVES_COLUMN = "alternatives"
EVIDENCE_COLUMN = "evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalColumns:
    """Options that add columns to the result."""

    alternatives: int = 0
    """Number of further genres to list, with their probabilities; 0: no column."""
    evidence: bool = False
    """Whether to list the words with the largest weights."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of those columns, in order."""
        flags = {ALTERNATIVES_COLUMN: self.alternatives > 0, EVIDENCE_COLUMN: self.evidence}
        return tuple(name for name, enabled in flags.items() if enabled)


NO_OPTIONAL_COLUMNS = OptionalColumns()


class RowErrorCode(StrEnum):
    """The kind of a row error."""

    EMPTY_SUMMARY = "EMPTY_SUMMARY"
    MALFORMED_ROW = "MALFORMED_ROW"
    SUMMARY_TOO_LONG = "SUMMARY_TOO_LONG"
    UNSUPPORTED_LANGUAGE = "UNSUPPORTED_LANGUAGE"
    MODEL_REJECTED = "MODEL_REJECTED"
    PROCESSING_FAILED = "PROCESSING_FAILED"


_MESSAGES = {
    RowErrorCode.EMPTY_SUMMARY: "The summary contains no words that the model can read; add an "
    "English summary.",
    RowErrorCode.MALFORMED_ROW: "The row does not fit the header: its cells are shifted or "
    "missing, or a quotation mark is not closed; correct it in the catalogue.",
    RowErrorCode.SUMMARY_TOO_LONG: "The summary is longer than 100,000 characters; shorten it.",
    RowErrorCode.UNSUPPORTED_LANGUAGE: "The summary is not in English, and the model reads no "
    "other language; add an English summary.",
    RowErrorCode.MODEL_REJECTED: "The model rejected this summary; check it for unusual "
    "characters.",
    RowErrorCode.PROCESSING_FAILED: "Labelling this part of the catalogue failed several times; "
    "send these rows again.",
}


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row has no label."""

    code: RowErrorCode
    detail: str = ""
    """The ISO 639-1 code of the language for UNSUPPORTED_LANGUAGE; "" for the other codes."""

    EMPTY_SUMMARY: ClassVar["RowError"]
    MALFORMED_ROW: ClassVar["RowError"]
    SUMMARY_TOO_LONG: ClassVar["RowError"]
    MODEL_REJECTED: ClassVar["RowError"]
    PROCESSING_FAILED: ClassVar["RowError"]

    @classmethod
    def unsupported_language(cls, language: str) -> "RowError":
        """Return the error of a summary in `language`, an ISO 639-1 code."""
        return cls(RowErrorCode.UNSUPPORTED_LANGUAGE, language)

    @property
    def message(self) -> str:
        """What is wrong and what to do."""
        if self.code is RowErrorCode.UNSUPPORTED_LANGUAGE and self.detail:
            return (
                f"The summary is in {LANGUAGE_NAMES[self.detail]}, and the model reads English "
                "only; add an English summary."
            )
        return _MESSAGES[self.code]


RowError.EMPTY_SUMMARY = RowError(RowErrorCode.EMPTY_SUMMARY)
RowError.MALFORMED_ROW = RowError(RowErrorCode.MALFORMED_ROW)
RowError.SUMMARY_TOO_LONG = RowError(RowErrorCode.SUMMARY_TOO_LONG)
RowError.MODEL_REJECTED = RowError(RowErrorCode.MODEL_REJECTED)
RowError.PROCESSING_FAILED = RowError(RowErrorCode.PROCESSING_FAILED)


@dataclass(frozen=True, slots=True)
class EvidenceWord:
    """A word of the cleaned summary and its weight."""

    word: str
    """ASCII letters only, so that a cell of such words is safe in a spreadsheet."""
    weight: float
    """Its share of the evidence for the genre, 0 to 1."""


# Not frozen, which would take three times as long to construct, once per row.
@dataclass(slots=True, kw_only=True)
class Label:
    """The prediction for one row."""

    genre: str
    confidence: float
    """The calibrated probability of `genre`, 0 to 1."""
    second_genre: str
    second_confidence: float
    genre_set: tuple[str, ...]
    """Conformal set: holds the right genre with the coverage of the model; likeliest first."""
    needs_review: bool
    alternatives: tuple[tuple[str, float], ...] = ()
    """Further genres with probabilities, likeliest first; empty unless requested."""
    evidence: tuple[EvidenceWord, ...] = ()
    """The words with the largest weights, in that order; empty unless requested."""


Outcome = Label | RowError | None
"""The result for a row; None for a blank line."""


def needs_review(outcome: Outcome) -> bool:
    """Return whether a person should review the row; always true for row errors."""
    return isinstance(outcome, RowError) or (outcome is not None and outcome.needs_review)


def added_columns(optional: OptionalColumns = NO_OPTIONAL_COLUMNS) -> tuple[str, ...]:
    """Return the added columns, optional ones last."""
    return (*LABEL_COLUMNS, *optional.columns)


def label_cells(
    outcome: Label | RowError, optional: OptionalColumns = NO_OPTIONAL_COLUMNS
) -> tuple[str, ...]:
    """Return the cells of `added_columns`; for an error only needs_review and the error."""
    if isinstance(outcome, RowError):
        error = (outcome.code.value, outcome.detail)
        return ("", "", "", "", "", "true", *error, *("" for _ in optional.columns))
    cells: tuple[str, ...] = (
        outcome.genre,
        f"{outcome.confidence:.4f}",
        outcome.second_genre,
        f"{outcome.second_confidence:.4f}",
        "|".join(outcome.genre_set),
        "true" if outcome.needs_review else "false",
        "",
        "",
    )
    if optional.alternatives:
        cells += (
            "|".join(f"{genre}:{probability:.4f}" for genre, probability in outcome.alternatives),
        )
    if optional.evidence:
        cells += ("|".join(entry.word for entry in outcome.evidence),)
    return cells


def label_columns(
    header: Sequence[str], optional: OptionalColumns = NO_OPTIONAL_COLUMNS
) -> tuple[str, ...]:
    """Return the names of the added columns, unique among those of `header`.

    A name that is in the header, in any case, gets the first free suffix of ``_2``, ``_3`` and so
    on.
    """
    used = {name.strip().casefold() for name in header}
    return tuple(unique_name(name, used) for name in added_columns(optional))


def unique_name(name: str, used: set[str]) -> str:
    """Return the name, with a suffix if it is in `used` (casefolded names)."""
    free, number = name, 1
    while free in used:
        number += 1
        free = f"{name}_{number}"
    return free
