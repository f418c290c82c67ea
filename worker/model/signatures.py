"""The model's signatures: names, inputs, outputs, and how responses are parsed."""

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
    """A signature's name, its only input and the requested outputs."""

    name: str
    input: str
    outputs: tuple[str, ...]


LABELLING = Signature("serving_default", "summary", ("probabilities",))
EXPLAINING = Signature("evidence", "summary", ("words", "weights"))
# A text that every Spinelabel model can label.
PROBE = "book"

DESCRIBING = Signature("describe", "query", ("description",))


def read_probabilities(outputs: Outputs, rows: int) -> Probabilities:
    """Parse a `LABELLING` response for `rows` texts: float32 [N, K], possibly not finite.

    Raises:
        ModelMismatch: the tensor has the wrong type or shape.
    """
    return _matrix(outputs, "probabilities", rows)


def read_evidence(outputs: Outputs, rows: int) -> list[Evidence]:
    """Parse an `EXPLAINING` response: the words of each of `rows` texts, largest weight first.

    Positions with an empty word or a weight of zero are padding and left out.

    Raises:
        ModelMismatch: a tensor has the wrong type or shape, or a word is not of the letters a to z.
    """
    weights = _matrix(outputs, "weights", rows)
    try:
        words = [word.decode("ascii") for word in to_bytes(outputs["words"])]
    except ValueError as error:  # a UnicodeDecodeError is one
        raise ModelMismatch(f"the model's words are unreadable: {error}") from error
    width = weights.shape[1]
    if len(words) != weights.size or any(word and not word.isalpha() for word in words):
        # Cleaned texts hold only letters; a spreadsheet could run anything else as a formula.
        raise ModelMismatch("the model's evidence is not one word of the letters a to z per weight")
    return [
        tuple(
            EvidenceWord(word, float(weight))
            for word, weight in zip(words[row * width : (row + 1) * width], shares, strict=True)
            if word and weight > 0
        )
        for row, shares in enumerate(weights)
    ]


def _matrix(outputs: Outputs, name: str, rows: int) -> Probabilities:
    try:
        matrix = to_floats(outputs[name])
    except ValueError as error:
        raise ModelMismatch(f"the model's {name} are unreadable: {error}") from error
    if matrix.ndim != 2 or len(matrix) != rows:
        raise ModelMismatch(f"the model answered {rows} texts with {name} of shape {matrix.shape}")
    return matrix
