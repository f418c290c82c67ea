"""The description of a model, parsed from its `describe` signature."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from worker.model.errors import ModelMismatch


def _distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(labels)) != len(labels):
        raise ValueError("a label occurs twice")
    return labels


_Share = Annotated[float, Field(ge=0, le=1)]


class _Conformal(BaseModel):
    quantile: _Share


class _Document(BaseModel):
    """The fields that labelling depends on. The document has more, which are for people."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: str
    labels: Annotated[tuple[str, ...], Field(min_length=2), AfterValidator(_distinct)]
    max_tokens: Annotated[int, Field(gt=0)]
    reads_title: bool = False  # absent in older models
    cleaning_fingerprint: Annotated[str, Field(min_length=1)]
    review_threshold: _Share
    conformal: _Conformal


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """The description of one model version.

    Attributes:
        name: the model's name.
        labels: genres in the order of the columns of the probabilities; at least 2, all different.
        max_tokens: tokens of a text that the model reads; the rest is ignored.
        reads_title: whether a book's title is read before its summary.
        cleaning_fingerprint: digest of the cleaning rules of its training texts.
        review_threshold: a row whose confidence is below it needs review; in [0, 1].
        conformal_quantile: the genre set holds each label whose probability is at least 1 minus it.
        document: the whole JSON document, with calibration, training and metrics.
        digest: hexadecimal SHA-256 of the whole document. It differs between any two exports,
            because the exporter gives each a unique id.
    """

    name: str
    labels: tuple[str, ...]
    max_tokens: int
    reads_title: bool
    cleaning_fingerprint: str
    review_threshold: float
    conformal_quantile: float
    document: Mapping[str, Any]
    digest: str

    @classmethod
    def parse(cls, document: bytes) -> ModelDescription:
        """Parse the JSON document. Unknown keys are kept in `document`.

        Raises:
            ModelMismatch: not JSON, or a field is missing or out of range; the message names it.
        """
        try:
            parsed = _Document.model_validate_json(document)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "document"
            raise ModelMismatch(
                f"this worker cannot read the model's description: {field}: {first['msg']}"
            ) from error
        whole = json.loads(document)
        return cls(
            name=parsed.name,
            labels=parsed.labels,
            max_tokens=parsed.max_tokens,
            reads_title=parsed.reads_title,
            cleaning_fingerprint=parsed.cleaning_fingerprint,
            review_threshold=parsed.review_threshold,
            conformal_quantile=parsed.conformal.quantile,
            document=whole,
            digest=hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest(),
        )
