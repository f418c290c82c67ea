"""The columns that a result adds to the catalogue's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LABEL_COLUMNS: tuple[str, ...] = (
    "predicted_genre",
    "confidence",
    "second_genre",
    "second_confidence",
    "genre_set",
    "needs_review",
    "row_error",
)
"""In the order in which they stand after the input's columns."""

ALTERNATIVES_COLUMN = "alternatives"
EVIDENCE_COLUMN = "evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalColumns:
    """What a result says of its labels where it was asked for, in columns after the others."""

    alternatives: int = 0
    """How many genres after the likeliest one are listed, with their probabilities."""
    evidence: bool = False
    """Whether the words that weighed most are."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of those columns, in order."""
        asked = {ALTERNATIVES_COLUMN: self.alternatives > 0, EVIDENCE_COLUMN: self.evidence}
        return tuple(name for name, wanted in asked.items() if wanted)


NO_OPTIONAL_COLUMNS = OptionalColumns()


class RowError(StrEnum):
    """Why a row has no label."""

    EMPTY_SUMMARY = "EMPTY_SUMMARY"
    MALFORMED_ROW = "MALFORMED_ROW"
    SUMMARY_TOO_LONG = "SUMMARY_TOO_LONG"
    MODEL_REJECTED = "MODEL_REJECTED"
    PROCESSING_FAILED = "PROCESSING_FAILED"

    @property
    def message(self) -> str:
        """What it means, and what to do, in a sentence for the person."""
        return _MESSAGES[self]


_MESSAGES = {
    RowError.EMPTY_SUMMARY: "The summary holds no words that the model can read; add an English "
    "summary.",
    RowError.MALFORMED_ROW: "The row does not fit the header: its cells are shifted or missing, or "
    "a quotation mark is never closed; correct it in the catalogue.",
    RowError.SUMMARY_TOO_LONG: "The summary is longer than 100,000 characters; shorten it.",
    RowError.MODEL_REJECTED: "The model refused this summary; look for unusual characters in it.",
    RowError.PROCESSING_FAILED: "Labelling this part of the catalogue failed several times; send "
    "these rows again.",
}


@dataclass(frozen=True, slots=True)
class EvidenceWord:
    """A word of the cleaned summary and how much it weighed."""

    word: str
    """ASCII letters only, so that a cell of such words is safe in a spreadsheet."""
    weight: float
    """Its share of all that spoke for the genre, 0 to 1."""


# Not frozen: it would take three times as long to make one, and there is one for each row.
@dataclass(slots=True, kw_only=True)
class Label:
    """What the model says about one row."""

    genre: str
    confidence: float
    """The calibrated probability of `genre`, 0 to 1."""
    second_genre: str
    second_confidence: float
    genre_set: tuple[str, ...]
    """The genres among which the right one is, with the model's stated coverage; likeliest first."""
    needs_review: bool
    alternatives: tuple[tuple[str, float], ...] = ()
    """Genres after `genre` with their probabilities, likeliest first; empty where they were not asked for."""
    evidence: tuple[EvidenceWord, ...] = ()
    """The words that weighed most, weightiest first; empty where they were not asked for."""


Outcome = Label | RowError | None
"""What became of a row; None for a blank line."""


def needs_review(outcome: Outcome) -> bool:
    """Return whether a person should look at the row; at every row in error, for one."""
    return isinstance(outcome, RowError) or (outcome is not None and outcome.needs_review)


def added_columns(extras: OptionalColumns = NO_OPTIONAL_COLUMNS) -> tuple[str, ...]:
    """Return the columns that are added, those that were asked for last."""
    return (*LABEL_COLUMNS, *extras.columns)


def label_cells(
    outcome: Label | RowError, extras: OptionalColumns = NO_OPTIONAL_COLUMNS
) -> tuple[str, ...]:
    """Return the cells of `added_columns`: with an error only needs_review and row_error."""
    if isinstance(outcome, RowError):
        return ("", "", "", "", "", "true", outcome.value, *("" for _ in extras.columns))
    cells: tuple[str, ...] = (
        outcome.genre,
        f"{outcome.confidence:.4f}",
        outcome.second_genre,
        f"{outcome.second_confidence:.4f}",
        "|".join(outcome.genre_set),
        "true" if outcome.needs_review else "false",
        "",
    )
    if extras.alternatives:
        cells += ("|".join(f"{genre}:{chance:.4f}" for genre, chance in outcome.alternatives),)
    if extras.evidence:
        cells += ("|".join(weighed.word for weighed in outcome.evidence),)
    return cells


def label_columns(
    header: Sequence[str], extras: OptionalColumns = NO_OPTIONAL_COLUMNS
) -> tuple[str, ...]:
    """Return the names of the added columns beside the columns of `header`.

    A name that the header has already, in whatever case, gets the suffix ``_2``, or ``_3`` and so
    on where that is taken too.
    """
    taken = {name.strip().casefold() for name in header}
    return tuple(unique_name(name, taken) for name in added_columns(extras))


def unique_name(name: str, taken: set[str]) -> str:
    """Return the name, with a suffix if it is among the casefolded ones that are taken."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
