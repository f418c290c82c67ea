"""The label of one summary as the API describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ServerUnreachable


@dataclass(frozen=True, kw_only=True)
class LabelDocument:
    """One label. `raw` is the response's label with the model version."""

    genre: str | None  # None: `error` says why
    confidence: float
    second_genre: str
    second_confidence: float
    genre_set: tuple[str, ...]
    needs_review: bool
    error: str | None  # a sentence
    evidence: tuple[tuple[str, float], ...]  # words and their shares, in descending order
    raw: Mapping[str, Any]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> LabelDocument:
        """Return the first label of a response. Raises `ServerUnreachable` if it has none."""
        try:
            label = document["labels"][0]
            return cls(
                genre=label["predicted_genre"],
                confidence=label["confidence"] or 0.0,
                second_genre=label["second_genre"] or "",
                second_confidence=label["second_confidence"] or 0.0,
                genre_set=tuple(label["genre_set"]),
                needs_review=label["needs_review"],
                error=label["message"],
                evidence=tuple((w["word"], w["weight"]) for w in label["evidence"] or ()),
                raw={"model_version": document["model_version"], **label},
            )
        except (KeyError, IndexError, TypeError) as error:
            raise ServerUnreachable(
                f"The server answers, but its labels are not Spinelabel's ({error!r})."
            ) from error
