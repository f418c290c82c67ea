"""The messages of the model client: tensors, evidence and model descriptions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from catalogue.labelled.labels import EvidenceWord
from worker.model.description import ModelDescription
from worker.model.errors import ModelMismatch
from worker.model.signatures import read_evidence
from worker.model.tensors import fill_texts, to_bytes, to_floats
from worker.protos.tensorflow.core.framework import tensor_pb2, types_pb2

DOCUMENT = {
    "schema": 1,
    "name": "genre",
    "architecture": "bilstm",
    "labels": ["crime", "fantasy"],
    "max_tokens": 300,
    "cleaning_fingerprint": "abc",
    "calibration": {"method": "temperature", "temperature": 1.3, "ece": 0.03},
    "review_threshold": 0.81,
    "conformal": {"coverage": 0.9, "quantile": 0.87},
    "training": {"rows": 1740},
    "metrics": {"macro_f1": 0.7},
    "something": "a field of a later release",
}


def tensor(shape: list[int], dtype: int = types_pb2.DT_FLOAT) -> tensor_pb2.TensorProto:
    message = tensor_pb2.TensorProto(dtype=dtype)
    for size in shape:
        message.tensor_shape.dim.add().size = size
    return message


def test_texts_are_encoded_unchanged() -> None:
    message = tensor_pb2.TensorProto()
    texts = ["", "a crime", "ünïcödé 書"]
    fill_texts(message, texts)
    read = tensor_pb2.TensorProto.FromString(message.SerializeToString())
    assert [value.decode() for value in to_bytes(read)] == texts
    assert [dim.size for dim in read.tensor_shape.dim] == [3]


def test_a_text_that_utf8_cannot_encode_does_not_fail_the_batch() -> None:
    message = tensor_pb2.TensorProto()
    fill_texts(message, ["half a pair \ud83d", "a crime"])
    assert to_bytes(message) == [b"half a pair ?", b"a crime"]


def test_floats_are_read_from_raw_bytes_and_from_single_values_alike() -> None:
    expected = np.random.default_rng(1).random((7, 10), dtype=np.float32)
    raw, single = tensor([7, 10]), tensor([7, 10])
    raw.tensor_content = expected.tobytes()
    single.float_val.extend(expected.ravel().tolist())
    for message in (raw, single):
        read = to_floats(message)
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, expected)


def test_trailing_equal_values_may_be_omitted() -> None:
    message = tensor([2, 3])
    message.float_val.extend([0.25, 0.5])
    assert to_floats(message).tolist() == [[0.25, 0.5, 0.5], [0.5, 0.5, 0.5]]


def too_many_values() -> tensor_pb2.TensorProto:
    message = tensor([1])
    message.float_val.extend([1.0, 2.0])
    return message


def wrong_raw_size() -> tensor_pb2.TensorProto:
    message = tensor([2])
    message.tensor_content = b"1234"
    return message


@pytest.mark.parametrize(
    "message",
    [
        tensor_pb2.TensorProto(),
        tensor([1], types_pb2.DT_DOUBLE),
        tensor([2]),
        too_many_values(),
        wrong_raw_size(),
    ],
    ids=["empty", "doubles", "no values", "too many values", "wrong raw size"],
)
def test_a_tensor_whose_values_do_not_fit_its_shape_is_refused(
    message: tensor_pb2.TensorProto,
) -> None:
    with pytest.raises(ValueError):
        to_floats(message)


def evidence(words: list[bytes], weights: list[float], shape: list[int]) -> Any:
    word_tensor, weight_tensor = tensor(shape, types_pb2.DT_STRING), tensor(shape)
    word_tensor.string_val.extend(words)
    weight_tensor.float_val.extend(weights)
    return {"words": word_tensor, "weights": weight_tensor}


def test_evidence_is_read_by_row_without_its_padding() -> None:
    outputs = evidence(
        [b"dragon", b"elf", b"", b"", b"crime", b"knife"], [0.5, 0.25, 0, 0, 1, 0], [3, 2]
    )
    assert read_evidence(outputs, 3) == [
        (EvidenceWord("dragon", 0.5), EvidenceWord("elf", 0.25)),
        (),
        (EvidenceWord("crime", 1.0),),
    ]


@pytest.mark.parametrize(
    "outputs",
    [
        evidence([b"=HYPERLINK"], [1.0], [1, 1]),
        evidence([b"two words"], [1.0], [1, 1]),
        evidence([b"caf\xc3\xa9"], [1.0], [1, 1]),
        evidence([b"dragon", b"elf"], [1.0], [1, 1]),
        evidence([b"dragon", b"elf"], [0.5, 0.5], [2, 1]),
        evidence([b"dragon"], [1.0], [1]),
        {"words": tensor([1, 1]), "weights": tensor([1, 1])},
    ],
    ids=["formula", "two words", "not ASCII", "too many", "too many rows", "flat", "no words"],
)
def test_malformed_evidence_is_refused(outputs: Any) -> None:
    with pytest.raises(ModelMismatch):
        read_evidence(outputs, 1)


def test_a_description_is_parsed_and_keeps_unknown_fields() -> None:
    description = ModelDescription.parse(json.dumps(DOCUMENT).encode())
    assert description.labels == ("crime", "fantasy")
    assert description.max_tokens == 300
    assert description.cleaning_fingerprint == "abc"
    assert description.review_threshold == 0.81
    assert description.conformal_quantile == 0.87
    assert description.document == DOCUMENT


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema"),
        ({"labels": ["crime", "crime"]}, "labels: .* twice"),
        ({"labels": ["crime"]}, "labels"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"cleaning_fingerprint": ""}, "cleaning_fingerprint"),
        ({"review_threshold": 1.1}, "review_threshold"),
        ({"conformal": {"coverage": 0.9}}, "conformal.quantile"),
        ({"name": None}, "name"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_an_unusable_description_is_refused_with_the_name_of_the_field(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelMismatch, match=message):
        ModelDescription.parse(json.dumps({**DOCUMENT, **change}).encode())


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b"\xff"])
def test_a_description_that_is_not_a_json_object_is_a_mismatch(document: bytes) -> None:
    with pytest.raises(ModelMismatch):
        ModelDescription.parse(document)
