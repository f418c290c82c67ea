"""What a model says about itself, read from its `describe` signature."""

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
        raise ValueError("a label is there twice")
    return labels


_Share = Annotated[float, Field(ge=0, le=1)]


class _Conformal(BaseModel):
    quantile: _Share


class _Document(BaseModel):
    """What labelling depends on; the document says more, which is for people."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: str
    labels: Annotated[tuple[str, ...], Field(min_length=2), AfterValidator(_distinct)]
    max_tokens: Annotated[int, Field(gt=0)]
    reads_title: bool = False  # models of before did not
    cleaning_fingerprint: Annotated[str, Field(min_length=1)]
    review_threshold: _Share
    conformal: _Conformal


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """One model version's account of itself.

    Attributes:
        name: the model's name.
        labels: genres in the order of the K columns of the probabilities; at least 2, all different.
        max_tokens: tokens of a text that the model reads; what follows is ignored.
        reads_title: whether a book's title is read before its summary.
        cleaning_fingerprint: identifies the cleaning rules its training texts went through.
        review_threshold: a row whose confidence is below it needs review; a share.
        conformal_quantile: the genre set holds each label whose probability is at least one minus this.
        document: the whole JSON document, with calibration, training and metrics.
        digest: of the whole document, hexadecimal; exports that differ in anything differ in it, because the exporter gives
            each an id of its own.
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
        """Reads the JSON document; keys it does not know are kept in `document`, so models may say more.

        Raises:
            ModelMismatch: not JSON, or a field is missing or out of range; the message names it.
        """
        try:
            said = _Document.model_validate_json(document)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "document"
            raise ModelMismatch(
                f"the model describes itself in a way this worker cannot read: {where}: {first['msg']}"
            ) from error
        whole = json.loads(document)
        return cls(
            name=said.name,
            labels=said.labels,
            max_tokens=said.max_tokens,
            reads_title=said.reads_title,
            cleaning_fingerprint=said.cleaning_fingerprint,
            review_threshold=said.review_threshold,
            conformal_quantile=said.conformal.quantile,
            document=whole,
            digest=hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest(),
        )
