"""The model's signatures: what goes in, what comes out, and how the answers are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from catalogue.labelled.labels import EvidenceWord
from worker.model.errors import ModelMismatch
from worker.model.tensors import Probabilities, to_bytes, to_floats
from worker.protos.tensorflow.core.framework import tensor_pb2

Outputs = Mapping[str, tensor_pb2.TensorProto]
Evidence = tuple[EvidenceWord, ...]


class Signature(NamedTuple):
    """A signature's name, its only input and the outputs that are asked for."""

    name: str
    input: str
    outputs: tuple[str, ...]


LABELLING = Signature("serving_default", "summary", ("probabilities",))
EXPLAINING = Signature("evidence", "summary", ("words", "weights"))
# A text that every model of ours has an answer for.
PROBE = "book"

DESCRIBING = Signature("describe", "query", ("description",))


def read_probabilities(outputs: Outputs, rows: int) -> Probabilities:
    """The answer of `LABELLING` for so many texts: float32 [N, K], perhaps not finite. Raises `ModelMismatch`."""
    return _matrix(outputs, "probabilities", rows)


def read_evidence(outputs: Outputs, rows: int) -> list[Evidence]:
    """The answer of `EXPLAINING`: for each of so many texts its words, weightiest first. Raises `ModelMismatch`.

    A place without a word holds "" or no weight, and is left out.
    """
    weights = _matrix(outputs, "weights", rows)
    try:
        words = [word.decode("ascii") for word in to_bytes(outputs["words"])]
    except ValueError as error:  # a UnicodeDecodeError is one
        raise ModelMismatch(f"the model's words are unreadable: {error}") from error
    places = weights.shape[1]
    if len(words) != weights.size or any(word and not word.isalpha() for word in words):
        # Cleaned texts hold nothing else, and a spreadsheet could run anything else as a formula.
        raise ModelMismatch("the model's evidence is not one word of the letters a to z per weight")
    return [
        tuple(
            EvidenceWord(word, float(weight))
            for word, weight in zip(words[row * places : (row + 1) * places], shares, strict=True)
            if word and weight > 0
        )
        for row, shares in enumerate(weights)
    ]


def _matrix(outputs: Outputs, name: str, rows: int) -> Probabilities:
    try:
        found = to_floats(outputs[name])
    except ValueError as error:
        raise ModelMismatch(f"the model's {name} are unreadable: {error}") from error
    if found.ndim != 2 or len(found) != rows:
        raise ModelMismatch(f"the model answered {rows} texts with {name} of shape {found.shape}")
    return found
